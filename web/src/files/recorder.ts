// Records a voice message from the microphone.
import { signal } from "@preact/signals";
import type { Timers } from "../protocol/clock";

export type RecorderState =
  | { kind: "idle" }
  | { kind: "asking" }
  | { kind: "recording"; seconds: number; level: number }
  | { kind: "review"; content: Blob; seconds: number }
  | { kind: "problem"; problem: "denied" | "missing" | "failed" | "too_short" };

export interface RecorderDeps {
  microphone: () => Promise<MediaStream>;
  newRecorder: (stream: MediaStream) => MediaRecorder;
  /** Hears how loud it is, 0 to 1, until it is closed. */
  meter: (stream: MediaStream) => { level: () => number; close: () => void };
  timers: Timers;
  now: () => number;
}

/** So long stays under the size that always goes by the server. */
export const longestSeconds = 300;
const shortestSeconds = 0.6;
const tickMs = 100;

export class Recorder {
  readonly state = signal<RecorderState>({ kind: "idle" });
  private readonly deps: RecorderDeps;
  private run = 0;
  private recorder: MediaRecorder | undefined;
  private release: (() => void) | undefined;
  private began = 0;

  constructor(deps: RecorderDeps) {
    this.deps = deps;
  }

  async start(): Promise<void> {
    this.reset();
    const run = (this.run += 1);
    this.state.value = { kind: "asking" };
    let stream: MediaStream;
    try {
      stream = await this.deps.microphone();
    } catch (error) {
      if (run !== this.run) return;
      const name = (error as { name?: unknown } | undefined)?.name;
      const problem = name === "NotAllowedError" ? "denied" : name === "NotFoundError" ? "missing" : "failed";
      this.state.value = { kind: "problem", problem };
      return;
    }
    const drop = () => stream.getTracks().forEach((track) => track.stop());
    if (run !== this.run) {
      drop();
      return;
    }
    try {
      this.record(stream, run, drop);
    } catch {
      drop();
      this.reset();
      this.state.value = { kind: "problem", problem: "failed" };
    }
  }

  /** Ends the recording, to be heard before it is sent. */
  stop(): void {
    if (this.state.value.kind === "asking") this.discard();
    else if (this.recorder?.state === "recording") this.recorder.stop();
  }

  discard(): void {
    this.run += 1;
    this.reset();
    this.state.value = { kind: "idle" };
  }

  private record(stream: MediaStream, run: number, drop: () => void): void {
    const meter = this.deps.meter(stream);
    const recorder = this.deps.newRecorder(stream);
    const parts: Blob[] = [];
    let timer: number | undefined;
    this.recorder = recorder;
    this.release = () => {
      this.deps.timers.clear(timer);
      meter.close();
      drop();
    };
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => this.finish(run, new Blob(parts, { type: recorder.mimeType.replace(/\s/g, "") }));
    recorder.onerror = () => this.finish(run, new Blob());
    recorder.start();
    this.began = this.deps.now();
    const tick = () => {
      const seconds = (this.deps.now() - this.began) / 1000;
      this.state.value = { kind: "recording", seconds, level: meter.level() };
      if (seconds >= longestSeconds) this.stop();
      else timer = this.deps.timers.set(tick, tickMs);
    };
    tick();
  }

  private finish(run: number, content: Blob): void {
    if (run !== this.run) return;
    const seconds = (this.deps.now() - this.began) / 1000;
    this.reset();
    if (content.size === 0) this.state.value = { kind: "problem", problem: "failed" };
    else if (seconds < shortestSeconds) this.state.value = { kind: "problem", problem: "too_short" };
    else this.state.value = { kind: "review", content, seconds };
  }

  private reset(): void {
    const { recorder } = this;
    this.recorder = undefined;
    if (recorder) {
      recorder.ondataavailable = recorder.onstop = recorder.onerror = null;
      if (recorder.state === "recording") recorder.stop();
    }
    this.release?.();
    this.release = undefined;
  }
}

const types = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus", "audio/webm"];

/** A recorder of this browser. */
export function browserRecorder(timers: Timers): Recorder {
  return new Recorder({
    timers,
    now: () => performance.now(),
    microphone: () =>
      navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      }),
    newRecorder: (stream) => {
      const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type));
      return new MediaRecorder(stream, { audioBitsPerSecond: 24_000, ...(mimeType ? { mimeType } : {}) });
    },
    meter: (stream) => {
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      analyser.fftSize = 512;
      context.createMediaStreamSource(stream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      return {
        level: () => {
          analyser.getFloatTimeDomainData(samples);
          const power = samples.reduce((sum, each) => sum + each * each, 0) / samples.length;
          return Math.min(1, Math.sqrt(power) * 4);
        },
        close: () => void context.close(),
      };
    },
  });
}
