// The words of the connection test.
import { describe, expect, test } from "vitest";
import { pathTexts, say, type PathKey } from "../src/i18n/path";
import { legCodes, legNames, legStates, type Leg } from "../src/protocol/messages";
import { explain, legTitle } from "../src/ui/PathTestWords";

const keys = Object.keys(pathTexts.en) as PathKey[];
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
const own = legNames.filter((leg) => !leg.startsWith("pair_"));
const start = "http://10.77.1.2:8080/";
const english = (leg: Leg) => explain(leg, say("en"), start);

describe("the two languages", () => {
  test.each(keys)("%s says something in both, with the same values", (key) => {
    const { en, "zh-CN": zh } = pathTexts;
    expect(en[key].trim()).not.toBe("");
    expect(zh[key].trim()).not.toBe("");
    expect(new Set(holes(zh[key]))).toEqual(new Set(holes(en[key])));
  });

  test.each(["en", "zh-CN"] as const)("say in %s what every leg, state and code means, whole", (language) => {
    for (const leg of own) {
      expect(legTitle(leg, say(language))).toBe(pathTexts[language][`leg.${leg}` as PathKey]);
      for (const state of legStates) {
        for (const code of [undefined, ...legCodes]) {
          const text = explain({ leg, state, code, target: "10.77.1.2:3478/udp" }, say(language), start);
          expect(text, `${leg} ${state} ${code}`).toMatch(/\S/);
          expect(text, `${leg} ${state} ${code}`).not.toMatch(/[{}]|undefined|NaN/);
        }
      }
    }
  });

  test("the names that tests rely on", () => {
    const { en } = pathTexts;
    expect([en.title, en.again, en.copy]).toEqual(["Connection test", "Run again", "Copy report"]);
    expect(own.map((leg) => legTitle(leg, say("en")))).toEqual([
      "Clock",
      "Certificate",
      "Signalling",
      "STUN",
      "Relay over UDP",
      "Relay over TCP",
      "Relay over TLS",
      "Relay over the HTTPS port",
      "Speed and loss",
      "Relay ports",
      "Address translation (NAT)",
    ]);
  });
});

describe("what to do", () => {
  test.each<[Leg, string]>([
    [
      { leg: "turn_udp", state: "failed", code: "timeout", target: "10.77.1.2:3478/udp" },
      "UDP port 3478 to 10.77.1.2 does not get through. Ask the administrator to open it.",
    ],
    [
      { leg: "turn_https", state: "failed", code: "refused", target: "[fd00::2]:443/tcp" },
      "[fd00::2] refuses at TCP port 443. Ask the administrator whether the relay listens there.",
    ],
    [
      { leg: "clock", state: "slow", code: "clock_off", data: { offset_ms: 150_000 } },
      "This device's clock is 3 min ahead. Set its date and time.",
    ],
    [
      { leg: "clock", state: "failed", code: "clock_off", data: { offset_ms: -200 * 86_400_000 } },
      "This device's clock is 200 days behind. Set its date and time.",
    ],
    [{ leg: "clock", state: "ok", data: { offset_ms: -2_300 } }, "Right to within 3 s."],
    [
      { leg: "tls", state: "slow", code: "untrusted" },
      `This browser was told to go on although it does not trust the certificate. Calls work; the relay over TLS and the page as an app need it installed: ${start}`,
    ],
    [
      {
        leg: "ports",
        state: "failed",
        code: "blocked_ports",
        target: "10.77.1.2/udp",
        data: { asked: 24, answered: 20 },
        blocked: [49_170, 49_171, 49_172, 49_180],
      },
      "4 of 24 that were tried do not answer: 49170-49172, 49180. Ask the administrator to open the relay ports (UDP) of 10.77.1.2.",
    ],
    [
      { leg: "throughput", state: "slow", code: "lossy", data: { loss: 0.0714, kbps: 1_800, rtt_ms: 4 } },
      "7.1 % is lost on the way: sound and picture will break up. Go nearer to the access point, or tell the administrator.",
    ],
  ])("%j", (leg, want) => {
    expect(english(leg)).toBe(want);
  });

  test("a long list of ports is cut", () => {
    const blocked = Array.from({ length: 60 }, (_, i) => 49_160 + 2 * i);
    const leg: Leg = { leg: "ports", state: "failed", blocked, data: { asked: 64, answered: 4 } };
    expect(english(leg).length).toBeLessThan(300);
    expect(english(leg)).toContain("49182 …");
  });
});
