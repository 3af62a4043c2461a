// The list of past calls, and how many of them were missed.
import { beforeEach, describe, expect, test } from "vitest";
import { ApiError } from "../src/protocol/api";
import { readCalls, type LoggedCall } from "../src/protocol/pastCalls";
import { CallLog, wasMissed } from "../src/state/callLog";
import { pastWord } from "../src/ui/words";
import { FakeTime, settle } from "./fakes";

const alice = { id: "alice", name: "Alice" };
const bob = { id: "bob", name: "Bob" };

/** A call that Bob made and Alice did not take, as the server tells of it. */
const answer = (n: number, change: object = {}) => ({
  call: `c-0000000${n}`,
  from: bob,
  to: alice,
  media: "video",
  reason: "timeout",
  server_time: 1_000 * n,
  ...change,
});
const logged = (change: object = {}): LoggedCall =>
  readCalls({ calls: [answer(1, change)], more: false }).calls[0]!;

let time: FakeTime;
let answers: (path: string) => object;
let asked: string[];
let told: unknown[];
let away: boolean;
let looking: boolean;
let kept: Map<string, string>;
let log: CallLog;

const open = () => {
  log = new CallLog({
    api: {
      call: async <T>(method: string, path: string, body?: unknown) => {
        await Promise.resolve();
        if (method === "PUT") {
          if (away) throw new ApiError("unreachable");
          told.push([path, body]);
          return undefined as T;
        }
        asked.push(path);
        return answers(path) as T;
      },
    },
    kept: {
      get: (key) => kept.get(key),
      set: (key, value) => void (value === undefined ? kept.delete(key) : kept.set(key, value)),
    },
    timers: time,
    lookedAt: () => looking,
    onProblem: () => undefined,
  });
  log.open("alice");
};

beforeEach(() => {
  time = new FakeTime();
  asked = [];
  told = [];
  away = false;
  looking = false;
  kept = new Map();
  answers = () => ({ calls: [answer(3), answer(2, { reason: "declined" }), answer(1)], more: false });
  open();
});

describe("missed calls", () => {
  test("are counted until the list was looked at, also after a reload", async () => {
    log.changed();
    log.changed();
    await time.pass(1_000);
    expect([asked, log.missed.value]).toEqual([["calls?limit=50"], 2]);
    log.seen();
    expect(log.missed.value).toBe(0);
    open();
    answers = () => ({ calls: [answer(4), answer(3)], more: true });
    await log.load();
    expect(log.missed.value).toBe(1);
  });

  test("are no news any more once another device has shown them, also while this one was off", async () => {
    await log.load();
    log.take({ type: "calls.seen", data: { at: 3_000 } });
    expect(log.missed.value).toBe(0);
    kept = new Map();
    open();
    answers = () => ({ calls: [answer(4), answer(3)], more: true, seen: 3_000 });
    await log.load();
    expect(log.missed.value).toBe(1);
    log.take({ type: "calls.seen", data: { at: 2_000 } });
    expect(log.missed.value).toBe(1);
    expect(told).toEqual([]);
  });

  test("that were seen here are told to the server, later if it is out of reach", async () => {
    await log.load();
    away = true;
    log.seen();
    await settle();
    away = false;
    await log.load();
    await settle();
    expect(told).toEqual([["calls/seen", { at: 3_000 }]]);
    answers = () => ({ calls: [answer(3)], more: false, seen: 3_000 });
    await log.load();
    log.seen();
    await settle();
    expect(told).toHaveLength(1);
  });

  test("are no news while the list is on the screen", async () => {
    looking = true;
    await log.load();
    expect(log.missed.value).toBe(0);
  });

  test.each([
    [{ reason: "timeout" }, true],
    [{ reason: "cancelled" }, true],
    [{ reason: "quiet" }, true],
    [{ reason: "busy" }, true],
    [{ reason: "unreachable" }, true],
    [{ reason: "lost" }, true],
    [{ reason: "declined" }, false],
    [{ reason: "blocked" }, false],
    [{ reason: "hangup", seconds: 12 }, false],
    [{ reason: "timeout", from: alice, to: bob }, false],
  ])("%j: %s", (change, missed) => {
    expect(wasMissed(logged(change), "alice")).toBe(missed);
  });
});

describe("the list", () => {
  test("is paged, without doubles, and a fresh look keeps what is older", async () => {
    answers = (path) =>
      path.includes("before=2000")
        ? { calls: [answer(2), answer(1)], more: false }
        : { calls: [answer(3), answer(2)], more: true };
    await log.load();
    expect(log.more.value).toBe(true);
    await log.loadOlder();
    expect(asked[1]).toBe("calls?limit=50&before=2000");
    await log.load();
    expect(log.calls.value!.map(({ server_time }) => server_time)).toEqual([3_000, 2_000, 1_000]);
    expect(log.more.value).toBe(false);
  });

  test("says when it cannot be loaded, and keeps what is there", async () => {
    await log.load();
    answers = () => {
      throw new ApiError("unreachable");
    };
    await log.load();
    expect([log.state.value, log.calls.value?.length]).toEqual(["failed", 3]);
  });

  test("of somebody who has signed out meanwhile is dropped", async () => {
    const loading = log.load();
    log.close();
    await loading;
    await settle();
    expect(log.calls.value).toBeUndefined();
  });

  test("takes reasons and paths that it does not know", () => {
    expect(logged({ reason: "solar_flare", path: "pigeon" })).toMatchObject({
      reason: "other",
      path: undefined,
    });
    expect(() => readCalls({ calls: [{ call: "c" }], more: false })).toThrow();
  });
});

test.each([
  [{ reason: "timeout" }, "past.missed_in"],
  [{ reason: "cancelled", by: "bob" }, "past.gave_up"],
  [{ reason: "busy" }, "past.busy_in"],
  [{ reason: "quiet" }, "past.quiet_in"],
  [{ reason: "timeout", from: alice, to: bob }, "end.timeout"],
  [{ reason: "cancelled", from: alice, to: bob, by: "alice" }, "end.cancelled_self"],
  [{ reason: "hangup", seconds: 3, by: "alice" }, "past.hung_up_self"],
  [{ reason: "hangup", seconds: 3, by: "bob" }, "end.hangup"],
  [{ reason: "lost", seconds: 3 }, "end.lost"],
  [{ reason: "ended_by_admin", seconds: 3 }, "end.ended_by_admin"],
])("%j is said as %s", (change, word) => {
  expect(pastWord(logged(change), "alice")).toBe(word);
});
