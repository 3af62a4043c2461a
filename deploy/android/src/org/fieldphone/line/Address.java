package org.fieldphone.line;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;

/** Where a site is: a host (name or IP literal) and a TCP port, as in an https URL. */
public final class Address {
    static final int MAX_URL = 512;
    static final int HTTPS_PORT = 443;
    /** What a person means who types a host alone: the port that Fieldphone listens on by default. */
    static final int DEFAULT_PORT = 8443;

    /** Lower case, without the brackets of an IPv6 literal. */
    public final String host;
    public final int port;

    private Address(String host, int port) {
        this.host = host;
        this.port = port;
    }

    /** Reads the address out of an absolute https URL. Anything that is not plainly one is refused. */
    public static Address ofUrl(String url) throws PairingException {
        if (url == null || url.isEmpty()) throw new PairingException(PairingException.Kind.NO_ADDRESS);
        if (url.length() > MAX_URL) throw new PairingException(PairingException.Kind.TOO_LONG);
        requirePrintable(url);
        if (!url.regionMatches(true, 0, "https://", 0, 8)) {
            throw new PairingException(PairingException.Kind.NOT_HTTPS);
        }
        return ofAuthority(authority(url.substring(8)), HTTPS_PORT);
    }

    /** Reads what a person typed or pasted: a URL, host:port, or a host alone. */
    public static Address ofTyped(String text) throws PairingException {
        String trimmed = text == null ? "" : text.trim();
        if (trimmed.isEmpty()) throw new PairingException(PairingException.Kind.NO_ADDRESS);
        if (trimmed.length() > MAX_URL) throw new PairingException(PairingException.Kind.TOO_LONG);
        if (trimmed.contains("://")) return ofUrl(trimmed);
        requirePrintable(trimmed);
        return ofAuthority(authority(trimmed), DEFAULT_PORT);
    }

    private static void requirePrintable(String text) throws PairingException {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            // Browsers read a backslash as a slash: what they would open must be what is checked here.
            if (c <= ' ' || c == '\\' || c == 0x7f) throw new PairingException(PairingException.Kind.BAD_ADDRESS);
        }
    }

    private static String authority(String rest) {
        for (int i = 0; i < rest.length(); i++) {
            char c = rest.charAt(i);
            if (c == '/' || c == '?' || c == '#') return rest.substring(0, i);
        }
        return rest;
    }

    private static Address ofAuthority(String authority, int defaultPort) throws PairingException {
        String host;
        String port;
        if (authority.startsWith("[")) {
            int end = authority.indexOf(']');
            if (end < 0) throw new PairingException(PairingException.Kind.BAD_ADDRESS);
            host = authority.substring(1, end);
            port = authority.substring(end + 1);
            if (!host.contains(":") || bytesOf(host) == null) throw new PairingException(PairingException.Kind.BAD_ADDRESS);
        } else {
            int colon = authority.indexOf(':');
            host = colon < 0 ? authority : authority.substring(0, colon);
            port = colon < 0 ? "" : authority.substring(colon);
            if (!isName(host) && bytesOf(host) == null) throw new PairingException(PairingException.Kind.BAD_ADDRESS);
        }
        return new Address(host.toLowerCase(Locale.ROOT), port(port, defaultPort));
    }

    private static int port(String text, int fallback) throws PairingException {
        if (text.isEmpty()) return fallback;
        if (!text.matches(":[0-9]{1,5}")) throw new PairingException(PairingException.Kind.BAD_ADDRESS);
        int port = Integer.parseInt(text.substring(1));
        if (port < 1 || port > 65535) throw new PairingException(PairingException.Kind.BAD_ADDRESS);
        return port;
    }

    /** A host name (RFC 1123, section 2.1) whose last label is not a number, which would be an address. */
    private static boolean isName(String host) {
        if (host.isEmpty() || host.length() > 253) return false;
        String[] labels = host.split("\\.", -1);
        for (String label : labels) {
            if (!label.matches("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")) return false;
        }
        return labels[labels.length - 1].matches(".*[A-Za-z].*") && !labels[labels.length - 1].matches("0[xX].*");
    }

    /** The bytes of an IP literal, or null. Never asks DNS. */
    static byte[] bytesOf(String host) {
        boolean v4 = host.matches("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){3}");
        boolean v6 = host.contains(":") && host.matches("[0-9A-Fa-f:.]{2,45}");
        if (!v4 && !v6) return null;
        try {
            return InetAddress.getByName(host).getAddress();
        } catch (UnknownHostException e) {
            return null;
        }
    }

    /** The host as a URL has it: IPv6 literals in brackets. */
    public String urlHost() {
        return host.contains(":") ? "[" + host + "]" : host;
    }

    /** host:port for the Host header; without the port where it is the one of https. */
    String authority() {
        return port == HTTPS_PORT ? urlHost() : urlHost() + ":" + port;
    }

    /** The origin as browsers write it (RFC 6454, section 6.2). */
    public String origin() {
        return "https://" + authority();
    }

    /** Whether url is an https URL of this very host and port. */
    public boolean owns(String url) {
        if (url == null) return false;
        try {
            int end = Math.min(url.length(), MAX_URL);
            Address other = ofUrl(url.substring(0, end));
            return other.port == port && sameHost(other.host);
        } catch (PairingException e) {
            return false;
        }
    }

    private boolean sameHost(String other) {
        if (host.equals(other)) return true;
        byte[] mine = bytesOf(host);
        byte[] theirs = bytesOf(other);
        return mine != null && theirs != null && java.util.Arrays.equals(mine, theirs);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Address && origin().equals(((Address) other).origin());
    }

    @Override
    public int hashCode() {
        return origin().hashCode();
    }
}
