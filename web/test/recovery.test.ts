import { beforeEach, describe, expect, test } from "vitest";
import { settle, type FakePeer } from "./fakes";
import { bob, Phone } from "./phone";

let phone: Phone;

beforeEach(() => {
  phone = new Phone();
});

describe("finding the way again", () => {
  test("the path is told, and silence shows", async () => {
    const peer = await phone.talk();
    peer.hears(200, { candidateType: "relay", relayProtocol: "tcp" });
    await phone.time.pass(1_000);
    expect(phone.call).toMatchObject({ stage: "connected", path: { relay: true, protocol: "tcp" } });
    await phone.time.pass(5_000);
    expect(phone.call?.stage).toBe("lost");
    peer.hears(300);
    await phone.time.pass(1_000);
    expect(phone.call?.stage).toBe("connected");
  });

  test("the offerer restarts with fresh credentials when the network changes, once", async () => {
    const peer = await phone.talk();
    phone.calls.session.link?.networkChanged();
    phone.calls.session.link?.networkChanged();
    await settle();
    expect(peer.log.slice(-2)).toEqual(["configuration", "local offer 2 restart"]);
  });

  test("the answerer asks the offerer for it, who does it", async () => {
    await phone.talk("answerer");
    phone.calls.session.link?.networkChanged();
    expect(phone.of("call.signal").pop()).toMatchObject({ payload: { restart: true } });
    phone.calls.reset();
    const peer = await phone.talk();
    phone.signal({ restart: true });
    await settle();
    expect(peer.log.pop()).toBe("local offer 2 restart");
    // Asked before that offer had come: it is the one that is wanted.
    phone.signal({ restart: true, offer: 1 });
    await settle();
    expect(peer.log.filter((entry) => entry.startsWith("local"))).toEqual(["local offer 1"]);
    phone.signal({ restart: true, offer: 2 });
    await settle();
    expect(peer.log.pop()).toBe("local offer 3 restart");
  });

  describe("a relayed call, where the other end checks a direct pair", () => {
    let peer: FakePeer;
    let checks: { requestsSent: number; requestsReceived: number };
    const restarts = () => peer.log.filter((entry) => entry.endsWith("restart")).length;
    const relayed = async (ms: number, step: () => void, remote = "relay") => {
      for (let i = 0; i < ms; i += 1_000) {
        step();
        peer.hears(200 + phone.time.now, { candidateType: "host" }, { candidateType: remote });
        peer.stats.push(
          { id: "D", type: "candidate-pair", localCandidateId: "L", remoteCandidateId: "H", ...checks },
          { id: "H", type: "remote-candidate", candidateType: "host" },
        );
        await phone.time.pass(1_000);
      }
    };

    beforeEach(async () => {
      peer = await phone.talk();
      checks = { requestsSent: 2, requestsReceived: 2 };
    });

    test("restarts if this end makes none there, but not for ever", async () => {
      await relayed(6_000, () => (checks.requestsReceived += 1));
      expect(restarts()).toBe(1);
      await relayed(90_000, () => (checks.requestsReceived += 1));
      expect(restarts()).toBe(3);
    });

    test("does not if this end checks it as well, or nobody does", async () => {
      await relayed(20_000, () => {
        checks.requestsReceived += 1;
        checks.requestsSent += 1;
      });
      await relayed(20_000, () => undefined);
      expect(restarts()).toBe(0);
    });

    test("does not if it is the path already", async () => {
      await relayed(20_000, () => (checks.requestsReceived += 1), "host");
      expect(restarts()).toBe(0);
    });
  });

  test("where sound came all the time, silence is looked into before it shows", async () => {
    const peer = await phone.talk();
    const listen = async (ms: number) => {
      for (let i = 0; i < ms; i += 500) {
        peer.hears(200 + phone.time.now);
        await phone.time.pass(500);
      }
    };
    await listen(3_000);
    await phone.time.pass(1_000);
    expect(peer.log).not.toContain("local offer 2 restart");
    await phone.time.pass(1_000);
    expect(peer.log).toContain("local offer 2 restart");
    expect(phone.call?.stage).toBe("connected");
  });

  test("rare words are no reason to look for a new way", async () => {
    const peer = await phone.talk();
    for (let i = 0; i < 10; i += 1) {
      peer.hears(200 + phone.time.now);
      await phone.time.pass(2_500);
    }
    expect(peer.log).not.toContain("local offer 2 restart");
  });

  test("failed is restarted at once and again after a while", async () => {
    const peer = await phone.talk();
    peer.become("failed");
    await settle();
    expect(peer.log.pop()).toBe("local offer 2 restart");
    await phone.time.pass(20_000);
    expect(peer.log.pop()).toBe("local offer 4 restart");
  });

  test("without the server it waits for the server", async () => {
    const peer = await phone.talk();
    phone.online = false;
    peer.become("failed");
    await phone.time.pass(3_000);
    expect(peer.log).not.toContain("local offer 2 restart");
    phone.online = true;
    phone.welcome([phone.info()], true);
    await settle();
    expect(peer.log).toContain("local offer 2 restart");
  });

  test("a restarted server has forgotten relayed paths: new ones are made, again when the other end is back", async () => {
    const peer = await phone.talk();
    peer.hears(200, { candidateType: "relay", relayProtocol: "udp" });
    await phone.time.pass(1_000);
    phone.refuse["call.signal"] = "no_such_call";
    phone.welcome([phone.info({ state: "restoring" })]);
    await settle();
    expect(peer.log.pop()).toBe("local offer 2 restart");
    phone.refuse = {};
    phone.say("call.peer", { call: phone.name, connected: true });
    await settle();
    expect(peer.log.pop()).toBe("local offer 3 restart");
  });

  test("a direct path that runs is left alone when the server was restarted", async () => {
    const peer = await phone.talk();
    phone.welcome([phone.info({ state: "restoring" })]);
    phone.say("call.peer", { call: phone.name, connected: true });
    await settle();
    expect(peer.log).not.toContain("local offer 2 restart");
  });

  test("an answer to an offer that was made anew is ignored", async () => {
    const peer = await phone.talk();
    phone.calls.session.link?.networkChanged();
    await phone.time.pass(2_000);
    phone.calls.session.link?.networkChanged();
    await settle();
    phone.signal({ description: { type: "answer", sdp: "to 2" }, offer: 2 });
    phone.signal({ description: { type: "answer", sdp: "to 3" }, offer: 3 });
    await settle();
    expect(peer.log.filter((entry) => entry.startsWith("remote"))).toEqual([
      "remote answer 1",
      "remote to 3",
    ]);
  });

  test("a call that never connects is given up with words, not in silence", async () => {
    await phone.calls.invite(bob, "video");
    phone.started(phone.name, "offerer");
    await phone.time.pass(12_000);
    expect(phone.call?.trying).toBeGreaterThanOrEqual(10);
    await phone.time.pass(60_000);
    expect(phone.call).toMatchObject({ stage: "ended", end: "no_media_path" });
    expect(phone.of("call.hangup")).toMatchObject([{ reason: "failed" }]);
  });
});

