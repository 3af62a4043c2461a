// What this side sends: microphone, camera, screen.
import { deviceProblem, type Facing, type MediaSource } from "./media";
import type { Tracks } from "./link";
import { noOwn, type Kind, type Own } from "./types";
import type { Wish } from "./wish";

export interface OwnDeps {
  source: MediaSource;
  /** Sends another track, or none. */
  replace: (kind: Kind, track: MediaStreamTrack | null) => Promise<void>;
  onChange: () => void;
}

export class OwnMedia {
  state: Own = noOwn;
  /** What the person asked for last; a device that comes takes it over. */
  wish: Wish;
  private readonly deps: OwnDeps;
  private mic: MediaStreamTrack | undefined;
  private cam: MediaStreamTrack | undefined;
  private shown: MediaStreamTrack | undefined;
  private facing: Facing = "user";
  private cameraID: string | undefined;
  private stopped = false;
  private busy = false;

  constructor(deps: OwnDeps, wish: Wish) {
    this.deps = deps;
    this.wish = wish;
  }

  /** What is to be sent now. */
  get tracks(): Tracks {
    return { audio: this.mic, video: this.shown ?? this.cam };
  }

  /** Asks for the microphone, muted or not, and for the camera where it is wanted. */
  async acquire(): Promise<void> {
    this.update({ asking: true });
    const captured = await this.deps.source.capture({ audio: true, video: this.wish.video }, this.facing);
    if (this.stopped) {
      captured.audio?.stop();
      captured.video?.stop();
      return;
    }
    if (captured.audio) captured.audio.enabled = this.wish.audio;
    this.mic = captured.audio;
    this.cam = captured.video;
    this.watch();
    const cameras = await this.deps.source.cameras();
    this.update({
      asking: false,
      audio: this.sounding,
      video: this.cam !== undefined,
      problems: captured.problems,
      mirrored: this.facing === "user",
      cameras: cameras.length,
    });
  }

  /** Mutes or unmutes; with no microphone yet it asks for one. */
  async setAudio(on: boolean): Promise<void> {
    this.wish = { ...this.wish, audio: on };
    if (this.mic) this.mic.enabled = on;
    this.update({ audio: this.sounding });
    if (on && !this.mic) await this.openMic();
  }

  /** Switches the camera off (and its light) or on again. */
  async setVideo(on: boolean): Promise<void> {
    if (!on) {
      // Also while a camera is being opened: it is then let go of.
      this.wish = { ...this.wish, video: false };
      this.cam?.stop();
      this.cam = undefined;
      this.update({ video: false });
      if (!this.shown) await this.deps.replace("video", null);
      return;
    }
    await this.exclusive(async () => {
      this.wish = { ...this.wish, video: true };
      try {
        await this.open(this.cameraID, this.facing);
      } catch (error) {
        this.update({ problems: { ...this.state.problems, video: deviceProblem(error) } });
      }
    });
  }

  /** Goes to the next camera; back to the present one when it does not open. */
  async switchCamera(): Promise<void> {
    await this.exclusive(async () => {
      const cameras = await this.deps.source.cameras();
      const present = this.cam?.getSettings().deviceId;
      const next = cameras[(cameras.indexOf(present ?? "") + 1) % cameras.length];
      const facing: Facing = this.facing === "user" ? "environment" : "user";
      // Phones open one camera at a time.
      this.cam?.stop();
      this.cam = undefined;
      // With two, "front" and "back" is what is meant, whatever order they are listed in.
      const ways: [string | undefined, Facing][] = [
        [cameras.length > 2 ? next : undefined, facing],
        [next, facing],
        [present, this.facing],
      ];
      for (const [id, way] of ways) {
        try {
          const track = await this.open(id, way);
          if (track && id === undefined && track.getSettings().deviceId === present) continue;
          return;
        } catch (error) {
          this.update({ problems: { ...this.state.problems, video: deviceProblem(error) } });
        }
      }
    });
  }

