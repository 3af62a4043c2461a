// Muted stays muted and a dark camera stays dark, whatever devices and pages come and go.
import { beforeEach, describe, expect, test } from "vitest";
import { settle, type FakeTrack } from "./fakes";
import { bob, Phone } from "./phone";

let phone: Phone;

beforeEach(() => {
  phone = new Phone();
});

const own = () => phone.calls.session.own!;
const live = (kind: string) => phone.tracks.filter((t) => t.kind === kind && t.readyState === "live");

/** The device of a track is pulled out. */
async function pull(kind: string): Promise<void> {
  const track: FakeTrack = live(kind)[0]!;
  track.stop();
  track.onended?.();
  await settle();
}

describe("a device that drops out", () => {
  test.each([false, true])("gives its place to another one with the microphone %s", async (on) => {
    const peer = await phone.talk();
    await own().setAudio(on);
    await pull("audio");
    expect(live("audio")).toHaveLength(1);
    expect(peer.transceivers[0]!.sender.track).toBe(live("audio")[0]);
    expect(live("audio")[0]!.enabled).toBe(on);
    expect(phone.call?.own).toMatchObject({ audio: on, problems: { audio: undefined } });
    await own().setAudio(true);
    expect(live("audio")[0]!.enabled).toBe(true);
  });

  test("comes back muted when another one is plugged in later", async () => {
    await phone.talk();
    await own().setAudio(false);
    phone.missing.audio = "NotFoundError";
    await pull("audio");
    expect(phone.call?.own.problems.audio).toBe("missing");
    phone.missing = {};
    await own().devicesChanged();
    expect(live("audio").map((track) => track.enabled)).toEqual([false]);
    expect(phone.call?.own).toMatchObject({ audio: false, problems: { audio: undefined } });
  });

  test("is heard if the person unmuted while it was being opened", async () => {
    await phone.talk();
    await own().setAudio(false);
    let open: () => void = () => undefined;
    phone.permission = new Promise((resolve) => (open = resolve));
    await pull("audio");
    await own().setAudio(true);
    open();
    await settle();
    expect(live("audio").map((track) => track.enabled)).toEqual([true]);
    expect(phone.call?.own.audio).toBe(true);
  });

  test("leaves the camera off, plugged in again or not", async () => {
    const peer = await phone.talk();
    await own().setVideo(false);
    await pull("audio");
    await own().devicesChanged();
    expect(live("video")).toEqual([]);
    expect(peer.transceivers[1]!.sender.track).toBeNull();
  });
});

test("a camera that is switched off while it opens is let go of", async () => {
  const peer = await phone.talk();
  let open: () => void = () => undefined;
  phone.permission = new Promise((resolve) => (open = resolve));
  const switching = own().switchCamera();
  await settle();
  await own().setVideo(false);
  open();
  await switching;
  expect(live("video")).toEqual([]);
  expect(peer.transceivers[1]!.sender.track).toBeNull();
  expect(phone.call?.own.video).toBe(false);
});

describe("after a reload", () => {
  const reload = async (): Promise<void> => {
    const info = phone.info({ role: phone.call!.role });
    phone = new Phone("some", phone.tab);
    phone.welcome([info]);
    phone.started(info.call, info.role, 2);
    await settle();
  };

  test("mute goes on, and unmuting needs no new microphone", async () => {
    await phone.talk();
    await own().setAudio(false);
    await reload();
    expect(live("audio").map((track) => track.enabled)).toEqual([false]);
    expect(phone.call?.own).toMatchObject({ audio: false, video: true });
    expect(phone.of("call.media").pop()).toMatchObject({ audio: false, video: true });
    await own().setAudio(true);
    expect(live("audio").map((track) => track.enabled)).toEqual([true]);
  });

  test("a camera that was off is not even opened", async () => {
    await phone.talk();
    await own().setVideo(false);
    await reload();
    expect(phone.tracks.map((track) => track.kind)).toEqual(["audio"]);
    expect(phone.call?.own).toMatchObject({ audio: true, video: false });
  });

  test("an answer with sound alone stays one, by what the page or the server remembers", async () => {
    phone.say("call.incoming", { call: "c-incoming1", from: bob, media: "video", server_time: 1 });
    await phone.calls.accept(phone.calls.incoming.value[0]!, "audio");
    phone.started("c-incoming1", "answerer");
    await settle();
    await reload();
    expect(live("video")).toEqual([]);
    phone = new Phone();
    phone.welcome([phone.info({ role: "answerer", media: "audio" })]);
    await settle();
    expect(live("video")).toEqual([]);
  });

  test("what was wanted in another call is nobody's wish in this one", async () => {
    await phone.talk();
    await own().setAudio(false);
    phone.calls.hangUp();
    await phone.calls.invite(bob, "video");
    await settle();
    expect(phone.call?.own).toMatchObject({ audio: true, video: true });
    phone.calls.reset();
    expect(phone.tab.get("wish")).toBeUndefined();
  });

  test("nor does it outlive a page that was left during the other call", async () => {
    await phone.talk();
    await own().setAudio(false);
    phone = new Phone("some", phone.tab);
    phone.welcome([phone.info({ call: "c-another12" })]);
    await settle();
    expect(live("audio").map((track) => track.enabled)).toEqual([true]);
  });

  test("mute goes on in the call that two became", async () => {
    await phone.calls.invite(bob, "video");
    await settle();
    await own().setAudio(false);
    phone.say("call.ended", { call: phone.name, reason: "merged", into: "c-theirs123", server_time: 2 });
    phone.started("c-theirs123", "answerer");
    await reload();
    expect(phone.call?.own.audio).toBe(false);
  });
});
