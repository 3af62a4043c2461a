package org.fieldphone.line;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.util.Random;
import org.fieldphone.line.PairingException.Kind;
import org.junit.Test;

public class PairingTest {
    private static final String HEX = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef";
    private static final String COLONS = HEX.toUpperCase().replaceAll("(..)(?!$)", "$1:");

    @Test
    public void readsLinks() throws Exception {
        String[][] cases = {
            {"fieldphone://pair?url=https%3A%2F%2F10.0.0.1%3A8443%2F&ca=" + HEX, "https://10.0.0.1:8443"},
            {"fieldphone://pair?ca=" + COLONS + "&url=https://10.0.0.1:8443/", "https://10.0.0.1:8443"},
            {"  FIELDPHONE://PAIR?url=https://10.0.0.1:8443&ca=SHA256:" + HEX + "\n", "https://10.0.0.1:8443"},
            {"fieldphone://pair/?url=https://phone.lan/&ca=" + HEX, "https://phone.lan"},
            {"fieldphone://pair?url=https://Phone.LAN:443/x?y#z&ca=" + HEX, "https://phone.lan"},
            {"fieldphone://pair?url=https://[FD00::1]:8443/&ca=" + HEX, "https://[fd00::1]:8443"},
            {"fieldphone://pair?url=https://10.0.0.1/&ca=" + HEX + "&name=camp+3&later=1", "https://10.0.0.1"},
            {"fieldphone://pair?url=https://10.0.0.1/&ca=SHA-256+" + COLONS.replace(":", "+"), "https://10.0.0.1"},
        };
        for (String[] c : cases) {
            Pairing got = Pairing.ofLink(c[0]);
            assertEquals(c[0], c[1], got.address.origin());
            assertEquals(c[0], COLONS, got.fingerprint.toString());
            Pairing again = Pairing.ofLink(got.link());
            assertEquals(got.address, again.address);
            assertEquals(got.fingerprint, again.fingerprint);
        }
    }

    @Test
    public void refusesWhatIsNoLink() {
        String good = "fieldphone://pair?url=https://10.0.0.1:8443/&ca=" + HEX;
        Object[][] cases = {
            {null, Kind.NOT_A_LINK}, {"", Kind.NOT_A_LINK}, {"https://10.0.0.1:8443/", Kind.NOT_A_LINK},
            {"fieldphone://other?url=https://10.0.0.1/&ca=" + HEX, Kind.NOT_A_LINK},
            {"fieldphone://pair?ca=" + HEX, Kind.NO_ADDRESS},
            {"fieldphone://pair?url=https://10.0.0.1/", Kind.NO_FINGERPRINT},
            {good + "&ca=" + HEX, Kind.NOT_A_LINK}, {good + "&url=https://10.0.0.2/", Kind.NOT_A_LINK},
            {good.replace("https", "http"), Kind.NOT_HTTPS}, {good.replace("https:", "javascript:"), Kind.NOT_HTTPS},
            {good.replace("10.0.0.1", "user@10.0.0.1"), Kind.BAD_ADDRESS},
            {good.replace("10.0.0.1:8443", "10.0.0.1%5C@evil.example"), Kind.BAD_ADDRESS},
            {good.replace("10.0.0.1", "10.0.0.1%00"), Kind.BAD_ADDRESS}, {good.replace("10.0.0.1", "10.0.0.1%0d%0ax:"), Kind.BAD_ADDRESS},
            {good.replace("10.0.0.1", "10.0.1"), Kind.BAD_ADDRESS}, {good.replace("10.0.0.1", "010.0.0.1"), Kind.BAD_ADDRESS},
            {good.replace("10.0.0.1", "256.0.0.1"), Kind.BAD_ADDRESS}, {good.replace("10.0.0.1", "0x7f000001"), Kind.BAD_ADDRESS},
            {good.replace("10.0.0.1", "-a.lan"), Kind.BAD_ADDRESS}, {good.replace("10.0.0.1", "a..lan"), Kind.BAD_ADDRESS},
            {good.replace("10.0.0.1", "电话.lan"), Kind.BAD_ADDRESS}, {good.replace("10.0.0.1", "[::1"), Kind.BAD_ADDRESS},
            {good.replace("10.0.0.1", "[fe80::1%25wlan0]"), Kind.BAD_ADDRESS}, {good.replace("10.0.0.1", "[x]"), Kind.BAD_ADDRESS},
            {good.replace("8443", "0"), Kind.BAD_ADDRESS}, {good.replace("8443", "65536"), Kind.BAD_ADDRESS},
            {good.replace("8443", "8443:1"), Kind.BAD_ADDRESS}, {good.replace("8443", "+1"), Kind.BAD_ADDRESS},
            {good.replace("8443", "%zz"), Kind.NOT_A_LINK}, {good.replace("8443", "8443%"), Kind.NOT_A_LINK},
            {good.replace("8443", "8443/%ff"), Kind.NOT_A_LINK},
            {good.substring(0, good.length() - 1), Kind.BAD_FINGERPRINT}, {good + "0", Kind.BAD_FINGERPRINT},
            {good.substring(0, good.length() - 1) + "g", Kind.BAD_FINGERPRINT},
            {good.replace("8443/", "8443/" + "x".repeat(600)), Kind.TOO_LONG}, {"x".repeat(5000), Kind.TOO_LONG},
        };
        for (Object[] c : cases) {
            try {
                fail(c[0] + " was taken as " + Pairing.ofLink((String) c[0]).address.origin());
            } catch (PairingException e) {
                assertEquals(String.valueOf(c[0]), c[1], e.kind);
            }
        }
    }

