// The calls of this device: those it is in, those that ring, those on other devices.
import { batch, signal, type ReadonlySignal } from "@preact/signals";
import {
  newName,
  type CallIncoming,
  type ClientData,
  type ElsewhereCall,
  type Media,
  type RunningCall,
  type ServerMessage,
  type User,
  type Welcome,
} from "../protocol/messages";
import { RequestError } from "../protocol/pending";
import { Endings } from "./endings";
import { News } from "./news";
import { Ringing } from "./ringing";
import type { MediaSession } from "./session";
import type { Talk, TalkDeps } from "./talk";
import { Talks } from "./talks";
import { endFor, newCall, type Call, type CallEnd, type Keep, type Over } from "./types";
import { Wishes } from "./wish";

export interface CallsDeps extends Omit<TalkDeps, "wishes" | "onGiveUp" | "onGone"> {
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  /** Kept for this tab. */
  kept: Keep;
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
  /** The running calls of this person on other devices. */
  readonly elsewhere = signal<ElsewhereCall[]>([]);
  /** The last one that the other side ended while another one goes on here. */
  readonly endedBeside = signal<Call | undefined>(undefined);
  private readonly deps: CallsDeps;
  private readonly talks: Talks;
  private readonly ringing: Ringing;
  private readonly endings: Endings;
  private readonly news: News;

  constructor(deps: CallsDeps) {
    this.deps = deps;
    this.ringing = new Ringing({
      timers: deps.timers,
      onMissed: (ringing) => this.unanswered(ringing, "lost"),
    });
    this.endings = new Endings(deps);
    this.talks = new Talks({
      ...deps,
      wishes: new Wishes(deps.kept),
      onGone: (talk) => this.endSoon(talk),
      onGiveUp: ({ id }) => {
        this.finish(id, "no_media_path", false);
        this.endings.hangUp(id, "failed");
      },
    });
    this.news = new News({
      talks: this.talks,
      ringing: this.ringing,
      endings: this.endings,
      elsewhere: this.elsewhere,
      finish: (call, end) => this.finish(call, end, false),
      endSoon: (talk) => this.endSoon(talk),
      unanswered: (ringing, end) => this.unanswered(ringing, end),
    });
  }

  /** The one on the screen, or that was there last. */
  get current(): ReadonlySignal<Call | undefined> {
    return this.talks.current;
  }

  /** Those beside it, on hold. */
  get others(): ReadonlySignal<Call[]> {
    return this.talks.others;
  }

  /** The media of the one on the screen. */
  get session(): MediaSession {
    return this.talks.session;
  }

  /** Those that ring here. */
  get incoming(): ReadonlySignal<CallIncoming[]> {
    return this.ringing.list;
  }

  get canShareScreen(): boolean {
    return this.deps.source.canShareScreen;
  }

  get busy(): boolean {
    return this.talks.all.value.length > 0;
  }

  /** Whether a call can be made now. */
  get room(): boolean {
    return this.talks.room;
  }

  /** The calls whose media runs here, for hello. */
  running(): RunningCall[] {
    return this.talks.running;
  }

  // What the person does.

  /** Calls somebody; the present call is put on hold. */
  async invite(peer: User, media: Media): Promise<void> {
    if (!this.room || this.talks.all.value.some((talk) => talk.call.value.peer.id === peer.id)) return;
    const call = newName("c", this.deps.random);
    this.talks.begin(newCall({ call, peer, outgoing: true, media, role: "offerer", stage: "inviting" }));
    await this.ask(call, "call.invite", { call, to: peer.id, media });
  }

  /** Takes the ringing call, with or without the camera; the present one is put on hold, or ends. */
  async accept(ringing: CallIncoming, media: Media, present: "hold" | "end" = "hold"): Promise<void> {
    const { call, from } = ringing;
    const { going } = this.talks;
    // One that nobody has answered yet cannot be put on hold.
    if (going && (present === "end" || !going.holdable)) this.end(going, false);
    batch(() => {
      this.ringing.forget(call);
      this.talks.begin(
        newCall({ call, peer: from, outgoing: false, media, role: "answerer", stage: "starting" }),
      );
    });
    await this.ask(call, "call.accept", { call, media });
  }

