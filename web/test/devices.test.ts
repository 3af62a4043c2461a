import { beforeEach, describe, expect, test } from "vitest";
import { DeviceChoice, listOf } from "../src/call/devices";
import { Levels } from "../src/call/levels";
import { MediaSource, type Devices } from "../src/call/media";
import { decibels, share, Speaking } from "../src/call/meter";
import type { Mixer } from "../src/call/mixer";
import { OwnMedia } from "../src/call/own";
import { FakeStream, FakeTime, FakeTrack, settle } from "./fakes";

type Constraint = { deviceId?: { exact?: string }; noiseSuppression?: boolean } | false;

let plugged: Record<"audioinput" | "videoinput", string[]>;
let opened: FakeTrack[];
let asked: { audio?: Constraint; video?: Constraint }[];
let sent: Partial<Record<string, unknown>>;
let kept: Map<string, string>;
let choice: DeviceChoice;
let own: OwnMedia;
let mics: unknown[];

/** Like Chromium: the exact one or none, and the first where none is asked for exactly. */
function open(kind: "audio" | "video", want: Constraint | undefined): FakeTrack[] {
  if (!want) return [];
  const there = plugged[`${kind}input`];
  const exact = want.deviceId?.exact;
  const device = exact === undefined ? there[0] : there.find((id) => id === exact);
  if (device === undefined)
    throw new DOMException("", exact === undefined ? "NotFoundError" : "OverconstrainedError");
  const track = Object.assign(new FakeTrack(kind, device), { label: `the ${device}` });
  opened.push(track);
  return [track];
}

const media = {
  getUserMedia: async (want: { audio?: Constraint; video?: Constraint }) => {
    await Promise.resolve();
    asked.push(want);
    return new FakeStream([...open("audio", want.audio), ...open("video", want.video)]);
  },
  getDisplayMedia: async () => {
    await Promise.resolve();
    return new FakeStream([new FakeTrack("video", "screen"), new FakeTrack("audio", "screen-sound")]);
  },
  enumerateDevices: () =>
    Promise.resolve(
      (["audioinput", "videoinput"] as const).flatMap((kind) =>
        plugged[kind].map((deviceId) => ({ kind, deviceId, label: `the ${deviceId}` })),
      ),
    ),
};

/** As a browser does it: the track ends, and then the list has changed. */
async function unplug(kind: "audioinput" | "videoinput", id: string): Promise<void> {
  plugged[kind] = plugged[kind].filter((each) => each !== id);
  for (const track of opened.filter((each) => each.device === id && each.readyState === "live")) {
    track.readyState = "ended";
    track.onended?.();
  }
  await own.devicesChanged();
  await settle();
}

async function plug(kind: "audioinput" | "videoinput", id: string): Promise<void> {
  plugged[kind].push(id);
  await own.devicesChanged();
  await settle();
}

const device = (kind: string) => (sent[kind] as FakeTrack | null)?.device;
const storage = () => ({
  get: (key: string) => kept.get(key),
  set: (key: string, value: string | undefined) =>
    void (value === undefined ? kept.delete(key) : kept.set(key, value)),
});

async function begin(wish = { audio: true, video: true }): Promise<void> {
  own = new OwnMedia(
    {
      source: new MediaSource(media as unknown as Devices, () => choice.choice.value),
      replace: async (kind, track) => {
        await Promise.resolve();
        sent[kind] = track;
      },
      mix: () =>
        ({
          track: new FakeTrack("audio", "mixed"),
          setMic: (mic: unknown) => mics.push(mic),
          close: () => mics.push("closed"),
        }) as unknown as Mixer,
      onChange: () => undefined,
    },
    wish,
  );
  await own.acquire();
  sent = { ...own.tracks };
}

beforeEach(() => {
  plugged = { audioinput: ["builtin", "headset"], videoinput: ["lid", "webcam"] };
  opened = [];
  asked = [];
  mics = [];
  kept = new Map();
  choice = new DeviceChoice({ media: media as never, kept: storage() });
});

