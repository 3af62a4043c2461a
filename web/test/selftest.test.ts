// The test of a device's own legs, from the plan to the report.
import { beforeEach, describe, expect, test } from "vitest";
import type { Plan, Sweep } from "../src/diagnose/env";
import { fabricate } from "../src/diagnose/ports";
import { judge, NoPlan, SelfTest, type Row, type SelfDeps } from "../src/diagnose/self";
import { reportText, spans, verdict } from "../src/diagnose/verdict";
import type { Leg, LegName } from "../src/protocol/messages";
import { Lab, mapped, relayed } from "./lab";

const urls = {
  stun: "stun:10.77.1.2:3478",
  turn_udp: "turn:10.77.1.2:3478?transport=udp",
  turn_tcp: "turn:10.77.1.2:3478?transport=tcp",
  turn_tls: "turns:10.77.1.2:8443?transport=tcp",
  turn_https: "turn:10.77.1.2:8443?transport=tcp",
} as const;

let lab: Lab;
let deps: SelfDeps;
let plan: Plan;
let sweep: Sweep;

beforeEach(() => {
  lab = new Lab();
  for (const [leg, url] of Object.entries(urls))
    lab.answers[url] = { found: [leg === "stun" ? mapped() : relayed] };
  sweep = { address: "10.77.1.2", ports: [49_160, 49_170], ufrag: "abcd", password: "p".repeat(22) };
  sweep.ports.forEach((port) => lab.open.add(port));
  plan = {
    server_time: 1_790_000_000_000,
    segment: "wifi",
    client: "10.77.1.5",
    server: "10.77.1.2",
    legs: Object.entries(urls).map(([leg, url]) => ({ leg: leg as LegName, url })),
    username: "1790000000:alice.x",
    credential: "secret",
  };
  deps = {
    newPeer: lab.newPeer,
    timers: lab.timers,
    now: lab.now,
    wallClock: () => 1_790_000_000_000,
    plan: () => Promise.resolve(plan),
    sweep: () => Promise.resolve(sweep),
    signalling: () => Promise.resolve({ wssMs: 12.4, fallback: false, rttMs: 3.2 }),
    trust: () => Promise.resolve("trusted"),
    busy: () => false,
  };
});

/** Runs the test to its end. */
async function run(change: Partial<SelfDeps> = {}): Promise<Leg[]> {
  const tested = new SelfTest({ ...deps, ...change });
  const legs = tested.run();
  await lab.timers.pass(90_000);
  rows = tested.rows.value;
  return legs;
}

let rows: Row[];

const find = (legs: Leg[], name: LegName) => legs.find(({ leg }) => leg === name);

describe("a device with all ways open", () => {
  test("has every leg of the plan, in order, and leaves nothing open", async () => {
    const legs = await run();
    expect(legs.map(({ leg, state }) => `${leg} ${state}`)).toEqual([
      "clock ok",
      "tls ok",
      "signalling ok",
      "stun ok",
      "turn_udp ok",
      "turn_tcp ok",
      "turn_tls ok",
      "turn_https ok",
      "throughput ok",
      "ports ok",
    ]);
    expect(find(legs, "signalling")).toMatchObject({ ms: 12, data: { rtt_ms: 3 } });
    expect(lab.left).toBe(0);
    expect(lab.mostOpen).toBeLessThanOrEqual(3);
    expect(verdict(rows)).toBe("fine");
  });

  test("asks the relay with the plan's credential, each way alone", async () => {
    await run();
    const relays = lab.peers.filter((peer) => peer.config.iceTransportPolicy === "relay");
    expect(relays[0]!.config.iceServers).toEqual([
      { urls: urls.turn_udp, username: "1790000000:alice.x", credential: "secret" },
    ]);
    expect(lab.peers.every((peer) => peer.urls.length <= 1)).toBe(true);
  });

  test("measures through the relay at the rate of a good call", async () => {
    const { data, target } = find(await run(), "throughput")!;
    expect(target).toBe("10.77.1.2:3478/udp");
    expect(data).toEqual({ sent: 750, loss: 0, kbps: 2_000, rtt_ms: 20, jitter_ms: 0 });
    const sending = lab.peers.find(({ channel }) => channel?.sent === 750);
    // What is sent again is no loss, and what waits for it is late.
    expect(sending!.channel!.init).toEqual({ ordered: false, maxRetransmits: 0 });
  });

  test("is told how the NAT maps where the server has two addresses", async () => {
    plan.nat = { primary: "10.77.1.2:3478", other: "10.77.2.2:3478" };
    lab.answers["stun:10.77.2.2:3478"] = { found: [mapped(9)] };
    expect(find(await run(), "nat")).toMatchObject({ state: "ok", data: { mappings: 2 } });
  });
});

