// Who writes just now.
import { signal } from "@preact/signals";
import type { Timers } from "../../protocol/clock";

export interface TypingDeps {
  tell: (chat: string) => void;
  timers: Timers;
  now: () => number;
}

const tellEveryMs = 3_000;
const overAfterMs = 6_000;
/** Somebody hostile may claim many. */
const maxShown = 100;

export class Typing {
  /** By chat, the people who write in it. */
  readonly now = signal<ReadonlyMap<string, readonly string[]>>(new Map());
  private readonly deps: TypingDeps;
  private readonly timers = new Map<string, number>();
  private told: { chat: string; at: number } | undefined;

  constructor(deps: TypingDeps) {
    this.deps = deps;
  }

  /** This user pressed a key. */
  typed(chat: string): void {
    const now = this.deps.now();
    if (this.told?.chat === chat && now - this.told.at < tellEveryMs) return;
    this.told = { chat, at: now };
    this.deps.tell(chat);
  }

  /** What was typed is sent: the next key is told at once. */
  sent(): void {
    this.told = undefined;
  }

  heard(chat: string, user: string): void {
    const key = `${chat} ${user}`;
    if (!this.timers.has(key) && this.timers.size >= maxShown) return;
    this.deps.timers.clear(this.timers.get(key));
    this.timers.set(
      key,
      this.deps.timers.set(() => this.over(chat, user), overAfterMs),
    );
    const writers = this.now.value.get(chat) ?? [];
    if (!writers.includes(user)) this.put(chat, [...writers, user]);
  }

  over(chat: string, user: string): void {
    const key = `${chat} ${user}`;
    if (!this.timers.has(key)) return;
    this.deps.timers.clear(this.timers.get(key));
    this.timers.delete(key);
    this.put(
      chat,
      (this.now.value.get(chat) ?? []).filter((each) => each !== user),
    );
  }

  clear(): void {
    for (const timer of this.timers.values()) this.deps.timers.clear(timer);
    this.timers.clear();
    this.told = undefined;
    this.now.value = new Map();
  }

  private put(chat: string, writers: readonly string[]): void {
    const now = new Map(this.now.value);
    if (writers.length > 0) now.set(chat, writers);
    else now.delete(chat);
    this.now.value = now;
  }
}
