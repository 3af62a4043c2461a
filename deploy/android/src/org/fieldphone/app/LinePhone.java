package org.fieldphone.app;

import android.os.SystemClock;
import java.io.IOException;
import java.net.Socket;
import org.fieldphone.line.LineState;
import org.fieldphone.line.Phone;
import org.fieldphone.line.Ring;

/** What the line needs, as Android has it. The line calls it on its own thread. */
final class LinePhone implements Phone {
    private final LineService service;
    private final Store.Site site;
    private final Store store;
    private final Waker waker;

    LinePhone(LineService service, Store store, Store.Site site, Waker waker) {
        this.service = service;
        this.store = store;
        this.site = site;
        this.waker = waker;
    }

    @Override
    public Socket connect() throws IOException {
        return SiteConnection.open(store, site);
    }

    @Override
    public String cookies() {
        return Cookies.of(site);
    }

    @Override
    public void keepCookie(String setCookie) {
        Cookies.keep(site, setCookie);
    }

    @Override
    public long uptime() {
        return SystemClock.elapsedRealtime();
    }

    @Override
    public void pause(long milliseconds) throws InterruptedException {
        waker.pause(milliseconds);
    }

    @Override
    public void wake() {
        waker.wake();
    }

    @Override
    public void onState(final LineState state) {
        service.main().post(new Runnable() {
            @Override
            public void run() {
                service.lineSays(site, state);
            }
        });
    }

    @Override
    public void onRing(final Ring ring) {
        service.main().post(new Runnable() {
            @Override
            public void run() {
                Ringing ringing = service.ringingOf(site);
                if (ringing != null) ringing.begin(ring);
            }
        });
    }

    @Override
    public void onText(final String name, final String body) {
        service.main().post(new Runnable() {
            @Override
            public void run() {
                service.lineReads(site, name, body);
            }
        });
    }

    @Override
    public void onAnnouncement(final String announcement, final String from, final String body) {
        service.main().post(new Runnable() {
            @Override
            public void run() {
                service.lineAnnounces(site, announcement, from, body);
            }
        });
    }

    @Override
    public void onAnnouncementSeen(final String announcement) {
        service.main().post(new Runnable() {
            @Override
            public void run() {
                service.lineAnnounces(site, announcement, null, null);
            }
        });
    }

    @Override
    public void onRingEnded(final String call) {
        service.main().post(new Runnable() {
            @Override
            public void run() {
                Ringing ringing = service.ringingOf(site);
                if (ringing != null) ringing.end(call);
            }
        });
    }
}
