package org.fieldphone.app;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.DialogInterface;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.View;
import android.widget.TextView;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import org.fieldphone.line.Address;
import org.fieldphone.line.Fingerprint;
import org.fieldphone.line.Pairing;
import org.fieldphone.line.PairingException;
import org.fieldphone.line.Tls;
import org.fieldphone.line.TrustException;

/** Pairs this phone with a server: by a link from a QR code, or by address and fingerprint. */
public final class PairActivity extends Activity implements Lan.Listener {
    private final Handler main = new Handler(Looper.getMainLooper());
    private Store store;
    private Lan lan;
    private boolean asking;

    @Override
    public void onCreate(Bundle state) {
        super.onCreate(state);
        store = new Store(this);
        lan = new Lan(this, this);
        lan.start();
        setContentView(R.layout.pair);
        onClick(R.id.pair, new Runnable() {
            @Override
            public void run() {
                pairTyped();
            }
        });
        onClick(R.id.open, new Runnable() {
            @Override
            public void run() {
                openPage();
            }
        });
        onClick(R.id.forget, new Runnable() {
            @Override
            public void run() {
                askToForget();
            }
        });
        show();
        if (state == null) take(getIntent());
    }

    @Override
    public void onNewIntent(Intent intent) {
        super.onNewIntent(intent);
        setIntent(intent);
        take(intent);
    }

    @Override
    public void onDestroy() {
        lan.stop();
        super.onDestroy();
    }

    @Override
    public void onNetworkChanged() {
        // The next try uses it.
    }

    private void onClick(int id, final Runnable what) {
        findViewById(id).setOnClickListener(new View.OnClickListener() {
            @Override
            public void onClick(View view) {
                what.run();
            }
        });
    }

    private void show() {
        Store.Site site = store.site();
        int paired = site == null ? View.GONE : View.VISIBLE;
        findViewById(R.id.open).setVisibility(paired);
        findViewById(R.id.forget).setVisibility(paired);
        ((TextView) findViewById(R.id.now)).setText(site == null
                ? getString(R.string.pair_none)
                : getString(R.string.pair_now, site.pairing.address.origin(), site.pairing.fingerprint.toString()));
    }

    private void say(String message) {
        ((TextView) findViewById(R.id.message)).setText(message);
    }

    private String typed(int id) {
        return ((TextView) findViewById(id)).getText().toString();
    }

    /** A link that was opened. Any page or app can open one, so a person has to agree. */
    private void take(Intent intent) {
        Uri link = intent == null || !Intent.ACTION_VIEW.equals(intent.getAction()) ? null : intent.getData();
        if (link == null) return;
        try {
            ask(Pairing.ofLink(link.toString()));
        } catch (PairingException e) {
            say(Words.of(this, e));
        }
    }

    private void pairTyped() {
        try {
            String address = typed(R.id.address);
            if (Pairing.looksLikeLink(address)) ask(Pairing.ofLink(address));
            else ask(new Pairing(Address.ofTyped(address), Fingerprint.parse(typed(R.id.fingerprint))));
        } catch (PairingException e) {
            say(Words.of(this, e));
        }
    }

    private void ask(final Pairing pairing) {
        Store.Site now = store.site();
        String text = getString(R.string.pair_ask_text, pairing.address.origin(), pairing.fingerprint.toString());
        if (now != null && !now.pairing.fingerprint.equals(pairing.fingerprint)) {
            text = text + "\n\n" + getString(R.string.pair_ask_replace, now.pairing.address.origin());
        }
        new AlertDialog.Builder(this)
                .setTitle(R.string.pair_ask)
                .setMessage(text)
                .setNegativeButton(R.string.cancel, null)
                .setPositiveButton(R.string.yes, new DialogInterface.OnClickListener() {
                    @Override
                    public void onClick(DialogInterface dialog, int which) {
                        meet(pairing);
                    }
                })
                .show();
    }

    private void meet(final Pairing pairing) {
        if (asking) return;
        asking = true;
        say(getString(R.string.pair_working));
        new Thread(new Runnable() {
            @Override
            public void run() {
                X509Certificate anchor = null;
                IOException failure = null;
                try {
                    anchor = Tls.introduce(pairing);
                } catch (IOException e) {
                    failure = e;
                }
                final Store.Site met = anchor == null ? null : new Store.Site(pairing, anchor);
                final TrustException trust = TrustException.in(failure);
                main.post(new Runnable() {
                    @Override
                    public void run() {
                        asking = false;
                        if (met != null) met(met);
                        else say(Words.of(PairActivity.this, trust, pairing.address));
                    }
                });
            }
        }, "pair").start();
    }

    private void met(Store.Site site) {
        Store.Site before = store.site();
        try {
            store.pair(site);
        } catch (CertificateException e) {
            say(Words.of(this, null, site.pairing.address));
            return;
        }
        if (before != null && before.pairing.fingerprint.equals(site.pairing.fingerprint)) {
            Cookies.move(before.pairing.address, site.pairing.address);
        } else {
            Cookies.forget();
        }
        LineService.start(this);
        say("");
        show();
        if (!isFinishing()) openPage();
    }

    private void openPage() {
        startActivity(new Intent(this, MainActivity.class));
        finish();
    }

    private void askToForget() {
        Store.Site site = store.site();
        if (site == null) return;
        new AlertDialog.Builder(this)
                .setMessage(getString(R.string.forget_ask, site.pairing.address.origin()))
                .setNegativeButton(R.string.cancel, null)
                .setPositiveButton(R.string.yes, new DialogInterface.OnClickListener() {
                    @Override
                    public void onClick(DialogInterface dialog, int which) {
                        store.forget();
                        Cookies.forget();
                        LineService.stop(PairActivity.this);
                        show();
                    }
                })
                .show();
    }
}
