// An administrator's voice: taken by itself, listened to only, and over when it is over.
import { beforeEach, describe, expect, test } from "vitest";
import { Attention } from "../src/call/attention";
import type { CallInfo, ServerData, ServerType, Welcome } from "../src/protocol/messages";
import { FakePeer, FakeStream, FakeTime, FakeTrack, settle } from "./fakes";

const boss = { id: "_attention", name: "Boss" };
const call = "at-00000001";

let time: FakeTime;
let asked: { type: string; data: unknown }[];
let peers: FakePeer[];
let ice: number;
let paused: string[];
let it: Attention;

beforeEach(() => {
  time = new FakeTime();
  asked = [];
  peers = [];
  ice = 0;
  paused = [];
  it = new Attention({
    request: (type, data) => {
      asked.push({ type, data });
      return Promise.resolve();
    },
    newPeer: (config) => {
      const peer = new FakePeer(config);
      peers.push(peer);
      return peer as unknown as RTCPeerConnection;
    },
    newStream: () => new FakeStream() as unknown as MediaStream,
    fetchIce: () => {
      ice++;
      return Promise.resolve({ iceServers: [{ urls: ["turn:10.0.0.1:3478"] }], expires_at: 0 });
    },
    signalling: () => true,
    relayOnly: false,
    timers: time,
    now: () => time.now,
    serverNow: () => time.now,
    pause: () => {
      paused.push("paused");
      return () => paused.push("resumed");
    },
    onProblem: (problem) => {
      throw new Error(problem);
    },
  });
});

const say = <T extends ServerType>(type: T, data: ServerData[T]): boolean =>
  it.take({ type, data } as Parameters<Attention["take"]>[0]);
const rings = () =>
  say("call.incoming", { call, from: boss, media: "audio", attention: true, server_time: 1 });
const starts = (gen = 1) =>
  say("call.started", { call, peer: boss, role: "answerer", gen, media: "audio", server_time: 1 });
const requests = (type: string) => asked.filter((each) => each.type === type);
const welcome = (calls: CallInfo[]): Welcome => ({
  user: { id: "anna", name: "Anna" },
  device: "web-12345678",
  stream: "s-12345678",
  resumed: false,
  server_time: 1,
  heartbeat_ms: 5_000,
  resume_ms: 30_000,
  calls,
});
const info = (change: Partial<CallInfo>): CallInfo => ({
  call,
  peer: boss,
  role: "answerer",
  state: "active",
  gen: 1,
  media: "audio",
  since: 1,
  ...change,
});

describe("an attention call", () => {
  test("is taken by itself, while calls wait, and they go on after it", async () => {
    expect(rings()).toBe(true);
    expect(requests("call.accept")).toEqual([{ type: "call.accept", data: { call, media: "audio" } }]);
    expect(paused).toEqual(["paused"]);
    starts();
    await settle();
    peers[0]!.hears(10);
    peers[0]!.become("connected");
    await settle();
    expect(it.heard.value).toMatchObject({ call, from: boss, connected: true });
    say("call.ended", { call, reason: "hangup", server_time: 2 });
    expect(it.heard.value).toBeUndefined();
    expect(paused).toEqual(["paused", "resumed"]);
  });

  test("sends nothing: no track, no microphone", async () => {
    rings();
    starts();
    await settle();
    say("call.signal", { call, gen: 1, payload: { description: { type: "offer", sdp: "offer" } } });
    await settle();
    expect(peers[0]!.getTransceivers().every(({ sender }) => sender.track === null)).toBe(true);
    expect(requests("call.signal")).toHaveLength(1);
  });

  test("takes relay ports only where the server is not reached directly", async () => {
    rings();
    starts();
    await settle();
    expect(ice).toBe(0);
    await time.pass(2_600);
    expect(requests("call.rejoin")).toEqual([{ type: "call.rejoin", data: { call, gen: 1 } }]);
    starts(2);
    await settle();
    expect(ice).toBe(1);
    expect(peers).toHaveLength(2);
  });

  test("left by the person, it does not come back by what the server still says", async () => {
    rings();
    starts();
    it.leave();
    await settle();
    expect(requests("call.hangup")).toHaveLength(1);
    starts(2);
    expect(it.welcome(welcome([info({ gen: 2 })])).calls).toEqual([]);
    expect(it.heard.value).toBeUndefined();
    expect(paused).toEqual(["paused", "resumed"]);
  });

  test("a reloaded page goes on listening, and leaves other calls to whom they belong", async () => {
    const other = info({ call: "c-12345678", peer: { id: "bo", name: "Bo" } });
    expect(it.welcome(welcome([info({ gen: 3 }), other])).calls).toEqual([other]);
    await settle();
    expect(requests("call.rejoin")).toEqual([{ type: "call.rejoin", data: { call, gen: 3 } }]);
    expect(it.heard.value?.from.name).toBe("Boss");
  });

  test("one by which this page spoke before it was reloaded is hung up", () => {
    it.welcome(welcome([info({ role: "offerer" })]));
    expect(requests("call.hangup")).toEqual([{ type: "call.hangup", data: { call } }]);
    expect(it.heard.value).toBeUndefined();
  });

  test("the voice is a stream of its own", async () => {
    rings();
    starts();
    await settle();
    peers[0]!.ontrack?.({ track: new FakeTrack("audio") });
    expect(it.sound.value).toBeDefined();
  });

  test("what belongs to ordinary calls is not taken", () => {
    rings();
    expect(say("call.ended", { call: "c-12345678", reason: "hangup", server_time: 1 })).toBe(false);
    expect(say("call.incoming", { call: "c-12345678", from: boss, media: "audio", server_time: 1 })).toBe(
      false,
    );
    expect(say("presence.update", { people: [] })).toBe(false);
  });
});
