package org.fieldphone.line;

import java.io.IOException;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A phone whose happenings a test can wait for. */
final class FakePhone implements Phone {
    private final Address address;
    private final X509Certificate anchor;
    private final Semaphore awake = new Semaphore(0);
    final LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
    final AtomicInteger connects = new AtomicInteger();
    final AtomicInteger attempts = new AtomicInteger();
    final AtomicLong ahead = new AtomicLong();
    volatile String cookies;
    volatile Socket socket;
    volatile String lastRing;

    FakePhone(Address address, X509Certificate anchor, String cookies) {
        this.address = address;
        this.anchor = anchor;
        this.cookies = cookies;
    }

    @Override
    public Socket connect() throws IOException {
        connects.incrementAndGet();
        socket = Tls.connect(address, anchor);
        return socket;
    }

    @Override
    public String cookies() {
        attempts.incrementAndGet();
        return cookies;
    }

    @Override
    public void keepCookie(String setCookie) {
        cookies = setCookie.split(";")[0];
        events.add("cookie");
    }

    @Override
    public long uptime() {
        return System.nanoTime() / 1_000_000 + ahead.get();
    }

    @Override
    public void pause(long milliseconds) throws InterruptedException {
        awake.tryAcquire(milliseconds, TimeUnit.MILLISECONDS);
        awake.drainPermits();
    }

    @Override
    public void wake() {
        awake.release();
    }

    @Override
    public void onState(LineState state) {
        events.add(state.name());
    }

    @Override
    public void onRing(Ring ring) {
        lastRing = ring.call;
        events.add("ring " + ring.call + " " + ring.name + (ring.attention ? " attention" : ring.video ? " video" : " audio"));
    }

    @Override
    public void onText(String name, String body) {
        events.add("text " + name + ": " + body);
    }

    @Override
    public void onAnnouncement(String announcement, String from, String body) {
        events.add("announced " + announcement + " " + from + ": " + body);
    }

    @Override
    public void onAnnouncementSeen(String announcement) {
        events.add("seen " + announcement);
    }

    @Override
    public void onRingEnded(String call) {
        events.add("end " + call);
    }

    /** Waits for an event, past others that the test does not care for. */
    void await(String want) throws InterruptedException {
        StringBuilder seen = new StringBuilder();
        for (String event = next(); ; event = next()) {
            if (want.equals(event)) return;
            if (event == null) throw new AssertionError(want + " did not come, but" + seen);
            seen.append(' ').append(event).append(';');
        }
    }

    String next() throws InterruptedException {
        return events.poll(20, TimeUnit.SECONDS);
    }
}
