import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bothFingerprints, fingerprints, SasExchange } from "../src/call/sas";
import { sasWords } from "../src/call/sasWords";
import type { Check, Payload, Role } from "../src/protocol/messages";
import { settle } from "./fakes";

const print = (byte: string) => `a=fingerprint:sha-256 ${Array(32).fill(byte).join(":")}`;
const sdp = (byte: string) => `v=0\r\n${print(byte)}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n`;

const digest = (text: string) => Promise.resolve(new Uint8Array(createHash("sha256").update(text).digest()));

interface End {
  exchange: SasExchange;
  pc: { localDescription: { sdp: string }; remoteDescription: { sdp: string } };
  said: Check[];
}

let seed = 0;

/** One end, whose messages go where they are told. */
function end(
  role: Role,
  own: string,
  other: string,
  pass: (check: Check) => void,
  refuses = () => false,
): End {
  const pc = { localDescription: { sdp: sdp(own) }, remoteDescription: { sdp: sdp(other) } };
  const said: Check[] = [];
  const n = (seed += 1);
  const exchange = new SasExchange(
    { digest, random: (bytes) => bytes.fill(n) },
    role,
    () => pc as never,
    async (payload: Payload) => {
      await Promise.resolve();
      if (refuses()) throw new Error("no way");
      said.push(payload.check!);
      pass(payload.check!);
    },
  );
  return { exchange, pc, said };
}

function pair(change: { b?: string; refuses?: () => boolean } = {}): [End, End] {
  const a: End = end("offerer", "AA", "BB", (check) => void b.exchange.receive(check), change.refuses);
  const b: End = end("answerer", change.b ?? "BB", "AA", (check) => void a.exchange.receive(check));
  return [a, b];
}

const sas = ({ exchange }: End) => {
  const { value } = exchange.state;
  return value.kind === "ready" ? value.sas : value.kind;
};

const looks = async (...ends: End[]) => {
  for (const { exchange } of ends) await exchange.look();
  for (let i = 0; i < 10; i += 1) await settle();
};

describe("fingerprints", () => {
  test("are read in one way of writing, each once, in order", () => {
    const text =
      "a=fingerprint:SHA-256 bb:0c\r\nx\r\na=fingerprint:sha-256 BB:0C\r\na=fingerprint:sha-1 aa\r\n";
    expect(fingerprints(text)).toBe("sha-1 AA,sha-256 BB:0C");
    expect(fingerprints("v=0\r\n")).toBe("");
  });

  test("of both ends are the same at either", () => {
    const [a, b] = pair();
    expect(bothFingerprints(a.pc as never)).toBe(bothFingerprints(b.pc as never));
    expect(bothFingerprints({ localDescription: null, remoteDescription: null })).toBeUndefined();
  });
});

describe("the words", () => {
  test("are 256, each once, short and plain", () => {
    expect(new Set(sasWords).size).toBe(256);
    for (const word of sasWords) expect(word).toMatch(/^[a-z]{3,8}$/);
  });

  test("are the same at both ends, and other ones in the next connection", async () => {
    const [a, b] = pair();
    await looks(a, b);
    expect(sas(a)).toMatchObject({ digits: expect.stringMatching(/^\d{6}$/) as string });
    expect(sas(a)).toEqual(sas(b));
    const next = pair();
    await looks(...next);
    expect(sas(next[0])).not.toEqual(sas(a));
  });

  test("the offerer is bound before it sees the other's nonce", async () => {
    const [a, b] = pair();
    await looks(a, b);
    expect(a.said.map((check) => Object.keys(check))).toEqual([["commit"], ["nonce"]]);
    expect(b.said.map((check) => Object.keys(check))).toEqual([["nonce"]]);
  });

  test("an end whose fingerprint was exchanged on the way gives no words", async () => {
    // Both ends' nonces go through, but the other end was given another certificate.
    const [a, b] = pair({ b: "CC" });
    await looks(a, b);
    expect(sas(b)).toBe("forged");
    expect(sas(a)).not.toEqual(sas(b));
  });

  test("somebody in between with two honest exchanges makes them differ", async () => {
    const a: End = end("offerer", "AA", "EE", (check) => void toA.exchange.receive(check));
    const toA: End = end("answerer", "EE", "AA", (check) => void a.exchange.receive(check));
    const toB: End = end("offerer", "EE", "BB", (check) => void b.exchange.receive(check));
    const b: End = end("answerer", "BB", "EE", (check) => void toB.exchange.receive(check));
    await looks(a, toA, toB, b);
    expect(sas(a)).toHaveProperty("words");
    expect(sas(b)).toHaveProperty("words");
    expect(sas(a)).not.toEqual(sas(b));
  });

  test("a nonce that does not fit the commitment is told", async () => {
    const b = end("answerer", "BB", "AA", () => undefined);
    await b.exchange.receive({ commit: "0".repeat(64) });
    await b.exchange.receive({ nonce: "1".repeat(64) });
    expect(sas(b)).toBe("forged");
  });

  test("a nonce without a commitment, and all that comes a second time, counts nothing", async () => {
    const b = end("answerer", "BB", "AA", () => undefined);
    await b.exchange.receive({ nonce: "1".repeat(64) });
    expect(sas(b)).toBe("waiting");
    expect(b.said).toEqual([]);
    const [a, c] = pair();
    await looks(a, c);
    const before = sas(a);
    await a.exchange.receive({ nonce: "2".repeat(64) });
    await c.exchange.receive({ commit: "2".repeat(64) });
    expect([sas(a), sas(c)]).toEqual([before, before]);
  });

  test("a certificate that changes after the comparison is told", async () => {
    const [a, b] = pair();
    await looks(a, b);
    a.pc.remoteDescription.sdp = sdp("EE");
    await looks(a);
    expect(sas(a)).toBe("forged");
  });

  test("what the server could not take is said again", async () => {
    let away = true;
    const [a, b] = pair({ refuses: () => away });
    await looks(a, b);
    expect(sas(a)).toBe("waiting");
    away = false;
    await looks(a, b);
    expect(sas(a)).toEqual(sas(b));
    expect(sas(a)).toHaveProperty("digits");
  });
});
