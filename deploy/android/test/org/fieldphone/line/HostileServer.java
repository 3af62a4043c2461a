package org.fieldphone.line;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** A TLS server that answers one connection with given bytes and keeps what it was sent. */
final class HostileServer implements AutoCloseable {
    private final SSLServerSocket listener;
    private final CompletableFuture<byte[]> heard = new CompletableFuture<>();
    private final Thread thread;

    /** answer may contain ACCEPT, which becomes the right key; after is sent behind it; hangUp closes then. */
    HostileServer(SSLContext context, String answer, byte[] after, boolean hangUp) throws IOException {
        listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 5, InetAddress.getByName("127.0.0.1"));
        thread = new Thread(() -> {
            try (SSLSocket socket = (SSLSocket) listener.accept()) {
                socket.setSoTimeout(10_000);
                String request = header(socket.getInputStream());
                String key = request.replaceFirst("(?s).*Sec-WebSocket-Key: (\\S+)\r\n.*", "$1");
                socket.getOutputStream().write(answer.replace("ACCEPT", WebSocket.accept(key)).getBytes(StandardCharsets.ISO_8859_1));
                socket.getOutputStream().write(after);
                socket.getOutputStream().flush();
                heard.complete(hangUp ? new byte[0] : rest(socket.getInputStream()));
            } catch (IOException e) {
                heard.complete(new byte[0]); // the client left, or never came
            }
        });
        thread.start();
    }

    private static String header(InputStream in) throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.indexOf("\r\n\r\n") < 0) {
            int b = in.read();
            if (b < 0) throw new IOException("the client left");
            text.append((char) b);
        }
        return text.toString();
    }

    private static byte[] rest(InputStream in) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            for (int b = in.read(); b >= 0; b = in.read()) out.write(b);
        } catch (IOException e) {
            // A client may leave without TLS's goodbye.
        }
        return out.toByteArray();
    }

    int port() {
        return listener.getLocalPort();
    }

    byte[] heard() throws Exception {
        return heard.get(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws Exception {
        listener.close();
        thread.join(10_000);
    }
}
