// A device under test: real calls, fake server, clock and browser.
import { Calls } from "../src/call/calls";
import { MediaSource, type Devices } from "../src/call/media";
import type { Call, Over } from "../src/call/types";
import type { CallInfo, CallReport, Role, ServerData, ServerType } from "../src/protocol/messages";
import { RequestError, type RequestProblem } from "../src/protocol/pending";
import { FakePeer, FakeStream, FakeTime, FakeTrack, settle } from "./fakes";

export const bob = { id: "bob", name: "Bob" };

/** One device with fakes around its calls. */
export class Phone {
  readonly time = new FakeTime();
  readonly log: string[] = [];
  readonly peers: FakePeer[] = [];
  readonly asked: { type: string; data: Record<string, unknown> }[] = [];
  /** Requests that the server refuses, by type. */
  refuse: Record<string, RequestProblem> = {};
  /** What an answer waits for, by type of the request. */
  answers: Record<string, Promise<void>> = {};
  readonly overs: Over[] = [];
  readonly reports: CallReport[] = [];
  readonly tracks: FakeTrack[] = [];
  /** Devices that are missing, refused or in use: the name of the DOMException, by kind. */
  missing: Record<string, string> = {};
  /** The person has not yet answered the browser's question while this is pending. */
  permission: Promise<void> = Promise.resolve();
  online = true;
  thrift = { soundOnly: false, saveData: false };
  exposed: unknown;
  readonly calls: Calls;
  readonly tab: Map<string, string>;

  /** tab: what a page before in this tab kept. */
  constructor(devices: "some" | "none" = "some", tab: Map<string, string> = new Map()) {
    this.tab = tab;
    const source = devices === "some" ? (this.devices() as unknown as Devices) : undefined;
    this.calls = new Calls({
      request: async (type, data) => {
        this.asked.push({ type, data: data as Record<string, unknown> });
        await (this.answers[type] ?? Promise.resolve());
        if (this.refuse[type]) throw new RequestError(this.refuse[type]);
      },
      report: (report) => this.reports.push(report),
      fetchIce: async () => {
        await Promise.resolve();
        this.log.push("ice");
        return { iceServers: [{ urls: ["stun:10.0.0.1:3478"] }], expires_at: 0 };
      },
      signalling: () => this.online,
      source: new MediaSource(source),
      newPeer: (config) => {
        this.log.push("RTCPeerConnection");
        const peer = new FakePeer(config);
        this.peers.push(peer);
        return peer as unknown as RTCPeerConnection;
      },
      newStream: () => new FakeStream() as unknown as MediaStream,
      random: (bytes) => bytes.fill(this.asked.length + 1),
      relayOnly: false,
      thrift: () => this.thrift,
      timers: this.time,
      now: () => this.time.now,
      serverNow: () => 1_000_000 + this.time.now,
      kept: {
        get: (key) => tab.get(key),
        set: (key, value) => void (value === undefined ? tab.delete(key) : tab.set(key, value)),
      },
      onPeer: (pc) => (this.exposed = pc),
      onOver: (over) => this.overs.push(over),
      onProblem: () => undefined,
    });
  }

  get call(): Call | undefined {
    return this.calls.current.value;
  }

  get name(): string {
    return this.call!.call;
  }

  get pc(): FakePeer {
    return this.peers[this.peers.length - 1]!;
  }

  /** The data of what was asked of the server, by type. */
  of(type: string): Record<string, unknown>[] {
    return this.asked.filter((each) => each.type === type).map((each) => each.data);
  }

  say<T extends ServerType>(type: T, data: ServerData[T]): void {
    this.calls.take({ type, data } as Parameters<Calls["take"]>[0]);
  }

  started(call: string, role: Role, gen = 1): void {
    this.say("call.started", { call, peer: bob, role, gen, media: "video", server_time: 2_000_000 });
  }

  signal(payload: object, gen = 1): void {
    this.say("call.signal", { call: this.name, gen, payload });
  }

  /** A call with Bob that is connected. */
  async talk(role: Role = "offerer"): Promise<FakePeer> {
    if (role === "offerer") {
      await this.calls.invite(bob, "video");
    } else {
      this.say("call.incoming", { call: "c-incoming1", from: bob, media: "video", server_time: 1 });
      await this.calls.accept(this.calls.incoming.value[0]!, "video");
    }
    this.started(this.name, role);
    await settle();
    if (role === "offerer") this.signal({ description: { type: "answer", sdp: "answer 1" }, offer: 1 });
    else this.signal({ description: { type: "offer", sdp: "their offer" }, offer: 1 });
    await settle();
    this.pc.hears(100);
    this.pc.become("connected");
    await settle();
    return this.pc;
  }

  info(change: Partial<CallInfo> = {}): CallInfo {
    return {
      call: this.call?.call ?? "c-12345678",
      peer: bob,
      role: "offerer",
      state: "active",
      gen: 1,
      media: "video",
      since: 1_500_000,
      ...change,
    };
  }

  welcome(calls: CallInfo[], resumed = false): void {
    this.calls.welcome({
      user: { id: "alice", name: "Alice" },
      device: "web-12345678",
      stream: "s-12345678",
      resumed,
      server_time: 1,
      heartbeat_ms: 5_000,
      resume_ms: 30_000,
      calls,
    });
  }

  private devices(): object {
    return {
      getUserMedia: async (want: { audio?: unknown; video?: unknown }) => {
        await Promise.resolve();
        this.log.push("getUserMedia");
        await this.permission;
        const kinds = (["audio", "video"] as const).filter((kind) => want[kind]);
        for (const kind of kinds) if (this.missing[kind]) throw new DOMException("", this.missing[kind]);
        return this.opened(kinds.map((kind) => new FakeTrack(kind)));
      },
      getDisplayMedia: async () => {
        await Promise.resolve();
        if (this.missing.screen) throw new DOMException("", this.missing.screen);
        return this.opened([new FakeTrack("video", "screen")]);
      },
      enumerateDevices: () => Promise.resolve([{ kind: "videoinput", deviceId: "cam-1" }]),
    };
  }

  private opened(tracks: FakeTrack[]): FakeStream {
    this.tracks.push(...tracks);
    return new FakeStream(tracks);
  }
}
