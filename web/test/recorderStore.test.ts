import { describe, expect, test } from "vitest";
import { fileName } from "../src/call/recorder";
import { FileStore, MemoryStore, openStore, type Folder } from "../src/call/recorderStore";

describe("the store of a recording", () => {
  function folder(): { root: Folder; files: Map<string, string[]> } {
    const files = new Map<string, string[]>();
    const root: Folder = {
      getDirectoryHandle: () => Promise.resolve(root as FileSystemDirectoryHandle),
      getFileHandle: (name: string) => {
        const parts: Blob[] = [];
        files.set(name, []);
        return Promise.resolve({
          name,
          createWritable: () =>
            Promise.resolve({
              write: (part: Blob) => Promise.resolve(void parts.push(part)),
              close: () => Promise.resolve(),
              abort: () => Promise.resolve(),
            }),
          getFile: () => Promise.resolve(new Blob(parts)),
        } as unknown as FileSystemFileHandle);
      },
      removeEntry: (name: string) => Promise.resolve(void files.delete(name)),
      async *keys() {
        await Promise.resolve();
        yield* files.keys();
      },
    };
    return { root, files };
  }

  test("keeps parts in files, in order, and frees them", async () => {
    const { root, files } = folder();
    const store = await openStore(() => Promise.resolve(root));
    expect(store).toBeInstanceOf(FileStore);
    const big = new Blob([new Uint8Array(9_000_000)]);
    await store.add(new Blob(["ab"]));
    await store.add(big);
    await store.add(new Blob(["yz"]));
    expect(files.size).toBe(2);
    const whole = await store.finish("video/webm");
    expect([whole.size, whole.type]).toEqual([9_000_004, "video/webm"]);
    expect([await whole.slice(0, 2).text(), await whole.slice(-2).text()]).toEqual(["ab", "yz"]);
    await store.discard();
    expect(files.size).toBe(0);
  });

  test("sweeps away what was left a day ago", async () => {
    const { root, files } = folder();
    files.set(`${Date.now() - 25 * 3_600_000}-old-0`, []).set(`${Date.now() - 3_600_000}-new-0`, []);
    await openStore(() => Promise.resolve(root));
    expect([...files.keys()].filter((name) => /old|new/.test(name))).toEqual([expect.stringMatching(/new/)]);
  });

  test("is in memory where there are no files, and refuses before memory is full", async () => {
    const store = await openStore(() => Promise.reject(new Error("private window")));
    expect(store).toBeInstanceOf(MemoryStore);
    const huge = { size: 300_000_000 } as Blob;
    await store.add(huge);
    await expect(store.add(huge)).rejects.toThrow();
  });

  test("its name is one that every file system takes", () => {
    const at = new Date(2026, 10, 5, 7, 3);
    expect(fileName("../Bob \u202e<x>/", at, "video/webm")).toBe("call-2026-11-05-0703-Bob-x.webm");
    expect(fileName("李雷", at, "video/mp4")).toBe("call-2026-11-05-0703-李雷.mp4");
  });
});
