package org.fieldphone.line;

import java.io.IOException;
import java.net.Socket;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * Keeps this phone reachable: one signalling connection of its own (rtc/PROTOCOL.md), open
 * for as long as the phone is paired and signed in, which tells of calls that ring. It never
 * answers one; that is the page's part, which is another device of the same user.
 */
public final class Line {
    static final String PATH = "/api/v1/ws";
    private static final long FIRST_PAUSE = 500;
    private static final long LONGEST_PAUSE = 60_000;
    /** How long a connection must have lasted for the pauses to begin anew. */
    private static final long STEADY = 30_000;

    private final Address address;
    private final String device;
    private final Phone phone;
    private final Random random;
    private final Rings rings;
    private final Announcements announcements;

    private volatile boolean stopped;
    private volatile Conversation current;
    private LineState state;
    private String refusedCookies;
    private volatile String stream;
    private long lastSeq;

    /** device is this phone's name among the user's devices, kept across starts; random must be unpredictable. */
    public Line(Address address, String device, Phone phone, Random random) {
        this.address = address;
        this.device = device;
        this.phone = phone;
        this.random = random;
        this.rings = new Rings(phone);
        this.announcements = new Announcements(address, phone);
    }

    /** Connects, and connects again, until stop is called. */
    public void run() throws InterruptedException {
        long pause = FIRST_PAUSE;
        while (!stopped) {
            long began = phone.uptime();
            boolean patient = attempt();
            if (stopped) break;
            if (phone.uptime() - began > STEADY && !patient) pause = FIRST_PAUSE;
            long wait = patient ? LONGEST_PAUSE : pause / 2 + (long) (random.nextDouble() * pause / 2);
            phone.pause(wait);
            pause = Math.min(2 * pause, LONGEST_PAUSE);
            rings.expire();
        }
        rings.endAll();
    }

    /** Ends run for good and tells the server that this device leaves. May block: not for the main thread. */
    public void stop() {
        stopped = true;
        Conversation talking = current;
        if (talking != null) talking.leave();
        phone.wake();
    }

    /**
     * The network changed, the page was shown, or somebody signed in: tries at once. After a
     * change of network the old connection may look open and be dead, so it is replaced; the
     * new one resumes its stream. May block: not for the main thread.
     */
    public void wake(boolean networkChanged) {
        Conversation talking = current;
        if (talking != null && networkChanged) talking.drop();
        if (talking == null || networkChanged) phone.wake();
    }

    /** Declines a call that rings. May block: not for the main thread. */
    public void decline(String call) {
        rings.decline(call);
        Conversation talking = current;
        if (talking != null) talking.sendDeclines();
    }

    /** One connection from its beginning to its end; true to wait long before the next. */
    private boolean attempt() throws InterruptedException {
        String cookies = phone.cookies();
        if (cookies == null || cookies.isEmpty() || cookies.equals(refusedCookies)) {
            say(LineState.SIGNED_OUT);
            return true;
        }
        if (state != LineState.AWAY) say(LineState.CONNECTING);
        try {
            return talk(cookies);
        } catch (Http.Refused refused) {
            return refused(refused.status, cookies);
        } catch (IOException e) {
            TrustException trust = TrustException.in(e);
            if (trust == null) say(LineState.AWAY);
            else say(trust.kind == TrustException.Kind.CLOCK ? LineState.WRONG_CLOCK : LineState.WRONG_SITE);
            return trust != null;
        }
    }

    private boolean talk(String cookies) throws IOException {
        try (Socket socket = phone.connect()) {
            WebSocket ws = WebSocket.open(socket, PATH, fields(address, cookies), random);
            for (String cookie : ws.answer().all("set-cookie")) phone.keepCookie(cookie);
            Conversation talking = new Conversation(ws, this, rings, new Renewal(address, phone), announcements);
            current = talking;
            if (stopped) return false;
            ws.send(hello());
            talking.run(socket);
            return closed(ws.closeCode(), cookies);
        } finally {
            current = null;
        }
    }

    static Map<String, String> fields(Address address, String cookies) {
        Map<String, String> fields = new LinkedHashMap<String, String>();
        fields.put("Host", address.authority());
        fields.put("Origin", address.origin());
        fields.put("Cookie", cookies);
        fields.put("User-Agent", "Fieldphone-Android");
        return fields;
    }

    private String hello() {
        String resume = stream == null ? "" : ",\"stream\":" + Json.quote(stream) + ",\"last_seq\":" + lastSeq;
        return "{\"type\":\"hello\",\"id\":\"1\",\"data\":{\"device\":" + Json.quote(device) + resume + "}}";
    }

    private boolean refused(int status, String cookies) {
        if (status == 401 || status == 403) {
            refusedCookies = cookies;
            say(LineState.SIGNED_OUT);
            return true;
        }
        say(LineState.AWAY);
        return false;
    }

    /** The server closed: 4500 to 4999 mean not to come back (rtc/PROTOCOL.md, close codes). */
    private boolean closed(int code, String cookies) {
        boolean final_ = code >= 4500 && code <= 4999;
        if (code == 4500) {
            refusedCookies = cookies;
            say(LineState.SIGNED_OUT);
        } else {
            say(LineState.AWAY);
        }
        return final_;
    }

    private void say(LineState now) {
        if (now == state) return;
        state = now;
        phone.onState(now);
    }

    // What the conversation tells.

    void welcomed(String newStream, boolean resumed) {
        if (!resumed) lastSeq = 0;
        stream = newStream;
        refusedCookies = null;
        say(LineState.ONLINE);
    }

    void text(String name, String body) {
        phone.onText(name, body);
    }

    /** Whether a numbered message is new. */
    boolean isNew(long seq) {
        if (seq <= 0) return true;
        if (seq <= lastSeq) return false;
        lastSeq = seq;
        return true;
    }

    /** The name of the device's stream, by which the server knows what this phone has heard. */
    String stream() {
        return stream;
    }

    long lastSeq() {
        return lastSeq;
    }
}
