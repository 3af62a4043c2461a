// Runs the recorder of one call from the moment that both agreed to the moment that one does not.
import { signal } from "@preact/signals";
import type { Recorded, Scene } from "./recorder";

/** A running recorder. */
export interface Running {
  stop(): Promise<Recorded | undefined>;
}

export interface TapeDeps {
  /** Begins to record; onFull: the device has no room for more. */
  start: (scene: Scene, onFull: () => void) => Promise<Running>;
  onDone: (recorded: Recorded) => void;
  /** It cannot begin, or not go on. */
  onFailed: (error: unknown) => void;
}

export class Tape {
  private readonly deps: TapeDeps;
  /** The recorder that runs, or is being loaded. */
  private running: Promise<Running | undefined> | undefined;

  constructor(deps: TapeDeps) {
    this.deps = deps;
  }

  start(scene: Scene): void {
    if (this.running) return;
    const running: Promise<Running | undefined> = this.deps
      .start(scene, () => this.deps.onFailed(new Error("no room")))
      .catch((error: unknown) => {
        if (this.running === running) this.running = undefined;
        this.deps.onFailed(error);
        return undefined;
      });
    this.running = running;
  }

  async stop(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    try {
      const recorded = await (await running)?.stop();
      if (recorded) this.deps.onDone(recorded);
    } catch (error) {
      this.deps.onFailed(error);
    }
  }
}

/** The recordings of this page that have been neither saved nor thrown away. */
export class Recordings {
  readonly files = signal<readonly Recorded[]>([]);
  private readonly download: (name: string, blob: Blob) => void;

  /** download: gives a file to the person's own folder. */
  constructor(download: (name: string, blob: Blob) => void) {
    this.download = download;
  }

  add(recorded: Recorded): void {
    this.files.value = [...this.files.value, recorded];
  }

  /** It stays until it is discarded: whether the browser has kept it is not told. */
  save({ name, blob }: Recorded): void {
    this.download(name, blob);
  }

  discard(recorded: Recorded): void {
    this.files.value = this.files.value.filter((each) => each !== recorded);
    recorded.discard().catch(() => undefined);
  }

  /** Signed out: they are not the next person's. */
  clear(): void {
    for (const recorded of this.files.value) this.discard(recorded);
  }
}
