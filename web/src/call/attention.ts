// An administrator speaks to many: this device takes it by itself and only listens.
import { signal } from "@preact/signals";
import type { IceServers } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import {
  attentionID,
  type CallInfo,
  type ClientData,
  type ClientType,
  type ServerMessage,
  type User,
  type Welcome,
} from "../protocol/messages";
import { Link, type Tracks } from "./link";

export interface AttentionDeps {
  request: <T extends ClientType>(type: T, data: ClientData[T], timeoutMs?: number) => Promise<unknown>;
  newPeer: (config: RTCConfiguration) => RTCPeerConnection;
  newStream: () => MediaStream;
  fetchIce: () => Promise<IceServers>;
  signalling: () => boolean;
  relayOnly: boolean;
  timers: Timers;
  now: () => number;
  serverNow: () => number;
  /** Puts this device's calls on hold; what it gives goes on with them. */
  pause: () => () => void;
  /** The connection that brings the voice, for support and tests. */
  onPeer?: ((pc: RTCPeerConnection | undefined) => void) | undefined;
  onProblem: (problem: string) => void;
}

/** What this device listens to. */
export interface Heard {
  call: string;
  from: User;
  /** Unix milliseconds by the server's clock. */
  since: number;
  connected: boolean;
}

/**
 * The server is reached directly nearly everywhere: only where it is not, relay ports are
 * taken, or a crowd of listeners would take them all.
 */
const directMs = 2_500;
const relayMs = 8_000;
const maxTries = 6;

const idOf = (message: ServerMessage): string | undefined => {
  const { data } = message;
  return message.type.startsWith("call.") && "call" in data && typeof data.call === "string"
    ? data.call
    : undefined;
};

export class Attention {
  readonly heard = signal<Heard | undefined>(undefined);
  readonly sound = signal<MediaStream | undefined>(undefined);
  private readonly deps: AttentionDeps;
  private link: Link | undefined;
  private gen = 0;
  private tries = 0;
  private timer: number | undefined;
  private resume = () => {};
  /** What was left here, of which the server may still speak. */
  private readonly left = new Set<string>();
  private speaking: { call: string; take: (message: ServerMessage) => void } | undefined;

  constructor(deps: AttentionDeps) {
    this.deps = deps;
  }

  /** Has what the server says of a call by which this page itself speaks taken elsewhere. */
  speak(call: string, take: (message: ServerMessage) => void): () => void {
    const speaking = (this.speaking = { call, take });
    return () => {
      if (this.speaking === speaking) this.speaking = undefined;
    };
  }

  /** Takes what belongs here; false for what does not. */
  take(message: ServerMessage): boolean {
    const call = idOf(message);
    if (call !== undefined && call === this.speaking?.call) {
      this.speaking.take(message);
      return true;
    }
    if (message.type === "call.incoming" && message.data.attention) {
      this.answer(message.data.call, message.data.from, message.data.server_time);
      return true;
    }
    if (call === undefined || (call !== this.heard.value?.call && !this.left.has(call))) return false;
    switch (message.type) {
      case "call.started":
        if (!this.left.has(call)) this.start(message.data.gen);
        break;
      case "call.signal":
        if (message.data.gen === this.gen) this.link?.receive(message.data.payload);
        break;
      case "call.ended":
        this.left.delete(call);
        this.end(call);
        break;
      default:
    }
    return true;
  }

  /** Takes the calls that belong here out of what the server lists after a reconnect. */
  welcome(welcome: Welcome): Welcome {
    const [mine, calls] = split(welcome.calls);
    const heard = mine.find((info) => info.role === "answerer");
    const spoken = mine.find((info) => info.role === "offerer");
    if (spoken && spoken.call !== this.speaking?.call) void this.ask("call.hangup", { call: spoken.call });
    const present = this.heard.value;
    if (present && present.call !== heard?.call && !welcome.resumed) this.end(present.call);
    if (heard && heard.state === "ringing") this.answer(heard.call, heard.peer, heard.since);
    else if (heard && !this.left.has(heard.call)) this.goOn(heard, welcome.resumed);
    return { ...welcome, calls };
  }

  /** The person does not want to listen. */
  leave(): void {
    const call = this.heard.value?.call;
    if (call === undefined) return;
    this.left.add(call);
    this.end(call);
    void this.ask("call.hangup", { call });
  }

