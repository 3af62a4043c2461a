// The echo test as a whole: real calls, with the browser and the server by hand.
import { beforeEach, describe, expect, test } from "vitest";
import { EchoTest, type EchoFound } from "../src/call/echo";
import { echoID } from "../src/protocol/messages";
import { settle } from "./fakes";
import { bob, Phone } from "./phone";

const echo = { id: echoID, name: "Echo test" };
const host = { candidateType: "host" };
const udp = { candidateType: "relay", relayProtocol: "udp" };

let phone: Phone;
let echoTest: EchoTest;
let bright: number | undefined;

function make(relayOnly = false): void {
  phone = new Phone();
  bright = 200;
  echoTest = new EchoTest({
    call: phone.calls.current,
    peer: () => phone.calls.session.link?.pc,
    relink: (only) => phone.calls.relink(only),
    hangUp: () => phone.calls.hangUp(),
    relayOnly,
    brightest: () => Promise.resolve(bright),
    timers: phone.time,
    now: () => phone.time.now,
  });
}

beforeEach(() => make());

const found = (): EchoFound => echoTest.found.value!;

async function start(gen: number): Promise<void> {
  const { call } = phone.call!;
  phone.say("call.started", {
    call,
    peer: echo,
    role: "offerer",
    gen,
    media: "video",
    server_time: 2_000_000,
  });
  await settle();
  phone.signal({ description: { type: "answer", sdp: "answer 1" }, offer: 1 }, gen);
  await settle();
}

async function invite(media: "video" | "audio" = "video"): Promise<void> {
  await phone.calls.invite(echo, media);
  await start(1);
}

interface Flow {
  local?: object;
  lostOf100?: number;
  silent?: boolean;
}

/** The connection connects and its media flow as the clock goes. */
function flow({ local = host, lostOf100 = 0, silent = false }: Flow = {}): void {
  const { pc, time } = phone;
  const since = time.now;
  Object.defineProperty(pc, "stats", {
    configurable: true,
    get: () => {
      const seconds = (time.now - since) / 1000;
      const packets = Math.round(seconds * 50);
      const lost = Math.round((packets * lostOf100) / 100);
      return [
        { id: "T", type: "transport", selectedCandidatePairId: "P" },
        {
          id: "P",
          type: "candidate-pair",
          localCandidateId: "L",
          remoteCandidateId: "R",
          bytesSent: seconds * 125_000,
          bytesReceived: seconds * 100_000,
          responsesReceived: Math.round(seconds * 10),
          currentRoundTripTime: 0.004,
        },
        { id: "L", type: "local-candidate", ...local },
        { id: "R", type: "remote-candidate", ...host },
        {
          id: "M",
          type: "media-source",
          kind: "audio",
          totalAudioEnergy: silent ? 0 : seconds * 0.01,
          totalSamplesDuration: seconds,
        },
        { id: "O", type: "outbound-rtp", kind: "video", framesSent: Math.round(seconds * 30) },
        {
          id: "A",
          type: "inbound-rtp",
          kind: "audio",
          packetsReceived: packets - lost,
          packetsLost: lost,
          totalAudioEnergy: silent ? 0 : seconds * 0.01,
        },
        {
          id: "V",
          type: "inbound-rtp",
          kind: "video",
          packetsReceived: 0,
          framesDecoded: Math.round(seconds * 30),
        },
      ];
    },
  });
  pc.become("connected");
}

