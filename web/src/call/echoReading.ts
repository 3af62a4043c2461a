// Reads from getStats what becomes of sound and picture that are sent back.
import { readPath, selected, type Entry } from "./path";
import type { Kind, Path } from "./types";

/** One look at the stats of a connection; what a browser does not tell is undefined. */
export interface Reading {
  /** Monotonic milliseconds. */
  at: number;
  path: Path | undefined;
  rttMs: number | undefined;
  /** Of the selected pair. */
  sent: number | undefined;
  received: number | undefined;
  /** Packets of sound and picture that came, and that did not. */
  packets: number;
  lost: number;
  /** Sum of squared levels over time, and that time: the square root of their quotient is the loudness. */
  micEnergy: number | undefined;
  micSeconds: number | undefined;
  micLevel: number | undefined;
  soundPackets: number;
  soundEnergy: number | undefined;
  cameraFrames: number | undefined;
  picturePackets: number;
  pictureFrames: number | undefined;
}

/** How a way did while it was tried. */
export interface Measured {
  path: Path | undefined;
  rttMs: number | undefined;
  /** Share of the packets that came back to be expected and did not, 0 to 1. */
  loss: number | undefined;
  upKbps: number | undefined;
  downKbps: number | undefined;
}

type MediaEntry = Entry & {
  kind?: string;
  audioLevel?: number;
  totalAudioEnergy?: number;
  totalSamplesDuration?: number;
  framesSent?: number;
  framesEncoded?: number;
  framesDecoded?: number;
};

export function read(stats: RTCStatsReport, at: number): Reading {
  const found = selected(stats);
  const of = (type: string, kind: Kind): MediaEntry[] => {
    const entries: MediaEntry[] = [];
    stats.forEach((entry: MediaEntry) => {
      if (entry.type === type && entry.kind === kind) entries.push(entry);
    });
    return entries;
  };
  const [sound, picture] = [of("inbound-rtp", "audio"), of("inbound-rtp", "video")];
  const mic = of("media-source", "audio")[0];
  const coming = [...sound, ...picture];
  const rtt = found?.pair.currentRoundTripTime ?? (found && found.rtt > 0 ? found.rtt : undefined);
  return {
    at,
    path: readPath(stats).path,
    rttMs: rtt === undefined ? undefined : rtt * 1000,
    sent: found?.pair.bytesSent,
    received: found?.pair.bytesReceived,
    packets: sum(coming, (entry) => entry.packetsReceived) ?? 0,
    // Duplicates make it negative (RFC 3550 section 6.4.1).
    lost: Math.max(0, sum(coming, (entry) => entry.packetsLost) ?? 0),
    micEnergy: mic?.totalAudioEnergy,
    micSeconds: mic?.totalSamplesDuration,
    micLevel: mic?.audioLevel,
    soundPackets: sum(sound, (entry) => entry.packetsReceived) ?? 0,
    soundEnergy: sum(sound, (entry) => entry.totalAudioEnergy),
    cameraFrames: sum(of("outbound-rtp", "video"), (entry) => entry.framesSent ?? entry.framesEncoded),
    picturePackets: sum(picture, (entry) => entry.packetsReceived) ?? 0,
    pictureFrames: sum(picture, (entry) => entry.framesDecoded),
  };
}

/** How loud the microphone was between two readings, 0 to 1. */
export function loudness(before: Reading | undefined, now: Reading): number | undefined {
  const energy = minus(now.micEnergy, before?.micEnergy);
  const seconds = minus(now.micSeconds, before?.micSeconds);
  if (energy === undefined || seconds === undefined || seconds <= 0) return now.micLevel;
  return Math.sqrt(Math.max(0, energy) / seconds);
}

/** Sums up the readings of one connection while it was connected. */
export function measure(readings: readonly Reading[]): Measured {
  const [first, last] = [readings[0], readings[readings.length - 1]];
  if (!first || !last)
    return { path: undefined, rttMs: undefined, loss: undefined, upKbps: undefined, downKbps: undefined };
  const ms = last.at - first.at;
  const kbps = (bytes: number | undefined) =>
    bytes === undefined || bytes < 0 || ms < 1000 ? undefined : Math.round((bytes * 8) / ms);
  const expected = last.packets + last.lost;
  return {
    path: last.path,
    rttMs: median(readings.flatMap(({ rttMs }) => (rttMs === undefined ? [] : [rttMs]))),
    loss: expected > 0 ? last.lost / expected : undefined,
    upKbps: kbps(minus(last.sent, first.sent)),
    downKbps: kbps(minus(last.received, first.received)),
  };
}

function sum(entries: MediaEntry[], of: (entry: MediaEntry) => number | undefined): number | undefined {
  let total: number | undefined;
  for (const entry of entries) {
    const value = of(entry);
    if (value !== undefined) total = (total ?? 0) + value;
  }
  return total;
}

const minus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a - b;

function median(values: number[]): number | undefined {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
