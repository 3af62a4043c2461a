import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clientTypes, newName, type ClientType, type ServerType } from "../src/protocol/messages";
import { parse, serverTypes } from "../src/protocol/parse";

interface Golden {
  from: "client" | "server" | "both";
  envelope: { type: string; id?: string; re?: string; seq?: number; data?: Record<string, unknown> };
}

const folder = new URL("../../rtc/testdata/messages/", import.meta.url);
const goldens = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name, ...(JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Golden) }));
const fromServer = goldens.filter((golden) => golden.from !== "client");
const fromClient = goldens.filter((golden) => golden.from !== "server");

/** Fields that may be absent: lists are then empty. */
const optional: Record<string, string[]> = {
  "*": ["by", "into", "waiting", "attention", "held", "calls", "people"],
  "text.message": ["edited", "file"],
  "file.asked": [],
  "file.drop": ["code"],
  announcement: ["tag"],
  "announcement.seen": [],
};
const mayMiss = (type: string, field: string) => (optional[type] ?? optional["*"]!).includes(field);

describe("the golden messages", () => {
  test("cover every type of the page, and the page every one of them", () => {
    const types = (list: Golden[]) => list.map((golden) => golden.envelope.type).sort();
    expect(types(fromServer)).toEqual([...serverTypes].sort());
    expect(types(fromClient)).toEqual([...clientTypes].sort());
  });

  test.each(fromServer)("$name is read whole", ({ envelope }) => {
    const parsed = parse(JSON.stringify(envelope));
    if ("problem" in parsed) throw new Error(parsed.problem);
    expect(parsed.message.type).toBe(envelope.type as ServerType);
    expect(parsed.message.seq).toBe(envelope.seq);
    expect(parsed.message.re).toBe(envelope.re);
    expect(JSON.parse(JSON.stringify(parsed.message.data))).toEqual(envelope.data ?? {});
  });

  test.each(fromServer.filter((golden) => golden.envelope.data))(
    "$name without a field is refused",
    (golden) => {
      const { envelope } = golden;
      for (const field of Object.keys(envelope.data ?? {})) {
        if (mayMiss(envelope.type, field)) continue;
        const data = { ...envelope.data, [field]: undefined };
        expect(parse(JSON.stringify({ ...envelope, data })), field).toHaveProperty("problem");
        const wrong = { ...envelope.data, [field]: [7] };
        expect(parse(JSON.stringify({ ...envelope, data: wrong })), field).toHaveProperty("problem");
      }
    },
  );
});

describe("parse", () => {
  test.each([
    ["not JSON", "{"],
    ["no object", "7"],
    ["null", "null"],
    ["a list", "[]"],
    ["no type", "{}"],
    ["an unknown type", '{"type":"call.teleport","seq":4}'],
    ["a name from Object.prototype", '{"type":"constructor"}'],
    ["data of the wrong kind", '{"type":"ping","data":"x"}'],
    ["a number that is none", '{"type":"ping","data":{"server_time":"1"}}'],
  ])("%s is a problem, not an exception", (_, frame) => {
    expect(parse(frame)).toHaveProperty("problem");
  });

  test("a binary frame is a problem", () => {
    expect(parse(new ArrayBuffer(4))).toHaveProperty("problem");
  });

  test("the number of a frame that is not understood is told", () => {
    expect(parse('{"type":"call.teleport","seq":4}')).toMatchObject({ seq: 4 });
  });

  test("a reason that is new is still an end", () => {
    const parsed = parse(
      '{"type":"call.ended","data":{"call":"c-12345678","reason":"moonset","server_time":1}}',
    );
    expect(parsed).toMatchObject({ message: { data: { reason: "other" } } });
  });

  test("a code that is new is still an error", () => {
    const parsed = parse('{"type":"error","re":"3","data":{"code":"moonset","message":""}}');
    expect(parsed).toMatchObject({ message: { re: "3", data: { code: "internal" } } });
  });

  test("a payload keeps only what is known", () => {
    const payload = {
      candidate: { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0, evil: "x" },
      more: 1,
    };
    const parsed = parse(
      JSON.stringify({ type: "call.signal", data: { call: "c-12345678", gen: 1, payload } }),
    );
    if ("problem" in parsed || parsed.message.type !== "call.signal") throw new Error("not read");
    expect(parsed.message.data.payload.candidate).toEqual({
      candidate: "candidate:1",
      sdpMid: "0",
      sdpMLineIndex: 0,
      usernameFragment: null,
    });
    expect(parsed.message.data.payload).not.toHaveProperty("more");
  });
});

describe("path.run", () => {
  const run = (data: object) =>
    parse(JSON.stringify({ type: "path.run", data: { test: "p-12345678", ...data } }));

  test("of a device alone has no peer", () => {
    expect(run({ kind: "self", peer: 7 })).toMatchObject({
      message: { data: { test: "p-12345678", kind: "self" } },
    });
  });

  test("leaves out transports that this page does not know", () => {
    const pair = { kind: "pair", peer: { id: "bob", name: "Bob" }, role: "answerer" };
    expect(run({ ...pair, transports: ["direct", "smoke"] })).toMatchObject({
      message: { data: { transports: ["direct"] } },
    });
  });
});

describe("newName", () => {
  test("keeps to the protocol's alphabet and length", () => {
    for (let byte = 0; byte < 256; byte += 1) {
      expect(newName("web", (bytes) => bytes.fill(byte))).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
    }
  });
});

// Only here to say that the unions are closed: a type that is no key would not compile.
const _closed: ClientType | ServerType = "hello";
void _closed;
