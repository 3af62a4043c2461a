import { describe, expect, test } from "vitest";
import { Upload } from "../src/files/upload";
import { base64, digest } from "../src/files/types";
import { ApiError } from "../src/protocol/api";
import type { FileInfo } from "../src/protocol/texts";

const content = new Uint8Array(3_000_000).map((_, i) => (i * 31 + (i >> 8)) % 251);
const info: FileInfo = { file: "f-00000001", kind: "file", name: "map.bin", type: "", size: content.length };
const most = 1 << 20;

/** Compared by hand: the test library takes a minute for so many bytes. */
const same = (all: Uint8Array) =>
  all.length === content.length && all.every((byte, i) => byte === content[i]);

/** A server that keeps what it is given; each write first meets the next of its troubles. */
class Server {
  kept: Uint8Array<ArrayBuffer>[] = [];
  creates = 0;
  offsets: number[] = [];
  sizes: number[] = [];
  readonly troubles: (() => ApiError | "lost" | undefined)[];

  constructor(...troubles: Server["troubles"]) {
    this.troubles = troubles;
  }

  get offset(): number {
    return this.kept.reduce((sum, part) => sum + part.length, 0);
  }

  get all(): Uint8Array {
    const whole = new Uint8Array(this.offset);
    let at = 0;
    for (const part of this.kept) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  private get state() {
    return { offset: this.offset, size: info.size, complete: this.offset === info.size, expires_at: 99 };
  }

  create() {
    this.creates += 1;
    return Promise.resolve({ ...this.state, chunk_bytes: most });
  }

  status() {
    return Promise.resolve(this.state);
  }

  async write(_: string, offset: number, blob: Blob, sum: string, signal: AbortSignal) {
    const part = await blob.arrayBuffer();
    if (signal.aborted) throw new ApiError("unreachable");
    this.offsets.push(offset);
    this.sizes.push(part.byteLength);
    const trouble = this.troubles.shift()?.();
    if (trouble instanceof ApiError) throw trouble;
    if (offset !== this.offset) {
      throw new ApiError("wrong_offset", undefined, undefined, { error: { offset: this.offset } });
    }
    if (sum !== base64(await digest(part))) throw new ApiError("wrong_checksum");
    this.kept.push(new Uint8Array(part));
    if (trouble === "lost") throw new ApiError("unreachable");
    return this.state;
  }
}

function upload(server: Server, source: Blob = new Blob([content])) {
  const pauses: number[] = [];
  const progress: number[] = [];
  const timers = {
    set: (fn: () => void, ms: number) => {
      pauses.push(ms);
      return setTimeout(fn, 0) as unknown as number;
    },
    clear: (timer: number | undefined) => clearTimeout(timer),
  };
  const run = new Upload({
    api: server,
    info,
    chat: "bob",
    source,
    timers,
    now: () => performance.now(),
    onProgress: (done) => progress.push(done),
  });
  return { run, pauses, progress };
}

const fails = (code: ConstructorParameters<typeof ApiError>[0], seconds?: number) => () =>
  new ApiError(code, undefined, seconds);

describe("Upload", () => {
  test("brings the very file, in order, and tells until when it is kept", async () => {
    const server = new Server();
    const { run, progress } = upload(server);
    expect(await run.run()).toEqual({ until: 99 });
    expect(same(server.all)).toBe(true);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(info.size);
    expect(Math.max(...server.sizes)).toBeLessThanOrEqual(most);
  });

  test("goes on where the server stands after an answer that was lost", async () => {
    const server = new Server(
      () => undefined,
      () => "lost",
    );
    const { run } = upload(server);
    expect(await run.run()).toEqual({ until: 99 });
    expect(same(server.all)).toBe(true);
    expect(server.offsets.filter((offset) => offset === 0)).toHaveLength(1);
  });

  test("believes the server that has more than this device knows", async () => {
    const server = new Server();
    const { run } = upload(server);
    const create = server.create.bind(server);
    server.create = async () => {
      const answer = await create();
      server.kept.push(content.slice(0, 500_000)); // another device's, while the answer was on its way
      return answer;
    };
    expect(await run.run()).toEqual({ until: 99 });
    expect(same(server.all)).toBe(true);
  });

  test("tries smaller chunks after a cut, and waits longer each time", async () => {
    const server = new Server(...Array.from({ length: 4 }, () => fails("unreachable")));
    const { run, pauses } = upload(server);
    expect(await run.run()).toEqual({ until: 99 });
    expect(same(server.all)).toBe(true);
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000]);
    expect(server.sizes[1]).toBeLessThan(server.sizes[0]!);
  });

  test("waits as long as the server says", async () => {
    const { run, pauses } = upload(new Server(fails("rate_limited", 7)));
    expect(await run.run()).toEqual({ until: 99 });
    expect(pauses).toEqual([7_000]);
  });

  test("does not wait when the network is back", async () => {
    const server = new Server(fails("unreachable"));
    let waiting: (() => void) | undefined;
    const { run } = upload(server);
    const timers = { set: (fn: () => void) => ((waiting = fn), 1), clear: () => undefined };
    Object.assign((run as unknown as { deps: object }).deps, { timers });
    const end = run.run();
    while (!waiting) await new Promise((resolve) => setTimeout(resolve));
    run.hurry();
    expect(await end).toEqual({ until: 99 });
  });

  test.each(["file_too_large", "quota_full", "disk_full", "not_found"] as const)(
    "%s ends it at once",
    async (code) => {
      const server = new Server(fails(code));
      expect(await upload(server).run.run()).toEqual({ problem: code });
      expect(server.offsets).toHaveLength(1);
    },
  );

  test("a checksum that is wrong once is sent again; always, it ends", async () => {
    const once = new Server(fails("wrong_checksum"));
    expect(await upload(once).run.run()).toEqual({ until: 99 });
    expect(same(once.all)).toBe(true);
    const always = new Server(...Array.from({ length: 20 }, () => fails("wrong_checksum")));
    expect(await upload(always).run.run()).toEqual({ problem: "wrong_checksum" });
    expect(always.offsets.length).toBeLessThan(10);
  });

  test("a file that has shrunk or cannot be read any more is no file", async () => {
    const shrunk = new Blob([content.slice(0, 200_000)]);
    const lying = { size: info.size, slice: (from: number, to: number) => shrunk.slice(from, to) };
    expect(await upload(new Server(), lying as unknown as Blob).run.run()).toEqual({ problem: "unreadable" });
    const gone = { size: info.size, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
    expect(await upload(new Server(), gone as unknown as Blob).run.run()).toEqual({ problem: "unreadable" });
  });

  test("cancel ends it, also while it waits", async () => {
    const server = new Server(() => {
      setTimeout(() => run.cancel());
      return new ApiError("unreachable", undefined, 3600);
    });
    const { run } = upload(server);
    expect(await run.run()).toEqual({ problem: "cancelled" });
    expect(server.offset).toBe(0);
  });
});
