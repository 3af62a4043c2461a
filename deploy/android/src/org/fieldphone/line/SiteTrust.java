package org.fieldphone.line;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.List;

/** Decides whether a certificate is that of one site: vouched for by its CA, and for its address. */
public final class SiteTrust {
    /** A site whose CA was renewed sends what leads to the earlier ones, too. */
    static final int MAX_CHAIN = 16;
    private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    private static final String ANY_USAGE = "2.5.29.37.0";
    private static final int SAN_DNS = 2;
    private static final int SAN_IP = 7;

    private final X509Certificate anchor;
    private final String host;
    private final List<X509Certificate> helpers;

    /**
     * anchor is the site's CA (or, for a site that has none, its own certificate); host is a
     * name or IP literal; helpers may lead from a certificate to the anchor, and are not
     * trusted themselves.
     */
    public SiteTrust(X509Certificate anchor, String host, List<X509Certificate> helpers) {
        this.anchor = anchor;
        this.host = host;
        this.helpers = helpers;
    }

    /** Reads a certificate in DER. */
    public static X509Certificate decode(byte[] der) throws CertificateException {
        return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
    }

    /** The answer to a certificate that cannot even be read, or that came unasked. */
    public static TrustException wrongSite(Throwable cause) {
        return new TrustException(TrustException.Kind.WRONG_SITE, "not a certificate of this site", cause, null);
    }

    /** Finds the certificate with the pinned fingerprint in what the server sent. */
    static X509Certificate anchorIn(X509Certificate[] chain, Fingerprint pin) throws CertificateException {
        for (int i = 0; chain != null && i < chain.length && i < MAX_CHAIN; i++) {
            if (pin.matches(chain[i].getEncoded())) return chain[i];
        }
        throw new TrustException(TrustException.Kind.WRONG_SITE, "no certificate has the pinned fingerprint", null, null);
    }

    /** Checks a chain, leaf first, at a moment (RFC 5280, section 6; RFC 6125, section 6.4). */
    public void check(X509Certificate[] chain, Date now) throws CertificateException {
        if (chain == null || chain.length == 0 || chain.length > MAX_CHAIN) throw wrongSite(null);
        X509Certificate leaf = chain[0];
        boolean valid = leadsToAnchor(chain, now);
        if (!valid && !leadsToAnchor(chain, latestStart(chain))) {
            throw new TrustException(TrustException.Kind.WRONG_SITE, "the pinned certificate does not vouch for it", null, null);
        }
        List<String> usages = leaf.getExtendedKeyUsage();
        if (usages != null && !usages.contains(SERVER_AUTH) && !usages.contains(ANY_USAGE)) {
            throw new TrustException(TrustException.Kind.WRONG_SITE, "the certificate is not a server's", null, null);
        }
        if (!carries(leaf, host)) {
            throw new TrustException(TrustException.Kind.WRONG_NAME, "the certificate is not for " + host, null, null);
        }
        if (!valid) throw new TrustException(TrustException.Kind.CLOCK, "not valid now", null, leaf.getNotBefore());
    }

    private boolean leadsToAnchor(X509Certificate[] chain, Date at) throws CertificateException {
        if (at.before(anchor.getNotBefore()) || at.after(anchor.getNotAfter())) return false;
        if (chain[0].equals(anchor)) return true; // the pinned certificate itself, whose key the handshake proves
        if (anchor.getBasicConstraints() < 0) return false; // no CA: it vouches for nobody
        List<X509Certificate> between = new ArrayList<X509Certificate>(Arrays.asList(chain));
        between.addAll(helpers);
        X509CertSelector target = new X509CertSelector();
        target.setCertificate(chain[0]);
        try {
            PKIXBuilderParameters parameters = new PKIXBuilderParameters(Collections.singleton(new TrustAnchor(anchor, null)), target);
            parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(between)));
            parameters.setRevocationEnabled(false);
            parameters.setDate(at);
            CertPathBuilder.getInstance("PKIX").build(parameters);
            return true;
        } catch (CertPathBuilderException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw wrongSite(e);
        }
    }

    /** A moment at which a chain is valid, if it ever is: to tell a wrong clock from a wrong site. */
    private Date latestStart(X509Certificate[] chain) {
        Date latest = anchor.getNotBefore();
        for (X509Certificate certificate : chain) {
            if (certificate.getNotBefore().after(latest)) latest = certificate.getNotBefore();
        }
        return latest;
    }

    /** Whether a subject alternative name is exactly this host; a wildcard stands for one whole label. */
    static boolean carries(X509Certificate leaf, String host) throws CertificateException {
        Collection<List<?>> names = leaf.getSubjectAlternativeNames();
        if (names == null) return false;
        byte[] address = Address.bytesOf(host);
        for (List<?> name : names) {
            int kind = (Integer) name.get(0);
            if (!(name.get(1) instanceof String)) continue;
            String value = (String) name.get(1);
            if (address != null && kind == SAN_IP && Arrays.equals(address, Address.bytesOf(value))) return true;
            if (address == null && kind == SAN_DNS && nameMatches(value, host)) return true;
        }
        return false;
    }

    private static boolean nameMatches(String pattern, String host) {
        if (pattern.equalsIgnoreCase(host)) return true;
        int dot = host.indexOf('.');
        return pattern.startsWith("*.") && pattern.indexOf('.', 2) > 0 && dot > 0
                && pattern.substring(1).equalsIgnoreCase(host.substring(dot));
    }
}
