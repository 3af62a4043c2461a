import { describe, expect, test } from "vitest";
import type { FilesDeps } from "../src/files/deps";
import { Files, type FileMessage } from "../src/files/files";
import { smallBytes } from "../src/files/outgoing";
import type { Going } from "../src/files/store";
import { ApiError } from "../src/protocol/api";
import type { FileInfo } from "../src/protocol/texts";
import { FakeTime, settle } from "./fakes";

const large = 2 * smallBytes;
const whole = { offset: large, size: large, complete: true, expires_at: 99 };

function page(changes: Partial<FilesDeps> & { room?: FilesDeps["room"]; waits?: Going[] } = {}) {
  const time = new FakeTime();
  const asked: string[] = [];
  const announced: FileInfo[] = [];
  const server = new Map<string, number>();
  const files = new Files({
    api: {
      create: ({ file }: FileInfo) => {
        server.set(file, server.get(file) ?? 0);
        return Promise.resolve({
          offset: server.get(file)!,
          chunk_bytes: 1 << 20,
          complete: false,
          expires_at: 99,
        });
      },
      write: async (file: string, offset: number, chunk: Blob) => {
        await Promise.resolve();
        server.set(file, offset + chunk.size);
        return { offset: offset + chunk.size, complete: offset + chunk.size === announced[0]!.size };
      },
      status: (file: string) =>
        server.has(file) ? Promise.resolve(whole) : Promise.reject(new ApiError("not_found")),
      remove: (file: string) => {
        server.delete(file);
        return Promise.resolve();
      },
      read: () => Promise.reject(new ApiError("not_found")),
    },
    store: {
      enter: () => Promise.resolve(changes.waits ?? []),
      came: () => Promise.resolve(undefined),
      sending: () => Promise.resolve(),
      forget: () => Promise.resolve(),
    } as unknown as FilesDeps["store"],
    request: (type) => {
      asked.push(type);
      return Promise.resolve();
    },
    fetchIce: () => new Promise(() => undefined),
    newPeer: () => {
      throw new Error("no peer");
    },
    relayOnly: false,
    timers: time,
    random: (bytes) => bytes.fill(7),
    now: () => time.now,
    serverNow: () => time.now,
    present: (user) => user === "bert",
    announce: (_, info) => announced.push(info) > 0,
    room: () => Promise.resolve(undefined),
    onProblem: () => undefined,
    ...changes,
  });
  return { files, time, asked, announced, server };
}

type Page = ReturnType<typeof page>;

async function send({ files, announced }: Page, to: string, size: number, name = "map.bin") {
  await files.open("anna");
  expect(files.send(to, new Blob([new Uint8Array(size)]), "file", { name })).toBe(true);
  return announced[0]!;
}

/** Uploads hash in the background: the state is waited for. */
async function becomes({ files, time }: Page, file: string, kind: string) {
  await expect
    .poll(async () => {
      await time.pass(0);
      return files.state(file).value.kind;
    })
    .toBe(kind);
}

