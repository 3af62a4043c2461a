package org.fieldphone.line;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.IOException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Date;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLSocket;
import org.fieldphone.line.Site.Page;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;

/** The line against a whole server. */
public class LineTest {
    @ClassRule public static final TemporaryFolder FOLDER = new TemporaryFolder();
    @org.junit.Rule public final Timeout timeout = new Timeout(90, TimeUnit.SECONDS);

    private static Site site;
    private String alice;
    private Page bob;
    private FakePhone phone;
    private Line line;
    private Thread thread;

    @BeforeClass
    public static void startSite() throws Exception {
        site = new Site(FOLDER.newFolder("site").toPath());
        site.register("alice", "Alice");
        site.register("bob", "Bob 王");
    }

    @AfterClass
    public static void stopSite() throws Exception {
        site.close();
    }

    @Before
    public void begin() throws Exception {
        alice = site.signIn("alice");
        bob = site.page(site.signIn("bob"), "web-bob-000");
        start(site, alice);
        phone.await("ONLINE");
    }

    private void start(Site at, String cookies) throws Exception {
        phone = new FakePhone(at.address, at.pair(), cookies);
        line = new Line(at.address, "android-0001", phone, new SecureRandom());
        thread = new Thread(() -> {
            try {
                line.run();
            } catch (InterruptedException e) {
                phone.events.add("interrupted");
            }
        });
        thread.start();
    }

    @After
    public void end() throws Exception {
        stopLine();
        bob.close();
    }

    private void stopLine() throws Exception {
        line.stop();
        thread.join(15_000);
        assertTrue("the line does not stop", !thread.isAlive());
    }

    private String invite(String call, String media) throws IOException {
        bob.send("call.invite", "{\"call\":\"" + call + "\",\"to\":\"alice\",\"media\":\"" + media + "\"}");
        return call;
    }

    @Test
    public void ringsAndDeclines() throws Exception {
        invite("call-decline", "video");
        phone.await("ring call-decline Bob 王 video");
        line.decline("call-decline");
        phone.await("end call-decline");
        assertEquals("declined", bob.await("call.ended").get("reason"));
    }

    @Test
    public void stopsWhenTheCallerGivesUp() throws Exception {
        invite("call-cancel", "audio");
        phone.await("ring call-cancel Bob 王 audio");
        bob.send("call.cancel", "{\"call\":\"call-cancel\"}");
        phone.await("end call-cancel");
    }

    @Test
    public void stopsWhenThePageAnswers() throws Exception {
        invite("call-answer", "audio");
        phone.await("ring call-answer Bob 王 audio");
        try (Page page = site.page(alice, "web-alice-00")) {
            page.send("call.accept", "{\"call\":\"call-answer\",\"media\":\"audio\"}");
            phone.await("end call-answer");
            assertEquals("offerer", bob.await("call.started").get("role"));
            bob.send("call.hangup", "{\"call\":\"call-answer\"}");
            bob.await("call.ended");
        }
    }

    @Test
    public void showsWhatPeopleWrite() throws Exception {
        try (Page page = site.page(alice, "web-alice-02")) {
            page.send("text.send", "{\"message\":\"message-own\",\"chat\":\"bob\",\"body\":\"from another device\"}");
            bob.await("text.message");
        }
        bob.send("text.send", "{\"message\":\"message-one\",\"chat\":\"alice\",\"body\":\"at the gate 门口\"}");
        assertEquals("text Bob 王: at the gate 门口", phone.next());
        bob.send("text.edit", "{\"message\":\"message-one\",\"chat\":\"alice\",\"body\":\"at the north gate\"}");
        bob.await("text.message");
        bob.send("text.send", "{\"message\":\"message-two\",\"chat\":\"alice\",\"body\":\"\",\"file\":"
                + "{\"file\":\"file-0001\",\"kind\":\"file\",\"name\":\"plan.pdf\",\"type\":\"application/pdf\",\"size\":10}}");
        assertEquals("text Bob 王: 📎 plan.pdf", phone.next());
    }

