// What goes over the data channel of a link (PROTOCOL.md, "The data channel").
import { Chains, link, partBytes, partsOf, readPart, type Bytes } from "./chain";
import { base64, digest, type FileProblem, type Source } from "./types";

/** The part of an RTCDataChannel that is used. */
export interface Channel {
  bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  onbufferedamountlow: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent) => unknown) | null;
  send(data: string): void;
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- RTCDataChannel has it as overloads
  send(data: ArrayBufferView<ArrayBuffer>): void;
}

const pieceBytes = 64 << 10;
const mostBuffered = 1 << 20;
const lowBuffered = 256 << 10;
/** So much may be on its way and not yet kept by the other end, whose memory it would fill. */
const windowBytes = 16 * partBytes;
const maxWords = 1000;

interface Words {
  want?: { file?: unknown; offset?: unknown; after?: unknown };
  have?: { size?: unknown };
  fail?: unknown;
  part?: { length?: unknown; sum?: unknown };
  end?: { chain?: unknown };
  got?: { offset?: unknown };
}

function words(data: unknown): Words {
  if (typeof data !== "string" || data.length > maxWords) return {};
  try {
    const read: unknown = JSON.parse(data);
    return typeof read === "object" && read !== null ? read : {};
  } catch {
    return {};
  }
}

const count = (value: unknown, most: number): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most ? value : undefined;

export interface GiverDeps {
  file: string;
  source: Source;
  chains: Chains;
  channel: Channel;
  /** Bytes that the other end has kept. */
  onProgress: (done: number) => void;
  /** The other end has all of it. */
  onDone: () => void;
  onStop: (problem: FileProblem) => void;
}

/** The end that sends. */
export class Giver {
  private readonly deps: GiverDeps;
  private begun = false;
  private ended = false;
  private stopped = false;
  private kept = 0;
  private wake: (() => void) | undefined;

  constructor(deps: GiverDeps) {
    this.deps = deps;
    const { channel } = deps;
    channel.bufferedAmountLowThreshold = lowBuffered;
    channel.onbufferedamountlow = () => this.wake?.();
    channel.onmessage = ({ data }) => this.take(words(data));
  }

  stop(): void {
    this.stopped = true;
    this.wake?.();
  }

  private take({ want, got }: Words): void {
    const { size } = this.deps.source;
    if (want && !this.begun) {
      this.begun = true;
      void this.run(want).catch(() => this.fail("unreadable"));
    }
    const offset = count(got?.offset, size);
    if (offset === undefined || offset < this.kept) return;
    this.kept = offset;
    this.deps.onProgress(offset);
    this.wake?.();
    if (offset === size && this.ended) {
      this.stop();
      this.deps.onDone();
    }
  }

  private async run({ file, offset, after }: NonNullable<Words["want"]>): Promise<void> {
    const { source, chains } = this.deps;
    const at = count(offset, source.size);
    if (file !== this.deps.file || at === undefined || (at % partBytes !== 0 && at !== source.size)) {
      this.say({ fail: "gone" });
      return;
    }
    this.kept = at;
    if (base64(await chains.after(partsOf(at))) !== after) {
      this.kept = 0;
      this.begun = false; // it may begin anew
      this.say({ fail: "changed" });
      return;
    }
    this.say({ have: { size: source.size } });
    for (let from = at; from < source.size && !this.stopped; from += partBytes) await this.sendPart(from);
    const chain = base64(await chains.after(partsOf(source.size)));
    this.ended = true;
    this.say({ end: { chain } });
  }

  private async sendPart(from: number): Promise<void> {
    const { source, chains } = this.deps;
    const part = await readPart(source, from);
    if (part.byteLength !== Math.min(partBytes, source.size - from)) throw new Error("the file is cut");
    const sum = await digest(part);
    await chains.add(from / partBytes, sum);
    for (let at = 0; at < part.byteLength; at += pieceBytes) {
      await this.room(from + at);
      if (this.stopped) return;
      this.deps.channel.send(new Uint8Array(part, at, Math.min(pieceBytes, part.byteLength - at)));
    }
    this.say({ part: { length: part.byteLength, sum: base64(sum) } });
  }

