package org.fieldphone.app;

import java.io.IOException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLSocket;
import org.fieldphone.line.Tls;

/** Connects to the paired site and keeps what it sent for the WebView's checks. Not for the main thread. */
final class SiteConnection {
    private SiteConnection() {}

    static SSLSocket open(Store store, Store.Site site) throws IOException {
        SSLSocket socket = Tls.connect(site.pairing.address, site.anchor);
        try {
            store.keepHelpers(Tls.helpers(socket));
            return socket;
        } catch (CertificateException | IOException e) {
            socket.close();
            throw new IOException(e);
        }
    }
}
