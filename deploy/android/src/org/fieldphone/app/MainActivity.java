package org.fieldphone.app;

import android.app.Activity;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.media.AudioManager;
import android.os.Build;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.os.SystemClock;
import android.view.View;
import android.view.ViewGroup;
import android.view.WindowManager;
import android.webkit.CookieManager;
import android.webkit.PermissionRequest;
import android.webkit.ValueCallback;
import android.webkit.WebSettings;
import android.webkit.WebView;
import android.widget.TextView;
import android.widget.Toast;
import java.io.IOException;

/** Shows the site's page. Calls are made and answered there. */
public final class MainActivity extends Activity implements PageClient.Host {
    static final String ACTION_RING = "org.fieldphone.app.RING";
    private static final int ASK_MEDIA = 1;
    private static final long TICK_MS = 3_000;
    /** How long a ring may keep the page over the lock screen before a call has begun. */
    private static final long RING_MS = 60_000;
    private static final String IN_CALL_SCRIPT =
            "!!(window.fieldphone&&window.fieldphone.pc&&window.fieldphone.pc.connectionState!=='closed')";

    private final Handler main = new Handler(Looper.getMainLooper());
    private Store store;
    private Store.Site site;
    private WebView web;
    private PageClient client;
    private Media media;
    private boolean visible;
    private boolean inCall;
    private boolean overLock;
    private boolean askedAgain;
    private long overLockUntil;

    private final Runnable tick = new Runnable() {
        @Override
        public void run() {
            look();
            if (visible || inCall) main.postDelayed(this, TICK_MS);
        }
    };

    @Override
    public void onCreate(Bundle state) {
        super.onCreate(state);
        setVolumeControlStream(AudioManager.STREAM_VOICE_CALL);
        setContentView(R.layout.main);
        findViewById(R.id.retry).setOnClickListener(new View.OnClickListener() {
            @Override
            public void onClick(View view) {
                load();
            }
        });
        findViewById(R.id.server).setOnClickListener(new View.OnClickListener() {
            @Override
            public void onClick(View view) {
                startActivity(new Intent(MainActivity.this, PairActivity.class));
            }
        });
        store = new Store(this);
        site = store.site();
        if (site == null) {
            startActivity(new Intent(this, PairActivity.class));
            finish();
            return;
        }
        open(getIntent());
        show();
    }

    @Override
    public void onNewIntent(Intent intent) {
        super.onNewIntent(intent);
        setIntent(intent);
        open(intent);
        if (web != null && (findViewById(R.id.trouble).getVisibility() == View.VISIBLE)) load();
    }

    /** A ring brings the page over the lock screen. */
    private void open(Intent intent) {
        if (intent == null || !ACTION_RING.equals(intent.getAction())) return;
        overLockUntil = SystemClock.elapsedRealtime() + RING_MS;
        setOverLock(true);
    }

    @SuppressWarnings("deprecation") // the flags serve what is older than Android 8.1
    private void setOverLock(boolean over) {
        if (over == overLock) return;
        overLock = over;
        if (Build.VERSION.SDK_INT >= 27) {
            setShowWhenLocked(over);
            setTurnScreenOn(over);
            return;
        }
        int flags = WindowManager.LayoutParams.FLAG_SHOW_WHEN_LOCKED | WindowManager.LayoutParams.FLAG_TURN_SCREEN_ON;
        if (over) getWindow().addFlags(flags);
        else getWindow().clearFlags(flags);
    }

    private void show() {
        try {
            web = new WebView(this);
        } catch (RuntimeException e) {
            pageFailed(getString(R.string.page_no_webview));
            return;
        }
        WebSettings settings = web.getSettings();
        settings.setJavaScriptEnabled(true);
        settings.setDomStorageEnabled(true);
        settings.setMediaPlaybackRequiresUserGesture(false);
        settings.setMixedContentMode(WebSettings.MIXED_CONTENT_NEVER_ALLOW);
        settings.setAllowFileAccess(false);
        settings.setAllowContentAccess(false);
        settings.setGeolocationEnabled(false);
        settings.setUserAgentString(settings.getUserAgentString() + " FieldphoneAndroid/1.0");
        CookieManager.getInstance().setAcceptThirdPartyCookies(web, false);
        client = new PageClient(store, site, this, this);
        media = new Media(this);
        web.setWebViewClient(client);
        web.setWebChromeClient(new PageChrome(this));
        ((ViewGroup) findViewById(R.id.frame)).addView(web, 0);
        load();
    }

