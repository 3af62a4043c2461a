import { describe, expect, test } from "vitest";
import { Chains, partBytes, type Bytes } from "../src/files/chain";
import { Getter, Giver, type Channel, type Keeping } from "../src/files/channel";
import type { FileProblem } from "../src/files/types";

/** One end of a channel in memory, which can be cut and can damage what it carries. */
class FakeChannel implements Channel {
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  onbufferedamountlow: ((event: Event) => unknown) | null = null;
  onmessage: ((event: MessageEvent) => unknown) | null = null;
  other: FakeChannel | undefined;
  most = 0;
  cutAfter = Number.POSITIVE_INFINITY;
  damage: ((data: string | ArrayBuffer) => string | ArrayBuffer) | undefined;
  private readonly waiting: (string | ArrayBuffer)[] = [];

  send(data: string | ArrayBufferView<ArrayBuffer>): void {
    const copy =
      typeof data === "string" ? data : data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    this.waiting.push(copy);
    this.bufferedAmount += typeof copy === "string" ? copy.length : copy.byteLength;
    this.most = Math.max(this.most, this.bufferedAmount);
    if (this.waiting.length === 1) setTimeout(() => this.carry(), 0);
  }

  private carry(): void {
    for (const data of this.waiting.splice(0)) {
      const size = typeof data === "string" ? data.length : data.byteLength;
      this.bufferedAmount -= size;
      this.cutAfter -= size;
      if (this.cutAfter < 0) continue;
      this.other?.onmessage?.({ data: this.damage?.(data) ?? data } as MessageEvent);
    }
    this.onbufferedamountlow?.(new Event("low"));
  }
}

class Memory implements Keeping {
  parts: ArrayBuffer[] = [];
  chain: Bytes = new Uint8Array(0);
  begun = 0;

  get offset(): number {
    return this.parts.reduce((sum, part) => sum + part.byteLength, 0);
  }

  add(part: ArrayBuffer, chain: Bytes): Promise<void> {
    this.parts.push(part);
    this.chain = chain;
    return Promise.resolve();
  }

  begin(): Promise<void> {
    this.parts = [];
    this.chain = new Uint8Array(0);
    this.begun += 1;
    return Promise.resolve();
  }
}

const noise = (size: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(size);
  let state = seed;
  for (let i = 0; i < size; i += 1) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    bytes[i] = state >> 16;
  }
  return bytes;
};

interface Run {
  content: Uint8Array<ArrayBuffer>;
  keeping: Memory;
  size?: number;
  file?: string;
  prepare?: (giver: FakeChannel, getter: FakeChannel) => void;
}

interface End {
  getter: "done" | FileProblem | "cut";
  giver: "done" | FileProblem | "cut";
  channel: FakeChannel;
}

/** Runs both ends until the getter is over, or nothing moves any more. */
async function run({
  content,
  keeping,
  size = content.length,
  file = "file-0001",
  prepare,
}: Run): Promise<End> {
  const [a, b] = [new FakeChannel(), new FakeChannel()];
  a.other = b;
  b.other = a;
  prepare?.(a, b);
  const source = new Blob([content]);
  const end: End = { getter: "cut", giver: "cut", channel: a };
  let moved = Date.now();
  const giver = new Giver({
    file: "file-0001",
    source,
    chains: new Chains(source),
    channel: a,
    onProgress: () => (moved = Date.now()),
    onDone: () => (end.giver = "done"),
    onStop: (problem) => (end.giver = problem),
  });
  const getter = new Getter({
    file,
    size,
    keeping,
    channel: b,
    onProgress: () => (moved = Date.now()),
    onDone: () => (end.getter = "done"),
    onStop: (problem) => (end.getter = problem),
  });
  while (end.getter === "cut" && Date.now() - moved < 400)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 20));
  giver.stop();
  getter.stop();
  return end;
}

const whole = async (keeping: Memory) => new Uint8Array(await new Blob(keeping.parts).arrayBuffer());
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

describe("a file over a data channel", () => {
  test.each([0, 1, 65_536, partBytes, partBytes + 1, 3 * partBytes + 77])(
    "of %d bytes crosses",
    async (size) => {
      const content = noise(size);
      const keeping = new Memory();
      const end = await run({ content, keeping });
      expect(end).toMatchObject({ getter: "done", giver: "done" });
      expect(same(await whole(keeping), content)).toBe(true);
      expect(end.channel.most).toBeLessThan(2 * partBytes);
    },
  );

  test("goes on where it was cut", async () => {
    const content = noise(4 * partBytes + 5);
    const keeping = new Memory();
    const cut = await run({ content, keeping, prepare: (giver) => (giver.cutAfter = 2.5 * partBytes) });
    expect(cut.getter).toBe("cut");
    expect(keeping.offset).toBe(2 * partBytes);
    let carried = 0;
    const end = await run({
      content,
      keeping,
      prepare: (giver) => {
        giver.damage = (data) => {
          if (typeof data !== "string") carried += data.byteLength;
          return data;
        };
      },
    });
    expect(end).toMatchObject({ getter: "done", giver: "done" });
    expect(carried).toBe(2 * partBytes + 5);
    expect(same(await whole(keeping), content)).toBe(true);
    expect(keeping.begun).toBe(0);
  });

  test("that has changed since begins anew", async () => {
    const keeping = new Memory();
    await run({
      content: noise(3 * partBytes),
      keeping,
      prepare: (giver) => (giver.cutAfter = 1.5 * partBytes),
    });
    const content = noise(3 * partBytes, 2);
    const end = await run({ content, keeping });
    expect(end.getter).toBe("done");
    expect(keeping.begun).toBe(1);
    expect(same(await whole(keeping), content)).toBe(true);
  });

  test("that is damaged is not kept", async () => {
    const keeping = new Memory();
    let pieces = 0;
    const end = await run({
      content: noise(2 * partBytes),
      keeping,
      prepare: (giver) => {
        giver.damage = (data) => {
          if (typeof data === "string" || (pieces += 1) !== 20) return data;
          new Uint8Array(data)[7]! ^= 1;
          return data;
        };
      },
    });
    expect(end.getter).toBe("wrong_checksum");
    expect(keeping.offset).toBe(partBytes);
  });

  test("of another size, or another file, is refused", async () => {
    const keeping = new Memory();
    expect((await run({ content: noise(10), size: 11, keeping })).getter).toBe("changed");
    expect((await run({ content: noise(10), file: "file-0002", keeping })).getter).toBe("no_such_file");
    expect(keeping.offset).toBe(0);
  });

  test("more than a part without its sum is refused", async () => {
    const keeping = new Memory();
    const content = noise(2 * partBytes);
    const prepare = (giver: FakeChannel) => {
      giver.damage = (data) => (typeof data === "string" && data.includes('"part"') ? "{}" : data);
    };
    expect((await run({ content, keeping, prepare })).getter).toBe("changed");
  });
});
