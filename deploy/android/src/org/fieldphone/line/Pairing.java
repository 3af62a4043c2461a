package org.fieldphone.line;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Which server this phone belongs to: its address and the fingerprint of the CA that vouches for it. */
public final class Pairing {
    static final String PREFIX = "fieldphone://pair?";
    private static final int MAX_LINK = 1024;

    public final Address address;
    public final Fingerprint fingerprint;

    public Pairing(Address address, Fingerprint fingerprint) {
        this.address = address;
        this.fingerprint = fingerprint;
    }

    /** Whether a person who pasted text meant a link rather than an address. */
    public static boolean looksLikeLink(String text) {
        return text != null && text.trim().regionMatches(true, 0, "fieldphone:", 0, 11);
    }

    /** Reads fieldphone://pair?url=URL&ca=SHA256, each parameter once, percent-encoded, in any order. */
    public static Pairing ofLink(String link) throws PairingException {
        String text = link == null ? "" : link.trim();
        if (text.length() > MAX_LINK) throw new PairingException(PairingException.Kind.TOO_LONG);
        String rest = afterPrefix(text);
        String url = null;
        String ca = null;
        for (String parameter : rest.split("&", -1)) {
            int equals = parameter.indexOf('=');
            String name = equals < 0 ? parameter : parameter.substring(0, equals);
            String value = equals < 0 ? "" : decode(parameter.substring(equals + 1));
            if (name.equals("url") && url == null) {
                url = value;
            } else if (name.equals("ca") && ca == null) {
                ca = value;
            } else if (name.equals("url") || name.equals("ca")) {
                throw new PairingException(PairingException.Kind.NOT_A_LINK);
            }
        }
        return new Pairing(Address.ofUrl(url), Fingerprint.parse(ca));
    }

    private static String afterPrefix(String text) throws PairingException {
        // Some camera apps put a slash after the authority.
        for (String prefix : new String[] {PREFIX, "fieldphone://pair/?"}) {
            if (text.regionMatches(true, 0, prefix, 0, prefix.length())) return text.substring(prefix.length());
        }
        throw new PairingException(PairingException.Kind.NOT_A_LINK);
    }

    private static String decode(String text) throws PairingException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '%') {
                out.write(bytes[i] == '+' ? ' ' : bytes[i]);
                continue;
            }
            int high = i + 2 < bytes.length ? Character.digit(bytes[i + 1], 16) : -1;
            int low = i + 2 < bytes.length ? Character.digit(bytes[i + 2], 16) : -1;
            if (high < 0 || low < 0) throw new PairingException(PairingException.Kind.NOT_A_LINK);
            out.write(high << 4 | low);
            i += 2;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(out.toByteArray())).toString();
        } catch (CharacterCodingException e) {
            throw new PairingException(PairingException.Kind.NOT_A_LINK);
        }
    }

    /** The link that ofLink reads. */
    public String link() {
        String url = (address.origin() + "/").replace(":", "%3A").replace("/", "%2F").replace("[", "%5B").replace("]", "%5D");
        return PREFIX + "url=" + url + "&ca=" + fingerprint.toString().replace(":", "");
    }
}
