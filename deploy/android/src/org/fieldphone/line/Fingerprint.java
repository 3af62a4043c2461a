package org.fieldphone.line;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Locale;

/** The SHA-256 of a certificate in DER, which the server shows on its screen and in its pairing link. */
public final class Fingerprint {
    private static final int BYTES = 32;
    private static final int MAX_TEXT = 256;

    private final byte[] sha256;

    private Fingerprint(byte[] sha256) {
        this.sha256 = sha256;
    }

    /** Reads 64 hexadecimal digits, with or without colons, spaces or dashes and a leading "SHA-256:". */
    public static Fingerprint parse(String text) throws PairingException {
        String trimmed = text == null ? "" : text.trim();
        if (trimmed.isEmpty()) throw new PairingException(PairingException.Kind.NO_FINGERPRINT);
        if (trimmed.length() > MAX_TEXT) throw new PairingException(PairingException.Kind.TOO_LONG);
        String digits = trimmed.replaceFirst("(?i)^sha-?256[:/ ]\\s*", "").replaceAll("[:\\s-]", "");
        if (!digits.matches("[0-9A-Fa-f]{" + 2 * BYTES + "}")) {
            throw new PairingException(PairingException.Kind.BAD_FINGERPRINT);
        }
        byte[] bytes = new byte[BYTES];
        for (int i = 0; i < BYTES; i++) {
            bytes[i] = (byte) Integer.parseInt(digits.substring(2 * i, 2 * i + 2), 16);
        }
        return new Fingerprint(bytes);
    }

    public static Fingerprint of(byte[] der) {
        return new Fingerprint(sha256(der));
    }

    static byte[] sha256(byte[] data) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(data);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Android and every Java has SHA-256", e);
        }
    }

    /** Compares in constant time. */
    public boolean matches(byte[] der) {
        return MessageDigest.isEqual(sha256, sha256(der));
    }

    /** The form that the server prints: upper case with colons. */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder(3 * BYTES);
        for (byte b : sha256) {
            if (out.length() > 0) out.append(':');
            out.append(String.format(Locale.ROOT, "%02X", b & 0xff));
        }
        return out.toString();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Fingerprint && MessageDigest.isEqual(sha256, ((Fingerprint) other).sha256);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sha256);
    }
}
