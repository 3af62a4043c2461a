// Asks again and again: often while somebody looks, less while nobody does or nothing answers.
import { effect, signal, untracked, type ReadonlySignal } from "@preact/signals";
import { ApiError } from "../../protocol/api";
import type { Timers } from "../../protocol/clock";

export interface PollDeps<T> {
  ask: () => Promise<T>;
  timers: Timers;
  /** Milliseconds that never go back. */
  now: () => number;
  visible: ReadonlySignal<boolean>;
  everyMs: number;
  onAnswer?: (value: T) => void;
}

const hiddenMs = 30_000;
const longestMs = 30_000;

export class Poll<T> {
  /** The last good answer; it stays when the server is out of reach. */
  readonly value = signal<T | undefined>(undefined);
  /** When that came, by deps.now. */
  readonly at = signal<number | undefined>(undefined);
  /** Why the last try brought nothing. */
  readonly problem = signal<ApiError | undefined>(undefined);
  private readonly deps: PollDeps<T>;
  private timer: number | undefined;
  private asking = false;
  private failures = 0;
  /** Grows when polling stops, so that late answers are known. */
  private turn = 0;
  private unfollow: (() => void) | undefined;

  constructor(deps: PollDeps<T>) {
    this.deps = deps;
  }

  get running(): boolean {
    return this.unfollow !== undefined;
  }

  start(): void {
    if (this.running) return;
    let before: boolean | undefined;
    this.unfollow = effect(() => {
      const visible = this.deps.visible.value;
      if (before !== undefined && before !== visible) {
        untracked(() => (visible ? this.soon() : this.schedule()));
      }
      before = visible;
    });
    this.soon();
  }

  stop(): void {
    this.unfollow?.();
    this.unfollow = undefined;
    this.turn++;
    this.asking = false;
    this.deps.timers.clear(this.timer);
  }

  /** Asks at once; without polling, once. */
  soon(): void {
    this.deps.timers.clear(this.timer);
    if (!this.asking) void this.ask();
  }

  private async ask(): Promise<void> {
    const { turn } = this;
    this.asking = true;
    try {
      const value = await this.deps.ask();
      if (turn !== this.turn) return;
      this.failures = 0;
      this.at.value = this.deps.now();
      this.problem.value = undefined;
      this.value.value = value;
      this.deps.onAnswer?.(value);
    } catch (error) {
      if (turn !== this.turn) return;
      this.failures++;
      this.problem.value = error instanceof ApiError ? error : new ApiError("internal");
    }
    this.asking = false;
    this.schedule();
  }

  private schedule(): void {
    const { timers, everyMs, visible } = this.deps;
    timers.clear(this.timer);
    if (!this.running || this.asking) return;
    const failing = Math.min(everyMs * 2 ** Math.min(this.failures, 10), Math.max(longestMs, everyMs));
    const wait = Math.max(
      failing,
      visible.peek() ? 0 : hiddenMs,
      (this.problem.peek()?.retryAfter ?? 0) * 1000,
    );
    this.timer = timers.set(() => this.soon(), wait);
  }
}
