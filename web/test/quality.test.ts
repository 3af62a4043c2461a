import { describe, expect, test } from "vitest";
import { detailsOf, Grader, judge, readSample, type Details } from "../src/call/quality";
import { QualityWatch } from "../src/call/qualityWatch";
import { FakeTime, settle } from "./fakes";

const fine: Details = {
  lossIn: 0,
  lossOut: 0,
  concealed: 0,
  kbpsIn: 900,
  kbpsOut: 900,
  fpsIn: 25,
  fpsOut: 25,
  rttMs: 4,
  jitterMs: 2,
  limited: "none",
  sizeIn: "",
  sizeOut: "",
  codecs: "",
  local: "host",
  remote: "host",
  relayProtocol: undefined,
  protocol: "udp",
};

/** What getStats tells after so many packets, with a tenth of what comes in lost. */
function stats(n: number, more: object[] = []): RTCStatsReport {
  const entries: { id: string }[] = [
    { id: "T", type: "transport", selectedCandidatePairId: "P" },
    {
      id: "P",
      type: "candidate-pair",
      localCandidateId: "L",
      remoteCandidateId: "R",
      bytesReceived: n * 1000,
      bytesSent: n * 500,
      currentRoundTripTime: 0.012,
    },
    { id: "L", type: "local-candidate", candidateType: "relay", relayProtocol: "tcp", protocol: "udp" },
    { id: "R", type: "remote-candidate", candidateType: "host" },
    {
      id: "A",
      type: "inbound-rtp",
      kind: "audio",
      packetsReceived: 9 * n,
      packetsLost: n,
      jitter: 0.03,
      totalSamplesReceived: 100 * n,
      concealedSamples: 30 * n,
      silentConcealedSamples: 20 * n,
      codecId: "C",
    },
    {
      id: "V",
      type: "inbound-rtp",
      kind: "video",
      packetsReceived: 0,
      packetsLost: -5,
      framesDecoded: n,
      frameWidth: 640,
      frameHeight: 360,
    },
    {
      id: "O",
      type: "outbound-rtp",
      kind: "video",
      packetsSent: 100 * n,
      framesEncoded: 2 * n,
      frameWidth: 320,
      frameHeight: 180,
      qualityLimitationReason: "cpu",
    },
    { id: "I", type: "remote-inbound-rtp", kind: "video", packetsLost: 5 * n },
    { id: "C", type: "codec", mimeType: "audio/opus" },
    ...(more as { id: string }[]),
  ] as never;
  return new Map(entries.map((entry) => [entry.id, entry]));
}

test("figures are what went on between two looks", () => {
  const details = detailsOf(readSample(stats(10), 0)!, readSample(stats(20), 1_000)!);
  expect(details).toMatchObject({
    lossIn: 0.1,
    lossOut: 0.05,
    concealed: 0.1,
    kbpsIn: 80,
    kbpsOut: 40,
    fpsIn: 10,
    fpsOut: 20,
    rttMs: 12,
    jitterMs: 30,
    sizeIn: "640×360",
    sizeOut: "320×180",
    codecs: "opus",
    local: "relay",
    remote: "host",
    relayProtocol: "tcp",
    limited: "cpu",
  });
});

test("counters that begin anew, or an empty report, count nothing", () => {
  const details = detailsOf(readSample(stats(20), 0)!, readSample(stats(10), 1_000)!);
  expect(details).toMatchObject({ lossIn: 0, lossOut: 0, kbpsIn: 0, fpsIn: 0, concealed: 0 });
  expect(readSample(new Map() as unknown as RTCStatsReport, 0)).toBeUndefined();
});

describe("a look is judged", () => {
  test.each([
    [{}, "good", undefined],
    [{ lossIn: 0.04 }, "fair", "loss_in"],
    [{ lossOut: 0.2 }, "poor", "loss_out"],
    [{ lossIn: 0.04, lossOut: 0.12 }, "poor", "loss_both"],
    [{ concealed: 0.2 }, "poor", "loss_in"],
    [{ rttMs: 400 }, "fair", "delay"],
    [{ rttMs: 400, jitterMs: 200 }, "poor", "jitter"],
    [{ limited: "cpu" }, "fair", "busy"],
    [{ limited: "bandwidth", kbpsOut: 120 }, "fair", "narrow"],
    [{ limited: "bandwidth" }, "good", undefined],
  ] as const)("%j is %s", (change, grade, reason) => {
    expect(judge({ ...fine, ...change })).toEqual({ grade, reason });
  });
});

describe("the grade", () => {
  const bad = { ...fine, lossIn: 0.2 };

  test("falls at the second bad look and rises after four good ones", () => {
    const grader = new Grader();
    const grades = [bad, fine, bad, bad, fine, fine, fine, fine].map((details) => grader.take(details).grade);
    expect(grades).toEqual(["good", "good", "good", "poor", "poor", "poor", "poor", "good"]);
  });

  test("does not flicker around a limit", () => {
    const grader = new Grader();
    const around = [0.031, 0.031, 0.029, 0.031, 0.029, 0.029, 0.029, 0.029, 0.029, 0.031];
    expect(around.map((lossIn) => grader.take({ ...fine, lossIn }).grade).slice(1)).toEqual(
      Array(9).fill("fair"),
    );
  });

  test("is lost at once, and back with the first figures", () => {
    const grader = new Grader();
    expect(grader.take(undefined)).toEqual({ grade: "lost", reason: "path" });
    expect(grader.take(fine).grade).toBe("good");
  });
});

test("a link is looked at from its first connection to its end", async () => {
  const time = new FakeTime();
  const watch = new QualityWatch({ timers: time, now: () => time.now });
  let n = 0;
  const link = { state: "connecting", pc: { getStats: () => Promise.resolve(stats((n += 1))) } };
  watch.see(link);
  expect(time.pending).toBe(0);
  link.state = "connected";
  watch.see(link);
  await time.pass(2_000);
  expect(watch.details.value).toMatchObject({ lossIn: 0.1 });
  await time.pass(4_000);
  expect(watch.verdict.value).toMatchObject({ grade: "poor" });
  link.state = "lost";
  await time.pass(2_000);
  expect(watch.verdict.value).toEqual({ grade: "lost", reason: "path" });
  watch.stop();
  await settle();
  expect(time.pending).toBe(0);
  expect(watch.verdict.value).toBeUndefined();
});
