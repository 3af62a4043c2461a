// What a chat looks like, and what is in the words of a text.
import { describe, expect, test } from "vitest";
import type { TextMessage } from "../src/protocol/texts";
import { reachOf, rowsOf } from "../src/state/chat/rows";
import { isEmoji, parts } from "../src/state/chat/words";
import { missed } from "../src/state/pastCalls";
import { messages, translate, type Key } from "../src/i18n";
import { noteWords, preview } from "../src/ui/chat/words";
import { alice, bob } from "./chatServer";

const noon = new Date(2026, 4, 5, 12).getTime();

const message = (pos: number, change: Partial<TextMessage> = {}): TextMessage => ({
  message: `m-${pos}`,
  chat: "bob",
  from: bob,
  kind: "text",
  body: `text ${pos}`,
  pos,
  rev: pos,
  server_time: noon + pos * 1_000,
  ...change,
});

const rows = (list: TextMessage[], more: Partial<Parameters<typeof rowsOf>[0]> = {}) =>
  rowsOf({
    messages: list,
    unsent: [],
    me: alice,
    reach: { delivered: 0, read: 0 },
    readTo: undefined,
    ...more,
  });

describe("rows", () => {
  test("one's own texts tell how far they got; what waits comes last, and once", () => {
    const mine = (pos: number) => message(pos, { from: alice });
    const unsent = { message: "m-9", chat: "bob", body: "later", at: noon };
    const got = rows([mine(1), mine(2), mine(3), message(4)], {
      reach: { delivered: 2, read: 1 },
      unsent: [
        { ...unsent, message: "m-3" },
        unsent,
        { ...unsent, message: "m-10", failed: true, problem: "blocked" },
      ],
    });
    expect(got.map((row) => row.progress)).toEqual([
      "read",
      "delivered",
      "sent",
      undefined,
      "waiting",
      "failed",
    ]);
    expect(got[5]).toMatchObject({ problem: "blocked", mine: true });
  });

  test("a day, a new author and a pause begin anew; the dividing line stands above the first unread", () => {
    const got = rows(
      [
        message(1, { server_time: noon - 86_400_000 }),
        message(2),
        message(3),
        message(4, { from: alice }),
        message(5, { server_time: noon + 3_600_000 }),
      ],
      { readTo: 3 },
    );
    expect(got.map((row) => row.day)).toEqual([true, true, false, false, false]);
    expect(got.map((row) => row.head)).toEqual([true, true, false, true, true]);
    expect(got.map((row) => row.fresh)).toEqual([false, false, false, false, true]);
  });

  test("a group's text is read when all others have read it, whoever left before", () => {
    const head = (members: number) => ({ chat: "#g", group: { members, admin: false, left: false } });
    const others = new Map([
      ["bob", { delivered: 9, read: 5 }],
      ["carol", { delivered: 7, read: 7 }],
      ["gone", { delivered: 2, read: 1 }],
    ]);
    expect(reachOf(head(3), others)).toEqual({ delivered: 7, read: 5 });
    expect(reachOf(head(5), others)).toEqual({ delivered: 0, read: 0 });
    expect(reachOf({ chat: "bob", peer: { delivered: 3, read: 2 } }, new Map())).toEqual({
      delivered: 3,
      read: 2,
    });
  });

  test("10,000 waiting or held rows cost little", () => {
    const list = Array.from({ length: 10_000 }, (_, i) => message(i + 1));
    const began = performance.now();
    rows(list);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe("the words of a text", () => {
  test("only http and https can be opened, and what ends a sentence stays out", () => {
    const hosted = (scheme: string) => `${scheme}://tent4.lan/map?x=1`;
    const text = `see ${hosted("https")}, or (${hosted("http")}). javascript:alert(1) ftp://a/b`;
    const found = parts(text);
    expect(found.map((part) => part.text).join("")).toBe(text);
    expect(found.filter((part) => part.href).map((part) => part.href)).toEqual([
      hosted("https"),
      hosted("http"),
    ]);
  });

  test("an address that hides where it leads is no address", () => {
    const lying = ["https", "://bank.example@tent4.lan/"].join("");
    expect(parts(lying).some((part) => part.href)).toBe(false);
    expect(parts("http://").some((part) => part.href)).toBe(false);
    expect(parts("")).toEqual([]);
  });

  test("long texts and many addresses take no long time", () => {
    const began = performance.now();
    parts("https://a/".repeat(800));
    parts("https://" + ")".repeat(8_000));
    isEmoji("👍".repeat(4_000));
    expect(performance.now() - began).toBeLessThan(500);
  });

  test.each([
    ["👍", true],
    ["👍🏽 🎉", true],
    ["👨‍👩‍👧", true],
    ["🇨🇭", true],
    ["❤️", true],
    ["5", false],
    ["ok 👍", false],
    ["", false],
    ["   ", false],
    ["👍".repeat(20), false],
  ])("%s is only emoji: %s", (text, want) => {
    expect(isEmoji(text)).toBe(want);
  });
});

describe("words for what happened", () => {
  const t = (key: Key, values?: Record<string, string>) => translate("en", key, values);
  const note = (change: Partial<TextMessage>) => message(1, { kind: "note", body: "", ...change });
  const plain = (text: string) => text.replace(/[\u2068\u2069]/g, "");

  test("a group's notes, as each person reads them", () => {
    const added = note({ note: { what: "added", who: [{ id: "carol", name: "Carol" }] } });
    expect(plain(noteWords(added, "alice", t, "en"))).toBe("Bob added Carol");
    expect(plain(noteWords(added, "bob", t, "en"))).toBe("You added Carol");
    expect(plain(noteWords(added, "carol", t, "en"))).toBe("Bob added you");
    const named = note({ from: alice, note: { what: "named", name: "Tent 4" } });
    expect(plain(noteWords(named, "bob", t, "en"))).toBe("Alice named the group Tent 4");
  });

  test("the line of a chat in the list", () => {
    expect(preview(message(1, { body: "", deleted: 5 }), "alice", t, "en")).toBe(messages.en["chat.deleted"]);
    const call = { media: "audio", reason: "timeout" } as const;
    expect(preview(message(1, { kind: "call", body: "", call }), "alice", t, "en")).toBe("Missed audio call");
    const file = { file: "f", kind: "voice", name: "v", type: "audio/webm", size: 1 } as const;
    expect(preview(message(1, { body: "", file }), "alice", t, "en")).toBe("Voice message");
  });

  test.each([
    ["timeout", undefined, false, true],
    ["cancelled", 0, false, true],
    ["declined", undefined, false, false],
    ["hangup", 12, false, false],
    ["timeout", undefined, true, false],
  ] as const)(
    "a call that ended by %s after %s s, mine: %s, was missed: %s",
    (reason, seconds, mine, want) => {
      expect(missed({ reason, seconds }, mine)).toBe(want);
    },
  );
});
