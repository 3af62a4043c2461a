// Who is loud in the call: the own microphone, muted or not, and the other side.
import { signal } from "@preact/signals";
import type { Timers } from "../protocol/clock";
import { share, Speaking } from "./meter";

/** What measures one microphone. */
export interface Gauge {
  /** dB below full scale. */
  read(): number;
  close(): void;
}

export interface LevelsDeps {
  /** Undefined where the browser cannot measure. */
  gauge: (track: MediaStreamTrack) => Gauge | undefined;
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
}

const everyMs = 100;
/** A muted person who says a word to somebody beside them needs no hint. */
const hintAfterMs = 700;
const hintMs = 5_000;

type Receiver = Pick<RTCRtpReceiver, "track" | "getSynchronizationSources">;

export class Levels {
  /** The own microphone, 0 to 1; 0 while muted. */
  readonly own = signal(0);
  /** Somebody speaks into the muted microphone. */
  readonly mutedSpeech = signal(false);
  readonly peerSpeaks = signal(false);
  private readonly deps: LevelsDeps;
  private readonly mine = new Speaking(hintAfterMs);
  private readonly theirs = new Speaking();
  private mic: MediaStreamTrack | undefined;
  private gauge: Gauge | undefined;
  private hintUntil = 0;
  private timer: number | undefined;
  private receivers: () => readonly Receiver[] = () => [];

  constructor(deps: LevelsDeps) {
    this.deps = deps;
  }

  /** The microphone may have become another one; undefined when there is none. */
  listen(mic: MediaStreamTrack | undefined): void {
    if (mic === this.mic) return;
    this.gauge?.close();
    this.mic = mic;
    this.gauge = mic && this.deps.gauge(mic);
    if (!mic) this.own.value = 0;
    this.run();
  }

  /** Where the other side is heard. */
  hear(receivers: () => readonly Receiver[]): void {
    this.receivers = receivers;
    this.run();
  }

  stop(): void {
    this.deps.timers.clear(this.timer);
    this.timer = undefined;
    this.gauge?.close();
    this.gauge = this.mic = undefined;
    this.receivers = () => [];
    this.own.value = 0;
    this.mutedSpeech.value = this.peerSpeaks.value = false;
  }

  private run(): void {
    this.timer ??= this.deps.timers.set(() => {
      this.timer = undefined;
      this.measure();
      if (this.mic ?? this.receivers().length > 0) this.run();
    }, everyMs);
  }

  private measure(): void {
    const now = this.deps.now();
    const db = this.gauge?.read() ?? Number.NEGATIVE_INFINITY;
    const muted = this.mic?.enabled === false;
    // Half steps are enough for the eye, and spare the page work in silence.
    this.own.value = muted ? 0 : Math.round(share(db) * 20) / 20;
    if (this.mine.take(now, muted ? db : Number.NEGATIVE_INFINITY)) this.hintUntil = now + hintMs;
    this.mutedSpeech.value = muted && now < this.hintUntil;
    if (!muted) this.hintUntil = 0;
    this.peerSpeaks.value = this.theirs.take(now, this.heard());
  }

  private heard(): number {
    let loudest = 0;
    for (const receiver of this.receivers()) {
      if (receiver.track.kind !== "audio" || typeof receiver.getSynchronizationSources !== "function")
        continue;
      for (const { audioLevel } of receiver.getSynchronizationSources())
        loudest = Math.max(loudest, audioLevel ?? 0);
    }
    return 20 * Math.log10(loudest);
  }
}