describe("the choice", () => {
  test("is kept on the device, and read as carefully as anything from outside", () => {
    choice.choose("audioinput", "headset");
    choice.setQuiet(false);
    const again = () => new DeviceChoice({ media: undefined, kept: storage() }).choice.value;
    expect(again()).toEqual({ audioinput: "headset", quiet: false });
    for (const bad of ["{", "null", '{"audioinput":7,"quiet":"x"}', `{"audioinput":"${"x".repeat(600)}"}`]) {
      kept.set("devices", bad);
      expect(again()).toEqual({ quiet: true });
    }
  });

  test("of one that is not there costs the other one nothing", async () => {
    choice.choose("audioinput", "away");
    choice.choose("videoinput", "webcam");
    await begin();
    expect([device("audio"), device("video")]).toEqual(["builtin", "webcam"]);
  });

  test("of a speaker counts only while it is plugged in", async () => {
    const there: object[] = [{ kind: "audiooutput", deviceId: "loud", label: "" }];
    const list = { enumerateDevices: () => Promise.resolve(there as MediaDeviceInfo[]) };
    const speakers = new DeviceChoice({ media: list, kept: storage() });
    speakers.choose("audiooutput", "loud");
    expect(speakers.speaker.value).toBe("");
    await speakers.refresh();
    expect(speakers.speaker.value).toBe("loud");
    there.pop();
    await speakers.refresh();
    expect(speakers.speaker.value).toBe("");
  });

  test("shows each device once, and none without a name or permission", () => {
    const ids = ["", "default", "communications", "x"];
    const list = listOf(ids.map((deviceId) => ({ kind: "audioinput", deviceId, label: "" })));
    expect(list.audioinput).toEqual([{ id: "x", label: "" }]);
  });

  test("is wished for when a call begins, with the wish about noise", async () => {
    choice.choose("audioinput", "headset");
    choice.choose("videoinput", "webcam");
    choice.setQuiet(false);
    await begin();
    expect([device("audio"), device("video")]).toEqual(["headset", "webcam"]);
    expect(asked[0]).toMatchObject({ audio: { noiseSuppression: false } });
  });
});

describe("in a call", () => {
  test("another microphone is sent, and the one before let go", async () => {
    await begin();
    choice.choose("audioinput", "headset");
    await own.microphoneChosen();
    expect(device("audio")).toBe("headset");
    expect(opened.find((track) => track.device === "builtin")?.readyState).toBe("ended");
  });

  test("an unplugged microphone is replaced, said, and comes back", async () => {
    choice.choose("audioinput", "headset");
    await begin();
    await unplug("audioinput", "headset");
    expect(device("audio")).toBe("builtin");
    expect(own.state.moved.audio).toEqual({ back: false, label: "the builtin" });
    expect(own.state.problems.audio).toBeUndefined();
    await plug("audioinput", "headset");
    expect(device("audio")).toBe("headset");
    expect(own.state.moved.audio).toEqual({ back: true, label: "the headset" });
    expect(opened.filter((track) => track.kind === "audio" && track.readyState === "live")).toHaveLength(1);
  });

  test("a muted person never goes live by it", async () => {
    choice.choose("audioinput", "headset");
    await begin();
    await own.setAudio(false);
    await unplug("audioinput", "headset");
    expect([device("audio"), (sent.audio as FakeTrack).enabled, own.state.audio]).toEqual([
      "builtin",
      false,
      false,
    ]);
    await plug("audioinput", "headset");
    expect([device("audio"), (sent.audio as FakeTrack).enabled, own.state.audio]).toEqual([
      "headset",
      false,
      false,
    ]);
  });

  test("with no microphone left it says so, and takes the next one that is plugged in", async () => {
    plugged.audioinput = ["builtin"];
    await begin();
    await unplug("audioinput", "builtin");
    expect(own.state.problems.audio).toBe("missing");
    await plug("audioinput", "other");
    expect([device("audio"), own.state.audio, own.state.problems.audio]).toEqual(["other", true, undefined]);
  });

  test("an unplugged camera is replaced and comes back; a camera that is off stays off", async () => {
    choice.choose("videoinput", "webcam");
    await begin();
    await unplug("videoinput", "webcam");
    expect(device("video")).toBe("lid");
    await own.setVideo(false);
    await plug("videoinput", "webcam");
    expect([sent.video, own.state.video]).toEqual([null, false]);
    await own.setVideo(true);
    expect(device("video")).toBe("webcam");
  });

  test("a camera that stopped but is still there is not replaced by another", async () => {
    choice.choose("videoinput", "webcam");
    await begin();
    const track = opened.find((each) => each.device === "webcam")!;
    track.readyState = "ended";
    track.onended?.();
    await settle();
    expect([sent.video, own.state.problems.video]).toEqual([null, "missing"]);
  });

  test("a screen's sound goes out with the microphone, also with another one, and ends with the screen", async () => {
    await begin();
    await own.shareScreen();
    expect([device("audio"), device("video"), own.state.screenSound]).toEqual(["mixed", "screen", true]);
    expect((sent.video as MediaStreamTrack).contentHint).toBe("detail");
    own.useScreenFor("motion");
    expect((sent.video as MediaStreamTrack).contentHint).toBe("motion");
    choice.choose("audioinput", "headset");
    await own.microphoneChosen();
    expect(device("audio")).toBe("mixed");
    expect((mics[mics.length - 1] as FakeTrack).device).toBe("headset");
    await own.stopScreen();
    expect([device("audio"), device("video"), own.state.screenSound]).toEqual(["headset", "lid", false]);
    expect(mics[mics.length - 1]).toBe("closed");
  });
});

