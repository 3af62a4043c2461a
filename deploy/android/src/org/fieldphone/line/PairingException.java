package org.fieldphone.line;

/** What is wrong with a pairing link or with what a person typed; the app has a sentence for each kind. */
public final class PairingException extends Exception {
    public enum Kind { NOT_A_LINK, NO_ADDRESS, NOT_HTTPS, BAD_ADDRESS, NO_FINGERPRINT, BAD_FINGERPRINT, TOO_LONG }

    public final Kind kind;

    PairingException(Kind kind) {
        super(kind.name());
        this.kind = kind;
    }
}