    @Test
    public void showsWhatIsAnnounced() throws Exception {
        site.addAdmin("chief", "Chief");
        String chief = site.signIn("chief");
        site.announce(chief, "alarm-0001", "Leave the pier 撤离");
        phone.await("announced alarm-0001 Chief: Leave the pier 撤离");
        stopLine();
        site.announce(chief, "alarm-0002", "Go to the hill");
        start(site, alice);
        phone.await("announced alarm-0001 Chief: Leave the pier 撤离"); // the app was started anew: nobody has seen it yet
        phone.await("announced alarm-0002 Chief: Go to the hill");
        phone.socket.close();
        site.acknowledge(alice, "alarm-0001");
        phone.await("seen alarm-0001");
        site.acknowledge(alice, "alarm-0002");
        phone.await("seen alarm-0002");
        assertEquals("announced twice", 0, phone.events.stream().filter(e -> e.startsWith("announced")).count());
    }

    @Test
    public void tellsAnAttentionCallFromOthers() throws Exception {
        site.addAdmin("boss", "Boss");
        String boss = site.signIn("boss");
        String[] ticket = site.attention(boss);
        try (Page page = site.page(boss, "web-boss-000")) {
            page.send("call.invite", "{\"call\":\"" + ticket[0] + "\",\"to\":\"" + ticket[1] + "\",\"media\":\"audio\"}");
            String event = phone.next();
            while (event != null && !event.startsWith("ring")) event = phone.next();
            assertTrue(event, event != null && event.endsWith(" Boss attention"));
            page.send("call.cancel", "{\"call\":\"" + ticket[0] + "\"}");
        }
        phone.await("end " + phone.lastRing);
    }

    @Test
    public void resumesAfterTheNetworkChanged() throws Exception {
        invite("call-resume", "audio");
        phone.await("ring call-resume Bob 王 audio");
        int before = phone.connects.get();
        String stream = line.stream();
        line.wake(true);
        bob.send("call.cancel", "{\"call\":\"call-resume\"}");
        phone.await("end call-resume");
        assertTrue("no new connection", phone.connects.get() > before);
        assertEquals("not resumed", stream, line.stream());
        phone.events.clear();
        phone.socket.close();
        invite("call-back", "audio");
        phone.await("ring call-back Bob 王 audio");
        assertEquals("rings twice", 0, phone.events.stream().filter(e -> e.startsWith("ring")).count());
        line.decline("call-back");
        phone.await("end call-back");
    }

    @Test
    public void wakingAnOpenLineChangesNothing() throws Exception {
        invite("call-first", "audio");
        phone.await("ring call-first Bob 王 audio"); // by now it has asked for announcements
        line.decline("call-first");
        phone.await("end call-first");
        int before = phone.connects.get();
        for (int i = 0; i < 50; i++) line.wake(false);
        invite("call-quiet", "audio");
        phone.await("ring call-quiet Bob 王 audio");
        assertEquals(before, phone.connects.get());
        line.decline("call-quiet");
        phone.await("end call-quiet");
    }

    @Test
    public void signingOutEndsTheLineUntilSomebodySignsIn() throws Exception {
        site.signOut(alice);
        phone.await("SIGNED_OUT");
        int connects = phone.connects.get();
        for (int enough = phone.attempts.get() + 3; phone.attempts.get() < enough; Thread.onSpinWait()) line.wake(false);
        phone.cookies = "";
        for (int enough = phone.attempts.get() + 3; phone.attempts.get() < enough; Thread.onSpinWait()) line.wake(false);
        assertEquals("connections with refused cookies, or none", connects, phone.connects.get());
        phone.cookies = site.signIn("alice");
        line.wake(false);
        phone.await("ONLINE");
    }

    @Test
    public void comesBackAfterARestart() throws Exception {
        invite("call-lost", "audio");
        phone.await("ring call-lost Bob 王 audio");
        site.stop();
        phone.await("AWAY");
        bob.close();
        site.start(site.address.port);
        phone.await("end call-lost");
        bob = site.page(site.signIn("bob"), "web-bob-000");
        invite("call-after", "video");
        phone.await("ring call-after Bob 王 video");
        line.decline("call-after");
        phone.await("end call-after");
    }

