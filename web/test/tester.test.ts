// Who asks for path tests and who hears of their results.
import { beforeEach, describe, expect, test } from "vitest";
import { Tester } from "../src/diagnose/tester";
import { ApiError } from "../src/protocol/api";
import type { ClientData, PathPayload, ServerMessage } from "../src/protocol/messages";
import { Testing } from "../src/state/testing";
import { Lab, relayed } from "./lab";

const turn = "turn:10.77.1.2:3478?transport=udp";
let lab: Lab;
let plan: object | Error;
let told: ClientData["path.result"][];
let signalled: ClientData["path.signal"][];
let asked: boolean[];
let problems: string[];
let tester: Tester;

const deps = () => ({
  newPeer: lab.newPeer,
  timers: lab.timers,
  now: lab.now,
  wallClock: () => 5_000,
  signalling: () => Promise.resolve({ wssMs: 5, fallback: false, rttMs: 1 }),
  trust: () => Promise.resolve("trusted" as const),
  busy: () => true,
  api: {
    call: <T>(_method: string, path: string): Promise<T> => {
      if (path !== "path") return Promise.reject(new ApiError("busy"));
      return plan instanceof Error ? Promise.reject(plan) : Promise.resolve(plan as T);
    },
  },
  request: (type: string, data: object) => {
    if (type === "path.result") told.push(data as ClientData["path.result"]);
    if (type === "path.signal") signalled.push(data as ClientData["path.signal"]);
    return Promise.resolve();
  },
  onAsked: (running: boolean) => asked.push(running),
  onProblem: (problem: string) => problems.push(problem),
});

beforeEach(() => {
  lab = new Lab();
  lab.answers[turn] = { found: [relayed], ms: 500 };
  plan = { server_time: 5_000, legs: [{ leg: "turn_udp", url: turn }], username: "u", credential: "c" };
  told = [];
  signalled = [];
  asked = [];
  problems = [];
  tester = new Tester(deps());
});

type Run = Extract<ServerMessage, { type: "path.run" }>["data"];
const run = (data: Run) => tester.take({ type: "path.run", data });
const signal = (test: string, payload: PathPayload) =>
  tester.take({ type: "path.signal", data: { test, payload } });
const bob = { id: "bob", name: "Bob" };
const pair = (role: "offerer" | "answerer", test = "p-12345678"): Run => ({
  test,
  kind: "pair",
  peer: bob,
  role,
  transports: ["relay_udp"],
});

describe("a test of one's own legs", () => {
  test("that the person starts is told under no name, without a notice", async () => {
    void tester.start();
    expect(tester.running.value).toBe(true);
    await lab.timers.pass(10_000);
    expect(tester.running.value).toBe(false);
    expect(told.map(({ test }) => test)).toEqual([""]);
    expect(told[0]!.legs.map(({ leg }) => leg)).toEqual([
      "clock",
      "tls",
      "signalling",
      "turn_udp",
      "throughput",
      "ports",
    ]);
    expect(asked).toEqual([]);
  });

  test("that the server asks for is told under its name, with a notice", async () => {
    run({ test: "p-12345678", kind: "self" });
    expect(asked).toEqual([true]);
    await lab.timers.pass(10_000);
    expect(asked).toEqual([true, false]);
    expect(told.map(({ test }) => test)).toEqual(["p-12345678"]);
  });

  test("runs once for all who ask meanwhile", async () => {
    void tester.start();
    run({ test: "p-12345678", kind: "self" });
    void tester.start();
    await lab.timers.pass(10_000);
    expect(told.map(({ test }) => test)).toEqual(["", "p-12345678"]);
    expect(told[0]!.legs).toEqual(told[1]!.legs);
    expect(lab.peers).toHaveLength(1);
  });

  test("runs anew when it is over", async () => {
    void tester.start();
    await lab.timers.pass(10_000);
    const first = tester.test.value;
    void tester.start();
    await lab.timers.pass(10_000);
    expect(tester.test.value).not.toBe(first);
    expect(told).toHaveLength(2);
  });

  test.each([
    [new ApiError("unreachable"), "timeout"],
    [new ApiError("session_expired"), "unauthorized"],
    [new ApiError("not_found"), "internal"],
    [new Error("?"), "internal"],
  ])("says why there is no plan: %s", async (error, code) => {
    plan = error;
    void tester.start();
    await lab.timers.pass(10_000);
    expect(told[0]!.legs[0]).toEqual({ leg: "clock", state: "failed", code });
  });

  test("leaves out legs that this page does not know, and bounds the rest", async () => {
    const legs = Array.from({ length: 60 }, () => ({ leg: "stun", url: "stun:10.77.1.2:3478" }));
    plan = { ...plan, legs: [{ leg: "semaphore", url: "flag:7" }, ...legs] };
    lab.answers["stun:10.77.1.2:3478"] = {};
    void tester.start();
    await lab.timers.pass(60_000);
    expect(told[0]!.legs.length).toBeLessThanOrEqual(48);
    expect(told[0]!.legs.map(({ leg }) => leg)).not.toContain("semaphore");
  });

  test("without legs in the plan still tests the server", async () => {
    plan = { ...plan, legs: null };
    void tester.start();
    await lab.timers.pass(10_000);
    expect(told[0]!.legs.map(({ leg }) => leg)).toEqual([
      "clock",
      "tls",
      "signalling",
      "throughput",
      "ports",
    ]);
  });
});

