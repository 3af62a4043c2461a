// The calls of this device: one at a time, and those that ring.
import { batch, signal } from "@preact/signals";
import type { IceServers } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import {
  newName,
  type CallIncoming,
  type CallInfo,
  type CallStarted,
  type ClientData,
  type ClientType,
  type Media,
  type RunningCall,
  type ServerMessage,
  type User,
  type Welcome,
} from "../protocol/messages";
import { RequestError } from "../protocol/pending";
import { Link } from "./link";
import type { MediaSource } from "./media";
import { OwnMedia } from "./own";
import { noOwn, type Call, type CallEnd } from "./types";

export interface CallsDeps {
  request: <T extends ClientType>(type: T, data: ClientData[T], timeoutMs?: number) => Promise<unknown>;
  fetchIce: () => Promise<IceServers>;
  signalling: () => boolean;
  source: MediaSource;
  newPeer: (config: RTCConfiguration) => RTCPeerConnection;
  newStream: () => MediaStream;
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  relayOnly: boolean;
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
  /** Unix milliseconds by the server's clock. */
  serverNow: () => number;
  /** The running RTCPeerConnection, for support and tests. */
  onPeer: (pc: RTCPeerConnection | undefined) => void;
  /** A call is over: for the conversation's log. */
  onOver: (over: Over) => void;
  onProblem: (problem: string) => void;
}

/** A call that is over, as the conversation tells of it. */
export interface Over {
  call: string;
  peer: User;
  media: Media;
  outgoing: boolean;
  end: CallEnd;
  /** Seconds talked; undefined when it was never answered. */
  seconds: number | undefined;
  at: number;
}

/** A ring or an answer is worth little after so long. */
const callRequestMs = 12_000;
/** How long the stream may take to say why a call that welcome does not list has ended. */
const explainMs = 1_500;
/** After so long without ever a connection the try is given up. */
const giveUpSeconds = 60;

export class Calls {
  readonly current = signal<Call | undefined>(undefined);
  readonly incoming = signal<CallIncoming[]>([]);
  readonly remote = signal<MediaStream | undefined>(undefined);
  readonly preview = signal<MediaStream | undefined>(undefined);
  private readonly deps: CallsDeps;
  private link: Link | undefined;
  private own: OwnMedia | undefined;
  private devices: Promise<void> = Promise.resolve();

  constructor(deps: CallsDeps) {
    this.deps = deps;
  }

  get canShareScreen(): boolean {
    return this.deps.source.canShareScreen;
  }

  get busy(): boolean {
    const call = this.current.value;
    return call !== undefined && call.stage !== "ended";
  }

  /** The calls whose media runs here, for hello. */
  running(): RunningCall[] {
    const call = this.current.value;
    if (!call || !this.link || call.stage === "ended") return [];
    return [{ call: call.call, peer: call.peer.id, role: call.role, gen: call.gen, media: call.media }];
  }

  // What the person does.

  async invite(peer: User, media: Media): Promise<void> {
    if (this.busy) return;
    const call = newName("c", this.deps.random);
    this.begin({ call, peer, outgoing: true, media, role: "offerer", gen: 0, stage: "inviting" });
    await this.ask(call, "call.invite", { call, to: peer.id, media });
  }

  /** Takes the ringing call, with or without the camera. */
  async accept(ringing: CallIncoming, media: Media): Promise<void> {
    this.hangUp();
    const { call, from } = ringing;
    batch(() => {
      this.forget(call);
      this.begin({ call, peer: from, outgoing: false, media, role: "answerer", gen: 0, stage: "starting" });
    });
    await this.ask(call, "call.accept", { call, media });
  }

  decline(ringing: CallIncoming): void {
    this.forget(ringing.call);
    this.tell("call.decline", { call: ringing.call });
  }