    private void load() {
        askedAgain = false;
        if (web == null) {
            recreate();
            return;
        }
        findViewById(R.id.trouble).setVisibility(View.GONE);
        web.loadUrl(site.page());
    }

    @Override
    public void pageFailed(String reason) {
        ((TextView) findViewById(R.id.reason)).setText(reason);
        findViewById(R.id.trouble).setVisibility(View.VISIBLE);
    }

    /** Asks the site by a connection of the app's own, which gets the whole chain, and then once more by the page. */
    @Override
    public void pageDistrusted(final String reason) {
        if (askedAgain) {
            pageFailed(reason);
            return;
        }
        askedAgain = true;
        new Thread(new Runnable() {
            @Override
            public void run() {
                final boolean known = isKnown();
                main.post(new Runnable() {
                    @Override
                    public void run() {
                        if (known && web != null) web.loadUrl(site.page());
                        else pageFailed(reason);
                    }
                });
            }
        }, "chain").start();
    }

    private boolean isKnown() {
        try {
            SiteConnection.open(store, site).close();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void pageShown() {
        askedAgain = false;
        findViewById(R.id.trouble).setVisibility(View.GONE);
    }

    @Override
    public void pageCrashed() {
        dropPage();
        recreate();
    }

    @Override
    public void onStart() {
        super.onStart();
        Store.Site now = store.site();
        if (now == null || site == null) {
            finish();
            return;
        }
        if (!now.pairing.address.equals(site.pairing.address) || !now.anchor.equals(site.anchor)) {
            dropPage();
            recreate(); // paired anew meanwhile
            return;
        }
        visible = true;
        if (web != null) {
            web.onResume();
            web.resumeTimers();
        }
        LineService.start(this);
        LineService.page(this, true, inCall);
        if (!overLock) new Hints(this, new Notices(this)).ask();
        main.removeCallbacks(tick);
        main.post(tick);
    }

    @Override
    public void onStop() {
        super.onStop();
        if (!visible) return;
        visible = false;
        LineService.page(this, false, inCall);
        rest();
    }

    /** A page that nobody sees and that is in no call stops; the line goes on without it. */
    private void rest() {
        if (visible || inCall || web == null) return;
        web.onPause();
        web.pauseTimers();
    }

    private void look() {
        if (web == null) return;
        web.evaluateJavascript(IN_CALL_SCRIPT, new ValueCallback() {
            @Override
            public void onReceiveValue(Object answer) {
                setInCall("true".equals(answer));
            }
        });
        if (visible) LineService.page(this, true, inCall);
    }

    private void setInCall(boolean now) {
        boolean changed = now != inCall;
        inCall = now;
        if (!now && SystemClock.elapsedRealtime() > overLockUntil) setOverLock(false);
        if (!changed) return;
        if (now) getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        else getWindow().clearFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        LineService.page(this, visible, now);
        rest();
    }

    void mediaAsked(PermissionRequest request) {
        if (client.isSite(request.getOrigin().toString()) && client.showsSite(web)) media.asked(request);
        else request.deny();
    }

    void mediaAskedNoMore(PermissionRequest request) {
        media.askedNoMore(request);
    }

    void askForMedia(String[] permissions) {
        requestPermissions(permissions, ASK_MEDIA);
    }

    boolean mayUse(String permission) {
        return checkSelfPermission(permission) == PackageManager.PERMISSION_GRANTED;
    }

    @Override
    public void onRequestPermissionsResult(int code, String[] permissions, int[] results) {
        if (code != ASK_MEDIA || media == null) return;
        if (!media.answered()) Toast.makeText(this, R.string.media_denied, Toast.LENGTH_LONG).show();
    }

    @Override
    public void onBackPressed() {
        if (web != null && web.canGoBack()) web.goBack();
        else moveTaskToBack(true); // the page stays as it is
    }

    @Override
    public void onDestroy() {
        main.removeCallbacks(tick);
        dropPage();
        super.onDestroy();
    }

    private void dropPage() {
        if (web == null) return;
        WebView old = web;
        web = null;
        old.resumeTimers(); // they are one for all WebViews of the app
        ((ViewGroup) findViewById(R.id.frame)).removeView(old);
        old.destroy();
    }
}