describe("a test with another device", () => {
  test("is told by the offerer", async () => {
    run(pair("offerer"));
    await lab.timers.pass(20_000);
    expect(signalled[0]).toMatchObject({
      test: "p-12345678",
      payload: { transport: "relay_udp", description: { type: "offer" } },
    });
    expect(told).toEqual([
      {
        test: "p-12345678",
        legs: [
          {
            leg: "pair_relay_udp",
            state: "failed",
            code: "peer_gone",
            ms: 8_000,
            target: "10.77.1.2:3478/udp",
          },
        ],
      },
    ]);
    expect(asked).toEqual([true, false]);
  });

  test("is answered, also where the offer comes before the plan, and not told", async () => {
    run(pair("answerer"));
    signal("p-12345678", { transport: "relay_udp", description: { type: "offer", sdp: "v=0" } });
    await lab.timers.pass(100);
    expect(signalled[0]!.payload).toMatchObject({ transport: "relay_udp", description: { type: "answer" } });
    await lab.timers.pass(30_000);
    expect(told).toEqual([]);
    expect(asked).toEqual([true, false]);
    expect(lab.left).toBe(0);
  });

  test("hears nothing of other tests", async () => {
    run(pair("answerer"));
    signal("p-anotherone", { transport: "relay_udp", description: { type: "offer", sdp: "v=0" } });
    await lab.timers.pass(100);
    expect(lab.peers).toHaveLength(0);
  });

  test("ends when the next one begins", async () => {
    run(pair("answerer"));
    signal("p-12345678", { transport: "relay_udp", description: { type: "offer", sdp: "v=0" } });
    await lab.timers.pass(100);
    run(pair("answerer", "p-nextnext"));
    await lab.timers.pass(100);
    expect(asked).toEqual([true, true, false]);
    expect(lab.left).toBe(0);
  });

  test("says that the server gave no plan", async () => {
    plan = new ApiError("unreachable");
    run(pair("offerer"));
    await lab.timers.pass(100);
    expect(told[0]!.legs).toEqual([{ leg: "pair_relay_udp", state: "failed", code: "timeout" }]);
  });
});

describe("the page", () => {
  let loads: number;
  let fails: boolean;
  let testing: Testing;

  beforeEach(() => {
    loads = 0;
    fails = false;
    testing = new Testing({
      ...deps(),
      load: ({ onAsked }) => {
        loads += 1;
        if (fails) return Promise.reject(new Error("no network"));
        return Promise.resolve(new Tester({ ...deps(), onAsked }));
      },
    });
  });

  const self = { type: "path.run", data: { test: "p-12345678", kind: "self" } } as const;

  test("loads nothing until a test is wanted", async () => {
    testing.take({ type: "path.signal", data: { test: "p-12345678", payload: { transport: "direct" } } });
    await lab.timers.pass(1_000);
    expect(loads).toBe(0);
    testing.take(self);
    testing.take(self);
    await lab.timers.pass(10_000);
    expect(loads).toBe(1);
  });

  test("shows that the administrator tests, long enough to read it", async () => {
    testing.take(self);
    await lab.timers.pass(100);
    expect(testing.asked.value).toBe(true);
    await lab.timers.pass(1_000);
    expect(told).toHaveLength(1);
    expect(testing.asked.value).toBe(true);
    await lab.timers.pass(5_000);
    expect(testing.asked.value).toBe(false);
  });

  test("tries again to load what could not be loaded", async () => {
    fails = true;
    testing.take(self);
    await lab.timers.pass(100);
    expect(problems).toEqual(["path test: Error: no network"]);
    fails = false;
    testing.take(self);
    await lab.timers.pass(10_000);
    expect(told).toHaveLength(1);
  });

  test("forgets what was found when somebody else signs in", async () => {
    const first = await testing.tester();
    testing.open.value = true;
    void first.start();
    testing.reset();
    expect(testing.open.value).toBe(false);
    await lab.timers.pass(10_000);
    expect(told).toEqual([]);
    expect(await testing.tester()).not.toBe(first);
  });
});
