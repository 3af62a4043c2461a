// The calls of this device: one at a time, and those that ring.
import { batch, type ReadonlySignal, type Signal } from "@preact/signals";
import {
  newName,
  type CallIncoming,
  type CallInfo,
  type CallStarted,
  type ClientData,
  type Media,
  type RunningCall,
  type ServerMessage,
  type User,
  type Welcome,
} from "../protocol/messages";
import { RequestError } from "../protocol/pending";
import { Endings } from "./endings";
import { Present, type PresentDeps } from "./present";
import { Rejoin } from "./rejoin";
import { Ringing } from "./ringing";
import type { MediaSession } from "./session";
import { endFor, newCall, type Call, type CallEnd, type Over } from "./types";

export interface CallsDeps extends PresentDeps {
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
export class Calls {
  private readonly deps: CallsDeps;
  private readonly present: Present;
  private readonly ringing: Ringing;
  private readonly endings: Endings;
  private readonly rejoin: Rejoin;

  constructor(deps: CallsDeps) {
    this.deps = deps;
    this.ringing = new Ringing({
      timers: deps.timers,
      onMissed: (ringing) => this.unanswered(ringing, "lost"),
    });
    this.endings = new Endings(deps);
    this.rejoin = new Rejoin({ ...deps, onGone: (call) => this.endSoon(call) });
    this.present = new Present(deps, (call) => {
      this.finish(call, "no_media_path", false);
      this.endings.hangUp(call, "failed");
    });
  }

  /** The one that this device is in, or was in last. */
  get current(): Signal<Call | undefined> {
    return this.present.call;
  }

  get session(): MediaSession {
    return this.present.session;
  }

  /** Those that ring here. */
  get incoming(): ReadonlySignal<CallIncoming[]> {
    return this.ringing.list;
  }

  get canShareScreen(): boolean {
    return this.deps.source.canShareScreen;
  }

  get busy(): boolean {
    return this.present.going !== undefined;
  }

  /** The calls whose media runs here, for hello. */
  running(): RunningCall[] {
    return this.present.running;
  }

  // What the person does.

  async invite(peer: User, media: Media): Promise<void> {
    if (this.busy) return;
    const call = newName("c", this.deps.random);
    this.present.begin(newCall({ call, peer, outgoing: true, media, role: "offerer", stage: "inviting" }));
    await this.ask(call, "call.invite", { call, to: peer.id, media });
  }

  /** Takes the ringing call, with or without the camera; the present one ends. */
  async accept(ringing: CallIncoming, media: Media): Promise<void> {
    this.hangUp();
    const { call, from } = ringing;
    batch(() => {
      this.ringing.forget(call);
      this.present.begin(
        newCall({ call, peer: from, outgoing: false, media, role: "answerer", stage: "starting" }),
      );
    });
    await this.ask(call, "call.accept", { call, media });
  }

  decline(ringing: CallIncoming): void {
    this.ringing.forget(ringing.call);
    this.endings.add(ringing.call, true);
    this.endings.decline(ringing.call);
  }

  /** Ends the call that rings or runs. */
  hangUp(): void {
    const call = this.present.going;
    if (!call) return;
    const ringing = call.stage === "inviting" || call.stage === "ringing";
    this.finish(call.call, ringing ? "cancelled" : "hangup", true);
    if (ringing) this.endings.cancel(call.call);
    else this.endings.hangUp(call.call);
  }

  /** Makes the media of the running call anew, over the relay alone or by any way. */
  relink(relayOnly: boolean): void {
    const { going } = this.present;
    if (!going || !this.session.link) return;
    this.session.relayOnly = relayOnly;
    this.rejoin.ask(going.call, going.gen);
  }

  /** Closes what is shown of an ended call. */
  dismiss(): void {
    if (!this.busy) this.current.value = undefined;
  }

  /** Signed out: everything ends here and nothing is told. */
  reset(): void {
    batch(() => {
      this.present.reset();
      this.ringing.clear();
    });
  }

  // What the server says.

  welcome(welcome: Welcome): void {
    const known = welcome.calls.filter((info) => !this.endings.refuses(info.call, ringsHere(info)));
    const rings = known.filter((info) => ringsHere(info) && !this.isIn(info.call));
    this.ringing.welcome(
      rings.map(({ call, peer, media, since }) => ({ call, from: peer, media, server_time: since })),
      welcome.resumed,
    );
    for (const info of known) this.recall(info, welcome.resumed);
    const call = this.present.going;
    if (!call) return;
    if (known.some((info) => info.call === call.call)) this.session.link?.signallingBack(!welcome.resumed);
    else if (call.stage !== "inviting") this.endSoon(call.call);
  }

