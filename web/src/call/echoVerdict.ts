// From what the echo test saw to findings: how each thing is, in a code that words are made of.
import type { EchoFound, Facts, Way } from "./echo";

export type Mark = "good" | "warn" | "bad" | "none";

export type Item = "microphone" | "camera" | "sound" | "picture" | "direct" | "relay";

export type Code =
  | "mic_good"
  | "mic_faint"
  | "mic_silent"
  | "mic_muted"
  | "mic_problem"
  | "camera_good"
  | "camera_dark"
  | "camera_still"
  | "camera_off"
  | "camera_problem"
  | "sound_good"
  | "sound_unplayed"
  | "sound_none"
  | "picture_good"
  | "picture_none"
  | "direct_good"
  | "direct_relay"
  | "direct_failed"
  | "relay_good"
  | "relay_udp"
  | "relay_tcp"
  | "relay_tls"
  | "relay_failed"
  | "lossy"
  | "slow";

export interface Finding {
  item: Item;
  mark: Mark;
  /** Each a sentence. */
  codes: Code[];
  /** The figures of a way that works. */
  way?: Way;
}

export type Headline = "fine" | "through_relay" | "some" | "devices" | "direct_only" | "none" | "partial";

export interface Verdict {
  headline: Headline;
  mark: Mark;
  findings: Finding[];
  /** The network is what does not work. */
  network: boolean;
}

/** Loudness (root mean square of full scale): a muted device gives nothing, a room hums above the first. */
const silent = 0.0003;
const faint = 0.003;
/** A covered camera shows nothing brighter than its noise. */
const dark = 24;
const muchLoss = 0.02;
const slowMs = 150;
/** Energy that only sound has which was decoded and played. */
const audible = 0.000_001;

export function verdict(found: EchoFound): Verdict {
  const { ways, facts, complete } = found;
  const works = ways.direct?.works === true || ways.relay?.works === true;
  const findings = [
    microphone(facts),
    ...(facts.video ? [camera(facts, works)] : []),
    ...(works ? [sound(facts), ...(facts.video ? [picture(facts)] : [])] : []),
    direct(found),
    relay(ways.relay),
  ].filter((finding) => finding !== undefined);
  const headline = headlineOf(found, findings, works);
  return {
    headline,
    mark: marks[headline],
    findings,
    network: complete && ways.relay?.works === false,
  };
}

const marks: Record<Headline, Mark> = {
  fine: "good",
  through_relay: "good",
  some: "warn",
  devices: "warn",
  direct_only: "warn",
  none: "bad",
  partial: "none",
};

const ofDevice: readonly Item[] = ["microphone", "camera", "sound", "picture"];

function headlineOf({ ways, complete }: EchoFound, findings: Finding[], works: boolean): Headline {
  const { direct: straight, relay: relayed } = ways;
  if (complete && !works) return "none";
  if (straight?.works && relayed?.works === false) return "direct_only";
  if (findings.some(({ item, mark }) => mark === "bad" && ofDevice.includes(item))) return "devices";
  if (!complete) return "partial";
  if (findings.some(({ mark }) => mark === "warn")) return "some";
  return straight?.works === false ? "through_relay" : "fine";
}

function microphone({ problems, unmuted, loudest, soundEnergy }: Facts): Finding | undefined {
  const item = "microphone";
  if (problems.audio) return { item, mark: "bad", codes: ["mic_problem"] };
  if (!unmuted) return { item, mark: "none", codes: ["mic_muted"] };
  // What came back as sound has come from the microphone.
  const heard = soundEnergy !== undefined && soundEnergy > audible;
  if (loudest === undefined) return heard ? { item, mark: "good", codes: ["mic_good"] } : undefined;
  if (loudest < silent) return { item, mark: "bad", codes: ["mic_silent"] };
  if (loudest < faint) return { item, mark: "warn", codes: ["mic_faint"] };
  return { item, mark: "good", codes: ["mic_good"] };
}

function camera(
  { problems, filming, cameraFrames, brightest }: Facts,
  connected: boolean,
): Finding | undefined {
  const item = "camera";
  if (problems.video) return { item, mark: "bad", codes: ["camera_problem"] };
  if (!filming) return { item, mark: "none", codes: ["camera_off"] };
  if (brightest !== undefined && brightest < dark) return { item, mark: "warn", codes: ["camera_dark"] };
  // Frames are sent only where there is a way.
  if (!connected || cameraFrames === undefined) return undefined;
  return cameraFrames > 0
    ? { item, mark: "good", codes: ["camera_good"] }
    : { item, mark: "bad", codes: ["camera_still"] };
}

/** What a silent microphone sends comes back silent: that says nothing. */
function sound({ problems, unmuted, loudest, soundPackets, soundEnergy }: Facts): Finding | undefined {
  const item = "sound";
  if (problems.audio || !unmuted) return undefined;
  if (soundPackets === 0) return { item, mark: "bad", codes: ["sound_none"] };
  if (loudest !== undefined && loudest < faint) return undefined;
  const unplayed = loudest !== undefined && soundEnergy !== undefined && soundEnergy <= audible;
  return unplayed
    ? { item, mark: "warn", codes: ["sound_unplayed"] }
    : { item, mark: "good", codes: ["sound_good"] };
}

function picture({ filming, cameraFrames, picturePackets, pictureFrames }: Facts): Finding | undefined {
  if (!filming || cameraFrames === 0) return undefined;
  return (pictureFrames ?? picturePackets) > 0
    ? { item: "picture", mark: "good", codes: ["picture_good"] }
    : { item: "picture", mark: "bad", codes: ["picture_none"] };
}

function direct({ ways }: EchoFound): Finding | undefined {
  const item = "direct";
  const way = ways.direct;
  if (!way) return undefined;
  if (way.works) return judged({ item, mark: "good", codes: ["direct_good"], way });
  return ways.relay?.works
    ? { item, mark: "none", codes: ["direct_relay"] }
    : { item, mark: "bad", codes: ["direct_failed"] };
}

function relay(way: Way | undefined): Finding | undefined {
  const item = "relay";
  if (!way) return undefined;
  if (!way.works) return { item, mark: "bad", codes: ["relay_failed"] };
  const over = way.path?.protocol;
  const mark = over === "tcp" || over === "tls" ? "warn" : "good";
  return judged({ item, mark, codes: [over ? (`relay_${over}` as const) : "relay_good"], way });
}

/** Adds what is to be said about a way that works, but not well. */
function judged(finding: Finding): Finding {
  const { loss = 0, rttMs = 0 } = finding.way ?? {};
  const codes = [...finding.codes];
  if (loss >= muchLoss) codes.push("lossy");
  if (rttMs >= slowMs) codes.push("slow");
  return codes.length > finding.codes.length ? { ...finding, mark: "warn", codes } : finding;
}
