// What the person wants to send, whatever the devices can: it outlives them, and a reload.
import type { Media } from "../protocol/messages";
import type { Keep } from "./types";

export interface Wish {
  audio: boolean;
  video: boolean;
}

export const wishFor = (media: Media): Wish => ({ audio: true, video: media === "video" });

const key = "wish";
/** A device has two calls; nobody needs the wishes of more. */
const maxKept = 4;

/** Keeps the wishes of the running calls. */
export class Wishes {
  private readonly kept: Keep;

  constructor(kept: Keep) {
    this.kept = kept;
  }

  set(call: string, { audio, video }: Wish): void {
    this.write([...this.read().filter((each) => each.call !== call), { call, audio, video }]);
  }

  /** What was wanted in this call before; undefined for one that is new here. */
  of(call: string): Wish | undefined {
    const kept = this.read().find((each) => each.call === call);
    return kept && { audio: kept.audio, video: kept.video };
  }

  clear(call: string): void {
    this.write(this.read().filter((each) => each.call !== call));
  }

  private write(wishes: (Wish & { call: string })[]): void {
    this.kept.set(key, wishes.length > 0 ? JSON.stringify(wishes.slice(-maxKept)) : undefined);
  }

  private read(): (Wish & { call: string })[] {
    try {
      const kept = JSON.parse(this.kept.get(key) ?? "[]") as (Wish & { call: string })[];
      return kept.map(({ call, audio, video }) => ({
        call: String(call),
        audio: audio === true,
        video: video === true,
      }));
    } catch {
      return [];
    }
  }
}
