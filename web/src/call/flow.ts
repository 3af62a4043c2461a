// Makes one connection send what its way bears: reads how the media fare, asks the policy,
// sets the senders, and tells the other end what it should know.
import type { Payload } from "../protocol/messages";
import { Adapt, type Order, type Sample } from "./adapt";
import { selected, type Entry } from "./path";
import type { Kind } from "./types";

/** What the person wants of every call on this device. */
export interface Thrift {
  soundOnly: boolean;
  saveData: boolean;
}

/** What both people are told. */
export interface FlowState {
  /** Why our picture does not go out although there is one. */
  paused: Order["paused"];
  /** The other end's picture waits for a better link. */
  peerPaused: boolean;
  /** Why the other end wants less picture from us. */
  peerWants: NonNullable<Payload["limit"]>["reason"];
}

export interface FlowDeps {
  sender: (kind: Kind) => RTCRtpSender | undefined;
  thrift: () => Thrift;
  send: (payload: Payload) => Promise<unknown>;
  now: () => number;
  onChange: () => void;
  onProblem: (problem: string) => void;
}

interface FlowEntry extends Entry {
  kind?: string;
  fractionLost?: number;
  availableOutgoingBitrate?: number;
  qualityLimitationReason?: string;
}

const everyMs = 900;
const saveDataKbps = 150;

/** What is told to the other end, as text; undefined: it must be told. */
type Told = string | undefined;

export class Flow {
  state: FlowState = { paused: undefined, peerPaused: false, peerWants: undefined };
  private readonly deps: FlowDeps;
  private readonly adapt: Adapt;
  private last: { at: number; videoBytes: number; pair: string } | undefined;
  private set: Partial<Record<Kind, string>> = {};
  private setting = false;
  private toldLimit: Told = JSON.stringify({});
  private toldPicture: Told = "sent";

  constructor(deps: FlowDeps) {
    this.deps = deps;
    this.adapt = new Adapt(deps.now());
  }

  /** Takes in how the connected media fare; often is all right. */
  look(stats: RTCStatsReport): void {
    const at = this.deps.now();
    if (this.last && at - this.last.at < everyMs) return;
    const found = selected(stats);
    if (!found) return;
    const { pair, entries, rtt } = found;
    const out = [...entries.values()] as FlowEntry[];
    const video = out.filter(({ type, kind }) => type === "outbound-rtp" && kind === "video");
    const videoBytes = video.reduce((sum, { bytesSent = 0 }) => sum + bytesSent, 0);
    const { last } = this;
    this.last = { at, videoBytes, pair: pair.id };
    if (!last || last.pair !== pair.id) this.adapt.pathChanged(at);
    else this.adapt.see(this.sample(at, out, video, last, pair, rtt));
    this.update();
  }

  /** Nothing is heard: what is believed of the way is worth nothing when it comes back. */
  lost(): void {
    this.last = undefined;
  }

  /** Takes what the other end says of pictures; whether it said something. */
  receive({ limit, picture }: Payload): void {
    if (limit) {
      this.adapt.limitKbps = limit.video_kbps;
      this.change({ peerWants: limit.reason });
    }
    if (picture) this.change({ peerPaused: picture === "paused" });
    if (limit) this.update();
  }

  /** What the person wants has changed, the senders are new, or the other end may have missed a word. */
  update(): void {
    const { soundOnly, saveData } = this.deps.thrift();
    this.adapt.thrifty = saveData;
    const { order } = this.adapt;
    this.change({ paused: order.paused });
    void this.apply(order);
    const limit: Payload["limit"] = soundOnly
      ? { video_kbps: 0, reason: "sound_only" }
      : saveData
        ? { video_kbps: saveDataKbps, reason: "save_data" }
        : {};
    this.tell("toldLimit", JSON.stringify(limit), { limit });
    const picture = order.paused === "weak" ? "paused" : "sent";
    this.tell("toldPicture", picture, { picture });
  }