    @Test
    public void nothingHostileThrowsAnythingElse() {
        Random random = new Random(7);
        String good = "fieldphone://pair?url=https%3A%2F%2F[fd00::1]%3A8443%2F&ca=" + HEX;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder(good);
            for (int n = random.nextInt(6); n >= 0; n--) {
                int at = random.nextInt(text.length());
                if (random.nextBoolean()) text.setCharAt(at, (char) random.nextInt(random.nextBoolean() ? 128 : 65536));
                else text.deleteCharAt(at);
            }
            try {
                Pairing pairing = Pairing.ofLink(text.toString());
                assertTrue(pairing.address.owns(pairing.address.origin() + "/"));
            } catch (PairingException e) {
                // What it is for.
            }
        }
    }

    @Test
    public void readsWhatPeopleType() throws Exception {
        String[][] cases = {
            {"10.0.0.1", "https://10.0.0.1:8443"}, {" 10.0.0.1:443 ", "https://10.0.0.1"}, {"phone.lan:8443/", "https://phone.lan:8443"},
            {"https://10.0.0.1", "https://10.0.0.1"}, {"https://10.0.0.1:8443/#x", "https://10.0.0.1:8443"}, {"[fd00::1]", "https://[fd00::1]:8443"},
        };
        for (String[] c : cases) assertEquals(c[1], Address.ofTyped(c[0]).origin());
        for (String bad : new String[] {"http://10.0.0.1:8080/", "two words", "", "10.0.0.1:port", "fd00::1"}) {
            try {
                fail(bad + " was taken as " + Address.ofTyped(bad).origin());
            } catch (PairingException e) {
                assertTrue(e.kind != Kind.NOT_A_LINK);
            }
        }
    }

    @Test
    public void ownsItsOwnUrlsAlone() throws Exception {
        Address site = Address.ofUrl("https://10.0.0.1:8443/");
        for (String own : new String[] {"https://10.0.0.1:8443", "https://10.0.0.1:8443/a?b=https://evil/", "HTTPS://10.0.0.1:8443/#x", "https://10.0.0.1:8443/" + "x".repeat(9000)}) {
            assertTrue(own, site.owns(own));
        }
        String[] others = {
            null, "", "https://10.0.0.1/", "https://10.0.0.1:84430/", "http://10.0.0.1:8443/", "https://10.0.0.1:8443@evil/", "https://10.0.0.10:8443/",
            "https://evil/https://10.0.0.1:8443/", "https://10.0.0.1:8443\\@evil/", "data:text/html,x", "javascript:1", "about:blank", "file:///x",
            "blob:https://10.0.0.1:8443/1", "intent://x", " https://10.0.0.1:8443/", "https://evil" + "x".repeat(600) + "@10.0.0.1:8443/",
        };
        for (String other : others) assertFalse(String.valueOf(other), site.owns(other));
        Address v6 = Address.ofUrl("https://[fd00::1]:8443/");
        assertTrue(v6.owns("https://[FD00:0:0::1]:8443/x"));
        assertFalse(v6.owns("https://[fd00::2]:8443/x"));
    }
}
