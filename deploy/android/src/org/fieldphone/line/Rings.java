package org.fieldphone.line;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The calls that ring here, and those that are to be declined as soon as the server hears it. */
final class Rings {
    /** A person can be rung by several at once; more than these are nobody's honest calls. */
    private static final int MAX = 8;
    /** The server ends a ring after 45 s; one that was not ended by then was lost with its connection. */
    static final long LONGEST = 60_000;

    private final Phone phone;
    private final Map<String, Ring> ringing = new LinkedHashMap<String, Ring>();
    private final Map<String, Long> since = new LinkedHashMap<String, Long>();
    private final Set<String> declined = new LinkedHashSet<String>();

    Rings(Phone phone) {
        this.phone = phone;
    }

    void begin(Ring ring) {
        synchronized (this) {
            if (ringing.containsKey(ring.call) || declined.contains(ring.call) || ringing.size() >= MAX) return;
            ringing.put(ring.call, ring);
            since.put(ring.call, phone.uptime());
        }
        phone.onRing(ring);
    }

    void end(String call) {
        synchronized (this) {
            declined.remove(call);
            if (ringing.remove(call) == null) return;
            since.remove(call);
        }
        phone.onRingEnded(call);
    }

    /** Ends every ring that the server does not know of. */
    void keepOnly(Collection<String> known) {
        for (String call : all()) {
            if (!known.contains(call)) end(call);
        }
    }

    void expire() {
        for (String call : all()) {
            Long began;
            synchronized (this) {
                began = since.get(call);
            }
            if (began != null && phone.uptime() - began > LONGEST) end(call);
        }
    }

    void endAll() {
        for (String call : all()) end(call);
    }

    void decline(String call) {
        synchronized (this) {
            if (!ringing.containsKey(call)) return;
            declined.add(call);
        }
    }

    /** The calls to decline; they stay until the server has ended them. */
    synchronized List<String> declined() {
        return new ArrayList<String>(declined);
    }

    private synchronized List<String> all() {
        return new ArrayList<String>(ringing.keySet());
    }
}