  private tell(what: "toldLimit" | "toldPicture", word: string, payload: Payload): void {
    if (this[what] === word) return;
    this[what] = word;
    this.deps.send(payload).catch((error: unknown) => {
      if (this[what] === word) this[what] = undefined; // said again at the next look
      this.deps.onProblem(`flow: ${String(error)}`);
    });
  }

  private sample(
    at: number,
    all: FlowEntry[],
    video: FlowEntry[],
    last: { at: number; videoBytes: number },
    pair: FlowEntry,
    rtt: number,
  ): Sample {
    const told = all.find(({ type, kind }) => type === "remote-inbound-rtp" && kind === "audio");
    const room = pair.availableOutgoingBitrate;
    const sent = video.reduce((sum, { bytesSent = 0 }) => sum + bytesSent, 0) - last.videoBytes;
    return {
      at,
      loss: told?.fractionLost,
      rttMs: told?.roundTripTime === undefined ? rtt * 1000 : told.roundTripTime * 1000,
      roomKbps: room === undefined ? undefined : room / 1000,
      videoKbps: Math.max(0, (sent * 8) / (at - last.at)),
      starved: video.some(({ qualityLimitationReason }) => qualityLimitationReason === "bandwidth"),
    };
  }

  private async apply(order: Order): Promise<void> {
    if (this.setting) return;
    this.setting = true;
    try {
      await this.tune("audio", order);
      await this.tune("video", order);
    } catch (error) {
      // Set again at the next look: between an offer and its answer it cannot be done.
      this.deps.onProblem(`senders: ${String(error)}`);
    } finally {
      this.setting = false;
    }
  }

  private async tune(kind: Kind, order: Order): Promise<void> {
    const sender = this.deps.sender(kind);
    const track = sender?.track;
    if (!sender || !track || typeof sender.getParameters !== "function") return;
    const settings = track.getSettings();
    const wanted = JSON.stringify([
      kind === "audio" ? (order.soundKbps ?? 0) : (order.picture ?? null),
      track.id,
      track.contentHint,
      settings,
    ]);
    if (this.set[kind] === wanted) return;
    // What the browser does by itself at the start is best: a picture that is set anew in the
    // first seconds comes too large for what is believed of the way, and stands still.
    if (kind === "video" && this.set.video === undefined && this.adapt.unbound) return;
    const parameters: RTCRtpSendParameters = sender.getParameters();
    const encoding = parameters.encodings[0];
    if (!encoding) return;
    if (kind === "audio") tuneSound(encoding, order.soundKbps);
    else tunePicture(parameters, encoding, order.picture, track);
    await sender.setParameters(parameters);
    this.set[kind] = wanted;
  }

  private change(change: Partial<FlowState>): void {
    const next = { ...this.state, ...change };
    if (JSON.stringify(next) === JSON.stringify(this.state)) return;
    this.state = next;
    this.deps.onChange();
  }
}

function tuneSound(encoding: RTCRtpEncodingParameters, kbps: number | undefined): void {
  encoding.priority = encoding.networkPriority = "high";
  if (kbps === undefined) delete encoding.maxBitrate;
  else encoding.maxBitrate = kbps * 1000;
}

function tunePicture(
  parameters: RTCRtpSendParameters & { degradationPreference?: string },
  encoding: RTCRtpEncodingParameters,
  order: Order["picture"],
  track: MediaStreamTrack,
): void {
  const { width, height, displaySurface } = track.getSettings() as MediaTrackSettings & {
    displaySurface?: string;
  };
  const screen = displaySurface !== undefined && track.contentHint !== "motion";
  parameters.degradationPreference = screen ? "maintain-resolution" : "maintain-framerate";
  encoding.active = order !== undefined;
  if (!order) return;
  encoding.maxBitrate = order.kbps * 1000;
  encoding.maxFramerate = order.fps;
  const side = Math.min(width ?? 0, height ?? 0);
  // A screen's words must stay readable: it gets fewer pictures, not smaller ones.
  encoding.scaleResolutionDownBy = screen || side === 0 ? 1 : Math.max(1, side / order.side);
}