  /** Brings a call here from another device; the present one is put on hold. */
  async takeHere({ call, peer, media, since }: ElsewhereCall): Promise<void> {
    if (!this.room || this.talks.find(call)) return;
    this.endings.forget(call);
    this.talks.begin(
      newCall({ call, peer, outgoing: false, media, role: "answerer", stage: "starting", since }),
    );
    await this.ask(call, "call.move", { call, media });
  }

  decline(ringing: CallIncoming): void {
    this.ringing.forget(ringing.call);
    this.endings.add(ringing.call, true);
    this.endings.decline(ringing.call);
  }

  /** Ends the call on the screen, or another one; a call on hold beside it goes on. */
  hangUp(call?: string): void {
    const talk = call === undefined ? this.talks.going : this.talks.find(call);
    if (talk) this.end(talk, true);
  }

  hangUpAll(): void {
    for (const talk of this.talks.all.value) this.end(talk, false);
  }

  /** Puts the call on the screen on hold. */
  hold(): void {
    if (this.talks.going?.holdable) this.talks.holdAll();
  }

  /** Goes on with a call that is on hold; the present one is put on hold. */
  resume(call: string): void {
    const talk = this.talks.find(call);
    if (talk) this.talks.resume(talk);
  }

  /** Makes the media of the running call anew, over the relay alone or by any way. */
  relink(relayOnly: boolean): void {
    const { going } = this.talks;
    if (!going?.session.link) return;
    going.session.relayOnly = relayOnly;
    going.rejoin.ask(going.id, going.call.value.gen);
  }

  networkChanged(): void {
    for (const { session } of this.talks.all.value) session.link?.networkChanged();
  }

  /** Puts everything on hold for a while; what it gives goes on with the call on the screen. */
  pause(): () => void {
    const { going } = this.talks;
    if (!going || going.call.value.held) return () => undefined;
    this.talks.holdAll();
    return () => {
      if (this.talks.going === going) this.talks.resume(going);
    };
  }

  /** Closes what is shown of an ended call. */
  dismiss(): void {
    if (!this.talks.going) this.talks.shown.value = undefined;
  }

  /** Signed out: everything ends here and nothing is told. */
  reset(): void {
    batch(() => {
      this.talks.reset();
      this.ringing.clear();
      this.elsewhere.value = [];
      this.endedBeside.value = undefined;
    });
  }

  // What the server says.

  welcome(welcome: Welcome): void {
    this.news.welcome(welcome);
  }

  take(message: ServerMessage): void {
    this.news.take(message);
  }

  // How it is done.

  /** Sends a request that begins a call here; when it cannot be done the call is over. */
  private async ask<T extends "call.invite" | "call.accept" | "call.move">(
    call: string,
    type: T,
    data: ClientData[T],
  ): Promise<void> {
    try {
      await this.deps.request(type, data, callRequestMs);
    } catch (error) {
      const code = error instanceof RequestError ? error.code : "internal";
      const talk = this.talks.find(call);
      // Its end may be told in the very next message, and says more.
      if (talk && (code === "no_such_call" || code === "wrong_state")) this.endSoon(talk);
      else this.finish(call, endFor(code), false);
      if (code !== "no_answer") return;
      // It may have arrived all the same.
      if (type === "call.invite") this.endings.cancel(call);
      else this.endings.hangUp(call);
    }
  }

  /** The person ends a call; resume: and goes on with the one that waits. */
  private end(talk: Talk, resume: boolean): void {
    const { id } = talk;
    const ringing = ["inviting", "ringing"].includes(talk.call.value.stage);
    const shown = talk === this.talks.going;
    batch(() => {
      this.finish(id, ringing ? "cancelled" : "hangup", true);
      const next = this.talks.going;
      if (resume && shown && next) this.talks.resume(next);
    });
    if (ringing) this.endings.cancel(id);
    else this.endings.hangUp(id);
  }

  private endSoon(talk: Talk): void {
    const { gen } = talk.call.value;
    this.deps.timers.set(() => {
      if (talk.call.value.gen === gen) this.finish(talk.id, "lost", false);
    }, explainMs);
  }

  private finish(call: string, end: CallEnd, bySelf: boolean): void {
    const talk = this.talks.find(call);
    if (!talk) return;
    this.over(this.talks.end(talk, end, bySelf), end);
    this.endings.add(call, bySelf);
    if (!bySelf && this.busy) this.endedBeside.value = talk.call.value;
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
