// Where a recording is kept while it grows: files of the origin's own (OPFS) where the browser
// has them, so that a long one takes no memory; parts in memory elsewhere.

export interface PartStore {
  /** Rejects when there is no room. */
  add(part: Blob): Promise<void>;
  /** The whole, of which no more is in memory than the store must. */
  finish(type: string): Promise<Blob>;
  discard(): Promise<void>;
}

/** The part of a directory that is used. */
export type Folder = Pick<
  FileSystemDirectoryHandle,
  "getDirectoryHandle" | "getFileHandle" | "removeEntry"
> & {
  keys?: () => AsyncIterable<string>;
};

/** Where it must be in memory, it ends before the page does. */
const memoryBytes = 400_000_000;
/** A file is closed, and so kept for good, when it has grown so far. */
const fileBytes = 8_000_000;
const folderName = "recordings";
/** What a page left that was closed before its person saved or discarded it. */
const leftMs = 24 * 3_600_000;

async function sweep(folder: Folder, now: number): Promise<void> {
  const old: string[] = [];
  for await (const name of folder.keys?.() ?? [])
    if (now - Number.parseInt(name, 10) > leftMs) old.push(name);
  for (const name of old) await folder.removeEntry(name).catch(() => undefined);
}

export async function openStore(root = opfs): Promise<PartStore> {
  try {
    const folder = await (await root())?.getDirectoryHandle(folderName, { create: true });
    if (folder) await sweep(folder, Date.now());
    if (folder)
      return await FileStore.open(folder, `${Date.now()}-${Math.random().toString(36).slice(2, 8)}`);
  } catch {
    // Private windows and old browsers have none, or none that can be written.
  }
  return new MemoryStore();
}

const opfs = async (): Promise<Folder | undefined> =>
  typeof FileSystemFileHandle === "function" && "createWritable" in FileSystemFileHandle.prototype
    ? navigator.storage.getDirectory()
    : undefined;

export class MemoryStore implements PartStore {
  private parts: Blob[] = [];
  private bytes = 0;

  async add(part: Blob): Promise<void> {
    if (this.bytes + part.size > memoryBytes) throw new Error("no memory for more");
    this.bytes += part.size;
    this.parts.push(part);
    await Promise.resolve();
  }

  finish(type: string): Promise<Blob> {
    return Promise.resolve(new Blob(this.parts, { type }));
  }

  async discard(): Promise<void> {
    this.parts = [];
    await Promise.resolve();
  }
}

export class FileStore implements PartStore {
  private readonly folder: Folder;
  private readonly name: string;
  private readonly files: FileSystemFileHandle[] = [];
  private open: { writable: FileSystemWritableFileStream; bytes: number } | undefined;

  private constructor(folder: Folder, name: string) {
    this.folder = folder;
    this.name = name;
  }

  static async open(folder: Folder, name: string): Promise<FileStore> {
    const store = new FileStore(folder, name);
    await store.next();
    return store;
  }

  async add(part: Blob): Promise<void> {
    const open = this.open ?? (await this.next());
    await open.writable.write(part);
    open.bytes += part.size;
    if (open.bytes >= fileBytes) await this.closeOne();
  }

  async finish(type: string): Promise<Blob> {
    // A full disk may refuse the last file; what was closed before is there.
    await this.closeOne().catch(() => this.files.pop());
    return new Blob(await Promise.all(this.files.map((file) => file.getFile())), { type });
  }

  async discard(): Promise<void> {
    await this.open?.writable.abort().catch(() => undefined);
    for (const file of this.files.splice(0)) await this.folder.removeEntry(file.name).catch(() => undefined);
  }

  private async next(): Promise<{ writable: FileSystemWritableFileStream; bytes: number }> {
    const file = await this.folder.getFileHandle(`${this.name}-${this.files.length}`, { create: true });
    this.files.push(file);
    this.open = { writable: await file.createWritable(), bytes: 0 };
    return this.open;
  }

  private async closeOne(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    await open?.writable.close();
  }
}
