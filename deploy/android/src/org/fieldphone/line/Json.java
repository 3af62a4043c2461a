package org.fieldphone.line;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON (RFC 8259) as far as the protocol needs it. What it reads comes from the network: it
 * is bounded in depth and throws only BadJson. Objects become Map, arrays List, numbers
 * Double, and the rest String, Boolean and null.
 */
final class Json {
    private static final int MAX_DEPTH = 32;

    static final class BadJson extends Exception {
        BadJson(String message, int at) {
            super(message + " at " + at);
        }
    }

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static Map<?, ?> object(String text) throws BadJson {
        Json json = new Json(text);
        Object value = json.value(0);
        json.space();
        if (json.at != text.length()) throw json.bad("something follows the value");
        if (!(value instanceof Map)) throw json.bad("not an object");
        return (Map<?, ?>) value;
    }

    private BadJson bad(String message) {
        return new BadJson(message, at);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
    }

    private char peek() throws BadJson {
        if (at >= text.length()) throw bad("it ends too early");
        return text.charAt(at);
    }

    private void expect(char c) throws BadJson {
        if (peek() != c) throw bad("expected " + c);
        at++;
    }

    private boolean take(char c) throws BadJson {
        space();
        if (peek() != c) return false;
        at++;
        return true;
    }

    private Object value(int depth) throws BadJson {
        if (depth > MAX_DEPTH) throw bad("too deep");
        space();
        switch (peek()) {
            case '{':
                return map(depth);
            case '[':
                return list(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> map(int depth) throws BadJson {
        expect('{');
        Map<String, Object> map = new LinkedHashMap<String, Object>();
        if (take('}')) return map;
        do {
            space();
            String name = string();
            space();
            expect(':');
            map.put(name, value(depth + 1));
        } while (take(','));
        expect('}');
        return map;
    }

    private List<Object> list(int depth) throws BadJson {
        expect('[');
        List<Object> list = new ArrayList<Object>();
        if (take(']')) return list;
        do {
            list.add(value(depth + 1));
        } while (take(','));
        expect(']');
        return list;
    }

    private Object word(String word, Object value) throws BadJson {
        if (!text.startsWith(word, at)) throw bad("not a value");
        at += word.length();
        return value;
    }

    private Double number() throws BadJson {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
        String digits = text.substring(start, at);
        if (!digits.matches("-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")) throw bad("not a value");
        return Double.valueOf(digits);
    }

    private String string() throws BadJson {
        expect('"');
        StringBuilder out = new StringBuilder();
        for (char c = peek(); c != '"'; c = peek()) {
            if (c < ' ') throw bad("a bare control character");
            at++;
            out.append(c == '\\' ? escaped() : c);
        }
        at++;
        return out.toString();
    }

    private char escaped() throws BadJson {
        char c = peek();
        at++;
        int plain = "\"\\/bfnrt".indexOf(c);
        if (plain >= 0) return "\"\\/\b\f\n\r\t".charAt(plain);
        if (c != 'u' || at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9A-Fa-f]{4}")) {
            throw bad("an unknown escape");
        }
        at += 4;
        return (char) Integer.parseInt(text.substring(at - 4, at), 16);
    }

    /** A string with its quotes. */
    static String quote(String value) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : value.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    /** The string under a name, or null when there is none or it is something else or longer than max. */
    static String text(Map<?, ?> map, String name, int max) {
        Object value = map == null ? null : map.get(name);
        return value instanceof String && ((String) value).length() <= max ? (String) value : null;
    }

    static long whole(Map<?, ?> map, String name, long fallback) {
        Object value = map == null ? null : map.get(name);
        return value instanceof Double ? ((Double) value).longValue() : fallback;
    }

    static Map<?, ?> map(Map<?, ?> map, String name) {
        Object value = map == null ? null : map.get(name);
        return value instanceof Map ? (Map<?, ?>) value : null;
    }

    static List<?> list(Map<?, ?> map, String name) {
        Object value = map == null ? null : map.get(name);
        return value instanceof List ? (List<?>) value : new ArrayList<Object>();
    }
}
