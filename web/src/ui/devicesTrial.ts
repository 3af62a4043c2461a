// Tries the devices while their dialog is open: opens its own where no call has them open.
import type { Signal } from "@preact/signals";
import type { Gauge } from "../call/levels";
import type { MediaSource } from "../call/media";
import { share } from "../call/meter";
import type { DeviceProblem, Kind } from "../call/types";
import type { App } from "../state/app";

export interface Trial {
  picture?: MediaStream;
  problems: Partial<Record<Kind, DeviceProblem>>;
}

const everyMs = 60;

export class DevicesTrial {
  private readonly app: App;
  private readonly source: MediaSource;
  private readonly level: Signal<number>;
  private readonly tell: (trial: Trial) => void;
  private tracks: MediaStreamTrack[] = [];
  private gauge: Gauge | undefined;
  private measured: MediaStreamTrack | undefined;
  private timer: number | undefined;
  private round = 0;
  private open = false;

  constructor(app: App, level: Signal<number>, tell: (trial: Trial) => void) {
    this.app = app;
    this.source = app.deps.call.source;
    this.level = level;
    this.tell = tell;
  }

  start(): void {
    this.open = true;
    this.timer = window.setInterval(() => this.measure(), everyMs);
    void this.again();
  }

  stop(): void {
    this.open = false;
    window.clearInterval(this.timer);
    this.release();
  }

  /** Opens the devices that are wanted now; in a call the call's own are looked at. */
  async again(): Promise<void> {
    this.round += 1;
    const { round } = this;
    this.release();
    if (this.app.calls.session.own) {
      await this.app.devices.refresh();
      return;
    }
    const { audio, video, problems } = await this.source.capture({ audio: true, video: true });
    const tracks = [audio, video].filter((track) => track !== undefined);
    // Closed, or asked again, while the person was deciding; or a call has begun.
    if (!this.open || round !== this.round || this.app.calls.session.own) {
      for (const track of tracks) track.stop();
      return;
    }
    this.tracks = tracks;
    this.tell({ picture: video && new MediaStream([video]), problems });
    await this.app.devices.refresh();
  }

  /** Two tones on the chosen speaker. */
  async sound(): Promise<void> {
    const audio = new AudioContext() as AudioContext & { setSinkId?: (id: string) => Promise<void> };
    try {
      await audio.setSinkId?.(this.app.devices.speaker.value);
    } catch {
      // It sounds on the device's own, then.
    }
    const out = audio.createGain();
    out.gain.value = 0.15;
    out.connect(audio.destination);
    [523.25, 783.99].forEach((hz, i) => {
      const tone = audio.createOscillator();
      tone.frequency.value = hz;
      tone.connect(out);
      tone.start(audio.currentTime + i * 0.35);
      tone.stop(audio.currentTime + i * 0.35 + 0.3);
      if (i === 1) tone.onended = () => void audio.close();
    });
  }

  private measure(): void {
    const inCall = this.app.calls.session.own?.microphone;
    if (this.app.calls.session.own && this.tracks.length > 0) this.release();
    const track = inCall ?? this.tracks.find(({ kind }) => kind === "audio");
    if (track !== this.measured) {
      this.gauge?.close();
      this.measured = track;
      this.gauge = track && this.app.deps.call.tools?.gauge(track);
    }
    const level = this.gauge ? Math.round(share(this.gauge.read()) * 50) / 50 : 0;
    // Falls slowly, so that it can be seen.
    this.level.value = Math.max(level, this.level.value - 0.06);
  }

  private release(): void {
    for (const track of this.tracks) track.stop();
    this.tracks = [];
    this.gauge?.close();
    this.gauge = this.measured = undefined;
    this.tell({ problems: {} });
  }
}
