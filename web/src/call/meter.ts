// How loud it is: a microphone's level, and whether somebody speaks.

/** Shown as 0; what a quiet room gives. */
const floorDB = -60;
const rangeDB = 50;
/** A voice near a microphone is louder, a fan or keyboard further away is not. */
const speechDB = -40;
const quietDB = -46;
const startMs = 200;
const endMs = 900;

/** The level of samples from -1 to 1, in dB below full scale; -Infinity for silence. */
export function decibels(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? Number.NEGATIVE_INFINITY : 10 * Math.log10(sum / samples.length);
}

/** 0 to 1 for a meter. */
export const share = (db: number): number => Math.min(1, Math.max(0, (db - floorDB) / rangeDB));

/** Whether somebody speaks: not for a click, and not over at the end of each word. */
export class Speaking {
  on = false;
  private since: number | undefined;
  private heardAt = 0;
  private readonly needMs: number;

  constructor(needMs = startMs) {
    this.needMs = needMs;
  }

  /** now in milliseconds. */
  take(now: number, db: number): boolean {
    if (db >= (this.on ? quietDB : speechDB)) {
      if (!this.on && now - this.heardAt > startMs) this.since = now;
      this.since ??= now;
      this.heardAt = now;
      if (now - this.since >= this.needMs) this.on = true;
    } else if (now - this.heardAt >= (this.on ? endMs : startMs)) {
      this.on = false;
      this.since = undefined;
    }
    return this.on;
  }
}

/** Measures a track; what it is given is left alone. */
export class TrackMeter {
  private readonly source: MediaStreamAudioSourceNode;
  private readonly analyser: AnalyserNode;
  private readonly samples: Float32Array<ArrayBuffer>;
  private readonly copy: MediaStreamTrack;

  /** A copy is measured that is always on, so that a muted person can be told that they speak. */
  constructor(audio: AudioContext, track: MediaStreamTrack) {
    this.copy = track.clone();
    this.copy.enabled = true;
    this.source = audio.createMediaStreamSource(new MediaStream([this.copy]));
    this.analyser = audio.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.source.connect(this.analyser);
  }

  /** dB below full scale, of the last 20 ms. */
  read(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    return decibels(this.samples);
  }

  close(): void {
    this.source.disconnect();
    this.copy.stop();
  }
}
