import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readLive } from "../src/admin/state/live";
import { readPathTest } from "../src/admin/state/path";
import { readEffects, readLoaded, readProblems } from "../src/admin/state/settings";
import { bytes, pathWord, percent, rate, span, when } from "../src/admin/ui/format";
import { keyFor, messages, translate, type Key } from "../src/admin/words";
import { pathTest } from "./adminAnswers";
import { live } from "./adminData";

describe("what the server says is read without insisting", () => {
  const nonsense = [undefined, null, 7, "text", [], [null], {}, { calls: {} }, { calls: [null, 1, {}] }];

  test.each(nonsense)("%j", (value) => {
    const read = readLive(value);
    expect([read.calls, read.people, read.allocations, read.forecast]).toEqual([[], [], [], undefined]);
    expect(readPathTest(value).grid).toEqual([]);
    expect(readLoaded(value).fixed).toEqual([]);
    expect([readProblems(value), readEffects(value)]).toEqual([[], []]);
  });

  test("fields that are not known do no harm, missing ones are empty", () => {
    const read = readLive({
      ...live,
      moons: 2,
      calls: [{ call: "c", ends: [{ user: { id: "x" }, report: { rtt_ms: "NaN" } }] }],
    });
    expect(read.calls[0]).toMatchObject({ call: "c", started: undefined });
    expect(read.calls[0]!.ends[0]!.report).toMatchObject({ rtt: 0, path: { local: "" } });
  });

  test("a whole answer", () => {
    const read = readLive(live);
    expect(read.people.map((person) => person.devices.length)).toEqual([1, 2, 1, 1, 1]);
    expect(read.allocations[1]).toMatchObject({ id: "21", peers: { length: 3 }, dropped: 12 });
    expect(readPathTest(pathTest).grid[4]!.users).toEqual(["ada", "ben"]);
  });
});

describe("the dashboard's words", () => {
  const keys = Object.keys(messages.en) as Key[];
  const holes = (text: string) => new Set([...text.matchAll(/\{(\w+)[|}]/g)].map((match) => match[1]));

  test("are the same in both languages", () => {
    expect(Object.keys(messages["zh-CN"]).sort()).toEqual([...keys].sort());
  });

  test.each(keys)("%s says something in both, of the same things", (key) => {
    const { en, "zh-CN": zh } = messages;
    expect(en[key].trim()).not.toBe("");
    expect(zh[key].trim()).not.toBe("");
    // English may need a number once more, to choose a word by it.
    for (const hole of holes(zh[key])) expect(holes(en[key])).toContain(hole);
    for (const hole of holes(en[key].replace(/\{\w+\|[^}]*\}/g, ""))) expect(holes(zh[key])).toContain(hole);
  });

  test("choose by number", () => {
    expect(translate("en", "calls.count", { n: 1 })).toBe("1 call");
    expect(translate("en", "calls.count", { n: 2 })).toBe("2 calls");
    expect(translate("en", "calls.count")).toBe("{n} {n|call|calls}");
  });

  /** What the server's sources call by a name between quotes. */
  function codes(path: string, line: RegExp): string[] {
    const text = readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
    return [...text.matchAll(line)].map((match) => match[1]!);
  }

  test.each([
    ["found", "httpapi/pathtest/pathtest.go", /Code = "(\w+)"/g, 20],
    ["reason", "httpapi/segment/segment.go", /Reason = "(\w+)"/g, 6],
    ["effect", "cmd/fieldphone/live_relay.go", /effect\("(?!registration")(\w+)"/g, 8],
    ["problem", "turnsrv/settings.go", /CodeRange\w+ += "(\w+)"/g, 4],
  ])("there are words for every %s that the server has", (prefix, path, line, least) => {
    const known = codes(path, line);
    expect(known.length).toBeGreaterThanOrEqual(least);
    expect(known.filter((code) => keyFor(prefix, code) === undefined)).toEqual([]);
  });

  test("there are words for every warning, by its reason where it has one", () => {
    const known = codes("cmd/fieldphone/watch.go", /warning\("(\w+)"(?!, "reason")/g);
    const reasons = codes("cmd/fieldphone/watch.go", /warning\("clock_suspect", "reason", "(\w+)"/g);
    expect([known.length >= 5, reasons.length >= 3]).toEqual([true, true]);
    const all = [...known, ...reasons.map((reason) => `clock_suspect_${reason}`)];
    expect(all.filter((code) => keyFor("warning", code) === undefined)).toEqual([]);
  });
});

describe("numbers as people read them", () => {
  test("rates, sizes, shares", () => {
    expect([41, 999, 1_240, 12_400, 2_000_000].map((n) => rate(n, "en"))).toEqual([
      "41 kbit/s",
      "999 kbit/s",
      "1.2 Mbit/s",
      "12 Mbit/s",
      "2 Gbit/s",
    ]);
    expect([0, 999, 93_000_000].map((n) => bytes(n, "en"))).toEqual(["0 B", "999 B", "93 MB"]);
    expect([0, 0.002, 0.021, 0.5].map((n) => percent(n, "en"))).toEqual(["0 %", "0.2 %", "2.1 %", "50 %"]);
  });

  test("lengths of time", () => {
    const t = (key: Key, values?: Record<string, string | number>) => translate("en", key, values);
    expect([-3, 59, 3_599, 3_660, 277_400].map((s) => span(s, t))).toEqual([
      "0 s",
      "59 s",
      "59 min",
      "1 h 1 min",
      "3 d 5 h",
    ]);
  });

  test("times, with the date where it is not today", () => {
    const noon = new Date(2026, 10, 23, 12, 0, 0).getTime();
    expect(when(noon - 5_000, noon, "en")).toBe("11:59:55");
    expect(when(noon - 86_400_000, noon, "en")).toMatch(/Nov 22.*12:00/);
  });

  test.each([
    [{ local: "host", remote: "host", protocol: "udp" }, "path.direct"],
    [{ local: "prflx", remote: "host", protocol: "udp" }, "path.direct_nat"],
    [{ local: "host", remote: "host", protocol: "tcp" }, "path.direct_tcp"],
    [{ local: "relay", remote: "host", relayProtocol: "tcp" }, "path.relay_tcp"],
    [{ local: "relay", remote: "relay", relayProtocol: "tls" }, "path.relay_tls"],
    [{ local: "relay", remote: "relay" }, "path.relay_udp"],
    [{ local: "host", remote: "relay", protocol: "udp" }, "path.other_relay"],
  ])("the path %j is %s", (path, want) => {
    const whole = {
      protocol: "",
      relayProtocol: "",
      relay: "",
      remoteRelay: "",
      ...path,
    };
    expect(pathWord({ at: 0, rtt: 0, loss: 0, up: 0, down: 0, path: whole })).toBe(want);
  });
});
