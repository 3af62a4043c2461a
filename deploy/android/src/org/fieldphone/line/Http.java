package org.fieldphone.line;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** One HTTP/1.1 request and its answer's header, on a connection that is open (RFC 9112). */
final class Http {
    private static final int MAX_HEADER = 16 << 10;
    private static final int MAX_BODY = 256 << 10;

    /** The server answered, and said no. */
    static final class Refused extends IOException {
        final int status;

        Refused(int status) {
            super("HTTP status " + status);
            this.status = status;
        }
    }

    final int status;
    private final List<String[]> fields = new ArrayList<String[]>();

    private Http(int status) {
        this.status = status;
    }

    /** Sends a request without a body and reads the answer's header. */
    static Http ask(Socket socket, String method, String path, Map<String, String> fields) throws IOException {
        StringBuilder out = new StringBuilder(method).append(' ').append(path).append(" HTTP/1.1\r\n");
        for (Map.Entry<String, String> field : fields.entrySet()) {
            if ((field.getKey() + field.getValue()).matches("(?s).*[\\r\\n\\x00].*")) {
                throw new IOException("a header field with a line break");
            }
            out.append(field.getKey()).append(": ").append(field.getValue()).append("\r\n");
        }
        OutputStream stream = socket.getOutputStream();
        stream.write(out.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        stream.flush();
        return header(socket.getInputStream());
    }

    private static Http header(InputStream in) throws IOException {
        String[] lines = headerText(in).split("\r\n");
        if (!lines[0].matches("HTTP/1\\.1 [1-5][0-9]{2}( .*)?")) throw new IOException("not an HTTP answer");
        Http answer = new Http(Integer.parseInt(lines[0].substring(9, 12)));
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            if (colon < 1) throw new IOException("not an HTTP header field");
            String name = lines[i].substring(0, colon).toLowerCase(Locale.ROOT);
            answer.fields.add(new String[] {name, lines[i].substring(colon + 1).trim()});
        }
        return answer;
    }

    private static String headerText(InputStream in) throws IOException {
        StringBuilder text = new StringBuilder();
        // Byte by byte: what follows the empty line belongs to whoever reads next.
        while (text.length() < 4 || !text.substring(text.length() - 4).equals("\r\n\r\n")) {
            int b = in.read();
            if (b < 0) throw new EOFException("the answer ends in its header");
            if (text.length() >= MAX_HEADER) throw new IOException("the answer's header is too long");
            text.append((char) b);
        }
        return text.substring(0, text.length() - 4);
    }

    /** The first field of that name, or the empty string. */
    String field(String name) {
        List<String> all = all(name);
        return all.isEmpty() ? "" : all.get(0);
    }

    List<String> all(String name) {
        List<String> values = new ArrayList<String>();
        for (String[] field : fields) {
            if (field[0].equals(name)) values.add(field[1]);
        }
        return values;
    }

    /** Reads a body whose length the header gives. */
    String body(InputStream in) throws IOException {
        String length = field("content-length");
        if (!length.matches("[0-9]{1,6}") || Integer.parseInt(length) > MAX_BODY) {
            throw new IOException("a body of unknown or too great length");
        }
        return new String(exactly(in, Integer.parseInt(length)), StandardCharsets.UTF_8);
    }

    static byte[] exactly(InputStream in, int count) throws IOException {
        byte[] bytes = new byte[count];
        for (int have = 0; have < count; ) {
            int n = in.read(bytes, have, count - have);
            if (n < 0) throw new EOFException("the connection was closed");
            have += n;
        }
        return bytes;
    }
}
