// A network by hand: connections that gather, meet and lose what they are told to.
import type { Env } from "../src/diagnose/env";
import { FakeTime } from "./fakes";

/** How gathering from one URL goes. */
export interface Answer {
  /** Lines of candidates. */
  found?: string[];
  errors?: { errorCode: number; errorText: string }[];
  /** Until it happens. */
  ms?: number;
  /** The browser never says that it is done. */
  silent?: boolean;
}

export const relayed = "candidate:1 1 udp 1 10.77.1.2 49170 typ relay raddr 0.0.0.0 rport 0";
export const mapped = (port = 4_000) =>
  `candidate:2 1 udp 2 10.77.1.5 ${port} typ srflx raddr 0.0.0.0 rport 0`;
export const host = "candidate:3 1 udp 3 10.77.1.5 4000 typ host";
export const named = "candidate:3 1 udp 3 7456e574-3552.local 4000 typ host";

export class Lab implements Env {
  readonly timers = new FakeTime();
  readonly now = (): number => this.timers.now;
  readonly peers: LabPeer[] = [];
  /** By URL; what is not here never answers. */
  answers: Record<string, Answer> = {};
  own: string[] = [host];
  /** Ports that answer connectivity checks. */
  open = new Set<number>();
  connects = true;
  delayMs = 10;
  /** Whether a packet is lost. */
  loses: (n: number) => boolean = () => false;
  mostOpen = 0;

  newPeer = (config: RTCConfiguration): RTCPeerConnection => {
    const peer = new LabPeer(this, config);
    this.peers.push(peer);
    this.mostOpen = Math.max(this.mostOpen, this.left);
    return peer as unknown as RTCPeerConnection;
  };

  /** Connections that nobody closed. */
  get left(): number {
    return this.peers.filter((peer) => !peer.closed).length;
  }
}

export class LabPeer {
  onicecandidate: ((event: { candidate: object | null }) => void) | null = null;
  onicecandidateerror: ((event: object) => void) | null = null;
  ondatachannel: ((event: { channel: LabChannel }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  closed = false;
  channel: LabChannel | undefined;
  readonly added: string[] = [];
  remote = "";
  other: LabPeer | undefined;
  readonly config: RTCConfiguration;
  private readonly lab: Lab;

  constructor(lab: Lab, config: RTCConfiguration) {
    this.lab = lab;
    this.config = config;
  }

  get urls(): string[] {
    return (this.config.iceServers ?? []).flatMap(({ urls }) => urls);
  }

  createDataChannel(_label: string, init?: RTCDataChannelInit): LabChannel {
    this.channel = new LabChannel(this.lab);
    this.channel.init = init;
    return this.channel;
  }

  private describe(type: "offer" | "answer") {
    const me = `a=peer:${this.lab.peers.indexOf(this)}`;
    return Promise.resolve({
      type,
      sdp: ["v=0", me, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:7", ""].join("\r\n"),
    });
  }

  createOffer = () => this.describe("offer");
  createAnswer = () => this.describe("answer");

  async setLocalDescription(): Promise<void> {
    await Promise.resolve();
    const { timers, answers, own } = this.lab;
    const tell = (candidate: string) =>
      this.onicecandidate?.({
        candidate: { candidate, sdpMid: "0", sdpMLineIndex: 0, usernameFragment: "u" },
      });
    if (this.config.iceTransportPolicy !== "relay") timers.set(() => own.forEach(tell), 1);
    let last = 1;
    for (const url of this.urls) {
      const { found = [], errors = [], ms = 5, silent = false } = answers[url] ?? { silent: true };
      last = silent ? Number.POSITIVE_INFINITY : Math.max(last, ms + 1);
      timers.set(() => {
        for (const each of errors) this.onicecandidateerror?.(each);
        found.forEach(tell);
      }, ms);
    }
    if (last < Number.POSITIVE_INFINITY) timers.set(() => this.onicecandidate?.({ candidate: null }), last);
  }

  async setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    await Promise.resolve();
    this.remote = sdp;
    const index = /a=peer:(\d+)/.exec(sdp)?.[1];
    if (index === undefined) return;
    this.other = this.lab.peers[Number(index)];
    if (type === "answer" && this.lab.connects) this.lab.timers.set(() => this.meet(), 20);
  }

  private meet(): void {
    const { other } = this;
    if (this.closed || !other || other.closed || !this.channel) return;
    const far = new LabChannel(this.lab);
    [far.other, this.channel.other] = [this.channel, far];
    other.channel = far;
    other.ondatachannel?.({ channel: far });
    far.become("open");
    this.channel.become("open");
  }

  async addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    await Promise.resolve();
    if (this.remote === "") throw new Error("no remote description");
    this.added.push(candidate);
  }

  /** A fabricated answer has one candidate; its checks are answered where its port is open. */
  getStats = async (): Promise<Map<string, object>> => {
    await Promise.resolve();
    const port = Number(/^a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host/m.exec(this.remote)?.[1]);
    const answered = this.lab.open.has(port);
    const state = answered ? "succeeded" : "in-progress";
    const pair = { id: "P", type: "candidate-pair", state, responsesReceived: answered ? 2 : 0 };
    return new Map<string, object>([["P", pair]]);
  };

  close(): void {
    this.closed = true;
    this.channel?.become("closed");
    this.channel?.other?.become("closed");
  }
}

export class LabChannel {
  binaryType = "blob";
  readyState = "connecting";
  bufferedAmount = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  other: LabChannel | undefined;
  init: RTCDataChannelInit | undefined;
  sent = 0;
  private readonly lab: Lab;

  constructor(lab: Lab) {
    this.lab = lab;
  }

  become(state: "open" | "closed"): void {
    if (this.readyState === state) return;
    this.readyState = state;
    if (state === "open") this.onopen?.();
    else this.onclose?.();
  }

  send(data: ArrayBuffer): void {
    if (this.readyState !== "open") throw new Error("not open");
    this.sent += 1;
    if (this.lab.loses(this.sent)) return;
    this.lab.timers.set(() => {
      if (this.other?.readyState === "open") this.other.onmessage?.({ data });
    }, this.lab.delayMs);
  }
}
