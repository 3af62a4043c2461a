import { signal } from "@preact/signals";
import { beforeEach, expect, test } from "vitest";
import { Poll } from "../src/admin/state/poll";
import { ApiError } from "../src/protocol/api";
import { FakeTime } from "./fakes";

let time: FakeTime;
let asks: number[];
let answer: () => Promise<number>;
const visible = signal(true);
let poll: Poll<number>;

beforeEach(() => {
  time = new FakeTime();
  asks = [];
  visible.value = true;
  answer = () => Promise.resolve(asks.length);
  poll = new Poll({
    ask: () => {
      asks.push(time.now);
      return answer();
    },
    timers: time,
    now: () => time.now,
    visible,
    everyMs: 2_000,
  });
});

/** The pauses between questions, in milliseconds. */
const pauses = () => asks.slice(1).map((at, i) => at - asks[i]!);

test("asks every two seconds while somebody looks", async () => {
  poll.start();
  await time.pass(6_500);
  expect(pauses()).toEqual([2_000, 2_000, 2_000]);
  expect([poll.value.value, poll.at.value]).toEqual([4, 7_000]);
});

test("asks less while nobody looks, and at once when somebody does again", async () => {
  poll.start();
  await time.pass(2_100);
  visible.value = false;
  await time.pass(65_000);
  expect(pauses()).toEqual([2_000, 30_100, 30_000]);
  await time.pass(3_000);
  visible.value = true;
  await time.pass(0);
  expect(asks[asks.length - 1]).toBe(time.now);
});

test("backs off while nothing answers, keeps what it has, and recovers", async () => {
  poll.start();
  await time.pass(100);
  answer = () => Promise.reject(new ApiError("unreachable"));
  await time.pass(80_000);
  expect(pauses()).toEqual([2_000, 4_000, 8_000, 16_000, 30_000]);
  expect([poll.value.value, poll.problem.value?.code, poll.at.value]).toEqual([1, "unreachable", 1_000]);
  answer = () => Promise.resolve(7);
  await time.pass(30_000);
  expect([poll.value.value, poll.problem.value]).toEqual([7, undefined]);
});

test("waits as long as the server asks for", async () => {
  answer = () => Promise.reject(new ApiError("rate_limited", undefined, 20));
  poll.start();
  await time.pass(21_000);
  expect(pauses()).toEqual([20_000]);
});

test("never asks twice at once", async () => {
  answer = () => new Promise(() => undefined);
  poll.start();
  await time.pass(10);
  poll.soon();
  poll.soon();
  await time.pass(10_000);
  expect(asks).toHaveLength(1);
});

test("an answer that comes after it was stopped is not taken", async () => {
  let late: (value: number) => void = () => undefined;
  answer = () => new Promise((resolve) => (late = resolve));
  poll.start();
  await time.pass(10);
  poll.stop();
  late(9);
  await time.pass(10_000);
  expect([poll.value.value, asks.length]).toEqual([undefined, 1]);
  poll.start();
  await time.pass(10);
  expect(asks).toHaveLength(2);
});
