// What the server says of calls.
import { batch, type Signal } from "@preact/signals";
import type {
  CallIncoming,
  CallInfo,
  CallStarted,
  ClientData,
  ElsewhereCall,
  ServerMessage,
  Welcome,
} from "../protocol/messages";
import type { Endings } from "./endings";
import type { Ringing } from "./ringing";
import type { Talk } from "./talk";
import type { Talks } from "./talks";
import { newCall, type CallEnd } from "./types";

export interface NewsDeps {
  talks: Talks;
  ringing: Ringing;
  endings: Endings;
  elsewhere: Signal<ElsewhereCall[]>;
  finish: (call: string, end: CallEnd) => void;
  /** Ends a call that the server does not know, unless it says more in a moment. */
  endSoon: (talk: Talk) => void;
  /** A call that rang here was not taken here. */
  unanswered: (ringing: CallIncoming, end: CallEnd) => void;
}

export class News {
  private readonly deps: NewsDeps;

  constructor(deps: NewsDeps) {
    this.deps = deps;
  }

  welcome(welcome: Welcome): void {
    const known = welcome.calls.filter((info) => !this.deps.endings.refuses(info.call, ringsHere(info)));
    const rings = known.filter((info) => ringsHere(info) && !this.deps.talks.find(info.call));
    this.deps.ringing.welcome(
      rings.map(({ call, peer, media, since }) => ({ call, from: peer, media, server_time: since })),
      welcome.resumed,
    );
    this.deps.elsewhere.value = [];
    for (const info of known) this.recall(info, welcome.resumed);
    for (const talk of this.deps.talks.all.value) {
      if (known.some((info) => info.call === talk.id)) talk.session.link?.signallingBack(!welcome.resumed);
      else if (talk.call.value.stage !== "inviting") this.deps.endSoon(talk);
    }
  }

  take(message: ServerMessage): void {
    switch (message.type) {
      case "call.incoming":
        this.ring(message.data);
        break;
      case "call.ringing":
        this.rings(message.data);
        break;
      case "call.started":
        this.started(message.data);
        break;
      case "call.signal":
        this.signal(message.data);
        break;
      case "call.media":
        this.deps.talks.find(message.data.call)?.peerSends(message.data);
        break;
      case "call.peer":
        this.peerSeen(message.data.call, message.data.connected);
        break;
      case "call.ended":
        this.ended(message.data);
        break;
      case "call.elsewhere":
        this.deps.elsewhere.value = message.data.calls;
        break;
      default:
    }
  }

  private ring(incoming: CallIncoming): void {
    if (!this.deps.endings.refuses(incoming.call, true) && !this.deps.talks.find(incoming.call))
      this.deps.ringing.add(incoming);
  }

  private rings({ call, waiting = false }: { call: string; waiting?: boolean }): void {
    if (this.deps.endings.refuses(call, false)) return;
    this.deps.talks
      .find(call)
      ?.change(({ stage }) => (stage === "inviting" ? { stage: "ringing", waiting } : {}));
  }

  private started(started: CallStarted): void {
    const { call, peer, role, gen, media } = started;
    if (this.deps.endings.refuses(call, false)) return;
    const known = this.deps.talks.find(call);
    if (known?.session.link && gen <= known.call.value.gen) return;
    batch(() => {
      this.deps.ringing.forget(call);
      // A call that this page did not expect: the server says that this device is in it.
      const start = { call, peer, outgoing: role === "offerer", media, role, stage: "starting" as const };
      (
        known ?? this.deps.talks.begin(newCall({ ...start, held: this.deps.talks.all.value.length > 0 }))
      ).start(started);
    });
  }

  private signal(data: ClientData["call.signal"]): void {
    const talk = this.deps.talks.find(data.call);
    if (talk?.call.value.gen === data.gen) talk.session.receive(data.payload);
  }

  private peerSeen(call: string, connected: boolean): void {
    const talk = this.deps.talks.find(call);
    talk?.change(() => ({ peerConnected: connected }));
    if (!talk || !connected) return;
    talk.tellMedia();
    talk.rejoin.again(call);
    talk.session.link?.signallingBack(false);
  }

  private ended(ended: { call: string; reason: CallEnd; into?: string }): void {
    const ringing = this.deps.ringing.find(ended.call);
    if (ringing) {
      this.deps.ringing.forget(ended.call);
      this.deps.unanswered(ringing, ended.reason);
    }
    const talk = this.deps.talks.find(ended.call);
    if (ended.reason !== "merged" || ended.into === undefined || !talk) {
      this.deps.finish(ended.call, ended.reason);
      return;
    }
    talk.merge(ended.into);
    this.deps.ringing.forget(ended.into);
  }

  /** A call that the server knows of, after this page has (re)connected. */
  private recall(info: CallInfo, resumed: boolean): void {
    const { call, peer, role, gen, media, since } = info;
    const known = this.deps.talks.find(call);
    if (known) {
      if (info.state !== "active") return;
      // Where the stream goes on, it brings a start that was missed; otherwise ask for one.
      if (resumed) known.rejoin.again(call);
      else if (gen !== known.call.value.gen || !known.session.link) known.rejoin.ask(call, gen);
      return;
    }
    if (ringsHere(info)) return;
    const { going } = this.deps.talks;
    const held = this.deps.talks.wasHeld(call) || (going !== undefined && !going.call.value.held);
    const start = { call, peer, outgoing: role === "offerer", media, role, held };
    if (info.state === "ringing") {
      this.deps.talks.begin(newCall({ ...start, held: false, stage: "ringing" }));
      return;
    }
    // This page was reloaded: its media is gone and is asked for anew.
    this.deps.talks.begin(newCall({ ...start, stage: "starting", since })).rejoin.ask(call, gen);
  }
}

/** Whether a call rings at this end. */
const ringsHere = (info: CallInfo): boolean => info.state === "ringing" && info.role === "answerer";
