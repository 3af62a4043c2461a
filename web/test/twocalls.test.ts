// Two calls on one device: one is on the screen, the other on hold.
import { beforeEach, describe, expect, test } from "vitest";
import { settle, type FakePeer, type FakeTrack } from "./fakes";
import { bob, Phone } from "./phone";

const carol = { id: "carol", name: "Carol" };
const second = "c-second123";

let phone: Phone;
beforeEach(() => {
  phone = new Phone();
});

/** What a connection sends just now, by kind. */
const sends = (pc: FakePeer) => pc.transceivers.map(({ sender }) => sender.track?.kind);
const closed = (pc: FakePeer) => pc.connectionState === "closed";
const stopped = ({ readyState }: FakeTrack) => readyState === "ended";
const told = () => phone.of("call.media").map(({ call, held, audio }) => ({ call, held, audio }));

/** Carol calls while Bob is on the line. */
function ring(): void {
  phone.say("call.incoming", { call: second, from: carol, media: "video", server_time: 2 });
}

/** The second call, connected. */
async function both(): Promise<{ first: FakePeer; other: FakePeer; name: string }> {
  const first = await phone.talk();
  const { name } = phone;
  ring();
  await phone.calls.accept(phone.calls.incoming.value[0]!, "video");
  const start = { call: second, peer: carol, role: "answerer", gen: 1, media: "video" } as const;
  phone.say("call.started", { ...start, server_time: 3 });
  await settle();
  phone.signal({ description: { type: "offer", sdp: "their offer" }, offer: 1 });
  await settle();
  const other = phone.pc;
  other.hears(100);
  other.become("connected");
  await settle();
  return { first, other, name };
}

const shown = () => phone.call?.peer.name;
const waiting = () => phone.calls.others.value.map(({ peer, held }) => [peer.name, held]);

describe("accepting a second call", () => {
  test("holds the first: no devices, nothing sent, the other side is told", async () => {
    const { first, other, name } = await both();
    expect([shown(), waiting()]).toEqual(["Carol", [["Bob", true]]]);
    expect(sends(first)).toEqual([undefined, undefined]);
    expect(closed(first)).toBe(false);
    expect(sends(other)).toEqual(["audio", "video"]);
    expect(told()).toContainEqual({ call: name, held: true, audio: false });
    expect(phone.exposed).toBe(other);
    // The devices of the first are let go of before the second asks for its own.
    expect(phone.tracks.slice(0, 2).map(stopped)).toEqual([true, true]);
    expect(phone.of("call.hangup")).toEqual([]);
  });

  test("ends the first where that is wanted", async () => {
    const first = await phone.talk();
    const { name } = phone;
    ring();
    await phone.calls.accept(phone.calls.incoming.value[0]!, "video", "end");
    expect(phone.of("call.hangup")).toEqual([{ call: name }]);
    expect([shown(), waiting(), closed(first)]).toEqual(["Carol", [], true]);
  });

  test("gives up one that nobody has answered: it cannot be put on hold", async () => {
    await phone.calls.invite(bob, "video");
    const { name } = phone;
    phone.say("call.ringing", { call: name, waiting: true });
    expect(phone.call).toMatchObject({ stage: "ringing", waiting: true });
    expect(phone.calls.room).toBe(false);
    ring();
    await phone.calls.accept(phone.calls.incoming.value[0]!, "video");
    expect(phone.of("call.cancel")).toEqual([{ call: name }]);
    expect([shown(), waiting()]).toEqual(["Carol", []]);
  });

  test("or declining it leaves the first as it is", async () => {
    const first = await phone.talk();
    ring();
    phone.calls.decline(phone.calls.incoming.value[0]!);
    expect([shown(), sends(first)]).toEqual(["Bob", ["audio", "video"]]);
    expect(phone.of("call.decline")).toEqual([{ call: second }]);
  });
});

