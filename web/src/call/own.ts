// What this side sends: microphone, camera, screen.
import { present } from "./devices";
import { deviceProblem, type Facing, type MediaSource } from "./media";
import { Microphone } from "./microphone";
import type { Mixer } from "./mixer";
import type { Tracks } from "./link";
import { SharedScreen } from "./screen";
import { Serial } from "./serial";
import { noOwn, type Kind, type Own, type ScreenUse } from "./types";
import type { Wish } from "./wish";

export interface OwnDeps {
  source: MediaSource;
  /** Sends another track, or none. */
  replace: (kind: Kind, track: MediaStreamTrack | null) => Promise<void>;
  /** Puts a screen's sound and the microphone together; undefined where the browser cannot. */
  mix?: (screen: MediaStreamTrack) => Mixer | undefined;
  onChange: () => void;
}

export class OwnMedia {
  state: Own = noOwn;
  /** What the person asked for last; a device that comes takes it over. */
  wish: Wish;
  private readonly deps: OwnDeps;
  private readonly mic: Microphone;
  private cam: MediaStreamTrack | undefined;
  private screen: SharedScreen | undefined;
  private facing: Facing = "user";
  /** The person went to another camera than the chosen one, for this call. */
  private switched = false;
  /** The chosen camera that was unplugged. */
  private fellFrom: string | undefined;
  private cameraID: string | undefined;
  private stopped = false;
  private readonly serial = new Serial();

  constructor(deps: OwnDeps, wish: Wish) {
    this.deps = deps;
    this.wish = wish;
    this.mic = new Microphone({
      source: deps.source,
      wanted: () => this.wish.audio,
      stopped: () => this.stopped,
      state: () => this.state,
      update: (change) => this.update(change),
      queued: (operation) => this.queued(operation),
      send: (track) => this.sendMic(track),
    });
  }

  /** What is to be sent now. */
  get tracks(): Tracks {
    return { audio: this.screen?.mixer?.track ?? this.mic.track, video: this.screen?.video ?? this.cam };
  }

  /** The microphone itself, on or off. */
  get microphone(): MediaStreamTrack | undefined {
    return this.mic.track;
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
    this.mic.adopt(captured.audio);
    this.cam = captured.video;
    this.watch();
    const cameras = await this.deps.source.cameras();
    this.update({
      asking: false,
      audio: this.mic.sounding,
      video: this.cam !== undefined,
      problems: captured.problems,
      mirrored: this.facing === "user",
      cameras: cameras.length,
    });
  }

  /** Mutes or unmutes; with no microphone yet it asks for one. */
  async setAudio(on: boolean): Promise<void> {
    this.wish = { ...this.wish, audio: on };
    if (this.mic.track) this.mic.track.enabled = on;
    this.update({ audio: this.mic.sounding });
    if (on && !this.mic.track) await this.mic.open();
  }

