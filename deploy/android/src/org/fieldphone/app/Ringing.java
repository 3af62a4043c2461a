package org.fieldphone.app;

import android.os.Handler;
import java.util.LinkedHashMap;
import java.util.Map;
import org.fieldphone.line.Ring;

/**
 * Decides whether the phone itself rings. While the page is before the user's eyes, the page
 * rings; after it was brought there by a ring, it is given a moment to begin. All of it runs
 * on the main thread.
 */
final class Ringing {
    private static final long PAGE_TAKES_OVER_MS = 4_000;
    private static final long LONGEST_MS = 60_000;

    private final Notices notices;
    private final Handler main;
    private final Map<String, Ring> rings = new LinkedHashMap<String, Ring>();
    private boolean visible;
    private String sounding;
    private final Runnable pageRings = new Runnable() {
        @Override
        public void run() {
            if (visible) silence();
        }
    };
    private final Runnable tooLong = new Runnable() {
        @Override
        public void run() {
            rings.clear();
            silence();
        }
    };

    Ringing(Notices notices, Handler main) {
        this.notices = notices;
        this.main = main;
    }

    void begin(Ring ring) {
        rings.put(ring.call, ring);
        main.removeCallbacks(tooLong);
        main.postDelayed(tooLong, LONGEST_MS);
        if (!visible) sound();
    }

    void end(String call) {
        rings.remove(call);
        if (call.equals(sounding)) silence();
        if (!visible && !rings.isEmpty()) sound();
    }

    void pageVisible(boolean now) {
        if (now == visible) return;
        visible = now;
        main.removeCallbacks(pageRings);
        if (now) main.postDelayed(pageRings, PAGE_TAKES_OVER_MS);
        else if (!rings.isEmpty()) sound();
    }

    void stop() {
        rings.clear();
        main.removeCallbacks(tooLong);
        main.removeCallbacks(pageRings);
        silence();
    }

    private void sound() {
        Ring first = rings.values().iterator().next();
        if (first.call.equals(sounding)) return;
        sounding = first.call;
        if (first.attention) notices.attention(first);
        else notices.ring(first);
    }

    private void silence() {
        sounding = null;
        notices.stopRing();
    }
}
