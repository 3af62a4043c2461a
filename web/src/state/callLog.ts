// The calls that are over, newest first, and how many of them were missed since one looked.
import { computed, signal } from "@preact/signals";
import type { Api } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import type { ServerMessage } from "../protocol/messages";
import { pastCalls, seeCalls, type CallPage, type LoggedCall } from "../protocol/pastCalls";
import type { Keep } from "../call/types";

export interface CallLogDeps {
  api: Pick<Api, "call">;
  /** Kept for this device. */
  kept: Keep;
  timers: Timers;
  /** Whether the list is on the screen now. */
  lookedAt: () => boolean;
  onProblem: (problem: string) => void;
}

const pageSize = 50;
/** The server stores a call in the moment of its end. */
const settleMs = 400;
/** Unanswered calls that the person knows of. */
const seenThrough = ["declined", "blocked", "merged"];

/** Whether somebody called this person in vain. */
export function wasMissed(call: LoggedCall, me: string): boolean {
  return call.from.id !== me && call.seconds === undefined && !seenThrough.includes(call.reason);
}

export class CallLog {
  /** Undefined until they are loaded. */
  readonly calls = signal<LoggedCall[] | undefined>(undefined);
  readonly more = signal(false);
  readonly state = signal<"idle" | "loading" | "failed">("idle");
  readonly missed = computed(() => {
    const seen = this.seenAt.value;
    return (this.calls.value ?? []).filter((call) => wasMissed(call, this.me) && call.server_time > seen)
      .length;
  });
  private readonly seenAt = signal(0);
  private readonly deps: CallLogDeps;
  private me = "";
  private timer: number | undefined;

  constructor(deps: CallLogDeps) {
    this.deps = deps;
  }

  open(me: string): void {
    this.me = me;
    this.seenAt.value = Number(this.deps.kept.get(this.key)) || 0;
  }

  close(): void {
    this.deps.timers.clear(this.timer);
    this.me = "";
    this.calls.value = undefined;
    this.more.value = false;
    this.state.value = "idle";
  }

  /** A call has ended somewhere: look in a moment. */
  changed(): void {
    this.deps.timers.clear(this.timer);
    this.timer = this.deps.timers.set(() => void this.load(), settleMs);
  }

  /** Loads the newest; older ones that are here stay. */
  async load(): Promise<void> {
    const page = await this.fetch(undefined);
    if (!page) return;
    const oldest = page.calls[page.calls.length - 1]?.server_time ?? 0;
    const older = (this.calls.value ?? []).filter((call) => call.server_time < oldest);
    this.calls.value = [...page.calls, ...older];
    if (older.length === 0) this.more.value = page.more;
    const before = this.seenAt.value;
    this.seenUpTo(page.seen);
    // It was seen here while the server was out of reach.
    if (page.seen < before) this.tell(before);
    if (this.deps.lookedAt()) this.seen();
  }

  async loadOlder(): Promise<void> {
    const before = this.calls.value ?? [];
    const page = await this.fetch(before[before.length - 1]?.server_time);
    if (!page) return;
    const known = new Set(before.map(({ call }) => call));
    this.calls.value = [...before, ...page.calls.filter(({ call }) => !known.has(call))];
    this.more.value = page.more;
  }

  /** The person has looked at the list. */
  seen(): void {
    const newest = this.calls.value?.[0]?.server_time;
    if (newest === undefined || newest <= this.seenAt.value) return;
    this.seenUpTo(newest);
    this.tell(newest);
  }

  /** Follows what the server says; whether nobody else needs it. */
  take(message: ServerMessage): boolean {
    if (message.type === "text.message" && message.data.kind === "call") this.changed();
    if (message.type !== "calls.seen") return false;
    this.seenUpTo(message.data.at);
    return true;
  }

  private seenUpTo(at: number): void {
    if (at <= this.seenAt.value) return;
    this.seenAt.value = at;
    this.deps.kept.set(this.key, String(at));
  }

  private tell(at: number): void {
    seeCalls(this.deps.api, at).catch((error: unknown) =>
      this.deps.onProblem(`calls seen: ${String(error)}`),
    );
  }

  private get key(): string {
    return `calls-seen-${this.me}`;
  }

  private async fetch(before: number | undefined): Promise<CallPage | undefined> {
    const { me } = this;
    this.state.value = "loading";
    try {
      const page = await pastCalls(this.deps.api, pageSize, before);
      if (me === "" || me !== this.me) return undefined;
      this.state.value = "idle";
      return page;
    } catch (error) {
      if (me === this.me) this.state.value = "failed";
      this.deps.onProblem(`calls: ${String(error)}`);
      return undefined;
    }
  }
}
