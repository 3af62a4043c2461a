package org.fieldphone.line;

import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What administrators say to all: shown until its reader has acknowledged it on the page, on whatever device. */
final class Announcements {
    static final String PATH = "/api/v1/announcements?pending=true";
    /** Those that are not acknowledged stay few; of more than these the oldest may be told twice. */
    private static final int MAX = 200;
    private static final int MAX_NAME = 64;
    private static final int MAX_BODY = 8_000;
    private static final int ANSWER_MS = 4_000;

    private final Address address;
    private final Phone phone;
    private final Set<String> told = new LinkedHashSet<String>();

    Announcements(Address address, Phone phone) {
        this.address = address;
        this.phone = phone;
    }

    /** Asks what was said while nobody listened, and what was acknowledged meanwhile. */
    void ask() {
        try (Socket socket = phone.connect()) {
            socket.setSoTimeout(ANSWER_MS);
            Map<String, String> fields = Line.fields(address, phone.cookies());
            fields.put("Connection", "close");
            Http answer = Http.ask(socket, "GET", PATH, fields);
            if (answer.status != 200) throw new Http.Refused(answer.status);
            pending(Json.list(Json.object(answer.body(socket.getInputStream())), "announcements"));
        } catch (IOException | Json.BadJson e) {
            // Asked again with the next connection; what is said from now on comes by this one.
        }
    }

    private void pending(List<?> all) {
        Set<String> waiting = new LinkedHashSet<String>();
        for (int i = all.size() - 1; i >= 0; i--) {
            Map<?, ?> each = all.get(i) instanceof Map ? (Map<?, ?>) all.get(i) : null;
            waiting.add(Json.text(each, "announcement", MAX_NAME));
            take(each);
        }
        for (String name : new ArrayList<String>(told)) {
            if (!waiting.contains(name)) seen(name);
        }
    }

    void take(Map<?, ?> announcement) {
        String name = Json.text(announcement, "announcement", MAX_NAME);
        String body = Json.text(announcement, "body", MAX_BODY);
        if (name == null || body == null || body.isEmpty() || !told.add(name)) return;
        if (told.size() > MAX) told.remove(told.iterator().next());
        phone.onAnnouncement(name, Conversation.nameOf(Json.map(announcement, "from")), body);
    }

    /** Its reader has acknowledged it, here or elsewhere. */
    void seen(String name) {
        if (told.remove(name)) phone.onAnnouncementSeen(name);
    }
}
