// A file that somebody else, or another device of the same person, has sent: looked for on
// this device, at the server, and asked for from the device that has it.
import type { Signal } from "@preact/signals";
import { ApiError } from "../protocol/api";
import { newName, type Payload } from "../protocol/messages";
import { isGroup, type FileInfo } from "../protocol/texts";
import { link as chainLink, partBytes } from "./chain";
import { Getter } from "./channel";
import type { FilesDeps } from "./deps";
import { FileLink } from "./link";
import { smallBytes } from "./outgoing";
import { digest, type FileProblem, type FileState } from "./types";

export interface IncomingOptions {
  me: string;
  /** User id of who sent it. */
  from: string;
  chat: string;
  info: FileInfo;
  /** When it was sent, by the server's clock. */
  at: number;
  state: Signal<FileState>;
}

const pausesMs = [1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000];
const againMs = 500;
/** What was just sent is fetched by itself, up to this size. */
const freshMs = 60_000;
const mostByItself = 512 << 20;
const mostDamaged = 3;
const takenMs = 15_000;
/** What is said last must leave before the connection closes. */
const lastWordsMs = 500;

export class Incoming {
  readonly options: IncomingOptions;
  private readonly deps: FilesDeps;
  private watchers = 0;
  private wanted = false;
  private decided = false;
  private looking = false;
  private pauses = 0;
  private damaged = 0;
  private timer: number | undefined;
  /** The attempt that goes on. */
  private name: string | undefined;
  private link: FileLink | undefined;
  private getter: Getter | undefined;

  constructor(deps: FilesDeps, options: IncomingOptions) {
    this.deps = deps;
    this.options = options;
  }

  /** It is on the screen. */
  appear(): void {
    this.watchers += 1;
    if (this.watchers === 1 && !this.settled) this.soon(0);
  }

  /** It is not any more; what is being fetched goes on. */
  vanish(): void {
    this.watchers -= 1;
    if (this.watchers === 0 && !this.wanted) this.deps.timers.clear(this.timer);
  }

  /** The person wants it from the other device. */
  want(): void {
    this.wanted = true;
    this.decided = true;
    this.damaged = this.pauses = 0;
    if (this.options.state.value.kind === "stopped") this.options.state.value = { kind: "awaited", done: 0 };
    this.soon(0);
  }

  cancel(): void {
    this.halt();
    this.wanted = false;
    this.decided = true;
    this.options.state.value = { kind: "stopped", problem: "cancelled" };
    void this.deps.store.forget(this.options.info.file).catch(() => undefined);
  }

  halt(): void {
    this.deps.timers.clear(this.timer);
    this.end(true);
  }

  /** The server can be reached again, or the sender is back. */
  hurry(): void {
    this.pauses = 0;
    if ((this.watchers > 0 || this.wanted) && !this.settled) this.soon(0);
  }

  has(link: string): boolean {
    return this.name === link;
  }

  taken(link: string): void {
    if (this.name !== link || this.link) return;
    this.deps.timers.clear(this.timer);
    this.link = new FileLink({
      ...this.deps,
      asking: true,
      send: (payload) => this.deps.request("file.signal", { link, payload }),
      onOpen: (channel) => void this.get(channel),
      onOver: () => this.broken(),
    });
  }

  signal(link: string, payload: Payload): void {
    if (this.name === link) this.link?.receive(payload);
  }

  dropped(link: string): void {
    if (this.name === link) this.broken();
  }

  private get settled(): boolean {
    const { kind } = this.options.state.value;
    return kind === "here" || kind === "kept" || kind === "stopped";
  }

  private soon(ms: number): void {
    this.deps.timers.clear(this.timer);
    this.timer = this.deps.timers.set(() => void this.look(), ms);
  }

  private async look(): Promise<void> {
    if (this.looking || this.name !== undefined) return;
    this.looking = true;
    try {
      await this.find();
    } finally {
      this.looking = false;
    }
  }

  private async find(): Promise<void> {
    const { info, from, state } = this.options;
    const came = await this.deps.store.came(info.file).catch(() => undefined);
    if (came?.whole && came.size === info.size) {
      state.value = { kind: "here" };
      return;
    }
    if (came && !this.decided) this.wanted = this.decided = true; // it was being fetched before a reload
    if (!this.decided) await this.decide();
    await this.askServer(came?.offset ?? 0);
    if (this.settled) return;
    if (this.wanted && this.deps.present(from) && (await this.ask())) return;
    if (this.watchers > 0 || this.wanted) {
      this.soon(pausesMs[Math.min(this.pauses, pausesMs.length - 1)]!);
      this.pauses += 1;
    }
  }

