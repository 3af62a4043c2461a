// What was written here and is not known to be stored by the server. It is kept on the
// device, so that neither a reload nor a server out of reach loses it.
import { computed, signal } from "@preact/signals";
import type { Timers } from "../../protocol/clock";
import type { ClientData } from "../../protocol/messages";
import { RequestError, type Answer, type RequestProblem } from "../../protocol/pending";
import type { FileInfo } from "../../protocol/texts";
import type { Kept } from "../storage";

export interface Unsent {
  message: string;
  chat: string;
  body: string;
  file?: FileInfo;
  /** Unix milliseconds by the server's clock. */
  at: number;
  /** It was refused: only the person can send it again. */
  failed?: boolean;
  problem?: RequestProblem;
}

export interface Sent {
  pos: number;
  rev: number;
  server_time: number;
}

export interface OutboxDeps {
  send: (data: ClientData["text.send"]) => Promise<Answer>;
  online: () => boolean;
  timers: Timers;
  kept: Kept;
  /** It is stored by the server, and has been for longer where again is true. */
  onSent: (unsent: Unsent, sent: Sent, again: boolean) => void;
}

const maxUnsent = 200;
/** What the device is asked to keep, in characters. */
const maxKept = 1_000_000;
const pausesMs = [2_000, 5_000, 15_000, 30_000];

/** Refusals that time does not cure. */
const final: readonly RequestProblem[] = [
  "no_such_chat",
  "blocked",
  "bad_data",
  "bad_json",
  "not_allowed",
  "unknown_type",
];

export class Outbox {
  readonly all = signal<readonly Unsent[]>([]);
  readonly waiting = computed(() => this.all.value.length);
  private readonly deps: OutboxDeps;
  private key: string | undefined;
  private readonly sending = new Set<string>();
  /** What may have been stored although no answer came. */
  private readonly tried = new Set<string>();
  private wakes = 0;
  private pauses = 0;
  private timer: number | undefined;

  constructor(deps: OutboxDeps) {
    this.deps = deps;
  }

  /** Takes up what this device kept for the user. */
  open(user: string): void {
    this.key = `outbox.${user}`;
    this.all.value = this.stored() ?? [];
    for (const unsent of this.all.value) this.tried.add(unsent.message);
  }

  /** Forgets what is in memory; forever, also what the device kept. */
  close(forever: boolean): void {
    if (forever && this.key !== undefined) this.deps.kept.set(this.key, undefined);
    this.deps.timers.clear(this.timer);
    this.key = undefined;
    this.tried.clear();
    this.all.value = [];
  }

  /** Whether there is room for one more. */
  get full(): boolean {
    const { value } = this.all;
    return value.length >= maxUnsent || JSON.stringify(value).length > maxKept;
  }

  add(unsent: Unsent): void {
    this.change((all) => [...all, unsent]);
    void this.pump(unsent.chat);
  }

  retry(message: string): void {
    const unsent = this.all.value.find((each) => each.message === message);
    if (!unsent) return;
    this.put({ ...unsent, failed: undefined, problem: undefined });
    void this.pump(unsent.chat);
  }

  remove(message: string): void {
    if (this.all.value.some((each) => each.message === message))
      this.change((all) => all.filter((each) => each.message !== message));
    this.tried.delete(message);
  }

  /** The server can be reached: everything that waits goes on its way, also what another tab left. */
  wake(): void {
    this.pauses = 0;
    this.wakes += 1;
    this.all.value = this.merged();
    for (const chat of new Set(this.all.value.map((each) => each.chat))) void this.pump(chat);
  }

  /** Sends what waits in a chat, one after the other, so that the order stays. */
  private async pump(chat: string): Promise<void> {
    if (this.sending.has(chat)) return;
    this.sending.add(chat);
    try {
      for (let next = this.next(chat); next; next = this.next(chat)) {
        if (!this.deps.online() || !(await this.deliver(next))) break;
      }
    } finally {
      this.sending.delete(chat);
    }
  }

  private next(chat: string): Unsent | undefined {
    return this.all.value.find((each) => each.chat === chat && !each.failed);
  }

  /** True when the next one may go. */
  private async deliver(unsent: Unsent): Promise<boolean> {
    const { message, chat, body, file } = unsent;
    const { key, wakes } = this;
    const again = this.tried.has(message);
    this.tried.add(message);
    try {
      const answer = await this.deps.send({ message, chat, body, ...(file ? { file } : {}) });
      if (key !== this.key) return false;
      this.pauses = 0;
      if (answer.type === "text.sent") this.deps.onSent(unsent, answer.data, again || wakes !== this.wakes);
      this.remove(message);
      return true;
    } catch (error) {
      if (key !== this.key) return false;
      const problem = error instanceof RequestError ? error.code : "internal";
      const known = this.all.value.find((each) => each.message === message);
      if (!known) return true;
      if (final.includes(problem)) {
        this.put({ ...known, failed: true, problem });
        return true;
      }
      if (problem !== "no_answer" && problem !== "stopped") this.put({ ...known, problem });
      this.later();
      return false;
    }
  }

  private later(): void {
    const pause = pausesMs[Math.min(this.pauses, pausesMs.length - 1)]!;
    this.deps.timers.clear(this.timer);
    this.timer = this.deps.timers.set(() => {
      const { pauses } = this;
      this.wake();
      this.pauses = pauses + 1;
    }, pause);
  }

  private put(unsent: Unsent): void {
    this.change((all) => all.map((each) => (each.message === unsent.message ? unsent : each)));
  }

  /** Changes what is held and what is kept, which other tabs of this user change as well. */
  private change(change: (all: readonly Unsent[]) => Unsent[]): void {
    this.all.value = change(this.all.value);
    if (this.key === undefined) return;
    const kept = change(this.stored() ?? []);
    this.deps.kept.set(this.key, kept.length > 0 ? JSON.stringify(kept) : undefined);
  }

  private merged(): Unsent[] {
    const held = new Set(this.all.value.map((each) => each.message));
    const left = (this.stored() ?? []).filter((each) => !held.has(each.message));
    for (const unsent of left) this.tried.add(unsent.message);
    return [...this.all.value, ...left];
  }

  private stored(): Unsent[] | undefined {
    if (this.key === undefined) return undefined;
    try {
      const list = JSON.parse(this.deps.kept.get(this.key) ?? "[]") as (Unsent | null)[];
      return list.filter((each): each is Unsent =>
        [each?.message, each?.chat, each?.body].every((text) => typeof text === "string"),
      );
    } catch {
      return undefined;
    }
  }
}
