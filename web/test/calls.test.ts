import { beforeEach, describe, expect, test } from "vitest";
import { settle } from "./fakes";
import { bob, Phone } from "./phone";

let phone: Phone;

beforeEach(() => {
  phone = new Phone();
});

describe("ringing", () => {
  test("the caller goes from asking to ringing to connecting", async () => {
    const invite = phone.calls.invite(bob, "video");
    expect(phone.call?.stage).toBe("inviting");
    await invite;
    phone.say("call.ringing", { call: phone.name });
    expect(phone.call?.stage).toBe("ringing");
    phone.started(phone.name, "offerer");
    await settle();
    expect(phone.call?.stage).toBe("connecting");
  });

  test.each([
    ["offline", "unreachable"],
    ["in_call", "in_call"],
    ["no_answer", "no_server"],
    ["rate_limited", "other"],
  ] as const)("an invite refused with %s ends as %s and lets go of the camera", async (code, end) => {
    phone.refuse["call.invite"] = code;
    await phone.calls.invite(bob, "video");
    await settle();
    expect(phone.call).toMatchObject({ stage: "ended", end });
    expect(phone.tracks.every((track) => track.readyState === "ended")).toBe(true);
  });

  test.each(["declined", "busy", "timeout", "unreachable", "session_ended"] as const)(
    "the caller is told %s once",
    async (reason) => {
      await phone.calls.invite(bob, "audio");
      const id = phone.name;
      phone.say("call.ended", { call: id, reason, server_time: 3 });
      phone.say("call.ended", { call: id, reason: "hangup", server_time: 4 });
      expect(phone.call).toMatchObject({ stage: "ended", end: reason });
      expect(phone.overs.map((over) => over.end)).toEqual([reason]);
    },
  );

  test("hanging up while it rings cancels; if it was answered meanwhile it hangs up", async () => {
    await phone.calls.invite(bob, "video");
    const id = phone.name;
    phone.refuse["call.cancel"] = "wrong_state";
    phone.calls.hangUp();
    await settle();
    expect(phone.of("call.cancel")).toEqual([{ call: id }]);
    expect(phone.of("call.hangup")).toEqual([{ call: id }]);
    phone.started(id, "offerer");
    await settle();
    expect(phone.call?.stage).toBe("ended");
    expect(phone.peers).toHaveLength(0);
  });

  test("an incoming call that ends stops ringing and is logged", () => {
    phone.say("call.incoming", { call: "c-incoming1", from: bob, media: "audio", server_time: 1 });
    phone.say("call.incoming", { call: "c-incoming1", from: bob, media: "audio", server_time: 1 });
    expect(phone.calls.incoming.value).toHaveLength(1);
    phone.say("call.ended", { call: "c-incoming1", reason: "cancelled", server_time: 2 });
    expect(phone.calls.incoming.value).toHaveLength(0);
    expect(phone.overs).toMatchObject([{ end: "cancelled", outgoing: false, seconds: undefined }]);
  });

  test("answering elsewhere stops ringing here", () => {
    phone.say("call.incoming", { call: "c-incoming1", from: bob, media: "audio", server_time: 1 });
    phone.say("call.ended", { call: "c-incoming1", reason: "answered_elsewhere", server_time: 2 });
    expect(phone.calls.incoming.value).toHaveLength(0);
    expect(phone.call).toBeUndefined();
  });

  test("when both call each other the other call goes on with the same devices", async () => {
    await phone.calls.invite(bob, "video");
    await settle();
    phone.say("call.ended", { call: phone.name, reason: "merged", into: "c-theirs123", server_time: 2 });
    phone.started("c-theirs123", "answerer");
    await settle();
    expect(phone.call).toMatchObject({ call: "c-theirs123", role: "answerer", stage: "connecting" });
    expect(phone.log.filter((entry) => entry === "getUserMedia")).toHaveLength(1);
    expect(phone.overs).toHaveLength(0);
  });
});