describe("the phases", () => {
  test("the direct way, then the relay with media made anew, then what was found", async () => {
    await invite();
    expect(found().step).toBe("direct");
    flow();
    await phone.time.pass(5_000);
    expect(found()).toMatchObject({ step: "direct", ways: {} });
    expect(phone.of("call.rejoin")).toEqual([]);
    await phone.time.pass(5_000);
    expect(found().step).toBe("relay");
    expect(found().ways.direct).toMatchObject({ works: true, path: { relay: false } });
    expect(phone.of("call.rejoin")).toEqual([{ call: phone.name, gen: 1 }]);

    await start(2);
    expect(phone.peers.map((peer) => peer.config.iceTransportPolicy)).toEqual(["all", "relay"]);
    flow({ local: udp });
    await phone.time.pass(10_000);
    expect(found()).toMatchObject({
      step: undefined,
      complete: true,
      ways: {
        direct: { works: true, loss: 0, rttMs: 4, upKbps: 1000, downKbps: 800 },
        relay: { works: true, path: { relay: true, protocol: "udp" } },
      },
      facts: { unmuted: true, filming: true, video: true, brightest: 200 },
    });
    expect(found().facts.loudest).toBeCloseTo(0.1, 5);
    expect(found().facts.pictureFrames).toBeGreaterThan(100);
    // The call goes on.
    expect(phone.call?.stage).toBe("connected");
    expect(phone.of("call.rejoin")).toHaveLength(1);
  });

  test("where the first way is the relay already, it is not tried twice", async () => {
    await invite();
    flow({ local: udp });
    await phone.time.pass(9_000);
    expect(found()).toMatchObject({
      step: undefined,
      complete: true,
      ways: { direct: { works: false }, relay: { works: true, path: { protocol: "udp" } } },
    });
    expect(phone.of("call.rejoin")).toEqual([]);
    expect(phone.call?.stage).toBe("connected");
  });

  test("a relay that does not connect within 10 s does not work, and the call goes back", async () => {
    await invite();
    flow();
    await phone.time.pass(9_000);
    await start(2);
    await phone.time.pass(9_000);
    expect(found().step).toBe("relay");
    await phone.time.pass(2_000);
    expect(found()).toMatchObject({
      complete: true,
      ways: { direct: { works: true }, relay: { works: false } },
    });
    expect(phone.of("call.rejoin")).toEqual([
      { call: phone.name, gen: 1 },
      { call: phone.name, gen: 2 },
    ]);
    await start(3);
    expect(phone.pc.config.iceTransportPolicy).toBe("all");
  });

  test("where neither connects, both are said not to work and the call ends", async () => {
    await invite();
    await phone.time.pass(11_000);
    expect(found()).toMatchObject({ step: "relay", ways: { direct: { works: false } } });
    await start(2);
    await phone.time.pass(11_000);
    expect(found()).toMatchObject({
      complete: true,
      ways: { direct: { works: false }, relay: { works: false } },
    });
    expect(phone.call).toMatchObject({ stage: "ended", endedBySelf: true });
    expect(echoTest.tells).toBe(true);
    expect(phone.tracks.every((track) => track.readyState === "ended")).toBe(true);
  });

  test("what breaks off while it is watched does not work", async () => {
    await invite();
    flow();
    await phone.time.pass(3_000);
    phone.pc.become("failed");
    await phone.time.pass(7_000);
    expect(found()).toMatchObject({ step: "relay", ways: { direct: { works: false } } });
  });

  test("a server that does not start the media anew says nothing about the relay", async () => {
    await invite();
    flow();
    phone.refuse["call.rejoin"] = "no_answer";
    await phone.time.pass(21_000);
    expect(found()).toMatchObject({ step: undefined, complete: true, ways: { direct: { works: true } } });
    expect(found().ways.relay).toBeUndefined();
    expect(phone.call?.stage).toBe("connected");
  });

  test("the time that the person takes to allow the camera is not the network's", async () => {
    let allow = () => {};
    phone.permission = new Promise((resolve) => (allow = resolve));
    await phone.calls.invite(echo, "video");
    await start(1);
    await phone.time.pass(30_000);
    expect(found()).toMatchObject({ step: "direct", ways: {} });
    allow();
    await settle();
    flow();
    await phone.time.pass(9_000);
    expect(found().ways.direct).toMatchObject({ works: true });
  });

  test("a page that may use nothing but the relay tests nothing else", async () => {
    make(true);
    await invite();
    expect(found().steps).toEqual(["relay"]);
    flow({ local: udp });
    await phone.time.pass(9_000);
    expect(found()).toMatchObject({ complete: true, ways: { relay: { works: true } } });
    expect(found().ways.direct).toBeUndefined();
  });
});

describe("what is seen", () => {
  test("packets that are lost, a silent microphone, a dark camera", async () => {
    bright = 3;
    await invite();
    flow({ lostOf100: 5, silent: true });
    await phone.time.pass(9_000);
    expect(found().ways.direct?.loss).toBeCloseTo(0.05, 2);
    expect(found().facts).toMatchObject({ loudest: 0, soundEnergy: 0, brightest: 3 });
  });

  test("a muted microphone says nothing of its level, and an audio call nothing of a camera", async () => {
    await invite("audio");
    await phone.calls.session.own!.setAudio(false);
    flow();
    await phone.time.pass(9_000);
    expect(found().facts).toMatchObject({ unmuted: false, video: false, filming: false });
    expect([found().facts.loudest, found().facts.brightest]).toEqual([undefined, undefined]);
  });

  test("a browser that tells nothing leaves it open", async () => {
    await invite();
    phone.pc.hears(100);
    phone.pc.become("connected");
    for (let bytes = 101; bytes < 111; bytes += 1) {
      await phone.time.pass(1_000);
      phone.pc.hears(bytes);
    }
    const { direct } = found().ways;
    expect(direct).toMatchObject({ works: true, rttMs: undefined, loss: undefined, upKbps: undefined });
    expect(found().facts).toMatchObject({
      loudest: undefined,
      cameraFrames: undefined,
      soundEnergy: undefined,
    });
  });
});

describe("the end of the call", () => {
  test("keeps what was watched for long enough", async () => {
    await invite();
    flow();
    await phone.time.pass(5_000);
    phone.calls.hangUp();
    expect(found()).toMatchObject({ step: undefined, complete: false, ways: { direct: { works: true } } });
    expect(echoTest.tells).toBe(true);
    await phone.time.pass(30_000);
    expect(phone.of("call.rejoin")).toEqual([]);
  });

  test("keeps nothing of what was only glanced at", async () => {
    await invite();
    flow();
    await phone.time.pass(1_500);
    phone.calls.hangUp();
    expect(found().ways).toEqual({});
    expect(echoTest.tells).toBe(false);
  });

  test("what was found goes with the call from the screen, and the next test begins anew", async () => {
    await invite();
    flow({ local: udp });
    await phone.time.pass(9_000);
    phone.calls.hangUp();
    expect(echoTest.tells).toBe(true);
    phone.calls.dismiss();
    expect(echoTest.found.value).toBeUndefined();
    await invite();
    expect(found()).toMatchObject({ step: "direct", complete: false, ways: {} });
    expect(phone.pc.config.iceTransportPolicy).toBe("all");
  });

  test("a call with a person is not tested", async () => {
    await phone.talk();
    await phone.time.pass(20_000);
    expect(phone.call?.peer).toEqual(bob);
    expect(echoTest.found.value).toBeUndefined();
    expect(phone.of("call.rejoin")).toEqual([]);
  });
});
