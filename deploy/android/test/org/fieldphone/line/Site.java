package org.fieldphone.line;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** A whole Fieldphone server as a process of its own, on loopback. */
final class Site implements AutoCloseable {
    private final Path data;
    private Process process;
    private String banner;
    Address address;
    Fingerprint fingerprint;

    Site(Path data) throws Exception {
        this.data = data;
        start(0);
    }

    void start(int port) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(System.getProperty("fieldphone"), "serve");
        Map<String, String> env = builder.environment();
        env.put("FIELDPHONE_DATA", data.toString());
        env.put("FIELDPHONE_LISTEN_ADDRESSES", "127.0.0.1");
        env.put("FIELDPHONE_LISTEN_HTTPS_PORT", String.valueOf(port));
        env.put("FIELDPHONE_LISTEN_HTTP_PORT", "0");
        env.put("FIELDPHONE_TURN_PORT", "0");
        env.put("FIELDPHONE_MDNS_NAME", "");
        env.put("FIELDPHONE_SIGNALLING_HEARTBEAT", "1s");
        env.put("FIELDPHONE_SIGNALLING_PRESENCE_TTL", "4s");
        env.put("FIELDPHONE_SIGNALLING_RESUME_WINDOW", "10s");
        builder.redirectError(data.resolve("log").toFile());
        process = builder.start();
        banner = readBanner();
        address = Address.ofUrl(find("(https://127\\.0\\.0\\.1:[0-9]+)/"));
        fingerprint = Fingerprint.parse(find("((?:[0-9A-F]{2}:){31}[0-9A-F]{2})").replaceAll("\\s", ""));
    }

    private String readBanner() throws IOException {
        StringBuilder text = new StringBuilder();
        BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), java.nio.charset.StandardCharsets.UTF_8));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            text.append(line.trim()).append(line.trim().endsWith(":") ? "" : "\n");
            if (line.contains("Ctrl-C")) return text.toString();
        }
        throw new IOException("the server did not start: " + java.nio.file.Files.readString(data.resolve("log")));
    }

    private String find(String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(banner);
        if (!matcher.find()) throw new IllegalStateException(pattern + " is not in " + banner);
        return matcher.group(1);
    }

    /** Gives the running server another CA. */
    void renewCA(String... how) throws Exception {
        List<String> command = new ArrayList<>(List.of(System.getProperty("fieldphone"), "ca", "renew", "--data", data.toString()));
        command.addAll(List.of(how));
        Process renewal = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(data.resolve("renewal").toFile()).start();
        if (renewal.waitFor() != 0) throw new IOException(java.nio.file.Files.readString(data.resolve("renewal")));
    }

    /** What the server sends behind its certificate. */
    List<X509Certificate> chain(X509Certificate anchor) throws IOException {
        try (SSLSocket socket = Tls.connect(address, anchor)) {
            return Tls.helpers(socket);
        }
    }

    /** The pairing link as the server's own page has it. */
    String link() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(find("(http://127\\.0\\.0\\.1:[0-9]+/)") + "app")).build();
        String page = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
        Matcher link = Pattern.compile("href=\"(fieldphone:[^\"]+)\"").matcher(page);
        if (!link.find()) throw new IOException("no link on " + page);
        return link.group(1).replace("&amp;", "&");
    }

    X509Certificate pair() throws IOException {
        return Tls.introduce(new Pairing(address, fingerprint));
    }

    /** Makes an account. */
    void register(String id, String name) throws Exception {
        post("/api/v1/register", null, "{\"id\":\"" + id + "\",\"name\":\"" + name + "\",\"password\":\"correct horse " + id + "\"}", 201);
    }

    /** Signs in; returns the cookie as the page would hold it. */
    String signIn(String id) throws Exception {
        HttpResponse<String> got = post("/api/v1/login", null, "{\"id\":\"" + id + "\",\"password\":\"correct horse " + id + "\"}", 200);
        return got.headers().firstValue("set-cookie").orElseThrow().split(";")[0];
    }

    void signOut(String cookie) throws Exception {
        post("/api/v1/logout", cookie, "", 204);
    }

    /** Makes an administrator, on the server's own command line. */
    void addAdmin(String id, String name) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                System.getProperty("fieldphone"), "user", "add", id, "--name", name, "--admin", "--data", data.toString());
        builder.environment().put("FIELDPHONE_PASSWORD", "correct horse " + id);
        Process adding = builder.redirectErrorStream(true).redirectOutput(data.resolve("adding").toFile()).start();
        if (adding.waitFor() != 0) throw new IOException(java.nio.file.Files.readString(data.resolve("adding")));
    }

    void announce(String admin, String name, String body) throws Exception {
        post("/api/v1/announcements", admin, "{\"announcement\":\"" + name + "\",\"body\":\"" + body + "\"}", 201);
    }

    void acknowledge(String cookie, String name) throws Exception {
        post("/api/v1/announcements/" + name + "/ack", cookie, "", 204);
    }

    /** Begins to speak to all; returns the call and whom to call. */
    String[] attention(String admin) throws Exception {
        Map<?, ?> ticket = Json.object(post("/api/v1/attention", admin, "{}", 201).body());
        return new String[] {Json.text(ticket, "call", 64), Json.text(ticket, "to", 64)};
    }

    private HttpResponse<String> post(String path, String cookie, String body, int want) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address.origin() + path))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body));
        if (cookie != null) request.header("Cookie", cookie);
        java.security.KeyStore anchors = java.security.KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        anchors.setCertificateEntry("ca", pair());
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(anchors);
        SSLContext context = SSLContext.getInstance("TLS");
        TrustManager[] managers = trust.getTrustManagers();
        context.init(null, managers, null);
        HttpResponse<String> got = HttpClient.newBuilder().sslContext(context).build().send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (got.statusCode() != want) throw new IOException(path + ": " + got.statusCode() + " " + got.body());
        return got;
    }

    /** A page of somebody who is signed in, said hello and was welcomed. */
    Page page(String cookie, String device) throws Exception {
        var socket = Tls.connect(address, pair());
        socket.setSoTimeout(10_000);
        Map<String, String> fields = new LinkedHashMap<>(Line.fields(address, cookie));
        WebSocket ws = WebSocket.open(socket, Line.PATH, fields, new SecureRandom());
        ws.send("{\"type\":\"hello\",\"id\":\"1\",\"data\":{\"device\":\"" + device + "\"}}");
        Page page = new Page(ws);
        page.await("welcome");
        return page;
    }

    /** Stops the process and waits for its end. */
    void stop() throws Exception {
        process.destroy();
        if (!process.waitFor(20, TimeUnit.SECONDS)) throw new IOException("the server does not stop");
    }

    @Override
    public void close() throws Exception {
        process.destroyForcibly().waitFor();
    }

    /** The other devices in a test. */
    static final class Page implements AutoCloseable {
        private final WebSocket ws;

        Page(WebSocket ws) {
            this.ws = ws;
        }

        void send(String type, String data) throws IOException {
            ws.send("{\"type\":\"" + type + "\",\"id\":\"x\",\"data\":" + data + "}");
        }

        /** Reads on to the next message of this type. */
        Map<?, ?> await(String type) throws Exception {
            for (int i = 0; i < 500; i++) {
                String frame = ws.read();
                if (frame == null) throw new IOException("closed with " + ws.closeCode() + " before " + type);
                Map<?, ?> envelope = Json.object(frame);
                if ("ping".equals(envelope.get("type"))) ws.send("{\"type\":\"pong\",\"data\":{\"seq\":0}}");
                if ("error".equals(envelope.get("type"))) throw new IOException(frame);
                if (type.equals(envelope.get("type"))) return Json.map(envelope, "data");
            }
            throw new IOException(type + " did not come");
        }

        @Override
        public void close() {
            ws.close();
        }
    }
}
