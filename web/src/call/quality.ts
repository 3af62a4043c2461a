// How good the call is, in a word and with the reason: getStats is read into samples, and the
// samples of the last seconds into a grade that does not flicker.
import type { CandidateType } from "../protocol/messages";
import { selected, type Entry } from "./path";

export type Grade = "good" | "fair" | "poor" | "lost";

/** Whatever makes it worse than good. */
export type Reason = "loss_in" | "loss_out" | "loss_both" | "delay" | "jitter" | "narrow" | "busy" | "path";

export interface Verdict {
  grade: Grade;
  reason: Reason | undefined;
}

/** Everything that getStats counts from the start of the connection, at one moment. */
export interface Counters {
  /** Monotonic milliseconds. */
  at: number;
  packetsIn: number;
  lostIn: number;
  bytesIn: number;
  packetsOut: number;
  /** What the other end says that it did not get. */
  lostOut: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
  /** Samples of sound played, and those of them that were made up. */
  samples: number;
  concealed: number;
}

/** What is so at one moment. */
export interface Now {
  /** Seconds. */
  rtt: number;
  jitter: number;
  limited: "none" | "cpu" | "bandwidth" | "other";
  sizeIn: string;
  sizeOut: string;
  codecs: string;
  local: string;
  remote: string;
  /** Over what this end reaches its relay, where it uses one. */
  relayProtocol: string | undefined;
  protocol: string;
}

export interface Sample {
  counters: Counters;
  now: Now;
}

/** What a person can look at; shares from 0 to 1, kbit/s, milliseconds, frames a second. */
export interface Details extends Omit<Now, "rtt" | "jitter"> {
  lossIn: number;
  lossOut: number;
  concealed: number;
  kbpsIn: number;
  kbpsOut: number;
  fpsIn: number;
  fpsOut: number;
  rttMs: number;
  jitterMs: number;
}

interface Stat extends Entry {
  kind?: string;
  packetsSent?: number;
  framesDecoded?: number;
  framesEncoded?: number;
  totalSamplesReceived?: number;
  concealedSamples?: number;
  silentConcealedSamples?: number;
  jitter?: number;
  frameWidth?: number;
  frameHeight?: number;
  qualityLimitationReason?: string;
  codecId?: string;
  active?: boolean;
}

/**
 * Reads one sample; undefined while no path is selected. theirs: what the other end says of its
 * own candidate.
 */