describe("a file that goes", () => {
  test("goes to the server at once when it is small, for a group, or for somebody who is away", async () => {
    for (const [to, size] of [
      ["bert", 1000],
      ["#tent-4", large],
      ["cleo", large],
    ] as const) {
      const p = page();
      const { file } = await send(p, to, size);
      await becomes(p, file, "kept");
      expect(p.server.get(file)).toBe(size);
    }
  });

  test("waits a little for the device of somebody who is here, then goes to the server", async () => {
    const p = page();
    const { file } = await send(p, "bert", large);
    expect(p.files.state(file).value).toEqual({ kind: "offered" });
    await p.time.pass(7_900);
    expect(p.server.size).toBe(0);
    await p.time.pass(200);
    await becomes(p, file, "kept");
  });

  test("is given to the device that asks, but to nobody else's", async () => {
    const p = page();
    const { file } = await send(p, "bert", large);
    p.files.take({
      type: "file.asked",
      data: { link: "l-00000001", file, by: { id: "mallory", name: "M" } },
    });
    await settle();
    expect(p.asked).toEqual([]);
    p.files.take({ type: "file.asked", data: { link: "l-00000002", file, by: { id: "bert", name: "B" } } });
    await settle();
    expect(p.asked).toEqual(["file.take"]);
  });

  test("that is taken back is removed from the server, and does not come back", async () => {
    const p = page();
    const { file } = await send(p, "cleo", large);
    await settle();
    p.files.cancel(file);
    await p.time.pass(60_000);
    expect(p.files.state(file).value).toEqual({ kind: "stopped", problem: "cancelled" });
    expect(p.server.has(file)).toBe(false);
  });

  test("gets a name in one line that turns nothing round and is not too long", async () => {
    const p = page();
    const info = await send(p, "cleo", 10, `a\u202egpj.exe\n${"長".repeat(200)}.tar`);
    expect(info.name).toMatch(/^agpj\.exe長+\.tar$/);
    expect(new TextEncoder().encode(info.name).length).toBeLessThanOrEqual(255);
  });

  test("waits to be chosen again when the browser has not kept it, and takes no other", async () => {
    const info: FileInfo = { file: "f-00000009", kind: "file", name: "map.bin", type: "", size: large };
    const p = page({ waits: [{ file: info.file, user: "anna", chat: "cleo", info, at: 0 }] });
    await p.files.open("anna");
    expect(p.files.state(info.file).value).toEqual({ kind: "stopped", problem: "choose" });
    expect(p.files.chosen(info.file, new Blob(["another"]))).toBe(false);
    p.announced.push(info);
    expect(p.files.chosen(info.file, new Blob([new Uint8Array(large)]))).toBe(true);
    await becomes(p, info.file, "kept");
  });
});

describe("a file that comes", () => {
  const info: FileInfo = { file: "f-00000001", kind: "file", name: "map.bin", type: "", size: large };
  const message = (at: number, from = "bert"): FileMessage => ({
    message: "m-00000001",
    chat: from,
    from: { id: from, name: from },
    server_time: at,
    file: info,
  });

  async function appears(p: Page, at = p.time.now, from = "bert") {
    await p.files.open("anna");
    const vanish = p.files.appear(message(at, from));
    await p.time.pass(10);
    return vanish;
  }

  test("is at the server", async () => {
    const p = page();
    p.server.set(info.file, large);
    await appears(p);
    expect(p.files.state(info.file).value).toEqual({ kind: "kept", until: 99 });
    expect(p.asked).toEqual([]);
  });

  test("is asked for by itself when it was just sent by somebody who is here", async () => {
    const p = page();
    await appears(p);
    expect(p.asked).toEqual(["file.ask"]);
  });

  test("is not when it is old, its sender is away, or this device has no room; the person may want it", async () => {
    const old = page();
    await appears(old, old.time.now - 120_000);
    const away = page();
    await appears(away, away.time.now, "cleo");
    const full = page({ room: () => Promise.resolve(large) });
    await appears(full);
    for (const p of [old, away, full]) {
      await p.time.pass(60_000);
      expect(p.asked).toEqual([]);
      expect(p.files.state(info.file).value).toEqual({ kind: "awaited", done: 0 });
    }
    full.files.want(info.file);
    await full.time.pass(10);
    expect(full.asked).toEqual(["file.ask"]);
  });

  test("that the server has let go is said to be gone, and not looked for any more", async () => {
    let looks = 0;
    const p = page({
      api: {
        status: () => ((looks += 1), Promise.reject(new ApiError("file_gone"))),
      } as unknown as FilesDeps["api"],
    });
    await appears(p, 0, "cleo");
    await p.time.pass(120_000);
    expect(p.files.state(info.file).value).toEqual({ kind: "stopped", problem: "file_gone" });
    expect(looks).toBe(1);
  });

  test("is not looked for while its bubble is out of sight", async () => {
    const p = page();
    const vanish = await appears(p, 0, "cleo");
    const pending = p.time.pending;
    vanish();
    expect(p.time.pending).toBeLessThan(pending);
  });
});
