import { beforeEach, describe, expect, test } from "vitest";
import { Adapt, type Sample } from "../src/call/adapt";

let adapt: Adapt;
let now: number;

beforeEach(() => {
  now = 1_000;
  adapt = new Adapt(now);
});

const fine: Omit<Sample, "at"> = { loss: 0, rttMs: 5, roomKbps: 5_000, videoKbps: 1_500, starved: false };

/** Lets seconds pass that are all alike; gives the pictures that were ordered. */
function pass(seconds: number, change: Partial<Sample> = {}): (number | undefined)[] {
  const orders = [];
  for (let i = 0; i < seconds; i += 1) {
    now += 1_000;
    adapt.see({ ...fine, ...change, at: now });
    orders.push(adapt.order.picture?.kbps);
  }
  return orders;
}

const weak = { roomKbps: 250, videoKbps: 150, starved: true };
const dead = { loss: 0.3, roomKbps: 60, videoKbps: 20, starved: true };

describe("what the picture may use", () => {
  test("all of it on a good link, for ever", () => {
    expect(new Set(pass(600))).toEqual(new Set([2_500]));
    expect(adapt.unbound).toBe(true);
  });

  test("the browser's first guess is not believed", () => {
    expect(pass(5, weak)).toEqual(Array(5).fill(2_500));
  });

  test("one bad second is chance", () => {
    pass(10);
    pass(1, { ...weak, loss: 0.3 });
    expect(pass(20)).toEqual(Array(20).fill(2_500));
  });

  test("a weak link makes it small within seconds, and no smaller than it bears", () => {
    pass(10);
    const orders = pass(60, weak);
    expect(orders.slice(0, 4)).toContain(500);
    expect(adapt.order.picture).toMatchObject({ kbps: 500, side: 360 });
    expect(new Set(orders.slice(4))).toEqual(new Set([500]));
  });

  test("a belief that is low because little was wanted takes nothing away", () => {
    expect(new Set(pass(60, { roomKbps: 300, videoKbps: 90 }))).toEqual(new Set([2_500]));
  });

  test("five percent lost by chance, with room, is no reason to take the picture", () => {
    expect(new Set(pass(120, { loss: 0.05 }))).toEqual(new Set([2_500]));
  });

  test("it pauses before the sound is gone, and says why", () => {
    pass(10);
    pass(6, dead);
    expect(adapt.order).toMatchObject({ picture: undefined, paused: "weak", soundKbps: 16 });
  });

  test("it comes back by itself, in steps", () => {
    pass(10);
    pass(8, dead);
    const orders = pass(60, { videoKbps: 400 });
    expect(orders.findIndex((kbps) => kbps !== undefined)).toBeLessThan(20);
    expect(adapt.order.picture?.kbps).toBe(2_500);
    for (let i = 1; i < orders.length; i += 1)
      expect(orders[i] ?? 0).toBeGreaterThanOrEqual(orders[i - 1] ?? 0);
  });

  test("where going up was wrong it is tried less and less often", () => {
    pass(10);
    pass(8, dead);
    let tries = 0;
    let was: number | undefined;
    const at: number[] = [];
    for (let i = 0; i < 300; i += 1) {
      const kbps = adapt.order.picture?.kbps;
      if (kbps !== undefined && was === undefined) {
        tries += 1;
        at.push(i);
      }
      was = kbps;
      pass(1, kbps === undefined ? { loss: 0.01, roomKbps: 60, videoKbps: 0 } : dead);
    }
    expect(tries).toBeLessThan(9);
    expect(at.at(-1)! - at.at(-2)!).toBeGreaterThan(40);
  });

  test("a path that changed is given time again", () => {
    pass(10);
    adapt.pathChanged(now);
    expect(pass(5, dead)).toEqual(Array(5).fill(2_500));
  });

  test("a browser that tells nothing keeps its own counsel", () => {
    const silent = { loss: undefined, rttMs: undefined, roomKbps: undefined };
    expect(new Set(pass(60, silent))).toEqual(new Set([2_500]));
  });
});

describe("what people want", () => {
  test("the other end wants no picture, and then again", () => {
    pass(10);
    adapt.limitKbps = 0;
    expect(adapt.unbound).toBe(false);
    expect(adapt.order).toMatchObject({ picture: undefined, paused: "asked" });
    adapt.limitKbps = undefined;
    expect(adapt.order).toMatchObject({ picture: { kbps: 2_500 }, paused: undefined });
  });

  test("saving data makes picture and sound small whatever the link bears", () => {
    adapt.thrifty = true;
    pass(10);
    expect(adapt.order.picture).toMatchObject({ kbps: 150, side: 240 });
    expect(adapt.order.soundKbps).toBe(20);
  });

  test("the smaller of both wishes and the link counts", () => {
    adapt.thrifty = true;
    adapt.limitKbps = 40;
    expect(adapt.order.picture).toMatchObject({ kbps: 40, side: 180 });
    pass(10);
    pass(8, dead);
    expect(adapt.order.paused).toBe("weak");
  });
});