  /** Ends the call that rings or runs. */
  hangUp(): void {
    const call = this.current.value;
    if (!call || call.stage === "ended") return;
    const ringing = call.outgoing && (call.stage === "inviting" || call.stage === "ringing");
    this.finish(call.call, ringing ? "cancelled" : "hangup", true);
    if (!ringing) {
      this.tell("call.hangup", { call: call.call });
      return;
    }
    this.deps.request("call.cancel", { call: call.call }).catch((error: unknown) => {
      // It was answered in the same moment.
      const started = error instanceof RequestError && error.code === "wrong_state";
      if (started) this.tell("call.hangup", { call: call.call });
    });
  }

  /** Closes what is shown of an ended call. */
  dismiss(): void {
    if (!this.busy) this.current.value = undefined;
  }

  setAudio = (on: boolean): void => void this.own?.setAudio(on);
  setVideo = (on: boolean): void => void this.own?.setVideo(on);
  switchCamera = (): void => void this.own?.switchCamera();
  shareScreen = (): void => void this.own?.shareScreen();
  stopScreen = (): void => void this.own?.stopScreen();
  dismissProblem = (kind: "audio" | "video" | "screen"): void => this.own?.dismissProblem(kind);

  devicesChanged(): void {
    void this.own?.devicesChanged();
  }

  networkChanged(): void {
    this.link?.networkChanged();
  }

  /** Signed out: everything ends here and nothing is told. */
  reset(): void {
    this.release();
    batch(() => {
      this.current.value = undefined;
      this.incoming.value = [];
    });
  }

  // What the server says.

  welcome(welcome: Welcome): void {
    const rings = welcome.calls.filter((info) => info.state === "ringing" && info.role === "answerer");
    this.incoming.value = rings.map((info) => ({
      call: info.call,
      from: info.peer,
      media: info.media,
      server_time: info.since,
    }));
    for (const info of welcome.calls) this.recall(info, welcome.resumed);
    const call = this.current.value;
    const known = welcome.calls.some((info) => info.call === call?.call);
    if (call && !known && call.stage !== "ended" && call.stage !== "inviting") this.endSoon(call.call);
    if (call && known) this.link?.signallingBack();
  }

  take(message: ServerMessage): void {
    switch (message.type) {
      case "call.incoming":
        this.ring(message.data);
        break;
      case "call.ringing":
        this.change(message.data.call, (call) => (call.stage === "inviting" ? { stage: "ringing" } : {}));
        break;
      case "call.started":
        this.started(message.data);
        break;
      case "call.signal":
        this.signal(message.data);
        break;
      case "call.media":
        this.change(message.data.call, () => ({ peerMedia: message.data }));
        break;
      case "call.peer":
        this.change(message.data.call, () => ({ peerConnected: message.data.connected }));
        if (message.data.connected && this.current.value?.call === message.data.call) {
          this.tellMedia();
          this.link?.signallingBack();
        }
        break;
      case "call.ended":
        this.ended(message.data);
        break;
      default:
    }
  }

  private ring(incoming: CallIncoming): void {
    const known = this.incoming.value.some((each) => each.call === incoming.call);
    if (!known && this.current.value?.call !== incoming.call)
      this.incoming.value = [...this.incoming.value, incoming];
  }

  private started(started: CallStarted): void {
    const { call, peer, role, gen, media, server_time } = started;
    const present = this.current.value;
    if (present?.call === call && (present.stage === "ended" || (this.link && gen <= present.gen))) return;
    batch(() => {
      this.forget(call);
      if (present?.call !== call) {
        // The server says that this device is in it: both called each other, or this page was away.
        this.begin({ call, peer, outgoing: role === "offerer", media, role, gen, stage: "starting" });
      }
      const since = this.current.value?.since ?? server_time;
      this.change(call, () => ({
        role,
        gen,
        since,
        stage: "starting",
        peerConnected: true,
        peerMedia: undefined,
      }));
    });
    this.connect(call, gen);
  }

  private signal(data: ClientData["call.signal"]): void {
    const call = this.current.value;
    if (call?.call === data.call && call.gen === data.gen) this.link?.receive(data.payload);
  }