  /** Waits until what is at an offset may be sent. */
  private async room(offset: number): Promise<void> {
    const full = () => this.deps.channel.bufferedAmount > mostBuffered || offset - this.kept > windowBytes;
    while (!this.stopped && full()) await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
  }

  private fail(problem: FileProblem): void {
    if (this.stopped) return;
    this.say({ fail: "gone" });
    this.stop();
    this.deps.onStop(problem);
  }

  private say(message: Words): void {
    if (this.stopped) return;
    try {
      this.deps.channel.send(JSON.stringify(message));
    } catch {
      this.stop(); // closed meanwhile, which the link tells
    }
  }
}

/** Where the end that gets a file keeps it. */
export interface Keeping {
  readonly offset: number;
  readonly chain: Bytes;
  /** Keeps a part that is right and comes next, with the chain after it. */
  add(part: ArrayBuffer, chain: Bytes): Promise<void>;
  /** Forgets all that is kept. */
  begin(): Promise<void>;
}

export interface GetterDeps {
  file: string;
  /** As the message said. */
  size: number;
  keeping: Keeping;
  channel: Channel;
  onProgress: (done: number) => void;
  onDone: () => void;
  onStop: (problem: FileProblem) => void;
}

/** The end that asks. */
export class Getter {
  private readonly deps: GetterDeps;
  private part = new Uint8Array(partBytes);
  private filled = 0;
  private sending = false;
  private over = false;
  private queue: Promise<void> = Promise.resolve();

  constructor(deps: GetterDeps) {
    this.deps = deps;
    deps.channel.onmessage = ({ data }) => this.enqueue(data);
    this.want();
  }

  stop(): void {
    this.over = true;
  }

  private want(): void {
    const { file, keeping } = this.deps;
    this.say({ want: { file, offset: keeping.offset, after: base64(keeping.chain) } });
  }

  /** One message after the other: the window of the other end bounds how many wait. */
  private enqueue(data: unknown): void {
    this.queue = this.queue
      .then(async () => {
        if (this.over) return;
        if (data instanceof ArrayBuffer) this.fill(new Uint8Array(data));
        else await this.take(words(data));
      })
      .catch(() => this.fail("no_room"));
  }

  private fill(piece: Uint8Array): void {
    if (!this.sending || this.filled + piece.length > partBytes) {
      this.fail("changed");
      return;
    }
    this.part.set(piece, this.filled);
    this.filled += piece.length;
  }

  private async take({ have, fail, part, end }: Words): Promise<void> {
    if (have) {
      this.sending = have.size === this.deps.size;
      if (!this.sending) this.fail("changed");
    } else if (part) {
      await this.keep(part);
    } else if (end) {
      await this.finish(end);
    } else if (fail === "changed" && this.deps.keeping.offset > 0) {
      await this.deps.keeping.begin();
      this.want();
    } else if (fail !== undefined) {
      this.fail(fail === "changed" ? "changed" : "no_such_file");
    }
  }

  private async keep({ length, sum }: NonNullable<Words["part"]>): Promise<void> {
    const { keeping, size } = this.deps;
    const content = this.part.buffer.slice(0, this.filled);
    const due = Math.min(partBytes, size - keeping.offset);
    this.filled = 0;
    const own = await digest(content);
    if (length !== content.byteLength || length !== due || length === 0 || sum !== base64(own)) {
      this.fail("wrong_checksum");
      return;
    }
    await keeping.add(content, await link(keeping.chain, own));
    if (this.over) return;
    this.deps.onProgress(keeping.offset);
    this.got();
  }

  private async finish({ chain }: NonNullable<Words["end"]>): Promise<void> {
    const { keeping, size } = this.deps;
    if (keeping.offset !== size || chain !== base64(keeping.chain)) {
      await keeping.begin();
      this.fail("wrong_checksum");
      return;
    }
    this.got();
    this.over = true;
    this.deps.onDone();
  }

  private got(): void {
    this.say({ got: { offset: this.deps.keeping.offset } });
  }

  private fail(problem: FileProblem): void {
    if (this.over) return;
    this.over = true;
    this.deps.onStop(problem);
  }

  private say(message: Words): void {
    try {
      this.deps.channel.send(JSON.stringify(message));
    } catch {
      this.over = true; // closed meanwhile, which the link tells
    }
  }
}