describe("of two calls", () => {
  test("one swaps to the other and back", async () => {
    const { first, other, name } = await both();
    phone.calls.resume(name);
    await settle();
    expect([shown(), waiting()]).toEqual(["Bob", [["Carol", true]]]);
    expect([sends(first), sends(other)]).toEqual([
      ["audio", "video"],
      [undefined, undefined],
    ]);
    expect(phone.exposed).toBe(first);
    expect(told().pop()).toEqual({ call: name, held: undefined, audio: true });
    expect(told()).toContainEqual({ call: second, held: true, audio: false });
    phone.calls.resume(second);
    await settle();
    expect([shown(), sends(first), sends(other)]).toEqual([
      "Carol",
      [undefined, undefined],
      ["audio", "video"],
    ]);
    expect(phone.tracks.filter((track) => !stopped(track))).toHaveLength(2);
  });

  test("hanging up one goes on with the other", async () => {
    const { first, name } = await both();
    phone.calls.hangUp();
    await settle();
    expect([shown(), phone.call?.held, waiting()]).toEqual(["Bob", false, []]);
    expect(sends(first)).toEqual(["audio", "video"]);
    expect(phone.of("call.hangup")).toEqual([{ call: second }]);
    expect(told()).toContainEqual({ call: name, held: undefined, audio: true });
  });

  test("hanging up the one on hold changes nothing in the other", async () => {
    const { first, other, name } = await both();
    phone.calls.hangUp(name);
    expect([shown(), phone.call?.held, sends(other), closed(first)]).toEqual([
      "Carol",
      false,
      ["audio", "video"],
      true,
    ]);
  });

  test("when the other side ends the one on the screen, the one on hold is not heard unasked", async () => {
    const { first, name } = await both();
    phone.say("call.ended", { call: second, reason: "hangup", by: "carol", server_time: 9 });
    expect([shown(), phone.call?.held, sends(first)]).toEqual(["Bob", true, [undefined, undefined]]);
    expect(phone.calls.endedBeside.value).toMatchObject({ peer: carol, end: "hangup" });
    expect(phone.exposed).toBe(first);
    phone.calls.resume(name);
    await settle();
    expect([phone.call?.held, sends(first)]).toEqual([false, ["audio", "video"]]);
  });

  test("signals and media reach the one that they belong to", async () => {
    const { first, other, name } = await both();
    const log = other.log.length;
    phone.say("call.signal", { call: name, gen: 1, payload: { candidate: { candidate: "for bob" } } });
    phone.say("call.media", { call: name, audio: false, video: false, screen: false });
    await settle();
    expect([first.added, other.log.length]).toEqual([["for bob"], log]);
    expect(phone.call?.peerMedia).toBeUndefined();
    expect(phone.calls.others.value[0]?.peerMedia).toMatchObject({ audio: false });
  });

  test("muted stays muted across a hold", async () => {
    await phone.talk();
    await phone.calls.session.own!.setAudio(false);
    const { name } = phone;
    ring();
    await phone.calls.accept(phone.calls.incoming.value[0]!, "audio");
    await settle();
    phone.calls.resume(name);
    await settle();
    expect(phone.call?.own).toMatchObject({ audio: false, video: true });
  });

  test("both are told to a server that was restarted", async () => {
    const { name } = await both();
    expect(phone.calls.running().map(({ call, peer }) => [call, peer])).toEqual([
      [name, "bob"],
      [second, "carol"],
    ]);
  });

  test("both come back after a reload, each as it was", async () => {
    const { name } = await both();
    phone = new Phone("some", phone.tab);
    phone.welcome([phone.info({ call: name }), phone.info({ call: second, peer: carol, role: "answerer" })]);
    expect([shown(), phone.call?.held, waiting()]).toEqual(["Carol", false, [["Bob", true]]]);
    expect(phone.of("call.rejoin").map(({ call }) => call)).toEqual([name, second]);
    phone.say("call.started", {
      call: name,
      peer: bob,
      role: "offerer",
      gen: 2,
      media: "video",
      server_time: 5,
    });
    await settle();
    expect([shown(), sends(phone.pc)]).toEqual(["Carol", [undefined, undefined]]);
    expect(told()).toContainEqual({ call: name, held: true, audio: false });
  });

  test("one that the server no longer knows ends alone", async () => {
    await both();
    phone.welcome([phone.info({ call: second, peer: carol, role: "answerer" })]);
    await phone.time.pass(2_000);
    expect([shown(), waiting()]).toEqual(["Carol", []]);
  });
});

