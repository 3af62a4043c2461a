// One call of this device with its media, running or on hold.
import { signal } from "@preact/signals";
import type {
  CallMedia,
  CallReport,
  CallStarted,
  ClientData,
  ClientType,
  RunningCall,
} from "../protocol/messages";
import type { Link } from "./link";
import type { OwnMedia } from "./own";
import { Rejoin } from "./rejoin";
import { Reports } from "./report";
import { MediaSession, type SessionDeps } from "./session";
import { noOwn, type Call, type CallEnd } from "./types";
import { wishFor, type Wishes } from "./wish";

export interface TalkDeps extends SessionDeps {
  request: <T extends ClientType>(type: T, data: ClientData[T], timeoutMs?: number) => Promise<unknown>;
  /** Tells the server how the media fare, where it can be reached just now. */
  report: (report: CallReport) => void;
  wishes: Wishes;
  /** No way was found for long. */
  onGiveUp: (talk: Talk) => void;
  /** The server knows no such call. */
  onGone: (talk: Talk) => void;
}

/** After so long without ever a connection the try is given up. */
const giveUpSeconds = 60;

export class Talk {
  readonly call;
  readonly session: MediaSession;
  readonly rejoin: Rejoin;
  private readonly deps: TalkDeps;
  private readonly reports: Reports;

  /** One that begins on hold asks for no devices. */
  constructor(deps: TalkDeps, call: Call) {
    this.deps = deps;
    this.call = signal(call);
    this.reports = new Reports({ timers: deps.timers, now: deps.now, tell: deps.report });
    this.rejoin = new Rejoin({ ...deps, onGone: () => deps.onGone(this) });
    this.session = new MediaSession(deps, {
      onOwn: (own) => this.ownChanged(own),
      onLink: (link) => this.linkChanged(link),
      call: () => this.call.value,
    });
    if (call.held) {
      this.session.suspend();
      return;
    }
    this.session.open(this.wish);
    this.change(() => ({ own: this.session.own?.state ?? call.own }));
  }

  get id(): string {
    return this.call.value.call;
  }

  /** Whether it has an other end to put on hold. */
  get holdable(): boolean {
    return !["inviting", "ringing", "ended"].includes(this.call.value.stage);
  }

  /** What hello tells of it, once its media runs. */
  get running(): RunningCall[] {
    if (!this.session.link) return [];
    const { call, peer, role, gen, media } = this.call.value;
    return [{ call, peer: peer.id, role, gen, media }];
  }

  /** Makes the media of a generation; what was there before is thrown away. */
  start({ role, gen, server_time }: CallStarted): void {
    this.rejoin.done();
    this.change(({ since }) => ({
      role,
      gen,
      since: since ?? server_time,
      stage: "starting",
      peerConnected: true,
      peerMedia: undefined,
    }));
    this.session.pause(false);
    this.reports.begin(this.id, gen);
    this.session.connect(
      role,
      (payload) => this.deps.request("call.signal", { call: this.id, gen, payload }),
      () => {
        this.change((c) => (c.stage === "starting" ? { stage: "connecting" } : {}));
        this.tellMedia();
      },
    );
  }

  /** Both called each other: the other's call goes on with the devices that are open already. */
  merge(into: string): void {
    const { id, wish } = this;
    this.deps.wishes.clear(id);
    this.change(() => ({ call: into, outgoing: false, role: "answerer", stage: "starting" }));
    this.deps.wishes.set(into, wish);
  }

  /** Nothing is sent or played until resume; the connection stays. */
  hold(): void {
    if (this.call.value.held) return;
    this.deps.wishes.set(this.id, this.wish);
    this.session.suspend();
    this.change(() => ({ held: true, own: noOwn }));
    this.tellMedia();
  }

  resume(): void {
    if (!this.call.value.held) return;
    this.session.resume(this.wish);
    this.change((call) => ({ held: false, own: this.session.own?.state ?? call.own }));
    this.tellMedia();
  }

  /** What the other end sends just now; one that has put this call on hold gets nothing either. */
  peerSends(media: CallMedia): void {
    this.change(() => ({ peerMedia: media }));
    this.session.pause(media.held === true);
  }

  change(change: (call: Call) => Partial<Call>): void {
    const { value } = this.call;
    if (value.stage !== "ended") this.call.value = { ...value, ...change(value) };
  }

  /** Lets go of everything; gives the call as it was. */
  end(end: CallEnd, endedBySelf: boolean): Call {
    const { value } = this.call;
    this.release();
    this.call.value = { ...value, stage: "ended", end, endedBySelf };
    return value;
  }

  /** Lets go of everything without a word. */
  release(): void {
    this.rejoin.done();
    this.reports.stop();
    this.session.release();
    this.deps.wishes.clear(this.id);
  }

  /** Tells the other end what is sent just now. */
  tellMedia(): void {
    if (!this.session.link) return;
    const { call, held, own } = this.call.value;
    const { audio, video, screen } = own;
    this.deps
      .request("call.media", { call, audio, video, screen, ...(held ? { held } : {}) })
      .catch((error: unknown) => this.deps.onProblem(`call.media: ${String(error)}`));
  }

  private get wish() {
    return this.session.own?.wish ?? this.deps.wishes.of(this.id) ?? wishFor(this.call.value.media);
  }

  private ownChanged({ state, wish }: OwnMedia): void {
    const before = this.call.value.own;
    this.deps.wishes.set(this.id, wish);
    this.change(() => ({ own: state }));
    if (before.audio !== state.audio || before.video !== state.video || before.screen !== state.screen) {
      this.tellMedia();
    }
  }

  private linkChanged(link: Link): void {
    const { state, path, trying, tryingRelay } = link;
    this.reports.see(link);
    this.change((call) => ({ stage: state, path: path ?? call.path, trying, tryingRelay }));
    if (state === "connecting" && trying >= giveUpSeconds) this.deps.onGiveUp(this);
  }
}
