import { beforeEach, describe, expect, test } from "vitest";
import { Transport } from "../src/protocol/transport";
import { FakeSocket } from "./fakes";

let opened: string[];
let eventsFlow: () => void;
let now: number;
let kept: Map<string, string>;
let transport: Transport;

beforeEach(() => {
  [opened, now, kept] = [[], 1_000_000, new Map<string, string>()];
  transport = new Transport({
    webSocket: () => {
      opened.push("ws");
      return new FakeSocket();
    },
    events: (flow) => {
      eventsFlow = flow;
      opened.push("events");
      return new FakeSocket();
    },
    now: () => now,
    kept: {
      get: (key) => kept.get(key),
      set: (key, value) => void (value === undefined ? kept.delete(key) : kept.set(key, value)),
    },
  });
});

const tries = (...refusals: number[]) => {
  opened = [];
  for (const n of refusals) transport.open(n);
  return opened;
};

describe("transport", () => {
  test("is the WebSocket unless two in a row did not open", () => {
    expect(tries(0, 1, 2, 3, 4, 5, 6)).toEqual(["ws", "ws", "events", "events", "ws", "ws", "events"]);
  });

  test("stays with events that flow, for ten minutes", () => {
    transport.open(2);
    eventsFlow();
    expect(tries(0)).toEqual(["events"]);
    now += 11 * 60_000;
    expect(tries(0)).toEqual(["ws"]);
  });

  test("returns to the WebSocket when remembered events fail", () => {
    transport.open(2);
    eventsFlow();
    expect(tries(0, 1, 2)).toEqual(["events", "events", "ws"]);
    expect(tries(0)).toEqual(["ws"]);
  });

  test("remembers nothing of events that never flowed", () => {
    transport.open(2);
    expect(tries(0)).toEqual(["ws"]);
  });
});