  take(message: ServerMessage): void {
    switch (message.type) {
      case "call.incoming":
        this.ring(message.data);
        break;
      case "call.ringing":
        if (this.endings.refuses(message.data.call, false)) break;
        this.present.change(message.data.call, (call) =>
          call.stage === "inviting" ? { stage: "ringing" } : {},
        );
        break;
      case "call.started":
        this.started(message.data);
        break;
      case "call.signal":
        this.signal(message.data);
        break;
      case "call.media":
        this.present.change(message.data.call, () => ({ peerMedia: message.data }));
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
    if (!this.endings.refuses(incoming.call, true) && !this.isIn(incoming.call)) this.ringing.add(incoming);
  }

  private started(started: CallStarted): void {
    const { call, peer, role, gen, media } = started;
    if (this.endings.refuses(call, false)) return;
    const { going } = this.present;
    const same = going?.call === call;
    if (same && this.session.link && gen <= going.gen) return;
    this.rejoin.done();
    batch(() => {
      this.ringing.forget(call);
      // A call that this page did not expect: the server says that this device is in it.
      if (!same)
        this.present.begin(
          newCall({ call, peer, outgoing: role === "offerer", media, role, stage: "starting" }),
        );
      this.present.start(started);
    });
  }

  private signal(data: ClientData["call.signal"]): void {
    const call = this.current.value;
    if (call?.call === data.call && call.gen === data.gen) this.session.link?.receive(data.payload);
  }

  private peerSeen(call: string, connected: boolean): void {
    if (!this.isIn(call)) return;
    this.present.change(call, () => ({ peerConnected: connected }));
    if (!connected) return;
    this.present.tellMedia();
    this.rejoin.again(call);
    this.session.link?.signallingBack(false);
  }

  private ended(ended: { call: string; reason: CallEnd; into?: string }): void {
    const ringing = this.ringing.find(ended.call);
    if (ringing) {
      this.ringing.forget(ended.call);
      this.unanswered(ringing, ended.reason);
    }
    if (ended.reason !== "merged" || ended.into === undefined || !this.isIn(ended.call)) {
      this.finish(ended.call, ended.reason, false);
      return;
    }
    this.present.merge(ended.into);
    this.ringing.forget(ended.into);
  }

  /** A call that the server knows of, after this page has (re)connected. */
  private recall(info: CallInfo, resumed: boolean): void {
    const { call, peer, role, gen, media, since } = info;
    const { going } = this.present;
    if (going?.call === call) {
      if (info.state !== "active") return;
      // Where the stream goes on, it brings a start that was missed; otherwise ask for one.
      if (resumed) this.rejoin.again(call);
      else if (gen !== going.gen || !this.session.link) this.rejoin.ask(call, gen);
      return;
    }
    if (going || ringsHere(info)) return;
    const start = { call, peer, outgoing: role === "offerer", media, role };
    if (info.state === "ringing") {
      this.present.begin(newCall({ ...start, stage: "ringing" }));
      return;
    }
    // This page was reloaded: its media is gone and is asked for anew.
    this.present.begin(newCall({ ...start, stage: "starting", since }));
    this.rejoin.ask(call, gen);
  }

  // How it is done.

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
      if (code !== "no_answer") return;
      // It may have arrived all the same.
      if (type === "call.invite") this.endings.cancel(call);
      else this.endings.hangUp(call);
    }
  }

  private endSoon(call: string): void {
    const gen = this.current.value?.gen;
    this.deps.timers.set(() => {
      if (this.current.value?.gen === gen) this.finish(call, "lost", false);
    }, explainMs);
  }

  private isIn(call: string): boolean {
    return this.present.going?.call === call;
  }

  private finish(call: string, end: CallEnd, bySelf: boolean): void {
    const over = this.present.end(call, end, bySelf);
    if (!over) return;
    this.rejoin.done();
    this.endings.add(call, bySelf);
    this.over(over, end);
  }

  private unanswered(ringing: CallIncoming, end: CallEnd): void {
    this.over({ ...ringing, peer: ringing.from, outgoing: false }, end);
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

/** Whether a call rings at this end. */
const ringsHere = (info: CallInfo): boolean => info.state === "ringing" && info.role === "answerer";
