// Two devices that test the ways between them.
import { beforeEach, describe, expect, test } from "vitest";
import type { Plan } from "../src/diagnose/env";
import { PairTest } from "../src/diagnose/pair";
import { transports, type Leg, type PathPayload, type Role } from "../src/protocol/messages";
import { host, Lab, mapped, named, relayed } from "./lab";

const urls = {
  stun: "stun:10.77.1.2:3478",
  turn_udp: "turn:10.77.1.2:3478?transport=udp",
  turn_tcp: "turn:10.77.1.2:3478?transport=tcp",
  turn_tls: "turns:10.77.1.2:8443?transport=tcp",
  turn_https: "turn:10.77.1.2:8443?transport=tcp",
} as const;

let lab: Lab;
let plan: Plan;
let passed: [Role, PathPayload][];
/** Whether the server passes on what an end says. */
let passes: (from: Role, payload: PathPayload) => boolean;
let ends: Partial<Record<Role, PairTest>>;

beforeEach(() => {
  lab = new Lab();
  for (const [leg, url] of Object.entries(urls))
    lab.answers[url] = { found: [leg === "stun" ? mapped() : relayed] };
  plan = {
    server_time: 0,
    legs: (["stun", "turn_udp", "turn_tcp", "turn_tls", "turn_https"] as const).map((leg) => ({
      leg,
      url: urls[leg],
    })),
    username: "u",
    credential: "c",
  };
  passed = [];
  passes = () => true;
  ends = {};
});

function end(role: Role): PairTest {
  const made = new PairTest({
    newPeer: lab.newPeer,
    timers: lab.timers,
    now: lab.now,
    role,
    transports,
    plan,
    send: async (payload) => {
      await Promise.resolve();
      if (!passes(role, payload)) throw new Error("no_such_test");
      passed.push([role, payload]);
      ends[role === "offerer" ? "answerer" : "offerer"]?.receive(payload);
    },
  });
  ends[role] = made;
  return made;
}

/** Runs both ends until they are over; gives the offerer's legs and when the answerer was done. */
async function run(): Promise<{ legs: Leg[]; answererAt: number; took: number }> {
  let answererAt = 0;
  const answerer = end("answerer")
    .run()
    .then((legs) => {
      expect(legs).toEqual([]);
      answererAt = lab.now();
    });
  const start = lab.now();
  let took = 0;
  const legs = end("offerer")
    .run()
    .then((found) => {
      took = lab.now() - start;
      return found;
    });
  await lab.timers.pass(100_000);
  await answerer;
  return { legs: await legs, answererAt, took };
}

describe("two devices with all ways open", () => {
  test("have a leg for each transport, measured, and nothing left open", async () => {
    const { legs } = await run();
    expect(legs.map(({ leg, state }) => `${leg} ${state}`)).toEqual([
      "pair_direct ok",
      "pair_relay_udp ok",
      "pair_relay_tcp ok",
      "pair_relay_tls ok",
      "pair_relay_https ok",
    ]);
    expect(legs[0]!.data).toMatchObject({ sent: 50, loss: 0, rtt_ms: 20 });
    expect(legs[1]).toMatchObject({ target: "10.77.1.2:3478/udp" });
    expect(lab.left).toBe(0);
    expect(lab.mostOpen).toBeLessThanOrEqual(3);
  });

  test("the answerer is done soon after the offerer", async () => {
    plan.legs = plan.legs.filter(({ leg }) => leg !== "turn_https");
    const { answererAt, took } = await run();
    expect(answererAt).toBeGreaterThan(0);
    expect(answererAt - 1_000 - took).toBeLessThan(3_000);
    expect(took).toBeLessThan(15_000);
  });

  test("keep to the transport: direct without a relay, a relay with its URL alone", async () => {
    lab.own = [host, relayed];
    await run();
    const [direct] = lab.peers;
    expect(direct!.config).toEqual({ iceServers: [{ urls: urls.stun }], iceTransportPolicy: "all" });
    expect(lab.peers.find((peer) => peer.urls[0] === urls.turn_tls)!.config).toEqual({
      iceServers: [{ urls: urls.turn_tls, username: "u", credential: "c" }],
      iceTransportPolicy: "relay",
    });
    const told = (transport: string) =>
      passed.flatMap(([, payload]) =>
        payload.transport === transport ? (payload.candidate?.candidate ?? []) : [],
      );
    expect(told("direct").every((candidate) => !candidate.includes("relay"))).toBe(true);
    expect(told("relay_udp")).toEqual([relayed, relayed]);
  });

  test("take no candidate of another transport from the other end", async () => {
    const offerer = end("offerer");
    void offerer.run();
    await lab.timers.pass(50);
    offerer.receive({ transport: "direct", description: { type: "answer", sdp: "v=0" } });
    for (const candidate of [relayed, host])
      offerer.receive({ transport: "direct", candidate: { candidate } });
    offerer.receive({ transport: "relay_udp", candidate: { candidate: relayed } });
    await lab.timers.pass(50);
    expect(lab.peers[0]!.added).toEqual([host]);
  });

  test("candidates that come before the description wait for it", async () => {
    const offerer = end("offerer");
    void offerer.run();
    await lab.timers.pass(50);
    offerer.receive({ transport: "direct", candidate: { candidate: host } });
    await lab.timers.pass(50);
    expect(lab.peers[0]!.added).toEqual([]);
    offerer.receive({ transport: "direct", description: { type: "answer", sdp: "v=0" } });
    await lab.timers.pass(50);
    expect(lab.peers[0]!.added).toEqual([host]);
  });
});

