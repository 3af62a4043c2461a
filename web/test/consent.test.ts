import { beforeEach, describe, expect, test } from "vitest";
import { Consent } from "../src/call/consent";
import type { RecordWord } from "../src/protocol/messages";
import { FakeTime, settle } from "./fakes";

let time: FakeTime;
let said: RecordWord[];
let away: boolean;
let records: boolean[];
let consent: Consent;

beforeEach(() => {
  time = new FakeTime();
  said = [];
  away = false;
  records = [];
  consent = new Consent({
    send: async ({ record }) => {
      await Promise.resolve();
      if (away) throw new Error("no way");
      said.push(record!);
    },
    timers: time,
    now: () => time.now,
    onRecord: (on) => records.push(on),
  });
});

describe("who asks", () => {
  test("records from the yes to the stop, whoever says it", async () => {
    consent.ask();
    await settle();
    expect(said).toEqual(["ask"]);
    expect(records).toEqual([]);
    consent.receive("yes");
    expect(records).toEqual([true]);
    consent.receive("stop");
    expect(records).toEqual([true, false]);
    expect(consent.state.value).toEqual({ kind: "off", because: "stopped" });
  });

  test("stops its own at once, also while nobody can be told", async () => {
    consent.ask();
    consent.receive("yes");
    away = true;
    consent.stop();
    expect(records).toEqual([true, false]);
    await settle();
    expect(consent.state.value.kind).toBe("off");
  });

  test.each([
    ["no", "refused"],
    ["stop", undefined],
  ] as const)("a %s records nothing", (word, because) => {
    consent.ask();
    consent.receive(word);
    expect(records).toEqual([]);
    if (because) expect(consent.state.value).toEqual({ kind: "off", because });
  });

  test("gives up after a minute and takes the question back", async () => {
    consent.ask();
    await time.pass(60_000);
    expect(consent.state.value).toEqual({ kind: "off", because: "unanswered" });
    expect(said).toEqual(["ask", "stop"]);
    consent.receive("yes");
    expect(records).toEqual([]);
  });

  test("both asking is a yes", () => {
    consent.ask();
    consent.receive("ask");
    expect(consent.state.value).toMatchObject({ kind: "on", mine: true, theirs: true });
    expect(records).toEqual([true]);
  });
});

test.each(["yes", "no", "stop"] as const)("a %s that nobody asked for is ignored", (word) => {
  consent.receive(word);
  expect(consent.state.value.kind).toBe("off");
  expect(records).toEqual([]);
});

test("a yes while asked oneself records nothing here", () => {
  consent.receive("ask");
  consent.receive("yes");
  expect(consent.state.value.kind).toBe("asked");
  expect(records).toEqual([]);
});

describe("who is asked", () => {
  test("sees the sign from the yes on and records nothing", async () => {
    consent.receive("ask");
    consent.answer(true);
    await settle();
    expect(said).toEqual(["yes"]);
    expect(consent.state.value).toMatchObject({ kind: "on", mine: false, theirs: true });
    expect(records).toEqual([]);
  });

  test("keeps the sign until the other end was told to stop", async () => {
    consent.receive("ask");
    consent.answer(true);
    await settle();
    away = true;
    consent.stop();
    await time.pass(3_500);
    expect(consent.state.value).toMatchObject({ kind: "on", stopping: true });
    away = false;
    await time.pass(1_000);
    expect(said).toEqual(["yes", "stop"]);
    expect(consent.state.value.kind).toBe("off");
  });

  test("who said no is left alone for a while", async () => {
    consent.receive("ask");
    consent.answer(false);
    consent.receive("ask");
    await settle();
    expect(consent.state.value.kind).toBe("off");
    expect(said).toEqual(["no", "no"]);
    await time.pass(30_000);
    consent.receive("ask");
    expect(consent.state.value.kind).toBe("asked");
  });

  test("the question goes away with its asker", () => {
    consent.receive("ask");
    consent.receive("stop");
    consent.answer(true);
    expect(said).toEqual([]);
    expect(consent.state.value.kind).toBe("off");
  });
});

test("the end of the connection ends the recording, without a word", async () => {
  consent.ask();
  consent.receive("yes");
  await settle();
  consent.end();
  expect(records).toEqual([true, false]);
  expect(said).toEqual(["ask"]);
  expect(time.pending).toBe(0);
});
