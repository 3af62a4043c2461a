// What the person wants calls to use, remembered on the device.
import { signal } from "@preact/signals";
import type { Thrift as Wanted } from "../call/flow";
import type { Kept } from "./storage";

export class Thrift {
  /** No pictures, neither out nor in. */
  readonly soundOnly;
  /** Small pictures and lean sound. */
  readonly saveData;
  private readonly kept: Kept;

  constructor(kept: Kept) {
    this.kept = kept;
    this.soundOnly = signal(kept.get("sound-only") === "1");
    this.saveData = signal(kept.get("save-data") === "1");
  }

  get wanted(): Wanted {
    return { soundOnly: this.soundOnly.value, saveData: this.saveData.value };
  }

  setSoundOnly(on: boolean): void {
    this.soundOnly.value = on;
    this.kept.set("sound-only", on ? "1" : undefined);
  }

  setSaveData(on: boolean): void {
    this.saveData.value = on;
    this.kept.set("save-data", on ? "1" : undefined);
  }
}
