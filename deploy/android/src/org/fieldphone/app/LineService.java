package org.fieldphone.app;

import android.app.Notification;
import android.app.PendingIntent;
import android.app.Service;
import android.content.Context;
import android.content.Intent;
import android.content.pm.ServiceInfo;
import android.os.Build;
import android.os.Handler;
import android.os.IBinder;
import android.os.Looper;
import java.security.SecureRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.fieldphone.line.Line;
import org.fieldphone.line.LineState;

/** Holds the line to the paired server for as long as the phone is on, and rings. */
public final class LineService extends Service implements Lan.Listener {
    private static final String START = "org.fieldphone.app.START";
    /** Try at once: an alarm went off, or somebody may have signed in. */
    static final String WAKE = "org.fieldphone.app.WAKE";
    static final String DECLINE = "org.fieldphone.app.DECLINE";
    /** The page came before the user's eyes, or left. */
    static final String PAGE = "org.fieldphone.app.PAGE";
    static final String CALL = "call";
    private static final String VISIBLE = "visible";
    private static final String IN_CALL = "in_call";

    private Store store;
    private Notices notices;
    private Ringing ringing;
    private Waker waker;
    private Lan lan;
    private Handler main;
    private ExecutorService worker;
    private Store.Site site;
    private Line line;
    private LineState state = LineState.CONNECTING;
    private boolean inCall;
    private boolean pageVisible;

    static Intent intent(Context context, String action) {
        return new Intent(context, LineService.class).setAction(action);
    }

    /** Starts the service where the phone is paired, or lets a running one read the pairing again. */
    static void start(Context context) {
        Intent intent = intent(context, START);
        if (Build.VERSION.SDK_INT >= 26) context.startForegroundService(intent);
        else context.startService(intent);
    }

    /** Tells a running service about the page. Only from a visible activity. */
    static void page(Context context, boolean visible, boolean inCall) {
        context.startService(intent(context, PAGE).putExtra(VISIBLE, visible).putExtra(IN_CALL, inCall));
    }

    static void stop(Context context) {
        context.stopService(new Intent(context, LineService.class));
    }

    @Override
    public void onCreate() {
        super.onCreate();
        store = new Store(this);
        notices = new Notices(this);
        main = new Handler(Looper.getMainLooper());
        ringing = new Ringing(notices, main);
        waker = new Waker(this, alarm());
        lan = new Lan(this, this);
        worker = Executors.newSingleThreadExecutor();
        // The cookies live in the WebView, which wants to be loaded on the main thread.
        Cookies.load();
        show();
        waker.hold();
        lan.start();
    }

    private PendingIntent alarm() {
        int flags = PendingIntent.FLAG_UPDATE_CURRENT | PendingIntent.FLAG_IMMUTABLE;
        if (Build.VERSION.SDK_INT >= 26) return PendingIntent.getForegroundService(this, 5, intent(this, WAKE), flags);
        return PendingIntent.getService(this, 5, intent(this, WAKE), flags);
    }

    /** A service that was started must show itself at once; in a call it says that it uses camera and microphone. */
    private void show() {
        Notification notification = notices.line(state);
        try {
            show(notification);
        } catch (SecurityException e) {
            startForeground(Notices.LINE, notification); // as when the camera was not allowed
        }
    }

    private void show(Notification notification) {
        if (Build.VERSION.SDK_INT >= 30 && inCall) {
            startForeground(Notices.LINE, notification, ServiceInfo.FOREGROUND_SERVICE_TYPE_PHONE_CALL
                    | ServiceInfo.FOREGROUND_SERVICE_TYPE_CAMERA | ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE);
        } else if (Build.VERSION.SDK_INT >= 29) {
            startForeground(Notices.LINE, notification, ServiceInfo.FOREGROUND_SERVICE_TYPE_PHONE_CALL);
        } else {
            startForeground(Notices.LINE, notification);
        }
    }

    @Override
    public int onStartCommand(Intent intent, int flags, int startId) {
        String action = intent == null || intent.getAction() == null ? START : intent.getAction();
        switch (action) {
            case PAGE:
                pageVisible = intent.getBooleanExtra(VISIBLE, false);
                ringing.pageVisible(pageVisible);
                calling(intent.getBooleanExtra(IN_CALL, false));
                if (line == null) begin();
                else wake(false);
                break;
            case DECLINE:
                decline(intent.getStringExtra(CALL));
                break;
            case WAKE:
                show();
                wake(false);
                break;
            default:
                show();
                begin();
        }
        return START_STICKY;
    }

    private void calling(boolean now) {
        if (now == inCall) return;
        inCall = now;
        show();
    }

    @Override
    public IBinder onBind(Intent intent) {
        return null;
    }

    @Override
    public void onDestroy() {
        end();
        worker.shutdown();
        lan.stop();
        waker.release();
        super.onDestroy();
    }

    /** Holds the line to the site that the phone is paired with now. */
    private void begin() {
        Store.Site paired = store.site();
        if (paired == null) {
            stopSelf();
            return;
        }
        if (line != null && site != null && site.pairing.address.equals(paired.pairing.address)
                && site.anchor.equals(paired.anchor)) {
            wake(false);
            return;
        }
        end();
        site = paired;
        final Line next = new Line(paired.pairing.address, store.device(), new LinePhone(this, store, paired, waker), new SecureRandom());
        line = next;
        Thread thread = new Thread(new Runnable() {
            @Override
            public void run() {
                try {
                    next.run();
                } catch (InterruptedException e) {
                    // Nobody interrupts it; stop ends it.
                }
            }
        }, "line");
        thread.setDaemon(true);
        thread.start();
    }

    private void end() {
        ringing.stop();
        final Line last = line;
        line = null;
        if (last == null) return;
        worker.execute(new Runnable() {
            @Override
            public void run() {
                last.stop();
            }
        });
    }

    private void wake(final boolean networkChanged) {
        final Line now = line;
        if (now == null) return;
        worker.execute(new Runnable() {
            @Override
            public void run() {
                now.wake(networkChanged);
            }
        });
    }

    private void decline(final String call) {
        final Line now = line;
        if (now == null || call == null) return;
        ringing.end(call);
        worker.execute(new Runnable() {
            @Override
            public void run() {
                now.decline(call);
            }
        });
    }

    @Override
    public void onNetworkChanged() {
        main.post(new Runnable() {
            @Override
            public void run() {
                wake(true);
            }
        });
    }

    // What the line tells, already on the main thread.

    void lineSays(Store.Site from, LineState now) {
        if (from != site || line == null) return;
        state = now;
        notices.showLine(now);
    }

    /** A page before the user's eyes shows what people write by itself. */
    void lineReads(Store.Site from, String name, String body) {
        if (from == site && line != null && !pageVisible) notices.text(name, body);
    }

    /** Shown also while the page is before the user's eyes, until it is acknowledged there; without a body that was done. */
    void lineAnnounces(Store.Site from, String announcement, String name, String body) {
        if (from != site || line == null) return;
        if (body == null) notices.stopAnnouncement(announcement);
        else notices.announcement(announcement, name, body);
    }

    Ringing ringingOf(Store.Site from) {
        return from == site && line != null ? ringing : null;
    }

    Handler main() {
        return main;
    }
}