export function readSample(stats: RTCStatsReport, at: number, theirs?: CandidateType): Sample | undefined {
  const found = selected(stats, theirs);
  if (!found) return undefined;
  const all = [...found.entries.values()] as Stat[];
  const of = (type: string, kind?: string) =>
    all.filter((stat) => stat.type === type && (kind === undefined || stat.kind === kind));
  const inbound = of("inbound-rtp");
  const outbound = of("outbound-rtp").filter(({ active }) => active !== false);
  const sum = (list: Stat[], field: keyof Stat) =>
    list.reduce((total, stat) => total + (typeof stat[field] === "number" ? stat[field] : 0), 0);
  const sound = of("inbound-rtp", "audio");
  const [videoIn] = of("inbound-rtp", "video");
  const videoOut = largest(outbound.filter(({ kind }) => kind === "video"));
  const codec = ({ codecId }: Stat) => found.entries.get(codecId ?? "")?.mimeType;
  const codecs = new Set([...inbound, ...outbound].map(codec).filter((name) => name !== undefined));
  const { local, remote } = found;
  return {
    counters: {
      at,
      packetsIn: sum(inbound, "packetsReceived"),
      lostIn: sum(inbound, "packetsLost"),
      bytesIn: found.pair.bytesReceived ?? 0,
      packetsOut: sum(of("outbound-rtp"), "packetsSent"),
      lostOut: sum(of("remote-inbound-rtp"), "packetsLost"),
      bytesOut: found.pair.bytesSent ?? 0,
      framesIn: sum(inbound, "framesDecoded"),
      framesOut: sum(of("outbound-rtp"), "framesEncoded"),
      samples: sum(sound, "totalSamplesReceived"),
      // Silence that was made up, as with DTX, is nothing lost.
      concealed: sum(sound, "concealedSamples") - sum(sound, "silentConcealedSamples"),
    },
    now: {
      rtt: found.rtt,
      jitter: Math.max(0, ...sound.map(({ jitter }) => jitter ?? 0)),
      limited: limitation(videoOut?.qualityLimitationReason),
      sizeIn: sizeOf(videoIn),
      sizeOut: sizeOf(videoOut),
      codecs: [...codecs].map((name) => name.replace(/^\w+\//, "")).join(", "),
      local: local?.candidateType ?? "unknown",
      remote: remote?.candidateType ?? "unknown",
      relayProtocol: local?.candidateType === "relay" ? local.relayProtocol : undefined,
      protocol: local?.protocol ?? "udp",
    },
  };
}

const largest = (list: Stat[]): Stat | undefined =>
  list.reduce<Stat | undefined>((a, b) => ((b.frameWidth ?? 0) >= (a?.frameWidth ?? 0) ? b : a), undefined);

const sizeOf = (stat: Stat | undefined): string =>
  stat?.frameWidth && stat.frameHeight ? `${stat.frameWidth}×${stat.frameHeight}` : "";

const limitation = (reason: string | undefined): Now["limited"] =>
  reason === "cpu" || reason === "bandwidth" || reason === "other" ? reason : "none";

/** What went on between two samples. Counters that begin anew count nothing. */
export function detailsOf(first: Sample, last: Sample): Details {
  const [a, b] = [first.counters, last.counters];
  const more = (field: keyof Counters) => Math.max(0, b[field] - a[field]);
  const ms = Math.max(1, more("at"));
  const part = (some: number, all: number) => (all > 0 ? Math.min(1, some / all) : 0);
  const { rtt, jitter, ...now } = last.now;
  return {
    ...now,
    lossIn: part(more("lostIn"), more("lostIn") + more("packetsIn")),
    lossOut: part(more("lostOut"), more("packetsOut")),
    concealed: part(more("concealed"), more("samples")),
    kbpsIn: Math.round((more("bytesIn") * 8) / ms),
    kbpsOut: Math.round((more("bytesOut") * 8) / ms),
    fpsIn: Math.round((more("framesIn") * 1000) / ms),
    fpsOut: Math.round((more("framesOut") * 1000) / ms),
    rttMs: Math.round(rtt * 1000),
    jitterMs: Math.round(jitter * 1000),
  };
}

/** From these on the call is fair, and poor. */
const limits = {
  loss: [0.03, 0.1],
  rttMs: [300, 800],
  jitterMs: [60, 150],
  concealed: [0.04, 0.12],
} as const;

/** Less than this makes a picture that is worth a word. */
const narrowKbps = 250;

/** What one look says; ease makes the limits harder to stay under, for the way back up. */
export function judge(details: Details, ease = 1): Verdict {
  const over = (value: number, [fair, poor]: readonly [number, number]): 0 | 1 | 2 =>
    value >= poor * ease ? 2 : value >= fair * ease ? 1 : 0;
  const lossIn = Math.max(over(details.lossIn, limits.loss), over(details.concealed, limits.concealed));
  const lossOut = over(details.lossOut, limits.loss);
  const found: [number, Reason][] = [
    [lossIn > 0 && lossOut > 0 ? Math.max(lossIn, lossOut) : 0, "loss_both"],
    [lossIn, "loss_in"],
    [lossOut, "loss_out"],
    [over(details.rttMs, limits.rttMs), "delay"],
    [over(details.jitterMs, limits.jitterMs), "jitter"],
    // While it looks for what it may send, an encoder says so on the best network too.
    [details.limited === "bandwidth" && details.kbpsOut < narrowKbps / ease ? 1 : 0, "narrow"],
    [details.limited === "cpu" ? 1 : 0, "busy"],
  ];
  const worst = Math.max(...found.map(([level]) => level));
  if (worst === 0) return { grade: "good", reason: undefined };
  return { grade: worst === 2 ? "poor" : "fair", reason: found.find(([level]) => level === worst)?.[1] };
}

const order: readonly Grade[] = ["good", "fair", "poor", "lost"];
const downAfter = 2;
const upAfter = 4;
/** A better grade must hold with this much room. */
const ease = 0.7;

/** Keeps the grade until a worse one has come twice, or a better one four times in a row. */
export class Grader {
  verdict: Verdict = { grade: "good", reason: undefined };
  private worse = 0;
  private better = 0;

  /** details: undefined while nothing comes through. */
  take(details: Details | undefined): Verdict {
    const seen = details ? judge(details) : ({ grade: "lost", reason: "path" } as const);
    const rank = (grade: Grade) => order.indexOf(grade);
    const was = rank(this.verdict.grade);
    if (rank(seen.grade) >= was) {
      this.better = 0;
      this.worse = rank(seen.grade) > was ? this.worse + 1 : 0;
      // Nothing at all needs no second look, and another reason of the same grade none either.
      if (seen.grade === "lost" || this.worse >= downAfter || rank(seen.grade) === was) this.become(seen);
      return this.verdict;
    }
    this.worse = 0;
    const eased = details ? judge(details, ease) : seen;
    this.better = rank(eased.grade) < was ? this.better + 1 : 0;
    if (this.better >= upAfter || (this.verdict.grade === "lost" && this.better > 0)) this.become(eased);
    return this.verdict;
  }

  private become(verdict: Verdict): void {
    this.verdict = verdict;
    this.worse = this.better = 0;
  }
}
