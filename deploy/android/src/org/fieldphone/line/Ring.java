package org.fieldphone.line;

/** A call that rings at this phone. */
public final class Ring {
    public final String call;
    public final String name;
    public final boolean video;

    Ring(String call, String name, boolean video) {
        this.call = call;
        this.name = name;
        this.video = video;
    }
}
