// What administrators say to all: it waits here until the person has acknowledged it.
import { signal } from "@preact/signals";
import type { Keep } from "../call/types";
import { ApiError, type Api } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import type { ServerMessage } from "../protocol/messages";
import type { Announcement, ServerTextData } from "../protocol/texts";

export type Seen = ServerTextData["announcement.seen"];

export interface AnnouncementsDeps {
  api: Pick<Api, "call">;
  timers: Timers;
  /** Kept for this device: what was acknowledged while the server was out of reach. */
  kept: Keep;
  onProblem: (problem: string) => void;
}

const againMs = 5_000;
const key = "acknowledged";

export class Announcements {
  /** Those that this person has not acknowledged, newest first. */
  readonly pending = signal<readonly Announcement[]>([]);
  /** Grows whenever one comes, or comes again: it is worth a sound. */
  readonly alarm = signal(0);
  /** The last news of who has seen what, for administrators. */
  readonly news = signal<Seen | undefined>(undefined);
  private readonly deps: AnnouncementsDeps;
  private me = "";
  /** Acknowledged here, and the server does not know yet. */
  private owed: string[] = [];
  /** What came or was seen while the list was being fetched. */
  private meanwhile: { came: Announcement[]; seen: string[] } | undefined;
  private timer: number | undefined;
  private stale = true;
  private telling = false;

  constructor(deps: AnnouncementsDeps) {
    this.deps = deps;
  }

  /** Somebody has signed in. */
  open(me: string): void {
    this.reset();
    this.me = me;
    this.owed = restore(this.deps.kept.get(key), me);
  }

  /** The page has (re)connected; a stream that goes on brings what is new by itself. */
  welcome(resumed: boolean): void {
    if (!resumed) this.stale = true;
    void this.work();
  }

  /** Takes what belongs here; false for what does not. */
  take(message: ServerMessage): boolean {
    if (message.type === "announcement") {
      this.add(message.data);
      return true;
    }
    if (message.type !== "announcement.seen") return false;
    this.news.value = message.data;
    if (message.data.by === this.me) this.forget(message.data.announcement);
    return true;
  }

  acknowledge(name: string): void {
    this.forget(name);
    if (!this.owed.includes(name)) this.owed.push(name);
    this.keep();
    void this.work();
  }

  reset(): void {
    this.deps.timers.clear(this.timer);
    this.me = "";
    this.owed = [];
    this.stale = true;
    this.meanwhile = undefined;
    this.pending.value = [];
    this.news.value = undefined;
  }

  private add(one: Announcement): void {
    this.meanwhile?.came.push(one);
    if (this.owed.includes(one.announcement)) return;
    const others = this.pending.value.filter((each) => each.announcement !== one.announcement);
    this.pending.value = [one, ...others].sort((a, b) => b.server_time - a.server_time);
    this.alarm.value++;
  }

  private forget(name: string): void {
    this.meanwhile?.seen.push(name);
    this.pending.value = this.pending.value.filter((each) => each.announcement !== name);
  }

  /** Tells the server what it does not know, asks for what this page does not, and again until both are done. */
  private async work(): Promise<void> {
    const { me } = this;
    if (this.telling || me === "") return;
    this.telling = true;
    this.deps.timers.clear(this.timer);
    let failed = false;
    try {
      await this.tell(me);
      if (this.stale && this.me === me) await this.load(me);
    } catch (error) {
      failed = true;
      this.deps.onProblem(`announcements: ${String(error)}`);
    }
    this.telling = false;
    if (this.me === "") return;
    if (this.me !== me || (!failed && (this.owed.length > 0 || this.stale))) void this.work();
    else if (failed) this.timer = this.deps.timers.set(() => void this.work(), againMs);
  }

  private async tell(me: string): Promise<void> {
    while (this.me === me && this.owed.length > 0) {
      const name = this.owed[0]!;
      try {
        await this.deps.api.call("POST", `announcements/${encodeURIComponent(name)}/ack`, {});
      } catch (error) {
        // One that is gone needs no acknowledgement any more.
        if (!(error instanceof ApiError && error.code === "not_found")) throw error;
      }
      if (this.me !== me) return;
      this.owed = this.owed.filter((each) => each !== name);
      this.keep();
    }
  }

  private async load(me: string): Promise<void> {
    const meanwhile = (this.meanwhile = { came: [] as Announcement[], seen: [] as string[] });
    this.stale = false;
    try {
      const answer = await this.deps.api.call<{ announcements: Announcement[] }>(
        "GET",
        "announcements?pending=1",
      );
      if (this.me !== me) return;
      const known = new Set(this.pending.value.map((each) => each.announcement));
      const gone = new Set([...this.owed, ...meanwhile.seen]);
      const came = new Map(
        [...answer.announcements, ...meanwhile.came].map((each) => [each.announcement, each]),
      );
      this.pending.value = [...came.values()]
        .filter((each) => !gone.has(each.announcement))
        .sort((a, b) => b.server_time - a.server_time);
      if (this.pending.value.some((each) => !known.has(each.announcement))) this.alarm.value++;
    } catch (error) {
      this.stale = true;
      throw error;
    } finally {
      if (this.meanwhile === meanwhile) this.meanwhile = undefined;
    }
  }

  private keep(): void {
    const { me, owed } = this;
    this.deps.kept.set(key, owed.length === 0 ? undefined : JSON.stringify({ me, owed }));
  }
}

function restore(json: string | undefined, me: string): string[] {
  try {
    const kept = JSON.parse(json ?? "{}") as { me?: string; owed?: unknown[] };
    return kept.me === me ? (kept.owed ?? []).filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}