describe("what is wrong is named", () => {
  test("the other device is not there", async () => {
    const legs = end("offerer").run();
    await lab.timers.pass(60_000);
    expect((await legs).map(({ state, code }) => `${state} ${code}`)).toEqual(
      transports.map(() => "failed peer_gone"),
    );
    expect(lab.left).toBe(0);
  });

  test("the server says that the test is over: nothing more is tried", async () => {
    passes = (_, { transport }) => transport === "direct";
    const { legs } = await run();
    expect(legs.map(({ state }) => state)).toEqual(["ok", "failed", "skipped", "skipped", "skipped"]);
    expect(legs[1]).toMatchObject({ code: "peer_gone" });
  });

  test("both are there and do not meet", async () => {
    lab.connects = false;
    const { legs, took } = await run();
    expect(legs.map(({ state, code }) => `${state} ${code}`)).toEqual(transports.map(() => "failed timeout"));
    expect(took).toBeLessThan(45_000);
    expect(lab.left).toBe(0);
  });

  test("a relay that this device does not get is told with the browser's reason", async () => {
    lab.connects = false;
    lab.answers[urls.turn_tcp] = {
      errors: [{ errorCode: 701, errorText: "Failed to establish connection" }],
    };
    const { legs } = await run();
    expect(legs[2]).toMatchObject({ leg: "pair_relay_tcp", state: "failed", code: "refused" });
    expect(legs[2]!.ms).toBeLessThan(100);
  });

  test("TLS by address is no fault of the path where a browser leaves it out", async () => {
    lab.answers[urls.turn_tls] = {};
    expect((await run()).legs[3]).toMatchObject({
      leg: "pair_relay_tls",
      state: "skipped",
      code: "unsupported",
    });
  });

  test("names instead of addresses are told, since not every network resolves them", async () => {
    lab.connects = false;
    lab.own = [named];
    lab.answers[urls.stun] = {};
    expect((await run()).legs[0]).toMatchObject({ code: "timeout", data: { mdns: 1 } });
  });

  test("a transport that the plan does not have is left out", async () => {
    plan.legs = plan.legs.filter(({ leg }) => leg !== "turn_tls");
    expect((await run()).legs[3]).toEqual({ leg: "pair_relay_tls", state: "skipped" });
  });

  test("loss between the two", async () => {
    lab.loses = (n) => n % 5 === 0;
    const { legs } = await run();
    expect(legs[0]).toMatchObject({ state: "slow", code: "lossy" });
    expect(legs[0]!.data!.loss).toBeGreaterThan(0.15);
  });

  test("an answerer that nobody asks does not wait for ever", async () => {
    let over = false;
    void end("answerer")
      .run()
      .then(() => (over = true));
    await lab.timers.pass(14_000);
    expect(over).toBe(false);
    await lab.timers.pass(2_000);
    expect(over).toBe(true);
  });
});
