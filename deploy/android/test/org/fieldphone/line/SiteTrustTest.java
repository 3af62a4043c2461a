package org.fieldphone.line;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.fail;

import java.security.cert.X509Certificate;
import java.util.Date;
import java.util.List;
import org.fieldphone.line.TrustException.Kind;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class SiteTrustTest {
    private static final long DAY = 24 * 3600_000L;

    @ClassRule public static final TemporaryFolder FOLDER = new TemporaryFolder();
    private static Certificates certificates;
    private static X509Certificate ca;
    private static X509Certificate[] good;
    private static List<X509Certificate> helpers = List.of();

    @BeforeClass
    public static void make() throws Exception {
        certificates = new Certificates(FOLDER.getRoot().toPath());
        certificates.ca("ca");
        certificates.ca("other");
        certificates.leaf("good", "ca", "-ext", "san=ip:10.0.0.1,ip:fd00::1,dns:phone.lan,dns:*.camp.lan", "-ext", "eku=serverAuth");
        good = certificates.chain("good");
        ca = good[1];
    }

    private static void check(Kind want, X509Certificate anchor, String host, long at, X509Certificate... chain) throws Exception {
        try {
            new SiteTrust(anchor, host, helpers).check(chain, new Date(System.currentTimeMillis() + at));
            if (want != null) fail(host + " was trusted, want " + want);
        } catch (TrustException e) {
            assertEquals(host + ": " + e.getMessage(), want, e.kind);
        }
    }

    @Test
    public void trustsTheSite() throws Exception {
        for (String host : new String[] {"10.0.0.1", "fd00::1", "fd00:0:0:0::1", "phone.lan", "PHONE.lan", "a.camp.lan"}) {
            check(null, ca, host, 0, good);
        }
        check(null, ca, "10.0.0.1", 0, good[0]); // all that a WebView shows
    }

    @Test
    public void trustsNoOtherName() throws Exception {
        for (String host : new String[] {"10.0.0.2", "fd00::2", "lan", "other.lan", "a.b.camp.lan", "camp.lan", "phone.lan.evil"}) {
            check(Kind.WRONG_NAME, ca, host, 0, good);
        }
        certificates.leaf("nosan", "ca");
        check(Kind.WRONG_NAME, ca, "nosan", 0, certificates.chain("nosan"));
    }

    @Test
    public void trustsNoOtherSite() throws Exception {
        certificates.leaf("theirs", "other", "-ext", "san=ip:10.0.0.1");
        X509Certificate[] theirs = certificates.chain("theirs");
        check(Kind.WRONG_SITE, ca, "10.0.0.1", 0, theirs);
        check(Kind.WRONG_SITE, ca, "10.0.0.1", 0, theirs[0], ca); // our CA beside it proves nothing
        check(Kind.WRONG_SITE, ca, "10.0.0.1", 0);
        check(Kind.WRONG_SITE, ca, "10.0.0.1", 0, new X509Certificate[50]);
        check(Kind.WRONG_SITE, good[0], "10.0.0.1", 0, theirs);
        certificates.leaf("client", "ca", "-ext", "san=ip:10.0.0.1", "-ext", "eku=clientAuth");
        check(Kind.WRONG_SITE, ca, "10.0.0.1", 0, certificates.chain("client"));
    }

    @Test
    public void aLeafVouchesForNobody() throws Exception {
        certificates.leaf("forged", "good", "-ext", "san=ip:10.0.0.1");
        X509Certificate[] forged = certificates.chain("forged");
        check(Kind.WRONG_SITE, ca, "10.0.0.1", 0, forged[0], good[0], ca);
        check(Kind.WRONG_SITE, good[0], "10.0.0.1", 0, forged[0], good[0]);
        check(null, good[0], "10.0.0.1", 0, good); // the pinned certificate itself
    }

    @Test
    public void followsACaThatWasRenewed() throws Exception {
        certificates.leaf("renewed", "ca", "-ext", "bc:critical=ca:true"); // the old CA vouches for the new one
        certificates.leaf("fresh", "renewed", "-ext", "san=ip:10.0.0.1");
        X509Certificate[] fresh = certificates.chain("fresh");
        X509Certificate bridge = certificates.chain("renewed")[0];
        check(null, ca, "10.0.0.1", 0, fresh[0], bridge);
        check(null, ca, "10.0.0.1", 0, fresh[0], ca, bridge); // in any order
        check(Kind.WRONG_SITE, ca, "10.0.0.1", 0, fresh[0]);
        try {
            helpers = List.of(bridge);
            check(null, ca, "10.0.0.1", 0, fresh[0]); // all that a WebView shows
            check(Kind.WRONG_SITE, certificates.chain("other")[0], "10.0.0.1", 0, fresh[0]);
        } finally {
            helpers = List.of();
        }
    }

    @Test
    public void tellsAWrongClock() throws Exception {
        check(Kind.CLOCK, ca, "10.0.0.1", -3650 * DAY, good);
        check(Kind.CLOCK, ca, "10.0.0.1", 21 * DAY, good);
        check(null, ca, "10.0.0.1", 19 * DAY, good);
        check(Kind.WRONG_NAME, ca, "10.0.0.9", 21 * DAY, good);
        certificates.leaf("expired", "ca", "-ext", "san=ip:10.0.0.1", "-startdate", "-10d", "-validity", "5");
        check(Kind.CLOCK, ca, "10.0.0.1", 0, certificates.chain("expired"));
    }

    @Test
    public void findsTheAnchorByItsFingerprint() throws Exception {
        assertEquals(ca, SiteTrust.anchorIn(good, Fingerprint.of(ca.getEncoded())));
        try {
            SiteTrust.anchorIn(good, Fingerprint.of(new byte[] {1}));
            fail("an anchor for a wrong fingerprint");
        } catch (TrustException e) {
            assertEquals(Kind.WRONG_SITE, e.kind);
        }
    }
}
