package org.fieldphone.app;

import android.content.Context;
import android.content.SharedPreferences;
import android.util.Base64;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.fieldphone.line.Address;
import org.fieldphone.line.Fingerprint;
import org.fieldphone.line.Pairing;
import org.fieldphone.line.PairingException;
import org.fieldphone.line.SiteTrust;

/** What the app keeps: the paired site, this phone's device name, and which hints were given. */
final class Store {
    private static final String URL = "url";
    private static final String FINGERPRINT = "fingerprint";
    private static final String ANCHOR = "anchor";
    private static final String HELPERS = "helpers";
    private static final String DEVICE = "device";
    private static final String HINTED = "hinted";

    /** The paired site. */
    static final class Site {
        final Pairing pairing;
        final X509Certificate anchor;

        Site(Pairing pairing, X509Certificate anchor) {
            this.pairing = pairing;
            this.anchor = anchor;
        }

        String page() {
            return pairing.address.origin() + "/";
        }

    }

    private final SharedPreferences kept;

    Store(Context context) {
        kept = context.getSharedPreferences("site", Context.MODE_PRIVATE);
    }

    /** The paired site, or null. What cannot be read any more counts as not paired. */
    Site site() {
        String url = kept.getString(URL, null);
        String fingerprint = kept.getString(FINGERPRINT, null);
        String anchor = kept.getString(ANCHOR, null);
        if (url == null || fingerprint == null || anchor == null) return null;
        try {
            byte[] der = Base64.decode(anchor, Base64.NO_WRAP);
            Pairing pairing = new Pairing(Address.ofUrl(url), Fingerprint.parse(fingerprint));
            return pairing.fingerprint.matches(der) ? new Site(pairing, SiteTrust.decode(der)) : null;
        } catch (PairingException | CertificateException | IllegalArgumentException e) {
            return null;
        }
    }

    /** How a certificate of the site is judged, with what the site itself sent lately. */
    SiteTrust trust(Site site) {
        List<X509Certificate> helpers = new ArrayList<X509Certificate>();
        try {
            for (String der : kept.getString(HELPERS, "").split(" ")) {
                if (!der.isEmpty()) helpers.add(SiteTrust.decode(Base64.decode(der, Base64.NO_WRAP)));
            }
        } catch (CertificateException | IllegalArgumentException e) {
            helpers.clear(); // the next connection brings them again
        }
        return new SiteTrust(site.anchor, site.pairing.address.host, helpers);
    }

    /** Keeps what the site sent behind its certificate; a WebView shows the certificate alone. */
    void keepHelpers(List<X509Certificate> helpers) throws CertificateException {
        StringBuilder text = new StringBuilder();
        for (X509Certificate helper : helpers) {
            if (text.length() > 0) text.append(' ');
            text.append(Base64.encodeToString(helper.getEncoded(), Base64.NO_WRAP));
        }
        if (!text.toString().equals(kept.getString(HELPERS, ""))) kept.edit().putString(HELPERS, text.toString()).apply();
    }

    void pair(Site site) throws CertificateException {
        kept.edit()
                .putString(URL, site.page())
                .putString(FINGERPRINT, site.pairing.fingerprint.toString())
                .putString(ANCHOR, Base64.encodeToString(site.anchor.getEncoded(), Base64.NO_WRAP))
                .remove(HELPERS)
                .apply();
    }

    void forget() {
        kept.edit().remove(URL).remove(FINGERPRINT).remove(ANCHOR).remove(HELPERS).apply();
    }

    /** This phone's name among the devices of a user, made once. */
    String device() {
        String device = kept.getString(DEVICE, null);
        if (device != null) return device;
        byte[] random = new byte[12];
        new SecureRandom().nextBytes(random);
        device = "android-" + Base64.encodeToString(random, Base64.NO_WRAP | Base64.URL_SAFE | Base64.NO_PADDING);
        kept.edit().putString(DEVICE, device).apply();
        return device;
    }

    /** True the first time it is asked about a hint. */
    boolean firstTime(String hint) {
        if (kept.getBoolean(HINTED + hint, false)) return false;
        kept.edit().putBoolean(HINTED + hint, true).apply();
        return true;
    }
}
