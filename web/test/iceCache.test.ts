import { expect, test } from "vitest";
import { IceCache } from "../src/call/iceCache";

const setUp = () => {
  const world = { now: 1_000_000, asked: 0, life: 3_600, fails: false, problems: [] as string[] };
  const cache = new IceCache({
    fetch: async () => {
      await Promise.resolve();
      world.asked += 1;
      if (world.fails) throw new Error("unreachable");
      return { iceServers: [{ urls: [`turn:${world.asked}`] }], expires_at: world.now / 1000 + world.life };
    },
    serverNow: () => world.now,
    onProblem: (problem) => world.problems.push(problem),
  });
  const url = async () => (await cache.get()).iceServers[0]!.urls[0];
  return { world, cache, url };
};

test("what was told is used again, and renewed for the next time once it is old", async () => {
  const { world, url } = setUp();
  expect(await url()).toBe("turn:1");
  expect(await url()).toBe("turn:1");
  world.now += 6 * 60_000;
  expect(await url()).toBe("turn:1");
  await Promise.resolve();
  expect(await url()).toBe("turn:2");
  expect(world.asked).toBe(2);
});

test("credentials that are about to end are not used", async () => {
  const { world, url } = setUp();
  world.life = 90;
  await url();
  world.now += 31_000;
  expect(await url()).toBe("turn:2");
});

test("without the server an old answer is better than none", async () => {
  const { world, url } = setUp();
  await url();
  world.fails = true;
  world.now += 6 * 60_000;
  expect(await url()).toBe("turn:1");
  await new Promise((resolve) => setTimeout(resolve));
  expect(world.problems).toHaveLength(1);
});

test("what was asked before a clear is not kept after it", async () => {
  const { cache, url } = setUp();
  const before = url();
  cache.clear();
  await before;
  expect(await url()).toBe("turn:2");
});
