// The calls that this device is in: one on the screen, the others on hold.
import { batch, computed, signal } from "@preact/signals";
import type { RunningCall } from "../protocol/messages";
import { MediaSession } from "./session";
import { Talk, type TalkDeps } from "./talk";
import type { Call, CallEnd, Keep } from "./types";

export interface TalksDeps extends TalkDeps {
  /** Kept for this tab: a reload brings back on hold what was on hold. */
  kept: Keep;
}

/** As many as the server lets a device have. */
export const maxCalls = 2;
const key = "held";

export class Talks {
  /** Those that have not ended. */
  readonly all = signal<Talk[]>([]);
  /** The one on the screen, or that was there last; on hold after the other side of a second call has ended it. */
  readonly shown = signal<Talk | undefined>(undefined);
  readonly current = computed(() => this.shown.value?.call.value);
  readonly others = computed(() =>
    this.all.value.filter((talk) => talk !== this.shown.value).map((talk) => talk.call.value),
  );
  private readonly deps: TalksDeps;
  private readonly idle: MediaSession;

  constructor(deps: TalksDeps) {
    this.deps = deps;
    this.idle = new MediaSession(deps, { onOwn: () => undefined, onLink: () => undefined });
  }

  /** The media of the call on the screen. */
  get session(): MediaSession {
    return this.shown.value?.session ?? this.idle;
  }

  /** The call on the screen unless it has ended. */
  get going(): Talk | undefined {
    const { value } = this.shown;
    return value && this.all.value.includes(value) ? value : undefined;
  }

  get running(): RunningCall[] {
    return this.all.value.flatMap((talk) => talk.running);
  }

  /** Whether one more call can begin: the present one can be put on hold. */
  get room(): boolean {
    const { value } = this.all;
    return value.length < maxCalls && value.every((talk) => talk.holdable);
  }

  find(call: string): Talk | undefined {
    return this.all.value.find((talk) => talk.id === call);
  }

  /** Was on hold before this page was reloaded. */
  wasHeld(call: string): boolean {
    return (this.deps.kept.get(key) ?? "").split(" ").includes(call);
  }

  /** Begins a call; unless it begins on hold, it comes to the screen and the others are put on hold. */
  begin(call: Call): Talk {
    return batch(() => {
      if (!call.held) this.holdAll();
      const shows = () => talk !== undefined && this.shown.value === talk;
      let talk: Talk | undefined = undefined;
      talk = new Talk({ ...this.deps, onPeer: (pc) => shows() && this.deps.onPeer(pc) }, call);
      this.all.value = [...this.all.value, talk];
      if (!call.held || !this.going) this.shown.value = talk;
      this.keep();
      return talk;
    });
  }

  holdAll(): void {
    for (const talk of this.all.value) talk.hold();
    this.keep();
  }

  /** Goes on with a call that is on hold; the present one is put on hold. */
  resume(talk: Talk): void {
    batch(() => {
      for (const other of this.all.value) if (other !== talk) other.hold();
      this.shown.value = talk;
      talk.resume();
      this.keep();
    });
  }

  /**
   * Ends a call here and gives it as it was. The next one comes to the screen, on hold:
   * nobody is to hear what was not meant for them.
   */
  end(talk: Talk, end: CallEnd, bySelf: boolean): Call {
    return batch(() => {
      const before = talk.end(end, bySelf);
      this.all.value = this.all.value.filter((each) => each !== talk);
      const next = this.all.value[this.all.value.length - 1];
      if (this.shown.value === talk && next) this.shown.value = next;
      this.keep();
      return before;
    });
  }

  /** Forgets all without a word. */
  reset(): void {
    for (const talk of this.all.value) talk.release();
    this.all.value = [];
    this.shown.value = undefined;
    this.keep();
  }

  private keep(): void {
    const held = this.all.value.filter((talk) => talk.call.value.held).map((talk) => talk.id);
    this.deps.kept.set(key, held.length > 0 ? held.join(" ") : undefined);
    this.deps.onPeer(this.going?.session.link?.pc);
  }
}