describe("what is wrong is named", () => {
  test.each([
    ["timeout", "away"],
    ["unauthorized", "refused"],
  ] as const)("no plan, %s: only the server itself is tested", async (code, want) => {
    const legs = await run({ plan: () => Promise.reject(new NoPlan(code)) });
    expect(legs.map(({ leg, state }) => `${leg} ${state}`)).toEqual([
      "clock failed",
      "tls ok",
      "signalling ok",
    ]);
    expect(legs[0]).toMatchObject({ code });
    expect(verdict(rows)).toBe(want);
  });

  test.each([
    [59_000, "ok", undefined],
    [-59_000, "ok", undefined],
    [61_000, "slow", "clock_off"],
    [-25 * 3_600_000, "failed", "clock_off"],
  ] as const)("a clock that is off by %i ms is %s", async (offset, state, code) => {
    const legs = await run({ wallClock: () => plan.server_time + offset });
    expect(legs[0]).toMatchObject({ state, data: { offset_ms: offset } });
    expect(legs[0]!.code).toBe(code);
  });

  test.each([
    [{ wssMs: 9, fallback: true, rttMs: 3 }, "slow", "fallback"],
    [{ wssMs: undefined, fallback: true, rttMs: 3 }, "slow", "fallback"],
    [{ wssMs: undefined, fallback: false, rttMs: undefined }, "failed", "timeout"],
    [{ wssMs: 2_000, fallback: false, rttMs: 1_500 }, "slow", "slow"],
  ] as const)("signalling %j is %s", async (found, state, code) => {
    const legs = await run({ signalling: () => Promise.resolve(found) });
    expect(find(legs, "signalling")).toMatchObject({ state, code });
  });

  test("UDP dropped: only TCP is left, and it is measured", async () => {
    lab.answers[urls.stun] = { silent: true };
    lab.answers[urls.turn_udp] = { silent: true };
    lab.open.clear();
    const legs = await run();
    expect(find(legs, "stun")).toMatchObject({ state: "failed", code: "timeout" });
    expect(find(legs, "turn_udp")).toMatchObject({ state: "failed", code: "timeout" });
    expect(find(legs, "throughput")).toMatchObject({ state: "ok", target: "10.77.1.2:3478/tcp" });
    expect(find(legs, "ports")).toMatchObject({
      state: "failed",
      code: "blocked_ports",
      data: { asked: 2, answered: 0 },
      blocked: [49_160, 49_170],
    });
    expect(verdict(rows)).toBe("tcp");
    expect(lab.left).toBe(0);
  });

  test("no relay at all: nothing to measure", async () => {
    lab.answers = {};
    const legs = await run();
    expect(find(legs, "throughput")).toEqual({ leg: "throughput", state: "skipped", code: "no_candidate" });
    expect(verdict(rows)).toBe("none");
  });

  test("loss on the way to the relay", async () => {
    lab.loses = (n) => n % 10 === 0;
    const leg = find(await run(), "throughput")!;
    expect(leg).toMatchObject({ state: "slow", code: "lossy" });
    expect(leg.data!.loss).toBeCloseTo(0.1, 2);
  });

  test("a long way to the relay", async () => {
    lab.delayMs = 210;
    expect(find(await run(), "throughput")).toMatchObject({ state: "slow", code: "slow" });
  });

  test("a relay that passes nothing on", async () => {
    lab.loses = () => true;
    expect(find(await run(), "throughput")).toMatchObject({ state: "failed", code: "timeout" });
  });

  test("a relay whose two ends never meet", async () => {
    lab.connects = false;
    expect(find(await run(), "throughput")).toMatchObject({ state: "failed", code: "timeout" });
    expect(lab.left).toBe(0);
  });

  test("a call that runs is not disturbed", async () => {
    expect(find(await run({ busy: () => true }), "throughput")).toEqual({
      leg: "throughput",
      state: "skipped",
    });
  });

  test("no ports to spare is no fault of the path", async () => {
    const legs = await run({ sweep: () => Promise.reject(new Error("busy")) });
    expect(find(legs, "ports")).toEqual({ leg: "ports", state: "skipped" });
    expect(verdict(rows)).toBe("fine");
  });

  test("a browser that fails has failed itself", async () => {
    const newPeer = (config: RTCConfiguration) => {
      if (config.iceServers === undefined) throw new Error("too many connections");
      return lab.newPeer(config);
    };
    expect(find(await run({ newPeer }), "ports")).toEqual({
      leg: "ports",
      state: "failed",
      code: "internal",
    });
  });

  test("turns: by address is no fault of the path where a browser leaves it out without a word", async () => {
    lab.answers[urls.turn_tls] = {};
    const legs = await run();
    expect(find(legs, "turn_tls")).toEqual({
      leg: "turn_tls",
      state: "skipped",
      code: "unsupported",
      target: "10.77.1.2:8443/tcp",
    });
  });
});

