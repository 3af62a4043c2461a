// Cameras, microphones and screens, and plain words for why one is not there.
import { listOf, present, type Choice, type Device, type DeviceList } from "./devices";
import type { DeviceProblem, Kind } from "./types";

/** The part of navigator.mediaDevices that is used; undefined on an insecure page. */
export type Devices = Pick<MediaDevices, "getUserMedia" | "enumerateDevices"> &
  Partial<Pick<MediaDevices, "getDisplayMedia">>;

export interface Captured {
  audio?: MediaStreamTrack;
  video?: MediaStreamTrack;
  problems: Partial<Record<Kind, DeviceProblem>>;
}

export type Facing = "user" | "environment";

/** A screen, and the sound of what it shows where the browser and the person give it. */
export interface Screen {
  video: MediaStreamTrack;
  audio?: MediaStreamTrack;
}

/** Exactly this one: a device that is only wished for Chromium leaves for its default. */
const just = (id: string): MediaTrackConstraints => ({ deviceId: { exact: id } });

const sound = (id: string | undefined, quiet: boolean): MediaTrackConstraints => ({
  echoCancellation: true,
  noiseSuppression: quiet,
  autoGainControl: true,
  ...(id === undefined ? {} : just(id)),
});

const picture = (id: string | undefined, facing: Facing): MediaTrackConstraints => ({
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  ...(id === undefined ? { facingMode: facing } : just(id)),
});

/** Not there, or not there under this id. */
const missing = (error: unknown): boolean => deviceProblem(error) === "missing";

/**
 * A screen's sound as it is: what takes noise and echo out of a voice spoils music. The
 * voices of this very call are left out where the browser can.
 */
const screenSound = {
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
  restrictOwnAudio: true,
} as MediaTrackConstraints;

/** Says in a word what a refused getUserMedia or getDisplayMedia means. */
export function deviceProblem(error: unknown): DeviceProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "in_use";
    default:
      return "unknown";
  }
}

export class MediaSource {
  private readonly devices: Devices | undefined;
  private readonly chosen: () => Choice;

  /** choice: what the person wants on this device. */
  constructor(devices: Devices | undefined, choice: () => Choice = () => ({ quiet: true })) {
    this.devices = devices;
    this.chosen = choice;
  }

  get choice(): Choice {
    return this.chosen();
  }

  get canShareScreen(): boolean {
    return typeof this.devices?.getDisplayMedia === "function";
  }

  /** Gets what there is of sound and picture; what is missing is told in problems, never thrown. */
  async capture(want: { audio: boolean; video: boolean }, facing: Facing = "user"): Promise<Captured> {
    const kinds = (["audio", "video"] as const).filter((kind) => want[kind]);
    if (kinds.length === 0) return { problems: {} };
    if (!this.devices)
      return { problems: Object.fromEntries(kinds.map((kind) => [kind, "insecure" as const])) };
    try {
      return await this.get(want, undefined, facing, this.choice.videoinput);
    } catch (error) {
      if (kinds.length === 1) return { problems: { [kinds[0]!]: deviceProblem(error) } };
    }
    // One of the two spoilt it: ask for each alone, so that the other one still works.
    const audio = await this.capture({ audio: true, video: false });
    const video = await this.capture({ audio: false, video: true }, facing);
    return { audio: audio.audio, video: video.video, problems: { ...audio.problems, ...video.problems } };
  }

  /**
   * Opens one certain camera, or the chosen one, or one that looks that way; throws when
   * it does not open.
   */
  async camera(device: string | undefined, facing: Facing, chosen?: string): Promise<MediaStreamTrack> {
    const { video } = await this.get({ audio: false, video: true }, device, facing, chosen);
    if (!video) throw new DOMException("no video track", "NotFoundError");
    return video;
  }

  /** Asks for a screen to show; throws when the person changes their mind. */
  async screen(): Promise<Screen> {
    const wish = { video: true, audio: screenSound, systemAudio: "include", surfaceSwitching: "include" };
    const stream = await this.devices?.getDisplayMedia?.(wish);
    const video = stream?.getVideoTracks()[0];
    if (!video) throw new DOMException("no screen", "NotFoundError");
    return { video, audio: stream?.getAudioTracks()[0] };
  }

  /** The ids of the cameras; empty where the browser does not tell. */
  async cameras(): Promise<string[]> {
    return (await this.list()).videoinput.map(({ id }) => id);
  }

  /** What there is; empty where the browser does not tell. */
  async list(): Promise<DeviceList> {
    try {
      return listOf((await this.devices?.enumerateDevices()) ?? []);
    } catch {
      return listOf([]);
    }
  }

  private async get(
    want: { audio: boolean; video: boolean },
    camera: string | undefined,
    facing: Facing,
    chosen: string | undefined,
  ): Promise<Captured> {
    const { audioinput } = this.choice;
    try {
      return await this.getExactly(want, audioinput, camera ?? chosen, facing);
    } catch (error) {
      const hadChoice = (want.audio && audioinput !== undefined) || (want.video && chosen !== undefined);
      if (camera !== undefined || !hadChoice || !missing(error)) throw error;
    }
    // While what was chosen is unplugged another one has to do; what is there is still used.
    const list = await this.list();
    const there = (all: readonly Device[], id: string | undefined) => (present(all, id) ? id : undefined);
    return this.getExactly(want, there(list.audioinput, audioinput), there(list.videoinput, chosen), facing);
  }

  private async getExactly(
    want: { audio: boolean; video: boolean },
    microphone: string | undefined,
    camera: string | undefined,
    facing: Facing,
  ): Promise<Captured> {
    if (!this.devices) throw new DOMException("no media devices", "SecurityError");
    const stream = await this.devices.getUserMedia({
      audio: want.audio && sound(microphone, this.choice.quiet),
      video: want.video && picture(camera, facing),
    });
    return { audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0], problems: {} };
  }
}
