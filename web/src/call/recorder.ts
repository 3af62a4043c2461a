// Records a call into a file of this device: both sounds mixed, and the other's picture with
// the own one small beside it. Loaded when somebody first records.
import { Canvas } from "./recorderCanvas";
import { recordTypes } from "./recordTypes";
import { openStore, type PartStore } from "./recorderStore";

/** What is in the call at this moment. */
export interface Scene {
  /** The tracks that go out and come in; those of a call on hold are not there. */
  sounds: () => MediaStreamTrack[];
  theirs: () => MediaStreamTrack | undefined;
  own: () => MediaStreamTrack | undefined;
  name: string;
}

export interface Recorded {
  /** A file name without its ending's dot trouble: letters, digits, dashes. */
  name: string;
  blob: Blob;
  /** Frees what it takes on the device. */
  discard: () => Promise<void>;
}

const chunkMs = 2_000;
const lookMs = 300;
const videoBits = 1_200_000;
const audioBits = 64_000;

export class Recorder {
  private readonly scene: Scene;
  private readonly audio = new AudioContext();
  private readonly out = this.audio.createMediaStreamDestination();
  private readonly sources = new Map<MediaStreamTrack, MediaStreamAudioSourceNode>();
  private readonly canvas: Canvas;
  private readonly recorder: MediaRecorder;
  private readonly store: PartStore;
  private readonly startedAt: Date;
  private readonly timer: number;
  private writes: Promise<void> = Promise.resolve();
  private failed: unknown;
  private onFull: () => void = () => undefined;

  private constructor(scene: Scene, store: PartStore, startedAt: Date) {
    this.scene = scene;
    this.store = store;
    this.startedAt = startedAt;
    void this.audio.resume();
    this.canvas = new Canvas(scene);
    const mimeType = recordTypes.find((type) => MediaRecorder.isTypeSupported(type));
    const stream = new MediaStream([...this.canvas.tracks, ...this.out.stream.getAudioTracks()]);
    this.recorder = new MediaRecorder(stream, {
      mimeType,
      videoBitsPerSecond: videoBits,
      audioBitsPerSecond: audioBits,
    });
    this.recorder.ondataavailable = ({ data }) => this.keep(data);
    this.mix();
    this.timer = window.setInterval(() => this.mix(), lookMs);
    this.recorder.start(chunkMs);
  }

  /** onFull: the device has no room for more; what there is can be kept. */
  static async start(scene: Scene, onFull: () => void): Promise<Recorder> {
    const recorder = new Recorder(scene, await openStore(), new Date());
    recorder.onFull = onFull;
    return recorder;
  }

  /** Ends it; undefined when nothing was recorded. */
  async stop(): Promise<Recorded | undefined> {
    window.clearInterval(this.timer);
    if (this.recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => (this.recorder.onstop = resolve));
      this.recorder.stop();
      await stopped;
    }
    await this.writes;
    this.canvas.close();
    for (const source of this.sources.values()) source.disconnect();
    await this.audio.close();
    const type = this.recorder.mimeType.split(";")[0] ?? "video/webm";
    const blob = await this.store.finish(type);
    const discard = () => this.store.discard();
    if (blob.size > 0) return { name: this.fileName(type), blob, discard };
    await discard();
    return undefined;
  }

  private keep(data: Blob): void {
    if (data.size === 0) return;
    this.writes = this.writes.then(async () => {
      if (this.failed !== undefined) return;
      try {
        await this.store.add(data);
      } catch (error) {
        this.failed = error;
        this.onFull();
      }
    });
  }

  /** Tracks come and go: another microphone, a shared screen, a hold. */
  private mix(): void {
    const now = new Set(this.scene.sounds().filter(({ readyState }) => readyState === "live"));
    for (const [track, source] of this.sources) {
      if (now.has(track)) continue;
      source.disconnect();
      this.sources.delete(track);
    }
    for (const track of now) {
      if (this.sources.has(track)) continue;
      const source = this.audio.createMediaStreamSource(new MediaStream([track]));
      source.connect(this.out);
      this.sources.set(track, source);
    }
  }

  private fileName(type: string): string {
    return fileName(this.scene.name, this.startedAt, type);
  }
}

/** A name that every file system takes: when and with whom. */
export function fileName(person: string, at: Date, type: string): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const who = person
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  const ending = type === "video/mp4" ? "mp4" : "webm";
  return `call-${day}-${two(at.getHours())}${two(at.getMinutes())}${who && "-"}${who}.${ending}`;
}
