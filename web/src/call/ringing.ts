// The calls that ring here.
import { signal } from "@preact/signals";
import type { Timers } from "../protocol/clock";
import type { CallIncoming } from "../protocol/messages";

export interface RingingDeps {
  timers: Timers;
  /** A call stopped ringing and nothing will say why. */
  onMissed: (ringing: CallIncoming) => void;
}

/** How long the stream may take to say why a call that welcome does not list has ended. */
const explainMs = 1_500;

export class Ringing {
  readonly list = signal<CallIncoming[]>([]);
  private readonly deps: RingingDeps;

  constructor(deps: RingingDeps) {
    this.deps = deps;
  }

  add(incoming: CallIncoming): void {
    if (!this.find(incoming.call)) this.list.value = [...this.list.value, incoming];
  }

  find(call: string): CallIncoming | undefined {
    return this.list.value.find((each) => each.call === call);
  }

  forget(call: string): void {
    this.list.value = this.list.value.filter((each) => each.call !== call);
  }

  clear(): void {
    this.list.value = [];
  }

  /**
   * Takes what the server lists after a reconnect. A stream that goes on tells the
   * end of what rang before; without it, that was missed.
   */
  welcome(listed: CallIncoming[], resumed: boolean): void {
    const gone = this.list.value.filter((each) => !listed.some(({ call }) => call === each.call));
    this.list.value = resumed ? [...listed, ...gone] : listed;
    if (!resumed) for (const each of gone) this.deps.onMissed(each);
    else if (gone.length > 0) this.deps.timers.set(() => this.give(gone), explainMs);
  }

  /** Gives up on those that nothing was heard of. */
  private give(gone: CallIncoming[]): void {
    for (const each of gone) {
      if (this.find(each.call) !== each) continue;
      this.forget(each.call);
      this.deps.onMissed(each);
    }
  }
}
