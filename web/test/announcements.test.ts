// Announcements wait until the person has seen them, whatever the network does.
import { beforeEach, describe, expect, test } from "vitest";
import { ApiError } from "../src/protocol/api";
import type { Announcement } from "../src/protocol/texts";
import { Announcements } from "../src/state/announcements";
import { FakeTime, settle } from "./fakes";

const boss = { id: "boss", name: "Boss" };
const one = (n: number): Announcement => ({
  announcement: `alarm-000${n}`,
  from: boss,
  body: `text ${n}`,
  server_time: 1_000 * n,
});

let time: FakeTime;
let asked: string[];
let waiting: Announcement[];
let failing: ApiError | undefined;
let hold: Promise<void>;
let kept: Map<string, string>;
let it: Announcements;

function make(): Announcements {
  return new Announcements({
    api: {
      call: async <T>(method: string, path: string): Promise<T> => {
        asked.push(`${method} ${path}`);
        const answer = waiting;
        await hold;
        if (failing) throw failing;
        return { announcements: answer } as T;
      },
    },
    timers: time,
    kept: {
      get: (key) => kept.get(key),
      set: (key, value) => void (value ? kept.set(key, value) : kept.delete(key)),
    },
    onProblem: () => undefined,
  });
}

beforeEach(() => {
  time = new FakeTime();
  asked = [];
  waiting = [];
  failing = undefined;
  hold = Promise.resolve();
  kept = new Map();
  it = make();
  it.open("anna");
});

const names = () => it.pending.value.map((each) => each.body);

describe("announcements", () => {
  test("what waits is fetched on connecting, and what comes stands on top", async () => {
    waiting = [one(2), one(1)];
    it.welcome(false);
    await settle();
    expect(names()).toEqual(["text 2", "text 1"]);
    expect(it.alarm.value).toBe(1);
    it.take({ type: "announcement", data: one(3) });
    expect(names()).toEqual(["text 3", "text 2", "text 1"]);
    expect(it.alarm.value).toBe(2);
  });

  test("a reminder sounds again and stands there once", async () => {
    it.welcome(false);
    await settle();
    it.take({ type: "announcement", data: one(1) });
    it.take({ type: "announcement", data: one(1) });
    expect(names()).toEqual(["text 1"]);
    expect(it.alarm.value).toBe(2);
  });

  test("a stream that goes on asks for nothing", async () => {
    it.welcome(false);
    await settle();
    asked = [];
    it.welcome(true);
    await settle();
    expect(asked).toEqual([]);
  });

  test("seen on another device: it goes here too; seen by somebody else: it stays", () => {
    it.take({ type: "announcement", data: one(1) });
    it.take({ type: "announcement.seen", data: { announcement: "alarm-0001", by: "bo", seen: 1, of: 2 } });
    expect(names()).toEqual(["text 1"]);
    it.take({ type: "announcement.seen", data: { announcement: "alarm-0001", by: "anna", seen: 2, of: 2 } });
    expect(names()).toEqual([]);
  });

  test("an acknowledgement is told until the server knows, also by the next page", async () => {
    it.take({ type: "announcement", data: one(1) });
    failing = new ApiError("unreachable");
    it.acknowledge("alarm-0001");
    await settle();
    expect(names()).toEqual([]);
    await time.pass(5_000);
    expect(asked.filter((each) => each === "POST announcements/alarm-0001/ack")).toHaveLength(2);

    failing = undefined;
    waiting = [one(1)];
    asked = [];
    const next = (it = make());
    next.open("anna");
    next.welcome(false);
    await settle();
    expect(asked[0]).toBe("POST announcements/alarm-0001/ack");
    expect(kept.size).toBe(0);
  });

  test("what one person acknowledged is not told in another's name", async () => {
    failing = new ApiError("unreachable");
    it.take({ type: "announcement", data: one(1) });
    it.acknowledge("alarm-0001");
    await settle();
    failing = undefined;
    asked = [];
    it = make();
    it.open("bo");
    it.welcome(false);
    await settle();
    expect(asked).toEqual(["GET announcements?pending=1"]);
  });

  test("what happens while the list is on its way is not undone by it", async () => {
    let go = () => {};
    hold = new Promise((resolve) => (go = resolve));
    waiting = [one(2), one(1)];
    it.welcome(false);
    await settle();
    it.take({ type: "announcement", data: one(3) });
    it.take({ type: "announcement.seen", data: { announcement: "alarm-0002", by: "anna", seen: 1, of: 2 } });
    go();
    await settle();
    expect(names()).toEqual(["text 3", "text 1"]);
  });

  test("a list that does not come is asked for again", async () => {
    failing = new ApiError("unreachable");
    it.welcome(false);
    await settle();
    failing = undefined;
    waiting = [one(1)];
    await time.pass(5_000);
    expect(names()).toEqual(["text 1"]);
  });

  test("signed out: nothing of it is left for the next person", async () => {
    it.take({ type: "announcement", data: one(1) });
    it.reset();
    await time.pass(60_000);
    expect(names()).toEqual([]);
    expect(asked).toEqual([]);
  });
});