  /** Whether to fetch it without being told to: just sent, by somebody in a chat of two, and there is room. */
  private async decide(): Promise<void> {
    const { me, from, chat, info, at } = this.options;
    this.decided = true;
    const fresh = this.deps.serverNow() - at < freshMs;
    const fits = info.size > smallBytes && info.size <= mostByItself;
    if (!fresh || !fits || isGroup(chat) || from === me || !this.deps.present(from)) return;
    const room = await this.deps.room().catch(() => undefined);
    this.wanted = room === undefined || room > 2 * info.size;
  }

  private async askServer(got: number): Promise<void> {
    const { info, state } = this.options;
    try {
      const { complete, offset, expires_at } = await this.deps.api.status(info.file);
      if (complete && got > 0 && this.wanted) await this.fetchRest();
      else if (complete) state.value = { kind: "kept", until: expires_at };
      else state.value = { kind: "awaited", done: Math.max(offset, got) };
      if (!complete && offset > 0) this.pauses = Math.min(this.pauses, 2); // it is on its way
    } catch (error) {
      const code = error instanceof ApiError ? error.code : "internal";
      if (code === "file_gone") state.value = { kind: "stopped", problem: code };
      else if (state.value.kind !== "moving") state.value = { kind: "awaited", done: got };
    }
  }

  /** What has come from the other device is continued from the server, which has it all by now. */
  private async fetchRest(): Promise<void> {
    const { info, state } = this.options;
    const keeping = await this.deps.store.keeping(info.file, info.size);
    while (keeping.offset < info.size && this.wanted) {
      state.value = { kind: "moving", way: "server", done: keeping.offset };
      const part = await this.deps.api.read(
        info.file,
        keeping.offset,
        Math.min(partBytes, info.size - keeping.offset),
      );
      await keeping.add(part, await chainLink(keeping.chain, await digest(part)));
    }
    if (this.wanted) await this.whole(keeping.whole);
  }

  /** Asks the devices of the sender; true when the question is out. */
  private async ask(): Promise<boolean> {
    const { info, from } = this.options;
    const link = newName("l", this.deps.random);
    this.name = link;
    try {
      await this.deps.request("file.ask", { link, file: info.file, from });
    } catch {
      if (this.name === link) this.name = undefined;
      return false;
    }
    // The server says when nobody has it; this is for when that is lost.
    if (this.name === link && !this.link) {
      this.deps.timers.clear(this.timer);
      this.timer = this.deps.timers.set(() => this.broken(), takenMs);
    }
    return true;
  }

  private async get(channel: RTCDataChannel): Promise<void> {
    const { info, state } = this.options;
    try {
      const keeping = await this.deps.store.keeping(info.file, info.size);
      if (!this.link) return;
      state.value = { kind: "moving", way: "direct", done: keeping.offset };
      this.getter = new Getter({
        file: info.file,
        size: info.size,
        keeping,
        channel,
        onProgress: (done) => {
          this.pauses = 0;
          state.value = { kind: "moving", way: "direct", done };
        },
        onDone: () => void this.whole(keeping.whole),
        onStop: (problem) => this.failed(problem),
      });
    } catch {
      this.failed("no_room");
    }
  }

  private async whole(mark: () => Promise<void>): Promise<void> {
    const { name, link } = this;
    this.name = this.link = this.getter = undefined;
    this.wanted = false;
    this.deps.timers.set(() => {
      link?.close();
      if (name !== undefined) void this.deps.request("file.drop", { link: name }).catch(() => undefined);
    }, lastWordsMs);
    try {
      await mark();
      this.options.state.value = { kind: "here" };
    } catch {
      this.options.state.value = { kind: "stopped", problem: "no_room" };
    }
  }

  private failed(problem: FileProblem): void {
    this.end(true);
    if (problem === "no_room") {
      this.wanted = false;
      void this.deps.store.forget(this.options.info.file).catch(() => undefined);
      this.options.state.value = { kind: "stopped", problem };
      return;
    }
    this.damaged += 1;
    if (problem === "no_such_file" || this.damaged >= mostDamaged) this.wanted = false;
    this.again();
  }

  /** The link came to nothing, or broke: what is kept is kept. */
  private broken(): void {
    const went = this.link !== undefined;
    this.end(!went);
    if (went) this.pauses = 0;
    this.again();
  }

  private again(): void {
    const { state } = this.options;
    if (state.value.kind === "moving") state.value = { kind: "awaited", done: state.value.done };
    this.soon(this.pauses === 0 ? againMs : pausesMs[Math.min(this.pauses, pausesMs.length - 1)]!);
    this.pauses += 1;
  }

  private end(tell: boolean): void {
    const { name } = this;
    this.getter?.stop();
    this.link?.close();
    this.name = this.link = this.getter = undefined;
    if (tell && name !== undefined)
      void this.deps.request("file.drop", { link: name }).catch(() => undefined);
  }
}
