// Tones made by WebAudio: no file to fetch.
import type { Timers } from "../protocol/clock";

interface Tone {
  hz: number[];
  /** Seconds from the start of the pattern, and how long. */
  bursts: [number, number][];
  everyMs: number;
  volume: number;
  vibrate: number[];
}

const ringing: Tone = {
  hz: [587.33, 880],
  bursts: [
    [0, 0.35],
    [0.45, 0.35],
  ],
  everyMs: 2_400,
  volume: 0.16,
  vibrate: [350, 100, 350],
};

// The ring-back tone that telephones have: 425 Hz, one second in five.
const ringBack: Tone = { hz: [425], bursts: [[0, 1]], everyMs: 5_000, volume: 0.05, vibrate: [] };

// Another call waits: two soft knocks over the one that is going on.
const waiting: Tone = {
  hz: [440],
  bursts: [
    [0, 0.14],
    [0.24, 0.14],
  ],
  everyMs: 4_000,
  volume: 0.04,
  vibrate: [120],
};

// On hold: a quiet sign every ten seconds that the line lives.
const held: Tone = {
  hz: [329.63],
  bursts: [
    [0, 0.2],
    [0.3, 0.2],
  ],
  everyMs: 10_000,
  volume: 0.03,
  vibrate: [],
};

const ended: Tone = {
  hz: [425],
  bursts: [
    [0, 0.12],
    [0.22, 0.12],
  ],
  everyMs: 0,
  volume: 0.05,
  vibrate: [],
};

export interface RingerDeps {
  newAudio: () => AudioContext | undefined;
  vibrate: (pattern: number[]) => void;
  timers: Timers;
}

export class Ringer {
  private readonly deps: RingerDeps;
  private audio: AudioContext | undefined;
  private timer: number | undefined;
  private output: GainNode | undefined;

  constructor(deps: RingerDeps) {
    this.deps = deps;
  }

  /** Browsers let a page sound only after it was touched; call this then. */
  unlock(): void {
    this.audio ??= this.deps.newAudio();
    if (this.audio?.state === "suspended") this.audio.resume().catch(() => undefined);
  }

  /** For other sounds than those of calls. */
  get context(): AudioContext | undefined {
    return this.audio;
  }

  ring = (): void => this.play(ringing);
  ringBack = (): void => this.play(ringBack);
  waiting = (): void => this.play(waiting);
  held = (): void => this.play(held);
  ended = (): void => this.play(ended);

  stop(): void {
    this.deps.timers.clear(this.timer);
    this.timer = undefined;
    this.output?.disconnect();
    this.output = undefined;
    this.deps.vibrate([]);
  }

  private play(tone: Tone): void {
    this.stop();
    this.unlock();
    this.once(tone);
  }

  private once(tone: Tone): void {
    if (tone.vibrate.length > 0) this.deps.vibrate(tone.vibrate);
    this.sound(tone);
    if (tone.everyMs > 0) this.timer = this.deps.timers.set(() => this.once(tone), tone.everyMs);
  }

  private sound(tone: Tone): void {
    const { audio } = this;
    if (!audio || audio.state !== "running") return;
    this.output ??= audio.createGain();
    this.output.connect(audio.destination);
    for (const [start, length] of tone.bursts) {
      for (const hz of tone.hz)
        this.burst(audio, this.output, tone.volume, hz, audio.currentTime + start, length);
    }
  }

  private burst(
    audio: AudioContext,
    out: GainNode,
    volume: number,
    hz: number,
    at: number,
    length: number,
  ): void {
    const oscillator = audio.createOscillator();
    const envelope = audio.createGain();
    oscillator.frequency.value = hz;
    envelope.gain.setValueAtTime(0, at);
    envelope.gain.linearRampToValueAtTime(volume, at + 0.03);
    envelope.gain.setValueAtTime(volume, at + length - 0.05);
    envelope.gain.linearRampToValueAtTime(0, at + length);
    oscillator.connect(envelope).connect(out);
    oscillator.start(at);
    oscillator.stop(at + length);
  }
}
