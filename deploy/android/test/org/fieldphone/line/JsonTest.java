package org.fieldphone.line;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.Test;

public class JsonTest {
    private static List<String> golden() throws Exception {
        try (var files = Files.list(Path.of(System.getProperty("golden")))) {
            List<String> texts = files.filter(f -> f.toString().endsWith(".json")).map(JsonTest::read).collect(Collectors.toList());
            assertTrue("only " + texts.size() + " golden messages", texts.size() > 20);
            return texts;
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    public void readsEveryGoldenMessage() throws Exception {
        for (String text : golden()) {
            Map<?, ?> envelope = Json.map(Json.object(text), "envelope");
            assertNotNull(text, Json.text(envelope, "type", 64));
        }
    }

    @Test
    public void readsValues() throws Exception {
        Map<?, ?> got = Json.object(" {\"a\":[1,-2.5e3,true,false,null,{}],\"b\":\"\\u738b\\n\\\"\\\\\",\"c\":[]} ");
        assertEquals("{a=[1.0, -2500.0, true, false, null, {}], b=王\n\"\\, c=[]}", got.toString());
        assertEquals(1790000000000L, Json.whole(Json.object("{\"t\":1790000000000}"), "t", 0));
        String odd = "a\"b\\c\u0001\u2028王\ud83d";
        assertEquals(odd, Json.object("{\"x\":" + Json.quote(odd) + "}").get("x"));
    }

    @Test
    public void refusesTheRest() {
        String[] bad = {
            "", "[]", "1", "{", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":+1}", "{\"a\":NaN}", "{\"a\":tru}",
            "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\u12", "{\"a\":\"", "{\"a\":[1,]}", "{\"a\":" + "9".repeat(4000) + "}",
            "{\"a\":" + "[".repeat(60_000), "{\"a\":" + "{\"a\":".repeat(60_000),
        };
        for (String text : bad) {
            try {
                fail(text + " was read as " + Json.object(text));
            } catch (Json.BadJson e) {
                // What it is for.
            }
        }
    }

    @Test
    public void nothingHostileThrowsAnythingElse() throws Exception {
        Random random = new Random(11);
        List<String> texts = golden();
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder(texts.get(random.nextInt(texts.size())));
            for (int n = random.nextInt(4); n >= 0; n--) text.setCharAt(random.nextInt(text.length()), (char) (random.nextInt(96) + 32));
            try {
                Json.object(text.toString());
            } catch (Json.BadJson e) {
                // What it is for.
            }
        }
    }
}
