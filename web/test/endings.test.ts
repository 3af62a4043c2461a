// What ended here stays ended, whatever the server still says of it.
import { beforeEach, describe, expect, test } from "vitest";
import { settle } from "./fakes";
import { bob, Phone } from "./phone";

let phone: Phone;

beforeEach(() => {
  phone = new Phone();
});

const never = new Promise<void>(() => undefined);
const opened = () => phone.log.filter((entry) => entry === "getUserMedia").length;
const incoming = { call: "c-incoming1", from: bob, media: "video", server_time: 1 } as const;
const rings = (change: object = {}) =>
  phone.info({ call: incoming.call, role: "answerer", state: "ringing", gen: 0, ...change });

describe("a call that was hung up while the server was away", () => {
  test("does not come back by the welcome, and is hung up there", async () => {
    await phone.talk();
    const info = phone.info();
    phone.answers["call.hangup"] = never; // waits for the server
    phone.calls.hangUp();
    phone.calls.dismiss();
    phone.welcome([info], true);
    await settle();
    expect(phone.call).toBeUndefined();
    expect(opened()).toBe(1);
    expect(phone.of("call.rejoin")).toEqual([]);
    expect(phone.of("call.hangup")).toEqual([{ call: info.call }]);
  });

  test("is hung up again when the first try was given up", async () => {
    await phone.talk();
    const info = phone.info();
    phone.refuse["call.hangup"] = "no_answer";
    phone.calls.hangUp();
    phone.calls.dismiss();
    await settle();
    phone.refuse = {};
    phone.welcome([info]);
    expect(phone.of("call.hangup")).toHaveLength(2);
    phone.started(info.call, "offerer", 2);
    await settle();
    expect(phone.call).toBeUndefined();
    expect(phone.peers).toHaveLength(1);
    expect(opened()).toBe(1);
  });

  test("does not come back by a reload either", async () => {
    await phone.talk();
    const info = phone.info();
    phone.answers["call.hangup"] = never;
    phone.calls.hangUp();
    phone = new Phone("some", phone.tab);
    phone.welcome([info]);
    await settle();
    expect(phone.call).toBeUndefined();
    expect(opened()).toBe(0);
    expect(phone.of("call.hangup")).toEqual([{ call: info.call }]);
  });

  test("does not stand in the way of the next one", async () => {
    await phone.talk();
    const old = phone.info();
    phone.answers["call.hangup"] = never;
    phone.calls.hangUp();
    const next = phone.calls.invite(bob, "audio");
    phone.welcome([old], true);
    await next;
    expect(phone.call).toMatchObject({ stage: "inviting", media: "audio" });
  });
});

describe("an invite that got no answer", () => {
  test("is cancelled, and does not ring again by itself", async () => {
    phone.refuse["call.invite"] = "no_answer";
    await phone.calls.invite(bob, "video");
    const id = phone.name;
    expect(phone.call).toMatchObject({ stage: "ended", end: "no_server" });
    expect(phone.of("call.cancel")).toEqual([{ call: id }]);
    phone.calls.dismiss();
    const before = opened();
    phone.welcome([phone.info({ call: id, state: "ringing", gen: 0 })]);
    phone.say("call.ringing", { call: id });
    await settle();
    expect(phone.call).toBeUndefined();
    expect(opened()).toBe(before);
    expect(phone.of("call.hangup").length).toBeGreaterThan(0);
  });

  test("is ended when the server says that it rings", async () => {
    phone.refuse["call.invite"] = "no_answer";
    await phone.calls.invite(bob, "video");
    await settle();
    phone.say("call.ringing", { call: phone.name });
    expect(phone.of("call.hangup")).toEqual([{ call: phone.name }]);
  });

  test("and was taken meanwhile is hung up", async () => {
    phone.refuse = { "call.invite": "no_answer", "call.cancel": "wrong_state" };
    await phone.calls.invite(bob, "video");
    await settle();
    expect(phone.of("call.hangup")).toEqual([{ call: phone.name }]);
  });
});

describe("a call that rang here", () => {
  test("and was declined while the server was away stays declined", async () => {
    phone.say("call.incoming", incoming);
    phone.refuse["call.decline"] = "no_answer";
    phone.calls.decline(incoming);
    await settle();
    phone.welcome([rings()]);
    phone.say("call.incoming", incoming);
    expect(phone.calls.incoming.value).toEqual([]);
    expect(phone.of("call.decline")).toHaveLength(2);
  });

  test("and could not be answered rings again, and can be taken then", async () => {
    phone.say("call.incoming", incoming);
    phone.refuse["call.accept"] = "no_answer";
    await phone.calls.accept(incoming, "video");
    expect(phone.call?.stage).toBe("ended");
    expect(phone.of("call.hangup")).toEqual([{ call: incoming.call }]);
    phone.refuse = {};
    phone.welcome([rings()]);
    expect(phone.calls.incoming.value).toHaveLength(1);
    await phone.calls.accept(phone.calls.incoming.value[0]!, "video");
    phone.started(incoming.call, "answerer");
    await settle();
    expect(phone.call?.stage).toBe("connecting");
  });

  test("and was answered in spite of all is hung up, not joined", async () => {
    phone.say("call.incoming", incoming);
    phone.refuse["call.accept"] = "no_answer";
    await phone.calls.accept(incoming, "video");
    await settle();
    phone.welcome([rings({ state: "active", gen: 1 })]);
    expect(phone.of("call.hangup")).toHaveLength(2);
    expect(phone.of("call.rejoin")).toEqual([]);
  });
});

test("what is remembered is bounded, and spoilt memory is none", async () => {
  for (let i = 0; i < 100; i += 1) {
    phone.calls.decline({ ...incoming, call: `c-declined${i}` });
    await settle();
  }
  expect(JSON.parse(phone.tab.get("ended")!)).toHaveLength(32);
  for (const spoilt of ["{[", "7", "null", '{"a":1}', "[7]"]) {
    const again = new Phone(
      "some",
      new Map([
        ["ended", spoilt],
        ["wish", spoilt],
      ]),
    );
    again.welcome([again.info()]);
    expect(again.call?.stage).toBe("starting");
  }
});

describe("a call that rang when the server went out of sight", () => {
  beforeEach(() => phone.say("call.incoming", incoming));

  test("rings until the stream tells its end, which is logged", () => {
    phone.welcome([], true);
    expect(phone.calls.incoming.value).toHaveLength(1);
    phone.say("call.ended", { call: incoming.call, reason: "cancelled", server_time: 9 });
    expect(phone.calls.incoming.value).toEqual([]);
    expect(phone.overs).toMatchObject([{ call: incoming.call, end: "cancelled", outgoing: false }]);
  });

  test("is missed when the stream has nothing to say of it", async () => {
    phone.welcome([], true);
    await phone.time.pass(2_000);
    expect(phone.calls.incoming.value).toEqual([]);
    expect(phone.overs).toMatchObject([{ call: incoming.call, end: "lost", seconds: undefined }]);
  });

  test("is missed at once when the stream is a new one", () => {
    phone.welcome([]);
    expect(phone.calls.incoming.value).toEqual([]);
    expect(phone.overs).toMatchObject([{ call: incoming.call, end: "lost", outgoing: false }]);
  });

  test("and that still rings goes on, unlogged", async () => {
    phone.welcome([], true);
    phone.welcome([rings()], true);
    await phone.time.pass(5_000);
    expect(phone.calls.incoming.value).toHaveLength(1);
    expect(phone.overs).toEqual([]);
  });
});
