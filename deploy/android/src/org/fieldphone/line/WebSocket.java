package org.fieldphone.line;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.Random;

/** The client's side of a WebSocket that carries text (RFC 6455). One thread reads; any may send. */
final class WebSocket implements Closeable {
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int CONTINUATION = 0;
    private static final int TEXT = 1;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int PONG = 10;
    private static final int FINAL = 0x80;
    private static final int MASKED = 0x80;
    private static final int MAX_CONTROL = 125;
    static final int MAX_MESSAGE = 256 << 10;

    static final int NO_CODE = 1005;
    private static final int PROTOCOL_ERROR = 1002;
    private static final int BAD_TEXT = 1007;
    private static final int TOO_BIG = 1009;

    private final Socket socket;
    private final InputStream in;
    private final Random random;
    private final Http answer;
    private int closeCode = NO_CODE;

    private WebSocket(Socket socket, Random random, Http answer) throws IOException {
        this.socket = socket;
        this.random = random;
        this.answer = answer;
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    /** Upgrades an open connection. fields are sent besides those of the handshake; random must be unpredictable. */
    static WebSocket open(Socket socket, String path, Map<String, String> fields, Random random) throws IOException {
        byte[] nonce = new byte[16];
        random.nextBytes(nonce);
        String key = base64(nonce);
        fields.put("Upgrade", "websocket");
        fields.put("Connection", "Upgrade");
        fields.put("Sec-WebSocket-Version", "13");
        fields.put("Sec-WebSocket-Key", key);
        Http answer = Http.ask(socket, "GET", path, fields);
        if (answer.status != 101) throw new Http.Refused(answer.status);
        if (!answer.field("upgrade").equalsIgnoreCase("websocket") || !answer.field("sec-websocket-accept").equals(accept(key))) {
            throw new IOException("the server did not speak WebSocket");
        }
        return new WebSocket(socket, random, answer);
    }

    Http answer() {
        return answer;
    }

    static String accept(String key) {
        try {
            return base64(MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Android and every Java has SHA-1", e);
        }
    }

    /** RFC 4648, section 4. java.util.Base64 came with API 26, android.util.Base64 is not on a JVM. */
    static String base64(byte[] bytes) {
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < bytes.length; i += 3) {
            int left = Math.min(3, bytes.length - i);
            int group = (bytes[i] & 0xff) << 16 | (left > 1 ? bytes[i + 1] & 0xff : 0) << 8 | (left > 2 ? bytes[i + 2] & 0xff : 0);
            for (int j = 0; j < 4; j++) out.append(j <= left ? alphabet.charAt(group >> 18 - 6 * j & 63) : '=');
        }
        return out.toString();
    }

    /** The next text message; null once the server has closed, and then closeCode says why. */
    String read() throws IOException {
        ByteArrayOutputStream message = null;
        while (true) {
            int first = one();
            int opcode = first & 0x0f;
            boolean last = (first & FINAL) != 0;
            if ((first & 0x70) != 0) throw fail(PROTOCOL_ERROR, "reserved bits");
            byte[] payload = payload(opcode, last, message == null ? 0 : message.size());
            switch (opcode) {
                case TEXT:
                    if (message != null) throw fail(PROTOCOL_ERROR, "a message within a message");
                    message = new ByteArrayOutputStream();
                    message.write(payload);
                    break;
                case CONTINUATION:
                    if (message == null) throw fail(PROTOCOL_ERROR, "a continuation of nothing");
                    message.write(payload);
                    break;
                case PING:
                    frame(PONG, payload);
                    continue;
                case PONG:
                    continue;
                case CLOSE:
                    closed(payload);
                    return null;
                default:
                    throw fail(PROTOCOL_ERROR, "opcode " + opcode);
            }
            if (last) return text(message.toByteArray());
        }
    }

    private byte[] payload(int opcode, boolean last, int already) throws IOException {
        int second = one();
        if ((second & MASKED) != 0) throw fail(PROTOCOL_ERROR, "a masked frame from the server");
        long length = second & 0x7f;
        boolean control = opcode >= CLOSE;
        if (control && (length > MAX_CONTROL || !last)) throw fail(PROTOCOL_ERROR, "a control frame too long or in parts");
        if (length == 126) length = ByteBuffer.wrap(Http.exactly(in, 2)).getShort() & 0xffff;
        else if (length == 127) length = ByteBuffer.wrap(Http.exactly(in, 8)).getLong();
        if (length < 0 || length > MAX_MESSAGE - already) throw fail(TOO_BIG, "a message too long");
        return Http.exactly(in, (int) length);
    }

    private int one() throws IOException {
        return Http.exactly(in, 1)[0] & 0xff;
    }

    private String text(byte[] bytes) throws IOException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw fail(BAD_TEXT, "not UTF-8");
        }
    }

    private void closed(byte[] payload) throws IOException {
        if (payload.length == 1) throw fail(PROTOCOL_ERROR, "half a close code");
        if (payload.length >= 2) closeCode = ByteBuffer.wrap(payload).getShort() & 0xffff;
        sayClose(closeCode == NO_CODE ? 1000 : closeCode);
        close();
    }

    private IOException fail(int code, String why) {
        sayClose(code);
        close();
        return new IOException("WebSocket: " + why);
    }

    /** Why the server closed (RFC 6455, section 7.4); NO_CODE where it did not say. */
    int closeCode() {
        return closeCode;
    }

    void send(String text) throws IOException {
        frame(TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    private synchronized void frame(int opcode, byte[] payload) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(payload.length + 14);
        out.put((byte) (FINAL | opcode));
        if (payload.length < 126) out.put((byte) (MASKED | payload.length));
        else if (payload.length < 1 << 16) out.put((byte) (MASKED | 126)).putShort((short) payload.length);
        else out.put((byte) (MASKED | 127)).putLong(payload.length);
        byte[] mask = new byte[4];
        random.nextBytes(mask);
        out.put(mask);
        for (int i = 0; i < payload.length; i++) out.put((byte) (payload[i] ^ mask[i & 3]));
        socket.getOutputStream().write(out.array(), 0, out.position());
        socket.getOutputStream().flush();
    }

    /** Says goodbye as far as the connection still carries it. */
    void sayClose(int code) {
        try {
            frame(CLOSE, new byte[] {(byte) (code >> 8), (byte) code});
        } catch (IOException e) {
            // It is being closed anyway.
        }
    }

    /** Ends a read that is waiting, too. */
    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing is left to do with it.
        }
    }
}
