package org.fieldphone.line;

import java.io.IOException;
import java.net.Socket;
import java.util.Map;

/** Keeps the session from expiring while nobody looks at the page: a session is renewed by use. */
final class Renewal {
    static final String PATH = "/api/v1/renew";
    private static final long FIRST = 20_000;
    private static final long SHORTEST = 20_000;
    private static final long LONGEST = 45 * 60_000;
    private static final int ANSWER_MS = 4_000;

    private final Address address;
    private final Phone phone;
    private long due;

    Renewal(Address address, Phone phone) {
        this.address = address;
        this.phone = phone;
        this.due = phone.uptime() + FIRST;
    }

    /** Called often; asks the server when half of the session's life is over. serverTime is Unix milliseconds. */
    void ifDue(long serverTime) {
        if (phone.uptime() < due) return;
        due = phone.uptime() + LONGEST;
        try (Socket socket = phone.connect()) {
            socket.setSoTimeout(ANSWER_MS);
            due = phone.uptime() + renew(socket, serverTime);
        } catch (IOException | Json.BadJson e) {
            // The session still lasts; if it does not, the server closes the line and says so.
            due = phone.uptime() + SHORTEST;
        }
    }

    /** Renews; returns how long to wait before the next time. */
    private long renew(Socket socket, long serverTime) throws IOException, Json.BadJson {
        Map<String, String> fields = Line.fields(address, phone.cookies());
        fields.put("Content-Length", "0");
        fields.put("Connection", "close");
        Http answer = Http.ask(socket, "POST", PATH, fields);
        if (answer.status != 200) throw new Http.Refused(answer.status);
        for (String cookie : answer.all("set-cookie")) phone.keepCookie(cookie);
        Map<?, ?> grant = Json.object(answer.body(socket.getInputStream()));
        long left = Json.whole(grant, "expires_at", 0) * 1000 - serverTime;
        return Math.max(SHORTEST, Math.min(left / 2, LONGEST));
    }
}