  /** Switches the camera off (and its light) or on again. */
  async setVideo(on: boolean): Promise<void> {
    if (!on) {
      // Also while a camera is being opened: it is then let go of.
      this.wish = { ...this.wish, video: false };
      this.cam?.stop();
      this.cam = undefined;
      this.update({ video: false });
      if (!this.screen) await this.deps.replace("video", null);
      return;
    }
    await this.exclusive(async () => {
      this.wish = { ...this.wish, video: true };
      try {
        await this.open(this.cameraID, this.facing, this.chosenCamera);
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
      this.switched = true;
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

  /** Uses the microphone that has been chosen, or the wish about its noise; muted stays muted. */
  async microphoneChosen(): Promise<void> {
    if (this.mic.track) await this.mic.change();
    else if (this.wish.audio) await this.mic.open();
  }

  /** Uses the camera that has been chosen, when one is on. */
  async cameraChosen(): Promise<void> {
    await this.queued(async () => {
      this.cameraID = undefined;
      this.facing = "user";
      this.switched = false;
      if (this.cam) await this.reopenCamera();
    });
  }

  async shareScreen(): Promise<void> {
    await this.exclusive(async () => {
      try {
        const screen = await SharedScreen.open(this.deps.source, this.deps.mix, this.state.screenFor);
        if (this.stopped) {
          screen.close();
          return;
        }
        this.screen = screen;
        // The browser's own "stop sharing".
        screen.video.addEventListener("ended", () => void this.stopScreen(screen));
        await this.deps.replace("video", screen.video);
        if (screen.mixer) await this.sendMixed(screen.mixer);
        this.update({
          screen: true,
          screenSound: screen.mixer !== undefined,
          problems: { ...this.state.problems, screen: undefined },
        });
      } catch (error) {
        this.update({ problems: { ...this.state.problems, screen: deviceProblem(error) } });
      }
    });
  }

  async stopScreen(screen = this.screen): Promise<void> {
    if (!screen || screen !== this.screen) return;
    this.screen = undefined;
    await this.deps.replace("video", this.cam ?? null);
    if (screen.mixer) await this.deps.replace("audio", this.mic.track ?? null);
    screen.close();
    this.update({ screen: false, screenSound: false });
  }

  /** Says what the screen is shown for: the encoder keeps letters sharp, or motion smooth. */
  useScreenFor(use: ScreenUse): void {
    if (this.screen) this.screen.video.contentHint = use;
    this.update({ screenFor: use });
  }

  /** A device was unplugged or plugged in. */
  async devicesChanged(): Promise<void> {
    const list = await this.deps.source.list();
    if (this.stopped) return;
    this.update({ cameras: list.videoinput.length });
    await this.mic.devicesChanged(list);
    const { videoinput } = this.deps.source.choice;
    const away = !this.cam || this.cam.getSettings().deviceId !== videoinput;
    if (this.fellFrom !== undefined && this.fellFrom === videoinput && away && this.wish.video)
      if (present(list.videoinput, videoinput)) await this.queued(() => this.reopenCamera(true));
  }

  dismissMoved(kind: Kind): void {
    this.update({ moved: { ...this.state.moved, [kind]: undefined } });
  }

  dismissProblem(kind: Kind | "screen"): void {
    this.update({ problems: { ...this.state.problems, [kind]: undefined } });
  }

  stop(): void {
    this.stopped = true;
    this.mic.stop();
    this.cam?.stop();
    this.screen?.close();
    this.cam = this.screen = undefined;
  }

  private get chosenCamera(): string | undefined {
    return this.switched ? undefined : this.deps.source.choice.videoinput;
  }

  private async sendMic(track: MediaStreamTrack): Promise<void> {
    if (this.screen?.mixer) this.screen.mixer.setMic(track);
    else await this.deps.replace("audio", track);
  }

  private async reopenCamera(back = false): Promise<void> {
    try {
      const track = await this.open(undefined, this.facing, this.chosenCamera);
      if (track && back) this.tellMoved(track, true);
    } catch (error) {
      this.update({
        video: this.cam?.readyState === "live",
        problems: { ...this.state.problems, video: deviceProblem(error) },
      });
    }
  }

  /** The camera is unplugged: another one takes its place. One that only stopped may have been taken away on purpose. */
  private async replaceCamera(gone: string | undefined): Promise<void> {
    await this.queued(async () => {
      const cameras = await this.deps.source.cameras();
      if (this.cam || !this.wish.video || cameras.length === 0 || cameras.includes(gone ?? "")) return;
      this.fellFrom = gone;
      this.cameraID = undefined;
      await this.reopenCamera();
      if (this.cam) this.tellMoved(this.cam, false);
    });
  }

  private tellMoved({ label }: MediaStreamTrack, back: boolean): void {
    this.update({ moved: { ...this.state.moved, video: { back, label } } });
  }

  private async sendMixed(mixer: Mixer): Promise<void> {
    mixer.setMic(this.mic.track);
    await this.deps.replace("audio", mixer.track);
  }

  private async open(
    id: string | undefined,
    facing: Facing,
    chosen?: string,
  ): Promise<MediaStreamTrack | undefined> {
    this.cam?.stop();
    const track = await this.deps.source.camera(id, facing, chosen);
    if (this.discarded(track)) return undefined;
    if (!this.wish.video) {
      track.stop();
      return undefined;
    }
    this.cam = track;
    this.cameraID = id;
    this.facing = facing;
    this.watch();
    if (!this.screen) await this.deps.replace("video", track);
    const mode = track.getSettings().facingMode ?? facing;
    this.update({
      video: true,
      mirrored: mode !== "environment",
      problems: { ...this.state.problems, video: undefined },
    });
    return track;
  }

  /** A camera that goes away while it is used: the picture is off, unless another one can take its place. */
  private watch(): void {
    const { cam } = this;
    if (cam) {
      cam.onended = () => {
        if (this.stopped || this.cam !== cam) return;
        this.cam = undefined;
        this.update({ video: false, problems: { ...this.state.problems, video: "missing" } });
        if (!this.screen) void this.deps.replace("video", null);
        void this.replaceCamera(cam.getSettings().deviceId);
      };
    }
  }

  private discarded(track: MediaStreamTrack): boolean {
    if (this.stopped) track.stop();
    return this.stopped;
  }

  /** For what a person does: a second tap while the first is being carried out does nothing. */
  private async exclusive(operation: () => Promise<void>): Promise<void> {
    if (!this.serial.busy) await this.queued(operation);
  }

  /** For what happens by itself: it must not be lost, so it waits. */
  private queued(operation: () => Promise<void>): Promise<void> {
    return this.serial.run(async () => {
      if (!this.stopped) await operation();
    });
  }

  private update(change: Partial<Own>): void {
    this.state = { ...this.state, ...change };
    if (!this.stopped) this.deps.onChange();
  }
}