describe("what legs say about each other", () => {
  const row = (result: Leg): Row => ({ leg: result.leg, target: result.target, result, running: false });
  const refused = row({ leg: "turn_tls", state: "failed", code: "refused", target: "10.77.1.2:8443/tcp" });
  const unknown = row({ leg: "tls", state: "skipped", code: "unsupported" });
  const codes = (all: Row[]) => judge(all).map(({ result }) => `${result?.state} ${result?.code ?? ""}`);

  test("TLS refused where the same port takes plain TURN is a matter of trust", () => {
    const plain = row({ leg: "turn_https", state: "ok", target: "10.77.1.2:8443/tcp" });
    expect(codes([refused, plain])[0]).toBe("failed untrusted");
  });

  test("and where the browser says that it does not trust the page", () => {
    expect(codes([row({ leg: "tls", state: "slow", code: "untrusted" }), refused])[1]).toBe(
      "failed untrusted",
    );
  });

  test("but not where another port answers", () => {
    const plain = row({ leg: "turn_https", state: "ok", target: "10.77.1.2:443/tcp" });
    expect(codes([unknown, refused, plain]).slice(0, 2)).toEqual(["skipped unsupported", "failed refused"]);
  });

  test("a relay that is trusted vouches for the page", () => {
    const works = row({ leg: "turn_tls", state: "slow", code: "slow", target: "10.77.1.2:8443/tcp" });
    expect(codes([unknown, works])[0]).toBe("ok ");
  });
});

describe("the sweep", () => {
  test("finds the ports that a firewall eats, in pieces that phones bear", async () => {
    sweep.ports = Array.from({ length: 40 }, (_, i) => 49_160 + i);
    lab.open = new Set(sweep.ports.filter((port) => port < 49_180));
    const leg = find(await run(), "ports")!;
    expect(leg.data).toEqual({ asked: 40, answered: 20 });
    expect(spans(leg.blocked!)).toBe("49180-49199");
    expect(lab.peers.filter((peer) => peer.remote.includes("a=ice-lite"))).toHaveLength(40);
    expect(lab.mostOpen).toBe(16);
    expect(lab.left).toBe(0);
  });

  test("asks no more than is good for anybody", async () => {
    sweep.ports = Array.from({ length: 500 }, (_, i) => 49_160 + i);
    expect(find(await run(), "ports")!.data).toEqual({ asked: 64, answered: 2 });
  });

  test("answers the browser's own offer as an ICE-lite agent at the port would", () => {
    const answer = fabricate(
      "v=0\r\nm=application 9 x y\r\na=mid:data\r\n",
      { ...sweep, address: "fd00::2" },
      49_170,
    );
    const lines = answer.split("\r\n");
    for (const line of [
      "a=ice-lite",
      "a=mid:data",
      "c=IN IP6 fd00::2",
      "a=ice-ufrag:abcd",
      `a=ice-pwd:${sweep.password}`,
      "a=candidate:1 1 udp 2130706431 fd00::2 49170 typ host",
    ])
      expect(lines).toContain(line);
  });
});

describe("the report", () => {
  test("tells everything in the protocol's words", async () => {
    lab.open.delete(49_170);
    const legs = await run();
    const text = reportText(rows, plan, {
      user: "alice",
      browser: "Browser/1",
      page: "https://10.77.1.2:8443",
      at: new Date(1_790_000_000_000),
    });
    expect(text.split("\n").slice(0, 8)).toEqual([
      "Fieldphone connection test",
      "2026-09-21T14:13:20.000Z",
      "page: https://10.77.1.2:8443",
      "user: alice",
      "segment: wifi",
      "client: 10.77.1.5",
      "server: 10.77.1.2",
      "browser: Browser/1",
    ]);
    expect(text).toMatch(/^ok +turn_udp +\d+ ms 10\.77\.1\.2:3478\/udp$/m);
    expect(text).toMatch(
      /^failed +ports +blocked_ports 10\.77\.1\.2\/udp asked=2 answered=1 blocked=49170$/m,
    );
    expect(text).not.toContain("secret");
    expect(legs).toHaveLength(10);
  });

  test.each([
    [[], ""],
    [[5], "5"],
    [[3, 1, 2, 9, 7, 8], "1-3, 7-9"],
  ])("%j as %s", (ports, want) => {
    expect(spans(ports)).toBe(want);
  });
});
