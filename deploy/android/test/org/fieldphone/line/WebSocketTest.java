package org.fieldphone.line;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class WebSocketTest {
    private static final String UPGRADED = "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n";

    @ClassRule public static final TemporaryFolder FOLDER = new TemporaryFolder();
    private static Certificates certificates;
    private static SSLContext server;

    @BeforeClass
    public static void make() throws Exception {
        certificates = new Certificates(FOLDER.getRoot().toPath());
        certificates.ca("ca");
        certificates.leaf("server", "ca", "-ext", "san=ip:127.0.0.1");
        server = certificates.server("server");
    }

    private static byte[] bytes(Object... parts) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Object part : parts) {
            if (part instanceof Integer) out.write((Integer) part);
            else out.write(part instanceof byte[] ? (byte[]) part : ((String) part).getBytes(StandardCharsets.UTF_8));
        }
        return out.toByteArray();
    }

    private interface Talk {
        void with(WebSocket ws) throws Exception;
    }

    /** Talks to a server that sends these bytes; returns what it heard. */
    private static byte[] talk(String answer, byte[] after, Talk talk) throws Exception {
        return talk(answer, after, false, talk);
    }

    private static byte[] talk(String answer, byte[] after, boolean hangUp, Talk talk) throws Exception {
        try (HostileServer hostile = new HostileServer(server, answer, after, hangUp)) {
            Address address = Address.ofUrl("https://127.0.0.1:" + hostile.port() + "/");
            try (SSLSocket socket = Tls.connect(address, certificates.chain("server")[1])) {
                socket.setSoTimeout(10_000);
                Map<String, String> fields = new LinkedHashMap<>(Map.of("Host", address.authority()));
                talk.with(WebSocket.open(socket, "/ws", fields, new SecureRandom()));
            }
            return hostile.heard();
        }
    }

    private static void refusedBytes(int code, byte[] after) throws Exception {
        byte[] heard = talk(UPGRADED, after, ws -> {
            try {
                fail("was read as " + ws.read());
            } catch (IOException e) {
                assertTrue(e.toString(), e.getMessage().startsWith("WebSocket: "));
            }
        });
        assertEquals("close frame", 0x88, heard[0] & 0xff);
        assertEquals(code, ((heard[6] ^ heard[2]) & 0xff) << 8 | (heard[7] ^ heard[3]) & 0xff);
    }

    @Test
    public void readsMessages() throws Exception {
        String big = "王".repeat(30_000);
        byte[] heard = talk(UPGRADED, bytes(0x81, 2, "hi", 1, 1, "a", 0x89, 1, "!", 0x80, 1, "b", 0x8a, 0,
                0x81, 127, new byte[] {0, 0, 0, 0, 0, 1, 0x5f, (byte) 0x90}, big, 0x81, 126, 0, 3, "end", 0x88, 2, 0x0f, 0xa0), ws -> {
            assertEquals("hi", ws.read());
            assertEquals("ab", ws.read());
            assertEquals(big, ws.read());
            assertEquals("end", ws.read());
            assertEquals(null, ws.read());
            assertEquals(4000, ws.closeCode());
        });
        assertEquals("pong", 0x8a, heard[0] & 0xff);
        assertEquals("its masked payload", '!', heard[6] ^ heard[2]);
        assertEquals("the close frame returned", 0x88, heard[7] & 0xff);
    }

    @Test
    public void sendsMaskedFrames() throws Exception {
        for (int length : new int[] {0, 5, 125, 126, 65_535, 65_536}) {
            String text = "x".repeat(length);
            byte[] heard = talk(UPGRADED, new byte[0], ws -> ws.send(text));
            int head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
            assertEquals(head + 4 + length, heard.length);
            assertEquals(0x81, heard[0] & 0xff);
            assertEquals(0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127), heard[1] & 0xff);
            for (int i = 0; i < length; i++) assertEquals('x', heard[head + 4 + i] ^ heard[head + (i & 3)]);
        }
    }

    @Test
    public void refusesHostileFrames() throws Exception {
        refusedBytes(1002, bytes(0x81, 0x82, 0, 0, 0, 0, "hi"));
        refusedBytes(1002, bytes(0xc1, 2, "hi"));
        refusedBytes(1002, bytes(0x83, 0));
        refusedBytes(1002, bytes(0x82, 2, "hi"));
        refusedBytes(1002, bytes(0x80, 2, "hi"));
        refusedBytes(1002, bytes(1, 1, "a", 0x81, 1, "b"));
        refusedBytes(1002, bytes(0x09, 0));
        refusedBytes(1002, bytes(0x89, 126, 0, 126, new byte[126]));
        refusedBytes(1002, bytes(0x88, 1, 3));
        refusedBytes(1007, bytes(0x81, 2, 0xc3, 0x28));
        refusedBytes(1009, bytes(0x81, 127, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff));
        refusedBytes(1009, bytes(0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 1));
        refusedBytes(1009, bytes(1, 127, 0, 0, 0, 0, 0, 3, 0xff, 0xff, new byte[0x3ffff], 0x80, 2, "xx"));
    }

    @Test
    public void refusesHostileAnswers() throws Exception {
        String[] answers = {
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 401 no\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 101 x\r\nno colon\r\n\r\n", "HTTP/1.1 101 x\r\nx: " + "y".repeat(20_000) + "\r\n\r\n", "\r\n\r\n\r\n\r\n",
        };
        for (String answer : answers) {
            try {
                talk(answer, new byte[0], ws -> fail("was upgraded by " + answer));
            } catch (IOException e) {
                assertEquals(answer, answer.contains(" 401 "), e instanceof Http.Refused && ((Http.Refused) e).status == 401);
            }
        }
    }

    @Test
    public void noiseEndsInAnIOException() throws Exception {
        Random random = new Random(3);
        for (int i = 0; i < 60; i++) {
            byte[] noise = new byte[random.nextInt(400)];
            random.nextBytes(noise);
            talk(UPGRADED, noise, true, ws -> {
                try {
                    while (ws.read() != null) Thread.onSpinWait();
                } catch (IOException e) {
                    // What it is for.
                }
            });
        }
    }

    @Test
    public void base64IsRight() {
        Random random = new Random(5);
        for (int length = 0; length < 70; length++) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            assertArrayEquals(bytes, Base64.getDecoder().decode(WebSocket.base64(bytes)));
        }
        assertEquals("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WebSocket.accept("dGhlIHNhbXBsZSBub25jZQ==")); // RFC 6455, section 1.3
    }

    @Test
    public void headerFieldsCannotBeInjected() throws Exception {
        try (HostileServer hostile = new HostileServer(server, UPGRADED, new byte[0], false)) {
            Address address = Address.ofUrl("https://127.0.0.1:" + hostile.port() + "/");
            try (SSLSocket socket = Tls.connect(address, certificates.chain("server")[1])) {
                Http.ask(socket, "GET", "/", Map.of("Cookie", "a\r\nX: y"));
                fail("sent");
            } catch (IOException e) {
                assertTrue(e.getMessage().contains("line break"));
            }
        }
    }
}