describe("a single call", () => {
  test("is put on hold and goes on as it was; the other side is told of both", async () => {
    const pc = await phone.talk();
    await phone.calls.session.own!.setVideo(false);
    phone.calls.hold();
    await settle();
    expect([phone.call?.held, sends(pc), closed(pc)]).toEqual([true, [undefined, undefined], false]);
    expect(phone.tracks.every(stopped)).toBe(true);
    expect(told().pop()).toEqual({ call: phone.name, held: true, audio: false });
    phone.calls.resume(phone.name);
    await settle();
    expect(phone.call).toMatchObject({ held: false, own: { audio: true, video: false } });
    expect(sends(pc)).toEqual(["audio", undefined]);
    expect(told().pop()).toEqual({ call: phone.name, held: undefined, audio: true });
  });

  test("stays on hold across a reload", async () => {
    await phone.talk();
    phone.calls.hold();
    const { name } = phone;
    phone = new Phone("some", phone.tab);
    phone.welcome([phone.info({ call: name })]);
    expect([shown(), phone.call?.held]).toEqual(["Bob", true]);
  });

  test("that both put on hold is heard once both go on", async () => {
    const pc = await phone.talk();
    const media = { call: phone.name, audio: false, video: false, screen: false };
    phone.calls.hold();
    phone.say("call.media", { ...media, held: true });
    phone.calls.resume(phone.name);
    await settle();
    expect(sends(pc)).toEqual([undefined, undefined]);
    phone.say("call.media", { ...media, audio: true });
    await settle();
    expect(sends(pc)).toEqual(["audio", "video"]);
  });

  test("that only rings cannot be put on hold", async () => {
    await phone.calls.invite(bob, "video");
    phone.calls.hold();
    expect(phone.call?.held).toBe(false);
  });
});

describe("put on hold by the other side", () => {
  test("nothing is sent to somebody who does not listen, and the devices stay open", async () => {
    const pc = await phone.talk();
    const media = { call: phone.name, audio: false, video: false, screen: false };
    phone.say("call.media", { ...media, held: true });
    await settle();
    expect(sends(pc)).toEqual([undefined, undefined]);
    expect(phone.tracks.some(stopped)).toBe(false);
    phone.say("call.media", { ...media, audio: true });
    await settle();
    expect(sends(pc)).toEqual(["audio", "video"]);
  });
});

describe("a call on another device", () => {
  const there = { call: "c-elsewhere", peer: carol, media: "video" as const, since: 7 };

  test("is shown until it ends there, and after a reconnect only if the server says so again", () => {
    phone.say("call.elsewhere", { calls: [there] });
    expect(phone.calls.elsewhere.value).toEqual([there]);
    phone.welcome([], true);
    expect(phone.calls.elsewhere.value).toEqual([]);
  });

  test("is brought here, the present one waits on hold", async () => {
    await phone.talk();
    await phone.calls.takeHere(there);
    expect(phone.of("call.move")).toEqual([{ call: "c-elsewhere", media: "video" }]);
    expect([shown(), waiting()]).toEqual(["Carol", [["Bob", true]]]);
    phone.say("call.started", {
      call: "c-elsewhere",
      peer: carol,
      role: "offerer",
      gen: 4,
      media: "video",
      server_time: 9,
    });
    await settle();
    expect(phone.call).toMatchObject({ role: "offerer", gen: 4, since: 7 });
    expect(phone.pc.transceivers).toHaveLength(2);
  });

  test("that was taken away from here comes back and is not refused", async () => {
    await phone.talk();
    const { name } = phone;
    phone.say("call.ended", { call: name, reason: "moved", by: "alice", server_time: 9 });
    expect(phone.call).toMatchObject({ stage: "ended", end: "moved" });
    await phone.calls.takeHere({ ...there, call: name, peer: bob });
    phone.started(name, "offerer", 3);
    await settle();
    expect(phone.of("call.hangup")).toEqual([]);
    expect(phone.call).toMatchObject({ gen: 3, stage: "connecting" });
  });

  test("that ended meanwhile says so", async () => {
    phone.refuse["call.move"] = "no_such_call";
    await phone.calls.takeHere(there);
    await phone.time.pass(2_000);
    expect(phone.call).toMatchObject({ stage: "ended", end: "lost" });
  });
});
