// All files of the user of this page: what goes and what comes, and where each stands.
import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { maxFileName, maxFileSize, newName, type ServerMessage } from "../protocol/messages";
import type { FileInfo, FileKind, TextMessage } from "../protocol/texts";
import type { FilesDeps } from "./deps";
import { Incoming } from "./incoming";
import { Outgoing } from "./outgoing";
import type { Going } from "./store";
import type { FileState } from "./types";

/** What a bubble needs to know of the message that a file goes with. */
export type FileMessage = Pick<TextMessage, "message" | "chat" | "from" | "server_time"> & { file: FileInfo };

const typeRule = /^[!-~]{0,127}$/;
const mostOutgoing = 100;

export class Files {
  private readonly deps: FilesDeps;
  private me = "";
  private readonly states = new Map<string, Signal<FileState>>();
  private readonly outgoing = new Map<string, Outgoing>();
  private readonly incoming = new Map<string, Incoming>();
  /** Of files that this device was to send and cannot any more. */
  private readonly lost = new Map<string, Going>();

  constructor(deps: FilesDeps) {
    this.deps = deps;
  }

  /** Where a file stands. */
  state(file: string): ReadonlySignal<FileState> {
    return this.stateOf(file);
  }

  /** Somebody is in: what was to be sent before a reload goes on. */
  async open(user: string): Promise<void> {
    if (this.me === user) return;
    this.close(false);
    this.me = user;
    try {
      for (const going of await this.deps.store.enter(user)) if (this.me === user) this.restore(going);
    } catch (error) {
      this.deps.onProblem(`files: ${String(error)}`); // this browser keeps nothing
    }
  }

  /** Lets go of everything; forever, also of what this device keeps. */
  close(forever: boolean): void {
    for (const each of this.outgoing.values()) each.halt();
    for (const each of this.incoming.values()) each.halt();
    this.outgoing.clear();
    this.incoming.clear();
    this.states.clear();
    this.lost.clear();
    if (this.me !== "" && forever) void this.deps.store.leave().catch(() => undefined);
    this.me = "";
  }

  /** The line to the server is up, for the first time or again. */
  welcome(): void {
    for (const each of this.outgoing.values()) each.hurry();
    for (const each of this.incoming.values()) each.hurry();
  }

  /** Sends a file to a chat. False when that may not be. */
  send(chat: string, content: Blob, kind: FileKind, about: { name: string } & Partial<FileInfo>): boolean {
    if (content.size > maxFileSize) return false;
    const info: FileInfo = {
      ...about,
      file: newName("f", this.deps.random),
      kind,
      name: oneLine(about.name),
      type: typeRule.test(content.type) ? content.type : "",
      size: content.size,
    };
    if (!this.deps.announce(chat, info)) return false;
    this.begin(chat, info, content);
    const going = { file: info.file, chat, info, content, at: Date.now() };
    void this.deps.store
      .sending(going)
      .catch((error: unknown) => this.deps.onProblem(`keep a file: ${String(error)}`));
    return true;
  }

  /** The bubble of a file is on the screen, until the function that is returned is called. */
  appear({ file: info, from, chat, server_time: at }: FileMessage): () => void {
    if (this.outgoing.has(info.file) || this.lost.has(info.file)) return () => undefined;
    const state = this.stateOf(info.file);
    if (state.value.kind === "given") return () => undefined;
    let file = this.incoming.get(info.file);
    if (!file) {
      file = new Incoming(this.deps, { me: this.me, from: from.id, chat, info, at, state });
      this.incoming.set(info.file, file);
    }
    file.appear();
    return () => file.vanish();
  }

  /** The person wants a file from the device that has it. */
  want(file: string): void {
    this.incoming.get(file)?.want();
  }

  cancel(file: string): void {
    const going = this.outgoing.get(file);
    if (going) going.cancel();
    else this.incoming.get(file)?.cancel();
    this.lost.delete(file);
    void this.deps.store.forget(file).catch(() => undefined);
  }

  retry(file: string): void {
    const going = this.outgoing.get(file);
    if (going) going.retry();
    else this.want(file);
  }

  /** Takes the same file, chosen again by the person; false if it is another one. */
  chosen(file: string, content: Blob): boolean {
    const going = this.lost.get(file);
    if (!going || content.size !== going.info.size) return false;
    this.lost.delete(file);
    this.begin(going.chat, going.info, content);
    void this.deps.store.sending({ ...going, content }).catch(() => undefined);
    return true;
  }

  /** The content, where it is on this device. */
  async content({ file, type }: FileInfo): Promise<Blob | undefined> {
    const going = this.outgoing.get(file);
    if (going) return going.options.content;
    return this.deps.store.content(file, type).catch(() => undefined);
  }

  /** Whether this device sends the file, or was to. */
  sends(file: string): boolean {
    return this.outgoing.has(file) || this.lost.has(file);
  }

  /** Takes what is about files; false for everything else. */
  take(message: ServerMessage): boolean {
    if (message.type === "file.asked") {
      void this.outgoing.get(message.data.file)?.asked(message.data);
      return true;
    }
    if (message.type !== "file.taken" && message.type !== "file.signal" && message.type !== "file.drop")
      return false;
    const { link } = message.data;
    const end =
      [...this.incoming.values()].find((each) => each.has(link)) ??
      [...this.outgoing.values()].find((each) => each.has(link));
    if (message.type === "file.signal") end?.signal(link, message.data.payload);
    else if (message.type === "file.drop") end?.dropped(link);
    else if (end instanceof Incoming) end.taken(link);
    return true;
  }

  private begin(chat: string, info: FileInfo, content: Blob): void {
    const going = new Outgoing(this.deps, {
      me: this.me,
      chat,
      info,
      content,
      state: this.stateOf(info.file),
    });
    this.outgoing.set(info.file, going);
    for (const [file, { options }] of this.outgoing) {
      if (this.outgoing.size <= mostOutgoing) break;
      if (["given", "kept"].includes(options.state.value.kind)) this.outgoing.delete(file);
    }
    going.start();
  }

  private restore(going: Going): void {
    const { file, chat, info, content, given } = going;
    if (given) {
      this.stateOf(file).value = { kind: "given" };
    } else if (content) {
      this.begin(chat, info, content);
    } else {
      this.lost.set(file, going);
      this.stateOf(file).value = { kind: "stopped", problem: "choose" };
    }
  }

  private stateOf(file: string): Signal<FileState> {
    let state = this.states.get(file);
    if (!state) {
      state = signal<FileState>({ kind: "unknown" });
      this.states.set(file, state);
    }
    return state;
  }
}

/** A name as the protocol takes it: one line, not too many bytes, nothing that turns the order of letters. */
function oneLine(name: string): string {
  // eslint-disable-next-line no-control-regex
  const clean = name.replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, "").trim() || "file";
  const encoder = new TextEncoder();
  if (encoder.encode(clean).length <= maxFileName) return clean;
  const ending = /\.[\w]{1,10}$/.exec(clean)?.[0] ?? "";
  const letters = [...clean.slice(0, clean.length - ending.length)];
  while (letters.length > 0 && encoder.encode(letters.join("") + ending).length > maxFileName) letters.pop();
  return letters.join("") + ending;
}
