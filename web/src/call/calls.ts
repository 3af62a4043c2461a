// The calls of this device: one at a time, and those that ring.
import { batch, signal } from "@preact/signals";
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
import type { Link } from "./link";
import type { OwnMedia } from "./own";
import { MediaSession, type SessionDeps } from "./session";
import { endFor, newCall, type Call, type CallEnd, type Over } from "./types";

export interface CallsDeps extends SessionDeps {
  request: <T extends ClientType>(type: T, data: ClientData[T], timeoutMs?: number) => Promise<unknown>;
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  /** Unix milliseconds by the server's clock. */
  serverNow: () => number;
  /** A call is over: for the conversation's log. */
  onOver: (over: Over) => void;
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
  readonly session: MediaSession;
  private readonly deps: CallsDeps;

  constructor(deps: CallsDeps) {
    this.deps = deps;
    this.session = new MediaSession(deps, {
      onOwn: (own) => this.ownChanged(own),
      onLink: (link) => this.linkChanged(link),
    });
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
    if (!call || !this.session.link || call.stage === "ended") return [];
    return [{ call: call.call, peer: call.peer.id, role: call.role, gen: call.gen, media: call.media }];
  }

  // What the person does.

  async invite(peer: User, media: Media): Promise<void> {
    if (this.busy) return;
    const call = newName("c", this.deps.random);
    this.begin(newCall({ call, peer, outgoing: true, media, role: "offerer", stage: "inviting" }));
    await this.ask(call, "call.invite", { call, to: peer.id, media });
  }

  /** Takes the ringing call, with or without the camera; the present one ends. */
  async accept(ringing: CallIncoming, media: Media): Promise<void> {
    this.hangUp();
    const { call, from } = ringing;
    batch(() => {
      this.forget(call);
      this.begin(newCall({ call, peer: from, outgoing: false, media, role: "answerer", stage: "starting" }));
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
    const ringing = call.stage === "inviting" || call.stage === "ringing";
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

  /** Signed out: everything ends here and nothing is told. */
  reset(): void {
    this.session.release();
    batch(() => {
      this.current.value = undefined;
      this.incoming.value = [];
    });
  }

  // What the server says.

  welcome(welcome: Welcome): void {
    const rings = welcome.calls.filter((info) => info.state === "ringing" && info.role === "answerer");
    this.incoming.value = rings
      .filter((info) => info.call !== this.current.value?.call)
      .map(({ call, peer, media, since }) => ({ call, from: peer, media, server_time: since }));
    for (const info of welcome.calls) this.recall(info, welcome.resumed);
    const call = this.current.value;
    if (!call || call.stage === "ended") return;
    if (welcome.calls.some((info) => info.call === call.call))
      this.session.link?.signallingBack(!welcome.resumed);
    else if (call.stage !== "inviting") this.endSoon(call.call);
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
        this.peerSeen(message.data.call, message.data.connected);
        break;
      case "call.ended":
        this.ended(message.data);
        break;
      default:
    }
  }

  private ring(incoming: CallIncoming): void {
    const known = this.incoming.value.some((each) => each.call === incoming.call);
    if (known || this.current.value?.call === incoming.call) return;
    this.incoming.value = [...this.incoming.value, incoming];
  }

  private started({ call, peer, role, gen, media, server_time }: CallStarted): void {
    const present = this.current.value;
    const same = present?.call === call;
    if (same && (present.stage === "ended" || (this.session.link && gen <= present.gen))) return;
    batch(() => {
      this.forget(call);
      // A call that this page did not expect: the server says that this device is in it.
      if (!same)
        this.begin(newCall({ call, peer, outgoing: role === "offerer", media, role, stage: "starting" }));
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
    this.session.connect(
      role,
      (payload) => this.deps.request("call.signal", { call, gen, payload }),
      () => {
        this.change(call, (c) => (c.stage === "starting" ? { stage: "connecting" } : {}));
        this.tellMedia();
      },
    );
  }

  private signal(data: ClientData["call.signal"]): void {
    const call = this.current.value;
    if (call?.call === data.call && call.gen === data.gen) this.session.link?.receive(data.payload);
  }

  private peerSeen(call: string, connected: boolean): void {
    if (this.current.value?.call !== call) return;
    this.change(call, () => ({ peerConnected: connected }));
    if (!connected) return;
    this.tellMedia();
    this.session.link?.signallingBack(false);
  }

  private ended(ended: { call: string; reason: CallEnd; into?: string }): void {
    const ringing = this.incoming.value.find((each) => each.call === ended.call);
    if (ringing) {
      this.forget(ended.call);
      this.over({ ...ringing, peer: ringing.from, outgoing: false, since: undefined }, ended.reason);
    }
    const call = this.current.value;
    if (ended.reason !== "merged" || call?.call !== ended.call || ended.into === undefined) {
      this.finish(ended.call, ended.reason, false);
      return;
    }
    // Both called each other; the other call goes on with the devices that are open already.
    this.current.value = { ...call, call: ended.into, outgoing: false, role: "answerer", stage: "starting" };
    this.forget(ended.into);
  }

  /** A call that the server knows of, after this page has (re)connected. */
  private recall(info: CallInfo, resumed: boolean): void {
    const { call, peer, role, gen, media, since } = info;
    const present = this.current.value;
    if (present?.call === call) {
      // Where the stream goes on, it brings a start that was missed; otherwise ask for one.
      const missed = info.state === "active" && (gen !== present.gen || !this.session.link);
      if (missed && !resumed && present.stage !== "ended") this.tell("call.rejoin", { call });
      return;
    }
    if (this.busy || (info.state === "ringing" && role === "answerer")) return;
    const start = { call, peer, outgoing: role === "offerer", media, role };
    if (info.state === "ringing") {
      this.begin(newCall({ ...start, stage: "ringing" }));
      return;
    }
    // This page was reloaded: its media is gone and is asked for anew.
    this.begin(newCall({ ...start, stage: "starting", since }));
    this.tell("call.rejoin", { call });
  }

  // How it is done.

  private begin(call: Call): void {
    this.session.open(call.media);
    this.current.value = { ...call, own: this.session.own?.state ?? call.own };
  }

  private ownChanged(own: OwnMedia): void {
    const call = this.current.value;
    if (!call || call.stage === "ended") return;
    const before = call.own;
    const { state } = own;
    this.current.value = { ...call, own: state };
    if (before.audio !== state.audio || before.video !== state.video || before.screen !== state.screen) {
      this.tellMedia();
    }
  }

  private linkChanged({ state, path, trying, tryingRelay }: Link): void {
    const call = this.current.value;
    if (!call || call.stage === "ended") return;
    this.current.value = { ...call, stage: state, path: path ?? call.path, trying, tryingRelay };
    if (state !== "connecting" || trying < giveUpSeconds) return;
    this.tell("call.hangup", { call: call.call, reason: "failed" });
    this.finish(call.call, "no_media_path", false);
  }

  private tellMedia(): void {
    const call = this.current.value;
    if (!call || !this.session.link || call.stage === "ended") return;
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
    this.session.release();
    this.current.value = { ...present, stage: "ended", end, endedBySelf: bySelf };
    this.over(present, end);
  }

  private over(
    { call, peer, media, outgoing, since }: Omit<Over, "end" | "seconds" | "at"> & { since?: number },
    end: CallEnd,
  ) {
    const at = this.deps.serverNow();
    const seconds = since === undefined ? undefined : Math.max(0, Math.round((at - since) / 1000));
    this.deps.onOver({ call, peer, media, outgoing, end, seconds, at });
  }
}