    @Test
    public void aRingWhoseEndGotLostEnds() throws Exception {
        invite("call-stuck", "audio");
        phone.await("ring call-stuck Bob 王 audio");
        phone.ahead.addAndGet(Rings.LONGEST + 1);
        phone.await("end call-stuck");
        bob.send("call.cancel", "{\"call\":\"call-stuck\"}");
        bob.await("call.ended");
    }

    @Test
    public void renewsTheSession() throws Exception {
        String before = phone.cookies;
        phone.ahead.addAndGet(30_000);
        phone.await("cookie");
        assertTrue("an empty cookie", phone.cookies.length() > 30);
        try (Page page = site.page(phone.cookies, "web-alice-01")) {
            page.send("bye", "{}");
        }
        assertEquals(before.split("=")[0], phone.cookies.split("=")[0]);
    }

    @Test
    public void stoppingLeavesPresence() throws Exception {
        stopLine();
        site.register("carol", "Carol");
        start(site, site.signIn("carol"));
        phone.await("ONLINE");
        bob.send("call.invite", "{\"call\":\"call-there\",\"to\":\"carol\",\"media\":\"audio\"}");
        phone.await("ring call-there Bob 王 audio");
        stopLine();
        phone.await("end call-there");
        bob.await("call.ended");
        bob.send("call.invite", "{\"call\":\"call-gone\",\"to\":\"carol\",\"media\":\"audio\"}");
        assertEquals("unreachable", bob.await("call.ended").get("reason"));
    }

    @Test
    public void aRenewedCaIsStillTheSame() throws Exception {
        try (Site renewed = new Site(FOLDER.newFolder().toPath())) {
            X509Certificate pinned = Tls.introduce(Pairing.ofLink(renewed.link()));
            assertEquals(renewed.fingerprint, Fingerprint.of(pinned.getEncoded()));
            for (String[] how : new String[][] {{}, {"--new-key"}}) {
                List<X509Certificate> before = renewed.chain(pinned);
                renewed.renewCA(how);
                while (renewed.chain(pinned).equals(before)) LockSupport.parkNanos(50_000_000); // until the server took it over
                try (SSLSocket socket = Tls.connect(renewed.address, pinned)) {
                    X509Certificate[] alone = {(X509Certificate) socket.getSession().getPeerCertificates()[0]};
                    new SiteTrust(pinned, renewed.address.host, Tls.helpers(socket)).check(alone, new Date());
                }
                Tls.introduce(Pairing.ofLink(renewed.link())); // a phone that comes after the renewal
            }
        }
    }

    @Test
    public void anotherSiteIsNotTrusted() throws Exception {
        try (Site other = new Site(FOLDER.newFolder().toPath())) {
            try {
                Tls.introduce(new Pairing(other.address, site.fingerprint));
                fail("met a site with another fingerprint");
            } catch (IOException e) {
                assertEquals(TrustException.Kind.WRONG_SITE, TrustException.in(e).kind);
            }
            FakePhone wrong = new FakePhone(other.address, site.pair(), alice);
            Line lost = new Line(other.address, "android-0002", wrong, new SecureRandom());
            Thread running = new Thread(() -> {
                try {
                    lost.run();
                } catch (InterruptedException e) {
                    wrong.events.add("interrupted");
                }
            });
            running.start();
            wrong.await("WRONG_SITE");
            lost.stop();
            running.join(15_000);
        }
    }

    @Test
    public void aSiteThatIsNotThereIsAway() throws Exception {
        Site gone = new Site(FOLDER.newFolder().toPath());
        gone.close();
        FakePhone lonely = new FakePhone(gone.address, site.pair(), "x=y");
        Line lost = new Line(gone.address, "android-0003", lonely, new SecureRandom());
        Thread running = new Thread(() -> {
            try {
                lost.run();
            } catch (InterruptedException e) {
                lonely.events.add("interrupted");
            }
        });
        running.start();
        lonely.await("AWAY");
        lost.stop();
        running.join(15_000);
        assertTrue("the line does not stop", !running.isAlive());
    }
}
