import { describe, expect, test } from "vitest";
import { longestSeconds, Recorder } from "../src/files/recorder";
import { FakeStream, FakeTime, FakeTrack, settle } from "./fakes";

class FakeMediaRecorder {
  state = "inactive";
  mimeType = "audio/webm; codecs=opus";
  ondataavailable: ((event: { data: Blob }) => void) | null = null;
  onstop: (() => void) | null = null;
  onerror: (() => void) | null = null;
  content = new Blob(["sound"]);

  start(): void {
    this.state = "recording";
  }

  stop(): void {
    this.state = "inactive";
    this.ondataavailable?.({ data: this.content });
    this.onstop?.();
  }
}

function recorder(microphone?: () => Promise<MediaStream>) {
  const time = new FakeTime();
  const track = new FakeTrack("audio");
  const media = new FakeMediaRecorder();
  let metering = false;
  const made = new Recorder({
    microphone: microphone ?? (() => Promise.resolve(new FakeStream([track]) as unknown as MediaStream)),
    newRecorder: () => media as unknown as MediaRecorder,
    meter: () => {
      metering = true;
      return { level: () => 0.5, close: () => (metering = false) };
    },
    timers: time,
    now: () => time.now,
  });
  return { made, time, track, media, listens: () => track.readyState === "live" && metering };
}

describe("Recorder", () => {
  test("tells time and level, and lets the microphone go before it is heard", async () => {
    const { made, time, listens } = recorder();
    await made.start();
    await time.pass(2_000);
    expect(made.state.value).toEqual({ kind: "recording", seconds: 2, level: 0.5 });
    expect(listens()).toBe(true);
    made.stop();
    expect(made.state.value).toMatchObject({ kind: "review", seconds: 2 });
    expect((made.state.value as { content: Blob }).content.type).toBe("audio/webm;codecs=opus");
    expect(listens()).toBe(false);
  });

  test("ends by itself when it is long enough", async () => {
    const { made, time } = recorder();
    await made.start();
    await time.pass((longestSeconds + 1) * 1000);
    expect(made.state.value.kind).toBe("review");
  });

  test.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "missing"],
    ["AbortError", "failed"],
  ])("%s is said as %s", async (name, problem) => {
    const { made } = recorder(() => Promise.reject(new DOMException("no", name)));
    await made.start();
    expect(made.state.value).toEqual({ kind: "problem", problem });
  });

  test("a short one and an empty one are nothing", async () => {
    const short = recorder();
    await short.made.start();
    await short.time.pass(300);
    short.made.stop();
    expect(short.made.state.value).toEqual({ kind: "problem", problem: "too_short" });
    const empty = recorder();
    empty.media.content = new Blob();
    await empty.made.start();
    await empty.time.pass(3_000);
    empty.made.stop();
    expect(empty.made.state.value).toEqual({ kind: "problem", problem: "failed" });
  });

  test("who discards while the browser still asks is not listened to", async () => {
    let allow: (stream: MediaStream) => void = () => undefined;
    const { made, track } = recorder(() => new Promise((resolve) => (allow = resolve)));
    const started = made.start();
    made.discard();
    allow(new FakeStream([track]) as unknown as MediaStream);
    await started;
    await settle();
    expect(made.state.value).toEqual({ kind: "idle" });
    expect(track.readyState).toBe("ended");
  });
});