describe("coming back to the server", () => {
  test("running media is named in hello and kept", async () => {
    const peer = await phone.talk();
    expect(phone.calls.running()).toEqual([
      { call: phone.name, peer: "bob", role: "offerer", gen: 1, media: "video" },
    ]);
    phone.welcome([phone.info({ state: "restoring" })]);
    await phone.time.pass(1_000);
    expect(peer.log).not.toContain("close");
    expect(phone.peers).toHaveLength(1);
    expect(phone.of("call.rejoin")).toEqual([]);
  });

  test("a call that the server does not list any more has ended, with the reason if one comes", async () => {
    await phone.talk();
    const id = phone.name;
    phone.welcome([], true);
    phone.say("call.ended", { call: id, reason: "hangup", server_time: 9 });
    await phone.time.pass(3_000);
    expect(phone.call).toMatchObject({ stage: "ended", end: "hangup" });
    phone.calls.dismiss();
    await phone.talk();
    phone.welcome([]);
    await phone.time.pass(3_000);
    expect(phone.call).toMatchObject({ stage: "ended", end: "lost" });
  });

  test("after a reload the call is joined again by itself", async () => {
    phone.welcome([phone.info({ role: "answerer", gen: 3 })]);
    await settle();
    expect(phone.of("call.rejoin")).toEqual([{ call: "c-12345678", gen: 3 }]);
    expect(phone.log).toEqual(["getUserMedia"]);
    phone.started("c-12345678", "answerer", 4);
    await settle();
    expect(phone.call).toMatchObject({ gen: 4, stage: "connecting", since: 1_500_000 });
    expect(phone.peers).toHaveLength(1);
  });

  test("a call that is still being restored is joined as soon as the other end is back", async () => {
    phone.refuse["call.rejoin"] = "wrong_state";
    phone.welcome([phone.info({ state: "restoring", gen: 3 })]);
    await phone.time.pass(5_000);
    expect(phone.call?.stage).toBe("starting");
    phone.refuse = {};
    phone.say("call.peer", { call: phone.name, connected: true });
    await settle();
    expect(phone.of("call.rejoin")).toEqual([{ call: phone.name, gen: 3 }, { call: phone.name }]);
    phone.started(phone.name, "offerer", 4);
    await settle();
    expect(phone.call?.stage).toBe("connecting");
    phone.say("call.peer", { call: phone.name, connected: true });
    expect(phone.of("call.rejoin")).toHaveLength(2);
  });

  test.each(["resumed", "fresh"])("or by the next welcome (%s) that lists it as active", async (how) => {
    phone.refuse["call.rejoin"] = "wrong_state";
    phone.welcome([phone.info({ state: "restoring" })]);
    await settle();
    phone.refuse = {};
    phone.welcome([phone.info()], how === "resumed");
    expect(phone.of("call.rejoin")).toHaveLength(2);
  });

  test("a refusal that comes after the other end is tried again at once", async () => {
    let answer: () => void = () => undefined;
    phone.answers["call.rejoin"] = new Promise((resolve) => (answer = resolve));
    phone.refuse["call.rejoin"] = "wrong_state";
    phone.welcome([phone.info({ state: "restoring" })]);
    phone.say("call.peer", { call: phone.name, connected: true });
    expect(phone.of("call.rejoin")).toHaveLength(1);
    answer();
    await phone.time.pass(1_000);
    expect(phone.of("call.rejoin")).toHaveLength(2);
  });

  test("a call that the server does not know when it is joined again ends", async () => {
    phone.refuse["call.rejoin"] = "no_such_call";
    phone.welcome([phone.info()]);
    await phone.time.pass(2_000);
    expect(phone.call).toMatchObject({ stage: "ended", end: "lost" });
  });

  test("after a reload both kinds of ringing go on", () => {
    phone.welcome([phone.info({ call: "c-rings1234", role: "answerer", state: "ringing", gen: 0 })]);
    expect(phone.calls.incoming.value).toMatchObject([{ call: "c-rings1234", from: bob }]);
    phone.welcome([phone.info({ call: "c-mine12345", role: "offerer", state: "ringing", gen: 0 })]);
    expect(phone.calls.incoming.value).toEqual([]);
    expect(phone.call).toMatchObject({ call: "c-mine12345", stage: "ringing" });
  });

  test("an invite that waits for the server is not taken for a lost call", async () => {
    void phone.calls.invite(bob, "video");
    phone.welcome([]);
    await phone.time.pass(5_000);
    expect(phone.call?.stage).toBe("inviting");
  });

  test("the other side that comes back hears again what is sent", async () => {
    await phone.talk();
    const before = phone.of("call.media").length;
    phone.say("call.peer", { call: phone.name, connected: false });
    expect(phone.call?.peerConnected).toBe(false);
    phone.say("call.peer", { call: phone.name, connected: true });
    expect(phone.of("call.media").length).toBe(before + 1);
  });
});
