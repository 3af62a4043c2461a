package org.fieldphone.line;

import java.io.IOException;
import java.net.Socket;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What is said on one connection, from hello to its end. */
final class Conversation {
    /** By whom the server passes an administrator's voice on. */
    private static final String ATTENTION = "_attention";
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
    private final Announcements announcements;
    private boolean welcomed;
    private String self;
    private long serverTime;

    Conversation(WebSocket ws, Line line, Rings rings, Renewal renewal, Announcements announcements) {
        this.ws = ws;
        this.line = line;
        this.rings = rings;
        this.renewal = renewal;
        this.announcements = announcements;
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
                incoming(Json.text(data, "call", MAX_NAME), Json.map(data, "from"), data);
                break;
            case "text.message":
                text(data);
                break;
            case "announcement":
                announcements.take(data);
                break;
            case "announcement.seen":
                if (self != null && self.equals(Json.text(data, "by", MAX_NAME))) announcements.seen(Json.text(data, "announcement", MAX_NAME));
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
            incoming(name, Json.map(call, "peer"), call);
        }
        rings.keepOnly(known);
        sendDeclines();
        announcements.ask();
    }

    private void incoming(String call, Map<?, ?> from, Map<?, ?> about) {
        if (call == null || call.isEmpty()) return;
        boolean attention = Boolean.TRUE.equals(about.get("attention")) || ATTENTION.equals(Json.text(from, "id", MAX_NAME));
        rings.begin(new Ring(call, nameOf(from), "video".equals(Json.text(about, "media", MAX_NAME)), attention));
    }

    static String nameOf(Map<?, ?> person) {
        String name = Json.text(person, "name", MAX_DISPLAY);
        if (name == null || name.trim().isEmpty()) name = Json.text(person, "id", MAX_NAME);
        return name == null ? "?" : name;
    }

    /** Tells of a new text of somebody else; not of calls, of what happens to groups, or of changes. */
    private void text(Map<?, ?> message) {
        Map<?, ?> from = Json.map(message, "from");
        // What this user wrote on another device comes here, too.
        if (self == null || self.equals(Json.text(from, "id", MAX_NAME))) return;
        String kind = Json.text(message, "kind", MAX_NAME);
        if (!"text".equals(kind) || Json.whole(message, "edited", 0) > 0 || Json.whole(message, "deleted", 0) > 0) return;
        String body = Json.text(message, "body", MAX_BODY);
        if (body == null || body.isEmpty()) body = fileLine(Json.map(message, "file"));
        if (body != null) line.text(nameOf(from), body);
    }

    /** A file in a word of no language. */
    private static String fileLine(Map<?, ?> file) {
        String kind = Json.text(file, "kind", MAX_NAME);
        if ("voice".equals(kind)) return "🎤";
        String name = Json.text(file, "name", MAX_DISPLAY);
        if (name == null) return null;
        return ("picture".equals(kind) ? "🖼 " : "📎 ") + name;
    }

    private void ended(String call) {
        if (call != null) rings.end(call);
    }
}
