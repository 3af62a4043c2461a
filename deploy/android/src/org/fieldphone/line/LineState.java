package org.fieldphone.line;

/** How the phone's line to the server stands. */
public enum LineState {
    CONNECTING,
    ONLINE,
    /** The server does not answer; it is tried again. */
    AWAY,
    /** There is no session: somebody must sign in on the page. */
    SIGNED_OUT,
    /** Something answers that is not the site this phone was paired with. */
    WRONG_SITE,
    /** The certificate is not valid by this phone's clock. */
    WRONG_CLOCK
}