  private ended(ended: { call: string; reason: CallEnd; into?: string }): void {
    const ringing = this.incoming.value.find((each) => each.call === ended.call);
    if (ringing) {
      this.forget(ended.call);
      this.over({ ...ringing, peer: ringing.from, outgoing: false, since: undefined }, ended.reason);
    }
    const call = this.current.value;
    if (ended.reason === "merged" && call?.call === ended.call && ended.into !== undefined) {
      // Both called each other; the other call goes on with the devices that are open already.
      this.current.value = {
        ...call,
        call: ended.into,
        outgoing: false,
        role: "answerer",
        stage: "starting",
      };
      this.forget(ended.into);
      return;
    }
    this.finish(ended.call, ended.reason, false);
  }

  /** A call that the server knows of, after this page has (re)connected. */
  private recall(info: CallInfo, resumed: boolean): void {
    const { call, peer, role, gen, media, since } = info;
    const present = this.current.value;
    if (present?.call === call) {
      // Where the stream goes on, it brings a start that was missed; otherwise ask for one.
      const missed = info.state === "active" && (gen !== present.gen || !this.link);
      if (missed && !resumed && present.stage !== "ended") this.tell("call.rejoin", { call });
      return;
    }
    if (this.busy || (info.state === "ringing" && role === "answerer")) return;
    const outgoing = role === "offerer";
    if (info.state === "ringing") {
      this.begin({ call, peer, outgoing, media, role, gen, stage: "ringing" });
      return;
    }
    // This page was reloaded: its media is gone and is asked for anew.
    this.begin({ call, peer, outgoing, media, role, gen: 0, stage: "starting" });
    this.change(call, () => ({ since }));
    this.tell("call.rejoin", { call });
  }

  // How it is done.

  private begin(start: Pick<Call, "call" | "peer" | "outgoing" | "media" | "role" | "gen" | "stage">): void {
    const kept = this.own && this.busy ? this.own : undefined;
    if (!kept) this.release();
    this.current.value = {
      since: undefined,
      path: undefined,
      tryingRelay: false,
      trying: 0,
      peerConnected: true,
      peerMedia: undefined,
      own: kept?.state ?? noOwn,
      end: undefined,
      endedBySelf: false,
      ...start,
    };
    if (!kept) this.open(start.media);
  }

  private open(media: Media): void {
    const own = new OwnMedia({
      source: this.deps.source,
      replace: async (kind, track) => this.link?.replace(kind, track),
      onChange: () => this.ownChanged(own),
    });
    this.own = own;
    this.devices = own.acquire(media);
  }

  private ownChanged(own: OwnMedia): void {
    const call = this.current.value;
    if (own !== this.own || !call) return;
    const before = call.own;
    const { state } = own;
    const track = own.tracks.video;
    batch(() => {
      this.current.value = { ...call, own: state };
      if (this.preview.value?.getVideoTracks()[0] !== track) this.preview.value = this.streamOf(track);
    });
    if (before.audio !== state.audio || before.video !== state.video || before.screen !== state.screen)
      this.tellMedia();
  }

  private streamOf(track: MediaStreamTrack | undefined): MediaStream | undefined {
    if (!track) return undefined;
    const stream = this.deps.newStream();
    stream.addTrack(track);
    return stream;
  }

  /** Starts the media of a generation, after the devices have been asked for (getUserMedia comes first). */
  private connect(call: string, gen: number): void {
    const present = this.current.value;
    const { own } = this;
    if (!present || !own) return;
    this.unlink();
    const link = new Link({
      role: present.role,
      relayOnly: this.deps.relayOnly,
      tracks: () => own.tracks,
      newPeer: (config) => {
        const pc = this.deps.newPeer(config);
        this.deps.onPeer(pc);
        return pc;
      },
      newStream: this.deps.newStream,
      fetchIce: this.deps.fetchIce,
      send: (payload) => this.tell("call.signal", { call, gen, payload }),
      signalling: this.deps.signalling,
      timers: this.deps.timers,
      now: this.deps.now,
      onTrack: (track) => this.addRemote(track),
      onChange: () => this.linkChanged(link),
      onProblem: this.deps.onProblem,
    });
    this.link = link;
    this.remote.value = this.deps.newStream();
    link.start(this.devices);
    void this.devices.then(() => {
      if (this.link !== link) return;
      this.change(call, (c) => (c.stage === "starting" ? { stage: "connecting" } : {}));
      this.tellMedia();
    });
  }

