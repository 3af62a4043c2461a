package org.fieldphone.line;

import java.io.File;
import java.io.FileInputStream;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** Makes certificates of all kinds with the JDK's own tool. */
final class Certificates {
    static final char[] PASSWORD = "password".toCharArray();
    private final Path dir;

    Certificates(Path dir) {
        this.dir = dir;
    }

    void ca(String name) throws Exception {
        pair(name, "-ext", "bc:critical=ca:true", "-startdate", "-30d");
    }

    void pair(String name, String... more) throws Exception {
        List<String> args = new ArrayList<>(List.of("-genkeypair", "-alias", name, "-keystore", file(name), "-dname", "CN=" + name,
                "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "60"));
        args.addAll(List.of(more));
        keytool(args.toArray(new String[0]));
    }

    /** A certificate signed by a CA; its key store then holds the whole chain. */
    void leaf(String name, String ca, String... more) throws Exception {
        pair(name);
        keytool("-certreq", "-alias", name, "-keystore", file(name), "-file", file(name + ".csr"));
        List<String> args = new ArrayList<>(List.of("-gencert", "-alias", ca, "-keystore", file(ca), "-infile", file(name + ".csr"), "-outfile", file(name + ".der")));
        if (!List.of(more).contains("-validity")) args.addAll(List.of("-validity", "20"));
        args.addAll(List.of(more));
        keytool(args.toArray(new String[0]));
        keytool("-exportcert", "-alias", ca, "-keystore", file(ca), "-file", file(ca + ".der"));
        keytool("-importcert", "-noprompt", "-alias", ca, "-keystore", file(name), "-file", file(ca + ".der"));
        keytool("-importcert", "-noprompt", "-alias", name, "-keystore", file(name), "-file", file(name + ".der"));
    }

    X509Certificate[] chain(String name) throws Exception {
        java.security.cert.Certificate[] chain = store(name).getCertificateChain(name);
        X509Certificate[] out = new X509Certificate[chain.length];
        for (int i = 0; i < chain.length; i++) out[i] = (X509Certificate) chain[i];
        return out;
    }

    SSLContext server(String name) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store(name), PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    private KeyStore store(String name) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(file(name))) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private String file(String name) {
        return dir.resolve(name).toString();
    }

    private void keytool(String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/keytool"));
        command.addAll(List.of(args));
        if (List.of(args).contains("-keystore")) command.addAll(List.of("-storetype", "PKCS12", "-storepass", new String(PASSWORD)));
        File log = dir.resolve("keytool.log").toFile();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log).start();
        if (process.waitFor() != 0) throw new IllegalStateException(String.join(" ", args) + ": " + java.nio.file.Files.readString(log.toPath()));
    }
}
