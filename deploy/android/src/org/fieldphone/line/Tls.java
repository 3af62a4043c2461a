package org.fieldphone.line;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** TLS connections to one site, and to no other. */
public final class Tls {
    private static final int CONNECT_MS = 6_000;
    private static final int HANDSHAKE_MS = 8_000;

    private Tls() {}

    /**
     * Meets a site for the first time: finds the pinned certificate in the chain that it sends
     * and checks the chain against it. Nothing is sent but the handshake.
     */
    public static X509Certificate introduce(Pairing pairing) throws IOException {
        Introduction introduction = new Introduction(pairing);
        open(pairing.address, introduction).close();
        return introduction.anchor;
    }

    /** Connects to a site that is known. */
    public static SSLSocket connect(Address address, X509Certificate anchor) throws IOException {
        return open(address, new Known(new SiteTrust(anchor, address.host, Collections.<X509Certificate>emptyList())));
    }

    /** What the site sent behind its own certificate: after a renewal of its CA it leads to the pinned one. */
    public static List<X509Certificate> helpers(SSLSocket socket) throws IOException {
        List<X509Certificate> helpers = new ArrayList<X509Certificate>();
        Certificate[] chain = socket.getSession().getPeerCertificates();
        for (int i = 1; i < chain.length && i < SiteTrust.MAX_CHAIN; i++) helpers.add((X509Certificate) chain[i]);
        return helpers;
    }

    private static SSLSocket open(Address address, X509TrustManager trust) throws IOException {
        Socket plain = new Socket();
        try {
            plain.connect(new InetSocketAddress(address.host, address.port), CONNECT_MS);
            plain.setSoTimeout(HANDSHAKE_MS);
            plain.setTcpNoDelay(true);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {trust}, null);
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(plain, address.host, address.port, true);
            tls.startHandshake();
            return tls;
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            plain.close();
            if (e instanceof IOException) throw (IOException) e;
            throw new IOException(e);
        }
    }

    private abstract static class ServerTrust implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw new CertificateException("this is a client");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    private static final class Known extends ServerTrust {
        private final SiteTrust site;

        Known(SiteTrust site) {
            this.site = site;
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            site.check(chain, new Date());
        }
    }

    private static final class Introduction extends ServerTrust {
        private final Pairing pairing;
        private volatile X509Certificate anchor;

        Introduction(Pairing pairing) {
            this.pairing = pairing;
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            X509Certificate found = SiteTrust.anchorIn(chain, pairing.fingerprint);
            new SiteTrust(found, pairing.address.host, Collections.<X509Certificate>emptyList()).check(chain, new Date());
            anchor = found;
        }
    }
}