  private addRemote(track: MediaStreamTrack): void {
    const stream = this.deps.newStream();
    for (const each of this.remote.value?.getTracks() ?? [])
      if (each.kind !== track.kind) stream.addTrack(each);
    stream.addTrack(track);
    this.remote.value = stream;
  }

  private linkChanged(link: Link): void {
    const call = this.current.value;
    if (link !== this.link || !call || call.stage === "ended") return;
    const { state, path, trying, tryingRelay } = link;
    this.current.value = { ...call, stage: state, path: path ?? call.path, trying, tryingRelay };
    if (state !== "connecting" || trying < giveUpSeconds) return;
    this.tell("call.hangup", { call: call.call, reason: "failed" });
    this.finish(call.call, "no_media_path", false);
  }

  private tellMedia(): void {
    const call = this.current.value;
    if (!call || !this.link || call.stage === "ended") return;
    const { audio, video, screen } = call.own;
    this.tell("call.media", { call: call.call, audio, video, screen });
  }

  /** Sends a request that begins a call or answers one; when it cannot be done the call is over. */
  private async ask<T extends "call.invite" | "call.accept">(
    call: string,
    type: T,
    data: ClientData[T],
  ): Promise<void> {
    try {
      await this.deps.request(type, data, callRequestMs);
    } catch (error) {
      const code = error instanceof RequestError ? error.code : "internal";
      // Its end may be told in the very next message, and says more.
      if (code === "no_such_call" || code === "wrong_state") this.endSoon(call);
      else this.finish(call, endFor(code), false);
    }
  }

  private tell<T extends ClientType>(type: T, data: ClientData[T]): void {
    this.deps.request(type, data).catch((error: unknown) => this.deps.onProblem(`${type}: ${String(error)}`));
  }

  private endSoon(call: string): void {
    const gen = this.current.value?.gen;
    this.deps.timers.set(() => {
      if (this.current.value?.gen === gen) this.finish(call, "lost", false);
    }, explainMs);
  }

  private change(call: string, change: (call: Call) => Partial<Call>): void {
    const present = this.current.value;
    if (present?.call === call && present.stage !== "ended")
      this.current.value = { ...present, ...change(present) };
  }

  private forget(call: string): void {
    this.incoming.value = this.incoming.value.filter((each) => each.call !== call);
  }

  private finish(call: string, end: CallEnd, bySelf: boolean): void {
    const present = this.current.value;
    if (present?.call !== call || present.stage === "ended") return;
    this.release();
    this.current.value = { ...present, stage: "ended", end, endedBySelf: bySelf };
    this.over(present, end);
  }

  private over(call: Pick<Call, "call" | "peer" | "media" | "outgoing" | "since">, end: CallEnd): void {
    const at = this.deps.serverNow();
    const seconds = call.since === undefined ? undefined : Math.max(0, Math.round((at - call.since) / 1000));
    this.deps.onOver({
      call: call.call,
      peer: call.peer,
      media: call.media,
      outgoing: call.outgoing,
      end,
      seconds,
      at,
    });
  }

  private unlink(): void {
    this.link?.close();
    this.link = undefined;
    this.deps.onPeer(undefined);
  }

  private release(): void {
    this.unlink();
    this.own?.stop();
    this.own = undefined;
    batch(() => {
      this.remote.value = undefined;
      this.preview.value = undefined;
    });
  }
}

function endFor(code: RequestError["code"]): CallEnd {
  switch (code) {
    case "offline":
    case "no_such_user":
      return "unreachable";
    case "in_call":
      return "in_call";
    case "no_answer":
    case "stopped":
      return "no_server";
    default:
      return "other";
  }
}
