// Files on this device, in IndexedDB: parts that have come, each a Blob, which browsers
// keep on disk and not in memory; and what is to be sent, for after a reload.
import type { Keeping } from "./channel";
import { partBytes, partsOf, type Bytes } from "./chain";
import type { FileInfo } from "../protocol/texts";

/** A file that came, or comes, from another device. */
interface Came {
  file: string;
  user: string;
  size: number;
  offset: number;
  chain: Bytes;
  /** Unix milliseconds by the device's clock. */
  at: number;
  whole: boolean;
}

/** A file that is to be sent. */
export interface Going {
  file: string;
  user: string;
  chat: string;
  info: FileInfo;
  at: number;
  /** Absent where the browser did not keep it, or when it has gone. */
  content?: Blob | undefined;
  /** It has gone to another device. */
  given?: boolean;
}

const keepWholeMs = 30 * 86_400_000;
const keepPartMs = 3 * 86_400_000;
/** Larger ones are not copied into the browser's store; they must be chosen again after a reload. */
const mostKept = 2 ** 30;

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("storage"));
  });

const committed = (tx: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onerror = tx.onabort = () => reject(tx.error ?? new Error("storage"));
  });

const partsOfFile = (file: string) => IDBKeyRange.bound([file, 0], [file, Number.MAX_SAFE_INTEGER]);

export class FileStore {
  private readonly open: () => IDBFactory | undefined;
  private readonly now: () => number;
  private db: Promise<IDBDatabase> | undefined;
  private user = "";

  constructor(open: () => IDBFactory | undefined, now: () => number) {
    this.open = open;
    this.now = now;
  }

  /** What waits to be sent by a user; what is too old is forgotten. */
  async enter(user: string): Promise<Going[]> {
    this.user = user;
    const db = await this.opened();
    const came = (await done(db.transaction("came").objectStore("came").getAll())) as Came[];
    for (const { file, at, whole } of came)
      if (this.now() - at > (whole ? keepWholeMs : keepPartMs)) await this.forget(file);
    const going = (await done(db.transaction("going").objectStore("going").getAll())) as Going[];
    for (const { file, at } of going) if (this.now() - at > keepWholeMs) await this.forget(file);
    return going.filter((each) => each.user === user);
  }

  /** Forgets everything of the user of this page. */
  async leave(): Promise<void> {
    const { user } = this;
    const db = await this.opened();
    for (const name of ["came", "going"] as const) {
      const all = (await done(db.transaction(name).objectStore(name).getAll())) as {
        file: string;
        user: string;
      }[];
      for (const each of all) if (each.user === user) await this.forget(each.file);
    }
  }

  async forget(file: string): Promise<void> {
    const tx = (await this.opened()).transaction(["came", "parts", "going"], "readwrite");
    tx.objectStore("came").delete(file);
    tx.objectStore("going").delete(file);
    tx.objectStore("parts").delete(partsOfFile(file));
    await committed(tx);
  }

  /** Keeps what is to be sent, with its content where that may be. */
  async sending(going: Omit<Going, "user">): Promise<void> {
    const kept: Going = { ...going, user: this.user };
    if ((going.content?.size ?? 0) > mostKept) kept.content = undefined;
    try {
      await this.put("going", kept);
    } catch {
      // A browser that keeps no files, or has no room, may still keep the rest.
      await this.put("going", { ...kept, content: undefined });
    }
  }

  async going(file: string): Promise<Going | undefined> {
    const db = await this.opened();
    return (await done(db.transaction("going").objectStore("going").get(file))) as Going | undefined;
  }

  /** Where a file that comes is kept. It is of another size than before: it begins anew. */
  async keeping(file: string, size: number): Promise<Keeping & { whole: () => Promise<void> }> {
    const found = await this.came(file);
    let came = found?.size === size && found.user === this.user ? found : undefined;
    if (!came) {
      if (found) await this.forget(file);
      came = this.fresh(file, size);
    }
    let state = came;
    const save = async (next: Came, part?: Blob) => {
      const tx = (await this.opened()).transaction(["came", "parts"], "readwrite");
      if (part) tx.objectStore("parts").put(part, [file, state.offset / partBytes]);
      tx.objectStore("came").put(next);
      await committed(tx);
      state = next;
    };
    return {
      get offset() {
        return state.offset;
      },
      get chain() {
        return state.chain;
      },
      add: (part, chain) =>
        save({ ...state, offset: state.offset + part.byteLength, chain, at: this.now() }, new Blob([part])),
      begin: async () => {
        await this.forget(file);
        state = this.fresh(file, size);
      },
      whole: () => save({ ...state, whole: true, at: this.now() }),
    };
  }

  /** How much of a file has come, and whether that is all; nothing for one that never began. */
  async came(file: string): Promise<Came | undefined> {
    const db = await this.opened();
    return (await done(db.transaction("came").objectStore("came").get(file))) as Came | undefined;
  }

  /** A file that has come whole; its parts stay on disk. */
  async content(file: string, type: string): Promise<Blob | undefined> {
    const came = await this.came(file);
    if (!came?.whole || came.user !== this.user) return undefined;
    const db = await this.opened();
    const parts = (await done(
      db.transaction("parts").objectStore("parts").getAll(partsOfFile(file)),
    )) as Blob[];
    const whole = new Blob(parts, { type });
    return parts.length === partsOf(came.size) && whole.size === came.size ? whole : undefined;
  }

  private fresh(file: string, size: number): Came {
    return { file, user: this.user, size, offset: 0, chain: new Uint8Array(0), at: this.now(), whole: false };
  }

  private async put(name: "came" | "going", value: Came | Going): Promise<void> {
    const tx = (await this.opened()).transaction(name, "readwrite");
    tx.objectStore(name).put(value);
    await committed(tx);
  }

  /** Rejects where the browser has no store, or refuses it. */
  private opened(): Promise<IDBDatabase> {
    this.db ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = this.open()?.open("fieldphone.files", 1);
      if (!request) {
        reject(new Error("no storage"));
        return;
      }
      request.onupgradeneeded = () => {
        request.result.createObjectStore("came", { keyPath: "file" });
        request.result.createObjectStore("going", { keyPath: "file" });
        request.result.createObjectStore("parts");
      };
      request.onsuccess = () => {
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = () => reject(request.error ?? new Error("storage"));
    });
    return this.db;
  }
}