describe("levels", () => {
  test("are told in dB and as a share", () => {
    expect(decibels(new Float32Array([0.1, -0.1]))).toBeCloseTo(-20);
    expect(share(decibels(new Float32Array(4)))).toBe(0);
    expect(share(0)).toBe(1);
  });

  test("a click is no speech, and a pause between words no end", () => {
    const speaking = new Speaking();
    expect([0, 100].map((now) => speaking.take(now, now === 0 ? -20 : -70))).toEqual([false, false]);
    const words = [500, 600, 700, 800, 1_200, 1_600, 2_000];
    const heard = words.map((now) => speaking.take(now, now <= 800 ? -30 : -70));
    expect(heard).toEqual([false, false, true, true, true, true, false]);
  });

  test("a muted person who speaks is told, and shown no level; unmuted it goes away", async () => {
    const time = new FakeTime();
    const levels = new Levels({
      gauge: () => ({ read: () => -20, close: () => undefined }),
      timers: time,
      now: () => time.now,
    });
    const mic = new FakeTrack("audio");
    levels.listen(mic as unknown as MediaStreamTrack);
    await time.pass(2_000);
    expect([levels.own.value > 0.5, levels.mutedSpeech.value]).toEqual([true, false]);
    mic.enabled = false;
    await time.pass(400);
    expect([levels.own.value, levels.mutedSpeech.value]).toEqual([0, false]);
    await time.pass(600);
    expect(levels.mutedSpeech.value).toBe(true);
    mic.enabled = true;
    await time.pass(100);
    expect(levels.mutedSpeech.value).toBe(false);
    levels.stop();
    expect(time.pending).toBe(0);
  });

  test("the other side speaks when its sound is loud", async () => {
    const time = new FakeTime();
    const levels = new Levels({ gauge: () => undefined, timers: time, now: () => time.now });
    let audioLevel = 0.2;
    const receiver = { track: new FakeTrack("audio"), getSynchronizationSources: () => [{ audioLevel }] };
    levels.hear(() => [receiver] as never);
    await time.pass(500);
    expect(levels.peerSpeaks.value).toBe(true);
    audioLevel = 0;
    await time.pass(1_500);
    expect(levels.peerSpeaks.value).toBe(false);
  });
});
