package org.fieldphone.line;

import java.security.cert.CertificateException;
import java.util.Date;

/** Why the server that answered is not trusted; the app has a sentence for each kind. */
public final class TrustException extends CertificateException {
    public enum Kind {
        /** Another site, or this one with a new CA: no certificate with the pinned fingerprint vouches for it. */
        WRONG_SITE,
        /** The certificate does not carry the address that was asked. */
        WRONG_NAME,
        /** The certificate is not valid now: nearly always this phone's clock is wrong. */
        CLOCK
    }

    public final Kind kind;
    /** For CLOCK: the first moment at which the certificate is valid; otherwise null. */
    public final Date validFrom;

    TrustException(Kind kind, String message, Throwable cause, Date validFrom) {
        super(message, cause);
        this.kind = kind;
        this.validFrom = validFrom;
    }

    /** Finds what the trust manager said in what the TLS library made of it; null where it was something else. */
    public static TrustException in(Throwable error) {
        Throwable at = error;
        for (int depth = 0; at != null && depth < 16; depth++) {
            if (at instanceof TrustException) return (TrustException) at;
            at = at.getCause();
        }
        return null;
    }
}
