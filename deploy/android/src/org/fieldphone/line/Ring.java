package org.fieldphone.line;

/** A call that rings at this phone. */
public final class Ring {
    public final String call;
    public final String name;
    public final boolean video;
    /** An administrator speaks to many: the page takes it by itself and only listens. */
    public final boolean attention;

    Ring(String call, String name, boolean video, boolean attention) {
        this.call = call;
        this.name = name;
        this.video = video;
        this.attention = attention;
    }
}