  reset(): void {
    if (this.heard.value) this.end(this.heard.value.call);
    this.speaking = undefined;
    this.left.clear();
  }

  private answer(call: string, from: User, since: number): void {
    if (this.left.has(call) || this.heard.value?.call === call) return;
    if (this.heard.value) this.end(this.heard.value.call);
    this.begin(call, from, since);
    void this.ask("call.accept", { call, media: "audio" });
  }

  private begin(call: string, from: User, since: number): void {
    this.resume = this.deps.pause();
    this.gen = this.tries = 0;
    this.heard.value = { call, from, since, connected: false };
  }

  /** This page was reloaded, or its connection was, while it listened. */
  private goOn(info: CallInfo, resumed: boolean): void {
    if (this.heard.value?.call === info.call) {
      if (!resumed && info.gen !== this.gen) void this.ask("call.rejoin", { call: info.call, gen: info.gen });
      return;
    }
    this.begin(info.call, info.peer, info.since);
    void this.ask("call.rejoin", { call: info.call, gen: info.gen });
  }

  private start(gen: number): void {
    const heard = this.heard.value;
    if (!heard || gen <= this.gen) return;
    this.unlink();
    this.gen = gen;
    const { deps } = this;
    const relay = deps.relayOnly || this.tries > 0;
    const nothing: Tracks = {};
    const link: Link = new Link({
      role: "answerer",
      relayOnly: deps.relayOnly,
      thrift: () => ({ soundOnly: true, saveData: false }),
      tracks: () => nothing,
      newPeer: (config) => {
        const pc = deps.newPeer(config);
        deps.onPeer?.(pc);
        return pc;
      },
      newStream: deps.newStream,
      fetchIce: () => (relay ? deps.fetchIce() : Promise.resolve({ iceServers: [], expires_at: 0 })),
      send: (payload) =>
        // The endpoint makes no ICE restarts; the watch below begins anew instead.
        payload.restart ? Promise.resolve() : deps.request("call.signal", { call: heard.call, gen, payload }),
      signalling: deps.signalling,
      timers: deps.timers,
      now: deps.now,
      onTrack: (track) => {
        const stream = deps.newStream();
        stream.addTrack(track);
        this.sound.value = stream;
      },
      onChange: () => this.look(link),
      onProblem: deps.onProblem,
    });
    this.link = link;
    link.start(Promise.resolve());
    this.watch(relay ? relayMs : directMs);
  }

  private look(link: Link): void {
    const heard = this.heard.value;
    if (link !== this.link || !heard) return;
    const connected = link.state === "connected";
    if (connected === heard.connected) return;
    this.heard.value = { ...heard, connected };
    if (connected) this.deps.timers.clear(this.timer);
    else this.watch(directMs);
  }

  /** Begins the media anew, with the relay, where they do not connect in time. */
  private watch(ms: number): void {
    const { timers } = this.deps;
    const { gen } = this;
    timers.clear(this.timer);
    this.timer = timers.set(() => {
      const heard = this.heard.value;
      if (!heard || heard.connected || gen !== this.gen || this.tries >= maxTries) return;
      this.tries++;
      void this.ask("call.rejoin", { call: heard.call, gen });
      this.watch(relayMs);
    }, ms);
  }

  private end(call: string): void {
    if (this.heard.value?.call !== call) return;
    this.unlink();
    this.heard.value = undefined;
    const { resume } = this;
    this.resume = () => {};
    resume();
  }

  private unlink(): void {
    this.deps.timers.clear(this.timer);
    this.link?.close();
    this.link = undefined;
    this.sound.value = undefined;
    this.deps.onPeer?.(undefined);
  }

  private async ask<T extends ClientType>(type: T, data: ClientData[T]): Promise<void> {
    try {
      await this.deps.request(type, data);
    } catch (error) {
      this.deps.onProblem(`${type}: ${String(error)}`);
      if (type === "call.accept") this.end((data as { call: string }).call);
    }
  }
}

function split(calls: readonly CallInfo[]): [CallInfo[], CallInfo[]] {
  const mine = calls.filter((info) => info.peer.id === attentionID);
  return [mine, calls.filter((info) => info.peer.id !== attentionID)];
}
