// The own microphone: opened, changed while it is used, and replaced when it is unplugged.
// Whatever happens by itself, a muted person stays muted.
import { present, type DeviceList } from "./devices";
import type { MediaSource } from "./media";
import type { Own } from "./types";

export interface MicrophoneDeps {
  source: MediaSource;
  /** Whether the person wants to be heard. */
  wanted: () => boolean;
  stopped: () => boolean;
  state: () => Own;
  update: (change: Partial<Own>) => void;
  /** Runs one thing of the own media after the other. */
  queued: (operation: () => Promise<void>) => Promise<void>;
  send: (track: MediaStreamTrack) => Promise<void>;
}

export class Microphone {
  track: MediaStreamTrack | undefined;
  private readonly deps: MicrophoneDeps;
  private opening = false;

  constructor(deps: MicrophoneDeps) {
    this.deps = deps;
  }

  get sounding(): boolean {
    return this.track?.enabled ?? false;
  }

  /** Takes what was opened together with the camera. */
  adopt(track: MediaStreamTrack | undefined): void {
    if (track) track.enabled = this.deps.wanted();
    this.track = track;
    if (track) this.watch(track);
  }

  /** Opens one where there is none and none is being opened. moved: another one was there before. */
  async open(moved = false): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    try {
      await this.deps.queued(() => this.openNow(moved));
    } finally {
      this.opening = false;
    }
  }

  private async openNow(moved: boolean): Promise<void> {
    if (this.track) return;
    const { audio, problems } = await this.deps.source.capture({ audio: true, video: false });
    if (!audio || this.discarded(audio)) {
      this.problem(problems.audio);
      return;
    }
    await this.take(audio);
    if (moved) this.tell(audio, false);
  }

  /** Opens it again as it is wanted now, and only then lets go of the one before. */
  async change(back = false): Promise<void> {
    await this.deps.queued(async () => {
      const before = this.track;
      let { audio, problems } = await this.deps.source.capture({ audio: true, video: false });
      if (!audio && before && !this.deps.stopped()) {
        // Some browsers open one microphone at a time.
        this.leave(before);
        ({ audio, problems } = await this.deps.source.capture({ audio: true, video: false }));
        if (!audio) this.track = undefined;
      }
      if (!audio || this.discarded(audio)) {
        this.deps.update({ audio: this.sounding });
        this.problem(problems.audio);
        return;
      }
      await this.take(audio);
      if (before) this.leave(before);
      if (back) this.tell(audio, true);
    });
  }

  /** Comes back to the chosen one when it is there again. */
  async devicesChanged({ audioinput }: DeviceList): Promise<void> {
    if (!this.track) {
      if (this.deps.state().problems.audio === "missing") await this.open();
      return;
    }
    const chosen = this.deps.source.choice.audioinput;
    if (present(audioinput, chosen) && this.track.getSettings().deviceId !== chosen) await this.change(true);
  }

  stop(): void {
    if (this.track) this.leave(this.track);
    this.track = undefined;
  }

  private async take(audio: MediaStreamTrack): Promise<void> {
    this.adopt(audio);
    await this.deps.send(audio);
    this.deps.update({ audio: this.sounding });
    this.problem(undefined);
  }

  /** One that goes away while it is used: another one is worth a try. */
  private watch(track: MediaStreamTrack): void {
    track.onended = () => {
      if (this.deps.stopped() || this.track !== track) return;
      this.track = undefined;
      this.deps.update({ audio: false });
      this.problem("missing");
      void this.open(true);
    };
  }

  private leave(track: MediaStreamTrack): void {
    track.onended = null;
    track.stop();
  }

  private problem(audio: Own["problems"]["audio"]): void {
    this.deps.update({ problems: { ...this.deps.state().problems, audio } });
  }

  private tell({ label }: MediaStreamTrack, back: boolean): void {
    this.deps.update({ moved: { ...this.deps.state().moved, audio: { back, label } } });
  }

  private discarded(track: MediaStreamTrack): boolean {
    if (this.deps.stopped()) track.stop();
    return this.deps.stopped();
  }
}