describe("the order of things", () => {
  test("devices, then ICE servers, then the connection, then the offer", async () => {
    await phone.calls.invite(bob, "video");
    expect(phone.peers).toHaveLength(0);
    phone.started(phone.name, "offerer");
    await settle();
    expect(phone.log).toEqual(["getUserMedia", "ice", "RTCPeerConnection"]);
    expect(phone.pc.log).toEqual(["local offer 1"]);
    expect(phone.of("call.signal")).toMatchObject([
      { gen: 1, payload: { description: { type: "offer" }, offer: 1 } },
    ]);
    expect(phone.exposed).toBe(phone.pc);
  });

  test("while the browser asks for permission nothing is connected, and what comes waits", async () => {
    let allow: () => void = () => undefined;
    phone.permission = new Promise((resolve) => (allow = resolve));
    phone.say("call.incoming", { call: "c-incoming1", from: bob, media: "video", server_time: 1 });
    await phone.calls.accept(phone.calls.incoming.value[0]!, "video");
    phone.started("c-incoming1", "answerer");
    phone.signal({ description: { type: "offer", sdp: "their offer" }, offer: 1 });
    phone.signal({ candidate: { candidate: "theirs" } });
    await phone.time.pass(8_000);
    expect(phone.peers).toHaveLength(0);
    expect(phone.call).toMatchObject({ stage: "starting", own: { asking: true } });
    allow();
    await settle();
    expect(phone.pc.log).toEqual(["remote their offer", "local answer to their offer"]);
    expect(phone.pc.added).toEqual(["theirs"]);
  });

  test("candidates that come before the description wait for it", async () => {
    await phone.calls.invite(bob, "video");
    phone.started(phone.name, "offerer");
    phone.signal({ candidate: { candidate: "early" } });
    await settle();
    phone.signal({ candidate: { candidate: "too early" } });
    await settle();
    expect(phone.pc.added).toEqual([]);
    phone.signal({ description: { type: "answer", sdp: "a" }, offer: 1 });
    phone.signal({ candidate: { candidate: "late" } });
    await settle();
    expect(phone.pc.added).toEqual(["early", "too early", "late"]);
  });

  test("the answerer sends back on what the offer brings", async () => {
    const peer = await phone.talk("answerer");
    expect(peer.log).toEqual(["remote their offer", "local answer to their offer"]);
    expect(peer.transceivers.map((t) => [t.direction, t.sender.track?.kind])).toEqual([
      ["sendrecv", "audio"],
      ["sendrecv", "video"],
    ]);
    expect(phone.of("call.signal")).toMatchObject([
      { payload: { description: { type: "answer" }, offer: 1 } },
    ]);
  });

  test("signals of another generation or call are dropped", async () => {
    const peer = await phone.talk();
    phone.signal({ candidate: { candidate: "old" } }, 0);
    phone.signal({ candidate: { candidate: "new" } }, 2);
    phone.say("call.signal", { call: "c-other1234", gen: 1, payload: { candidate: { candidate: "other" } } });
    await settle();
    expect(peer.added).toEqual([]);
  });

  test("a higher generation gets a fresh connection with the same devices", async () => {
    const first = await phone.talk();
    phone.started(phone.name, "offerer", 2);
    await settle();
    expect(first.log).toContain("close");
    expect(phone.peers).toHaveLength(2);
    expect(phone.exposed).toBe(phone.pc);
    expect(phone.log.filter((entry) => entry === "getUserMedia")).toHaveLength(1);
    phone.started(phone.name, "offerer", 1);
    await settle();
    expect(phone.peers).toHaveLength(2);
  });

  test("without any device both kinds are still offered, to see and hear", async () => {
    phone = new Phone("none");
    await phone.calls.invite(bob, "video");
    phone.started(phone.name, "offerer");
    await settle();
    expect(phone.pc.transceivers.map((t) => t.receiver.track.kind)).toEqual(["audio", "video"]);
    expect(phone.call?.own.problems).toEqual({ audio: "insecure", video: "insecure" });
    expect(phone.of("call.media")[0]).toMatchObject({ audio: false, video: false, screen: false });
  });
});

describe("devices", () => {
  test.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "missing"],
    ["NotReadableError", "in_use"],
    ["TypeError", "unknown"],
  ])("a camera refused with %s is %s, and the microphone still works", async (error, problem) => {
    phone.missing = { video: error };
    await phone.calls.invite(bob, "video");
    await settle();
    expect(phone.call?.own).toMatchObject({
      audio: true,
      video: false,
      asking: false,
      problems: { video: problem },
    });
  });

  test("mute keeps the track, camera off lets go of it, and the other side is told", async () => {
    const peer = await phone.talk();
    const { own } = phone.calls.session;
    await own?.setAudio(false);
    expect(peer.transceivers[0]!.sender.track?.enabled).toBe(false);
    await own?.setVideo(false);
    expect(phone.tracks.find((track) => track.kind === "video")?.readyState).toBe("ended");
    expect(peer.transceivers[1]!.sender.track).toBeNull();
    expect(phone.of("call.media").pop()).toMatchObject({ audio: false, video: false });
    await own?.setVideo(true);
    expect(peer.transceivers[1]!.sender.track?.readyState).toBe("live");
    expect(phone.call?.own.video).toBe(true);
  });

  test("a screen takes the picture's place and gives it back", async () => {
    const peer = await phone.talk();
    const camera = peer.transceivers[1]!.sender.track;
    await phone.calls.session.own?.shareScreen();
    expect(peer.transceivers[1]!.sender.track?.device).toBe("screen");
    expect(phone.of("call.media").pop()).toMatchObject({ screen: true });
    peer.transceivers[1]!.sender.track?.dispatchEvent(new Event("ended"));
    await settle();
    expect(peer.transceivers[1]!.sender.track).toBe(camera);
    expect(phone.call?.own.screen).toBe(false);
  });

  test("a screen that is not chosen changes nothing but says so", async () => {
    await phone.talk();
    phone.missing.screen = "NotAllowedError";
    await phone.calls.session.own?.shareScreen();
    expect(phone.call?.own).toMatchObject({ screen: false, video: true, problems: { screen: "denied" } });
  });

  test("a camera that is granted after the call is over is let go of", async () => {
    void phone.calls.invite(bob, "video");
    phone.calls.hangUp();
    await settle();
    expect(phone.tracks).toHaveLength(2);
    expect(phone.tracks.every((track) => track.readyState === "ended")).toBe(true);
  });
});

test("hanging up lets go of everything and logs the length", async () => {
  const peer = await phone.talk();
  phone.calls.hangUp();
  expect(peer.log).toContain("close");
  expect(phone.exposed).toBeUndefined();
  expect(phone.tracks.every((track) => track.readyState === "ended")).toBe(true);
  expect(phone.overs).toMatchObject([{ end: "hangup", outgoing: true }]);
  expect(phone.overs[0]!.seconds).toBe(0);
});
