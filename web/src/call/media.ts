// Cameras, microphones and screens, and plain words for why one is not there.
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

const sound: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

const picture = (camera: string | undefined, facing: Facing): MediaTrackConstraints => ({
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  ...(camera === undefined ? { facingMode: facing } : { deviceId: { exact: camera } }),
});

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

  constructor(devices: Devices | undefined) {
    this.devices = devices;
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
      return await this.get(want, undefined, facing);
    } catch (error) {
      if (kinds.length === 1) return { problems: { [kinds[0]!]: deviceProblem(error) } };
    }
    // One of the two spoilt it: ask for each alone, so that the other one still works.
    const audio = await this.capture({ audio: true, video: false });
    const video = await this.capture({ audio: false, video: true }, facing);
    return { audio: audio.audio, video: video.video, problems: { ...audio.problems, ...video.problems } };
  }

  /** Opens one certain camera; throws when it does not open. */
  async camera(device: string | undefined, facing: Facing): Promise<MediaStreamTrack> {
    const { video } = await this.get({ audio: false, video: true }, device, facing);
    if (!video) throw new DOMException("no video track", "NotFoundError");
    return video;
  }

  /** Asks for a screen to show; throws when the person changes their mind. */
  async screen(): Promise<MediaStreamTrack> {
    const stream = await this.devices?.getDisplayMedia?.({ video: true, audio: false });
    const track = stream?.getVideoTracks()[0];
    if (!track) throw new DOMException("no screen", "NotFoundError");
    return track;
  }

  /** The ids of the cameras; empty where the browser does not tell. */
  async cameras(): Promise<string[]> {
    try {
      const all = (await this.devices?.enumerateDevices()) ?? [];
      return all.filter((device) => device.kind === "videoinput").map((device) => device.deviceId);
    } catch {
      return [];
    }
  }

  private async get(
    want: { audio: boolean; video: boolean },
    camera: string | undefined,
    facing: Facing,
  ): Promise<Captured> {
    if (!this.devices) throw new DOMException("no media devices", "SecurityError");
    const stream = await this.devices.getUserMedia({
      audio: want.audio && sound,
      video: want.video && picture(camera, facing),
    });
    return { audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0], problems: {} };
  }
}
