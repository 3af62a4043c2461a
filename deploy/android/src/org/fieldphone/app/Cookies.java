package org.fieldphone.app;

import android.webkit.CookieManager;
import org.fieldphone.line.Address;

/** The page's cookies. A phone without a working WebView has none. */
final class Cookies {
    private Cookies() {}

    private static CookieManager manager() {
        try {
            return CookieManager.getInstance();
        } catch (RuntimeException e) {
            return null; // no WebView, or one that is being updated
        }
    }

    /** Loads the WebView; call it on the main thread before any of the others is called elsewhere. */
    static void load() {
        manager();
    }

    static String of(Store.Site site) {
        CookieManager manager = manager();
        return manager == null ? null : manager.getCookie(site.page());
    }

    static void keep(Store.Site site, String setCookie) {
        CookieManager manager = manager();
        if (manager == null) return;
        manager.setCookie(site.page(), setCookie);
        manager.flush();
    }

    /** Takes the sign-in along when a site that was proven to be the same has a new address. */
    static void move(Address from, Address to) {
        CookieManager manager = manager();
        String cookies = manager == null ? null : manager.getCookie(from.origin() + "/");
        if (cookies == null) return;
        for (String cookie : cookies.split(";\\s*")) {
            manager.setCookie(to.origin() + "/", cookie + "; Path=/; Secure; HttpOnly; SameSite=Strict");
        }
        manager.flush();
    }

    static void forget() {
        CookieManager manager = manager();
        if (manager == null) return;
        manager.removeAllCookies(null);
        manager.flush();
    }
}
