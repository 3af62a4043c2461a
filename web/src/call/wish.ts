// What the person wants to send, whatever the devices can: it outlives them, and a reload.
import type { Media } from "../protocol/messages";
import type { Keep } from "./types";

export interface Wish {
  audio: boolean;
  video: boolean;
}

export const wishFor = (media: Media): Wish => ({ audio: true, video: media === "video" });

const key = "wish";

/** Keeps the wish of the running call. */
export class Wishes {
  private readonly kept: Keep;

  constructor(kept: Keep) {
    this.kept = kept;
  }

  set(call: string, { audio, video }: Wish): void {
    this.kept.set(key, JSON.stringify({ call, audio, video }));
  }

  /** What was wanted in this call before; undefined for one that is new here. */
  of(call: string): Wish | undefined {
    try {
      const kept = JSON.parse(this.kept.get(key) ?? "null") as (Wish & { call: string }) | null;
      if (kept?.call !== call) return undefined;
      return { audio: kept.audio === true, video: kept.video === true };
    } catch {
      return undefined;
    }
  }

  clear(): void {
    this.kept.set(key, undefined);
  }
}
