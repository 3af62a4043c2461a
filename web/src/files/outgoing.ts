// A file that this device sends: straight to the other device when that asks for it in
// time, else to the server.
import type { Signal } from "@preact/signals";
import { isGroup, type FileInfo } from "../protocol/texts";
import type { FileAsked } from "./asked";
import { Chains } from "./chain";
import { Giver } from "./channel";
import type { FilesDeps } from "./deps";
import { FileLink } from "./link";
import type { Payload } from "../protocol/messages";
import type { FileProblem, FileState } from "./types";
import { Upload } from "./upload";

/** What is not larger always goes by the server at once, so that it is there later and on other devices. */
export const smallBytes = 1 << 20;
/** The other device asks at once when its conversation is open. */
const askMs = 8_000;
/** After a link that broke it may ask again. */
const againMs = 20_000;
const mostLinks = 3;

interface Given {
  link: FileLink;
  giver: Giver | undefined;
  toPeer: boolean;
  done: number;
}

export interface OutgoingOptions {
  me: string;
  chat: string;
  info: FileInfo;
  content: Blob;
  state: Signal<FileState>;
}

export class Outgoing {
  readonly options: OutgoingOptions;
  private readonly deps: FilesDeps;
  private readonly chains: Chains;
  private readonly links = new Map<string, Given>();
  private upload: Upload | undefined;
  private timer: number | undefined;
  private over = false;
  private uploaded = 0;

  constructor(deps: FilesDeps, options: OutgoingOptions) {
    this.deps = deps;
    this.options = options;
    this.chains = new Chains(options.content);
  }

  /** Waits for the other device, or goes to the server where that has no sense. */
  start(): void {
    const { chat, info } = this.options;
    this.over = false;
    const direct = info.size > smallBytes && !isGroup(chat) && this.deps.present(chat);
    this.options.state.value = { kind: "offered" };
    if (direct) this.wait(askMs);
    else this.toServer();
  }

  /** A device wants it. */
  async asked({ link, by }: FileAsked): Promise<void> {
    const { me, chat } = this.options;
    if ((by.id !== chat && by.id !== me) || this.links.size >= mostLinks || this.cancelled) return;
    try {
      await this.deps.request("file.take", { link });
    } catch {
      return; // another device was quicker, or nobody waits any more
    }
    const given: Given = {
      giver: undefined,
      toPeer: by.id === chat,
      done: 0,
      link: new FileLink({
        ...this.deps,
        asking: false,
        send: (payload) => this.deps.request("file.signal", { link, payload }),
        onOpen: (channel) => this.give(link, channel),
        onOver: () => this.lost(link),
      }),
    };
    this.links.set(link, given);
  }

  has(link: string): boolean {
    return this.links.has(link);
  }

  signal(link: string, payload: Payload): void {
    this.links.get(link)?.link.receive(payload);
  }

  /** The other device, or the server, says that a link is over. */
  dropped(link: string): void {
    this.lost(link);
  }

  retry(): void {
    this.over = false;
    this.toServer();
  }

  /** The server can be reached again. */
  hurry(): void {
    this.upload?.hurry();
  }

  /** Takes it back. */
  cancel(): void {
    this.halt();
    this.options.state.value = { kind: "stopped", problem: "cancelled" };
    void this.deps.api.remove(this.options.info.file).catch(() => undefined);
  }

  /** Lets go of everything. */
  halt(): void {
    this.over = true;
    this.deps.timers.clear(this.timer);
    this.upload?.cancel();
    for (const link of [...this.links.keys()]) this.end(link, true);
  }

  private get cancelled(): boolean {
    const { value } = this.options.state;
    return value.kind === "stopped" && value.problem === "cancelled";
  }

  private wait(ms: number): void {
    this.deps.timers.clear(this.timer);
    this.timer = this.deps.timers.set(() => this.toServer(), ms);
  }

  private give(link: string, channel: RTCDataChannel): void {
    const given = this.links.get(link);
    if (!given) return;
    const { info, content } = this.options;
    if (given.toPeer && !this.over) {
      this.deps.timers.clear(this.timer);
      this.upload?.cancel();
    }
    given.giver = new Giver({
      file: info.file,
      source: content,
      chains: this.chains,
      channel,
      onProgress: (done) => {
        given.done = done;
        this.show();
      },
      onDone: () => this.given(link),
      onStop: (problem) => {
        this.end(link, true);
        this.stop(problem);
      },
    });
  }

  private show(): void {
    if (this.over) return;
    const done = Math.max(
      ...[...this.links.values()].filter((each) => each.toPeer).map((each) => each.done),
      0,
    );
    this.options.state.value = { kind: "moving", way: "direct", done };
  }

  /** The other device has all of it; it closes the link itself. */
  private given(link: string): void {
    const given = this.links.get(link);
    if (!given) return;
    given.giver = undefined;
    if (!given.toPeer || this.over) return;
    this.over = true;
    this.deps.timers.clear(this.timer);
    this.upload?.cancel();
    const { info, chat, state } = this.options;
    state.value = { kind: "given" };
    if (this.uploaded > 0) void this.deps.api.remove(info.file).catch(() => undefined);
    const note = { file: info.file, chat, info, at: Date.now(), given: true };
    void this.deps.store.sending(note).catch(() => undefined);
  }

  private lost(link: string): void {
    const given = this.links.get(link);
    if (!given) return;
    this.end(link, false);
    if (this.over || !given.toPeer || this.upload || [...this.links.values()].some((each) => each.toPeer))
      return;
    this.options.state.value = { kind: "offered" };
    this.wait(againMs);
  }

  private end(link: string, tell: boolean): void {
    const given = this.links.get(link);
    this.links.delete(link);
    given?.giver?.stop();
    given?.link.close();
    if (given && tell) void this.deps.request("file.drop", { link }).catch(() => undefined);
  }

  private toServer(): void {
    if (this.over || this.upload) return;
    const { info, chat, content, state } = this.options;
    const upload = new Upload({
      api: this.deps.api,
      info,
      chat,
      source: content,
      timers: this.deps.timers,
      now: this.deps.now,
      onProgress: (done) => {
        this.uploaded = done;
        if (this.upload === upload) state.value = { kind: "moving", way: "server", done };
      },
    });
    this.upload = upload;
    void upload.run().then((end) => {
      if (this.upload !== upload) return;
      this.upload = undefined;
      if ("problem" in end) {
        if (end.problem !== "cancelled") this.stop(end.problem);
        return;
      }
      if (this.over) return;
      this.over = true;
      state.value = { kind: "kept", until: end.until };
      void this.deps.store.forget(info.file).catch(() => undefined);
    });
  }

  private stop(problem: FileProblem): void {
    if (this.over) return;
    this.options.state.value = { kind: "stopped", problem };
  }
}