  async shareScreen(): Promise<void> {
    await this.exclusive(async () => {
      try {
        const track = await this.deps.source.screen();
        if (this.discarded(track)) return;
        this.shown = track;
        // The browser's own "stop sharing".
        track.addEventListener("ended", () => void this.stopScreen(track));
        await this.deps.replace("video", track);
        this.update({ screen: true, problems: { ...this.state.problems, screen: undefined } });
      } catch (error) {
        this.update({ problems: { ...this.state.problems, screen: deviceProblem(error) } });
      }
    });
  }

  async stopScreen(track = this.shown): Promise<void> {
    if (!track || track !== this.shown) return;
    track.stop();
    this.shown = undefined;
    await this.deps.replace("video", this.cam ?? null);
    this.update({ screen: false });
  }

  /** A device was unplugged or plugged in. */
  async devicesChanged(): Promise<void> {
    const cameras = await this.deps.source.cameras();
    if (this.stopped) return;
    this.update({ cameras: cameras.length });
    if (this.state.problems.audio === "missing" && !this.mic) await this.openMic();
  }

  dismissProblem(kind: Kind | "screen"): void {
    this.update({ problems: { ...this.state.problems, [kind]: undefined } });
  }

  stop(): void {
    this.stopped = true;
    for (const track of [this.mic, this.cam, this.shown]) track?.stop();
    this.mic = this.cam = this.shown = undefined;
  }

  private get sounding(): boolean {
    return this.mic?.enabled ?? false;
  }

  /** Opens a microphone, or the next one: muted stays muted. */
  private async openMic(): Promise<void> {
    await this.exclusive(async () => {
      const { audio, problems } = await this.deps.source.capture({ audio: true, video: false });
      if (!audio || this.discarded(audio)) {
        this.update({ problems: { ...this.state.problems, audio: problems.audio } });
        return;
      }
      audio.enabled = this.wish.audio;
      this.mic = audio;
      this.watch();
      await this.deps.replace("audio", audio);
      this.update({ audio: this.sounding, problems: { ...this.state.problems, audio: undefined } });
    });
  }

  private async open(id: string | undefined, facing: Facing): Promise<MediaStreamTrack | undefined> {
    this.cam?.stop();
    const track = await this.deps.source.camera(id, facing);
    if (this.discarded(track)) return undefined;
    if (!this.wish.video) {
      track.stop();
      return undefined;
    }
    this.cam = track;
    this.cameraID = id;
    this.facing = facing;
    this.watch();
    if (!this.shown) await this.deps.replace("video", track);
    const mode = track.getSettings().facingMode ?? facing;
    this.update({
      video: true,
      mirrored: mode !== "environment",
      problems: { ...this.state.problems, video: undefined },
    });
    return track;
  }

  /** A device that goes away while it is used: sound is worth another try, the picture is off. */
  private watch(): void {
    const { mic, cam } = this;
    if (mic) {
      mic.onended = () => {
        if (this.stopped || this.mic !== mic) return;
        this.mic = undefined;
        this.update({ audio: false, problems: { ...this.state.problems, audio: "missing" } });
        void this.openMic();
      };
    }
    if (cam) {
      cam.onended = () => {
        if (this.stopped || this.cam !== cam) return;
        this.cam = undefined;
        this.update({ video: false, problems: { ...this.state.problems, video: "missing" } });
        if (!this.shown) void this.deps.replace("video", null);
      };
    }
  }

  private discarded(track: MediaStreamTrack): boolean {
    if (this.stopped) track.stop();
    return this.stopped;
  }

  private async exclusive(operation: () => Promise<void>): Promise<void> {
    if (this.busy || this.stopped) return;
    this.busy = true;
    try {
      await operation();
    } finally {
      this.busy = false;
    }
  }

  private update(change: Partial<Own>): void {
    this.state = { ...this.state, ...change };
    if (!this.stopped) this.deps.onChange();
  }
}
