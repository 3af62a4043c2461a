// The call that this device is in, or was in last, with its media.
import { signal } from "@preact/signals";
import type { CallReport, CallStarted, ClientData, ClientType, RunningCall } from "../protocol/messages";
import type { Link } from "./link";
import type { OwnMedia } from "./own";
import { Reports } from "./report";
import { MediaSession, type SessionDeps } from "./session";
import type { Call, CallEnd, Keep } from "./types";
import { Wishes, wishFor } from "./wish";

export interface PresentDeps extends SessionDeps {
  request: <T extends ClientType>(type: T, data: ClientData[T], timeoutMs?: number) => Promise<unknown>;
  /** Tells the server how the media fare, where it can be reached just now. */
  report: (report: CallReport) => void;
  /** Kept for this tab. */
  kept: Keep;
}

/** After so long without ever a connection the try is given up. */
const giveUpSeconds = 60;

export class Present {
  readonly call = signal<Call | undefined>(undefined);
  readonly session: MediaSession;
  private readonly deps: PresentDeps;
  private readonly wishes: Wishes;
  private readonly reports: Reports;
  private readonly onGiveUp: (call: string) => void;

  constructor(deps: PresentDeps, onGiveUp: (call: string) => void) {
    this.deps = deps;
    this.wishes = new Wishes(deps.kept);
    this.reports = new Reports({ timers: deps.timers, now: deps.now, tell: deps.report });
    this.onGiveUp = onGiveUp;
    this.session = new MediaSession(deps, {
      onOwn: (own) => this.ownChanged(own),
      onLink: (link) => this.linkChanged(link),
    });
  }

  /** The call unless it has ended. */
  get going(): Call | undefined {
    const call = this.call.value;
    return call?.stage === "ended" ? undefined : call;
  }

  /** What hello tells of it, once its media runs. */
  get running(): RunningCall[] {
    const { going } = this;
    if (!going || !this.session.link) return [];
    const { call, peer, role, gen, media } = going;
    return [{ call, peer: peer.id, role, gen, media }];
  }

  begin(call: Call): void {
    this.session.open(this.wishes.of(call.call) ?? wishFor(call.media));
    this.call.value = { ...call, own: this.session.own?.state ?? call.own };
  }

  /** Makes the media of a generation; what was there before is thrown away. */
  start({ call, role, gen, server_time }: CallStarted): void {
    this.change(call, ({ since }) => ({
      role,
      gen,
      since: since ?? server_time,
      stage: "starting",
      peerConnected: true,
      peerMedia: undefined,
    }));
    this.reports.begin(call, gen);
    this.session.connect(
      role,
      (payload) => this.deps.request("call.signal", { call, gen, payload }),
      () => {
        this.change(call, (c) => (c.stage === "starting" ? { stage: "connecting" } : {}));
        this.tellMedia();
      },
    );
  }

  /** Both called each other: the other's call goes on with the devices that are open already. */
  merge(into: string): void {
    const call = this.call.value;
    if (!call) return;
    this.call.value = { ...call, call: into, outgoing: false, role: "answerer", stage: "starting" };
    if (this.session.own) this.wishes.set(into, this.session.own.wish);
  }

  change(call: string, change: (call: Call) => Partial<Call>): void {
    const { going } = this;
    if (going?.call === call) this.call.value = { ...going, ...change(going) };
  }

  /** Lets go of everything; gives the call as it was, if that was the one. */
  end(call: string, end: CallEnd, endedBySelf: boolean): Call | undefined {
    const { going } = this;
    if (going?.call !== call) return undefined;
    this.release();
    this.wishes.clear();
    this.call.value = { ...going, stage: "ended", end, endedBySelf };
    return going;
  }

  /** Forgets the call without a word. */
  reset(): void {
    this.release();
    this.wishes.clear();
    this.call.value = undefined;
  }

  /** Tells the other end what is sent just now. */
  tellMedia(): void {
    const { going } = this;
    if (!going || !this.session.link) return;
    const { audio, video, screen } = going.own;
    this.deps
      .request("call.media", { call: going.call, audio, video, screen })
      .catch((error: unknown) => this.deps.onProblem(`call.media: ${String(error)}`));
  }

  private release(): void {
    this.reports.stop();
    this.session.release();
  }

  private ownChanged({ state, wish }: OwnMedia): void {
    const { going } = this;
    if (!going) return;
    const before = going.own;
    this.wishes.set(going.call, wish);
    this.call.value = { ...going, own: state };
    if (before.audio !== state.audio || before.video !== state.video || before.screen !== state.screen) {
      this.tellMedia();
    }
  }

  private linkChanged(link: Link): void {
    const { going } = this;
    if (!going) return;
    const { state, path, trying, tryingRelay } = link;
    this.reports.see(link);
    this.call.value = { ...going, stage: state, path: path ?? going.path, trying, tryingRelay };
    if (state === "connecting" && trying >= giveUpSeconds) this.onGiveUp(going.call);
  }
}
