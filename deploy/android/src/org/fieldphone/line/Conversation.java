package org.fieldphone.line;

import java.io.IOException;
import java.net.Socket;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What is said on one connection, from hello to its end. */
final class Conversation {
    private static final int MAX_NAME = 64;
    private static final int MAX_DISPLAY = 256;
    private static final int MAX_BODY = 8_000;
    private static final long DEFAULT_HEARTBEAT = 5_000;
    private static final long MIN_HEARTBEAT = 1_000;
    private static final long MAX_HEARTBEAT = 120_000;
    private static final int WELCOME_MS = 10_000;

    private final WebSocket ws;
    private final Line line;
    private final Rings rings;
    private final Renewal renewal;
    private boolean welcomed;
    private String self;
    private long serverTime;

    Conversation(WebSocket ws, Line line, Rings rings, Renewal renewal) {
        this.ws = ws;
        this.line = line;
        this.rings = rings;
        this.renewal = renewal;
    }

    /** Reads until the connection ends; silence for two heartbeats and a half is an end, too. */
    void run(Socket socket) throws IOException {
        socket.setSoTimeout(WELCOME_MS);
        for (String frame = ws.read(); frame != null; frame = ws.read()) {
            try {
                take(Json.object(frame), socket);
            } catch (Json.BadJson e) {
                throw new IOException("the server sent no envelope", e);
            }
            rings.expire();
            if (welcomed) renewal.ifDue(serverTime);
        }
    }

    /** Closes so that the reader ends. */
    void drop() {
        ws.close();
    }

    /** Says that the device leaves on purpose, and closes. */
    void leave() {
        try {
            ws.send("{\"type\":\"bye\"}");
        } catch (IOException e) {
            // The server will notice by itself.
        }
        ws.sayClose(1000);
        ws.close();
    }

    void sendDeclines() {
        for (String call : rings.declined()) {
            try {
                ws.send("{\"type\":\"call.decline\",\"id\":" + Json.quote("d" + call.hashCode())
                        + ",\"data\":{\"call\":" + Json.quote(call) + "}}");
            } catch (IOException e) {
                return; // said again after the next welcome
            }
        }
    }

    private void take(Map<?, ?> envelope, Socket socket) throws IOException {
        String type = Json.text(envelope, "type", MAX_NAME);
        if (type == null || !line.isNew(Json.whole(envelope, "seq", 0))) return;
        Map<?, ?> data = Json.map(envelope, "data");
        serverTime = Math.max(serverTime, Json.whole(data, "server_time", 0));
        switch (type) {
            case "welcome":
                welcome(data, socket);
                break;
            case "ping":
                ws.send("{\"type\":\"pong\",\"data\":{\"seq\":" + line.lastSeq() + "}}");
                break;
            case "call.incoming":
                incoming(Json.text(data, "call", MAX_NAME), Json.map(data, "from"), Json.text(data, "media", MAX_NAME));
                break;
            case "text.message":
                text(Json.map(data, "from"), Json.text(data, "body", MAX_BODY));
                break;
            case "call.ended":
                ended(Json.text(data, "call", MAX_NAME));
                break;
            case "error":
                if (!welcomed) throw new IOException("hello was refused: " + Json.text(data, "code", MAX_NAME));
                break;
            default:
                // Everything else is for the page.
        }
    }

    private void welcome(Map<?, ?> data, Socket socket) throws IOException {
        String stream = Json.text(data, "stream", MAX_NAME);
        if (stream == null) throw new IOException("a welcome without a stream");
        welcomed = true;
        self = Json.text(Json.map(data, "user"), "id", MAX_NAME);
        line.welcomed(stream, Boolean.TRUE.equals(data.get("resumed")));
        long heartbeat = Json.whole(data, "heartbeat_ms", DEFAULT_HEARTBEAT);
        socket.setSoTimeout((int) (Math.max(MIN_HEARTBEAT, Math.min(heartbeat, MAX_HEARTBEAT)) * 5 / 2));
        Set<String> known = new HashSet<String>();
        for (Object entry : Json.list(data, "calls")) {
            Map<?, ?> call = entry instanceof Map ? (Map<?, ?>) entry : null;
            String name = Json.text(call, "call", MAX_NAME);
            if (name == null || !"ringing".equals(Json.text(call, "state", MAX_NAME))
                    || !"answerer".equals(Json.text(call, "role", MAX_NAME))) continue;
            known.add(name);
            incoming(name, Json.map(call, "peer"), Json.text(call, "media", MAX_NAME));
        }
        rings.keepOnly(known);
        sendDeclines();
    }

    private void incoming(String call, Map<?, ?> from, String media) {
        if (call == null || call.isEmpty()) return;
        rings.begin(new Ring(call, nameOf(from), "video".equals(media)));
    }

    private static String nameOf(Map<?, ?> person) {
        String name = Json.text(person, "name", MAX_DISPLAY);
        if (name == null || name.trim().isEmpty()) name = Json.text(person, "id", MAX_NAME);
        return name == null ? "?" : name;
    }

    private void text(Map<?, ?> from, String body) {
        // What this user wrote on another device comes here, too.
        if (body != null && self != null && !self.equals(Json.text(from, "id", MAX_NAME))) line.text(nameOf(from), body);
    }

    private void ended(String call) {
        if (call != null) rings.end(call);
    }
}
