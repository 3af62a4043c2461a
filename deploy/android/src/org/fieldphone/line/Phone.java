package org.fieldphone.line;

import java.io.IOException;
import java.net.Socket;

/** What the line needs of the phone. All of it is called on the line's own thread. */
public interface Phone {
    /** Opens a TLS connection to the site, checked against its pin. */
    Socket connect() throws IOException;

    /** The page's cookies for the site, as a Cookie header has them; null or empty when there are none. */
    String cookies();

    /** Keeps a cookie that the server sent: the value of a Set-Cookie field. */
    void keepCookie(String setCookie);

    /** Milliseconds since some moment, counted on while the phone sleeps, whatever its clock is set to. */
    long uptime();

    /** Waits so long, or until wake is called; earlier calls to wake count. */
    void pause(long milliseconds) throws InterruptedException;

    /** Ends a pause. May be called on any thread. */
    void wake();

    void onState(LineState state);

    void onRing(Ring ring);

    /** The call no longer rings here, whoever ended it. */
    void onRingEnded(String call);

    /** Somebody wrote to this phone's user. */
    void onText(String name, String body);

    /** An administrator announces something, of this name; it stays until onAnnouncementSeen. */
    void onAnnouncement(String announcement, String from, String body);

    /** The user has acknowledged it, on whatever device. */
    void onAnnouncementSeen(String announcement);
}
