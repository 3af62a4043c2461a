// Asking one STUN or TURN server.
import { beforeEach, describe, expect, test } from "vitest";
import type { LegName } from "../src/protocol/messages";
import { byAddress, codeOf, gatherLeg, targetOf } from "../src/diagnose/gather";
import { nat } from "../src/diagnose/nat";
import { host, Lab, mapped, relayed, type Answer } from "./lab";

const udp = "turn:10.77.1.2:3478?transport=udp";
let lab: Lab;

beforeEach(() => {
  lab = new Lab();
});

async function ask(leg: LegName, url: string, answer: Answer | undefined, passMs = 8_000) {
  if (answer) lab.answers[url] = answer;
  const asked = gatherLeg(lab, leg, url, { urls: url, username: "u", credential: "c" });
  await lab.timers.pass(passMs);
  return asked;
}

describe("a leg to the relay", () => {
  test("works with the first relay candidate, and its time is told", async () => {
    const leg = await ask("turn_udp", udp, { found: [relayed], ms: 34, silent: true }, 40);
    expect(leg).toEqual({ leg: "turn_udp", state: "ok", ms: 34, target: "10.77.1.2:3478/udp" });
    expect(lab.peers[0]!.config).toMatchObject({ iceTransportPolicy: "relay" });
    expect(lab.left).toBe(0);
  });

  test("is slow after 3 s", async () => {
    const leg = await ask("turn_udp", udp, { found: [relayed], ms: 3_000 });
    expect(leg).toMatchObject({ state: "slow", code: "slow", ms: 3_000 });
  });

  test("is given up after 8 s, and nothing is left open", async () => {
    const leg = await ask("turn_udp", udp, undefined);
    expect(leg).toEqual({
      leg: "turn_udp",
      state: "failed",
      code: "timeout",
      ms: 8_000,
      target: "10.77.1.2:3478/udp",
    });
    expect(lab.left).toBe(0);
  });

  test("a candidate of another kind proves nothing", async () => {
    expect(await ask("turn_udp", udp, { found: [host] })).toMatchObject({
      state: "failed",
      code: "no_candidate",
    });
  });

  test("an error of one interface does not count where another one works", async () => {
    const errors = [{ errorCode: 701, errorText: "TURN host lookup received error." }];
    expect(await ask("turn_udp", udp, { found: [relayed], errors })).toMatchObject({ state: "ok" });
  });
});

describe("STUN", () => {
  const url = "stun:10.77.1.2:3478";

  test("works with a mapped address", async () => {
    expect(await ask("stun", url, { found: [mapped()] })).toMatchObject({
      state: "ok",
      target: "10.77.1.2:3478/udp",
    });
  });

  test("works without one where there is no NAT", async () => {
    expect(await ask("stun", url, {})).toMatchObject({ state: "ok" });
  });

  test("fails where the browser tells of an error", async () => {
    const errors = [{ errorCode: 701, errorText: "STUN binding request timed out." }];
    expect(await ask("stun", url, { errors })).toMatchObject({ state: "failed", code: "timeout" });
  });

  test("fails where nothing comes back", async () => {
    expect(await ask("stun", url, undefined)).toMatchObject({ state: "failed", code: "timeout", ms: 8_000 });
  });
});

test.each([
  [401, "Unauthorized", 80, "unauthorized"],
  [400, "TURN allocate error.", 80, "unauthorized"],
  [441, "Wrong Credentials", 80, "unauthorized"],
  [486, "Allocation Quota Reached", 80, "refused"],
  [508, "Insufficient Capacity", 80, "refused"],
  [500, "Server Error", 80, "internal"],
  [701, "Failed to establish connection", 130, "refused"],
  [701, "Failed to establish connection", 3_100, "timeout"],
  [701, "TURN allocate request timed out.", 130, "timeout"],
  [701, "TURN host lookup received error.", 3_000, "name_unresolved"],
] as const)("the browser's error %i %s after %i ms is %s", (code, text, ms, want) => {
  const gathered = { ms, found: [], complete: true, errors: [{ code, text, ms }] };
  expect(codeOf(gathered)).toBe(want);
});

test("of several errors the most telling counts", () => {
  const errors = [
    { code: 701, text: "TURN host lookup received error.", ms: 1 },
    { code: 401, text: "", ms: 2 },
  ];
  expect(codeOf({ ms: 3, found: [], complete: true, errors })).toBe("unauthorized");
});

test.each([
  ["turn:10.77.1.2:3478?transport=udp", "10.77.1.2:3478/udp", true],
  ["turn:10.77.1.2:443?transport=tcp", "10.77.1.2:443/tcp", true],
  ["turns:fieldphone.local:8443?transport=tcp", "fieldphone.local:8443/tcp", false],
  ["turns:10.77.1.2", "10.77.1.2:5349/tcp", true],
  ["turns:10.77.1.2:8443", "10.77.1.2:8443/tcp", true],
  ["stun:[fd00::2]:3478", "[fd00::2]:3478/udp", true],
  ["stun:10.77.1.2", "10.77.1.2:3478/udp", true],
  ["gopher:x", "", false],
])("%s leads to %s", (url, target, address) => {
  expect(targetOf(url)).toBe(target);
  expect(byAddress(url)).toBe(address);
});

describe("a NAT", () => {
  const two = { primary: "10.77.1.2:3478", other: "10.77.2.2:3478" };
  const ask2 = async (first: Answer | undefined, second: Answer | undefined) => {
    if (first) lab.answers["stun:10.77.1.2:3478"] = first;
    if (second) lab.answers["stun:10.77.2.2:3478"] = second;
    const asked = nat(lab, two);
    await lab.timers.pass(8_000);
    return asked;
  };

  test("that keeps the mapping shows one address", async () => {
    expect(await ask2({ found: [mapped()] }, {})).toMatchObject({ state: "ok", data: { mappings: 1 } });
  });

  test("that changes it shows two", async () => {
    expect(await ask2({ found: [mapped(1)] }, { found: [mapped(2)] })).toMatchObject({
      state: "ok",
      data: { mappings: 2 },
      target: "10.77.2.2:3478/udp",
    });
  });

  test("is not judged by one address alone", async () => {
    expect(await ask2({ found: [mapped()] }, undefined)).toMatchObject({ state: "skipped" });
    expect(lab.left).toBe(0);
  });
});
