// Packets on a data channel that nothing sends again: what arrives, how fast, how evenly.
import { pause, type Env } from "./env";

export interface Measured {
  sent: number;
  /** Share of the packets that did not arrive, 0 to 1. */
  loss: number;
  rtt_ms?: number;
  /** RFC 3550 section 6.4.1. */
  jitter_ms?: number;
  /** What arrived. */
  kbps: number;
  /** Whether the browser held packets back because the path took no more. */
  held: boolean;
}

export interface Load {
  count: number;
  everyMs: number;
  /** Bytes of a packet. */
  size: number;
  /** Every so many packets is sent back. */
  echoEvery: number;
}

/** What all channels of the tests are: late packets are worth nothing, as in a call. */
export const lossy: RTCDataChannelInit = { ordered: false, maxRetransmits: 0 };

const headBytes = 16;
const packet = 1;
const echo = 2;
/** More than this in the browser's buffer: the path takes no more. */
const heldBytes = 64 * 1024;
/** A timer that was late may make up for so much. */
const maxBurst = 25;
/** How long the last packets may take. */
const drainMs = 500;

interface Head {
  kind: number;
  echoed: boolean;
  seq: number;
  sentAt: number;
}

function write(size: number, { kind, echoed, seq, sentAt }: Head): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(Math.max(size, headBytes)));
  view.setUint8(0, kind);
  view.setUint8(1, echoed ? 1 : 0);
  view.setUint32(4, seq);
  view.setFloat64(8, sentAt);
  return view.buffer;
}

function read(data: unknown): Head | undefined {
  if (!(data instanceof ArrayBuffer) || data.byteLength < headBytes) return undefined;
  const view = new DataView(data);
  return {
    kind: view.getUint8(0),
    echoed: view.getUint8(1) === 1,
    seq: view.getUint32(4),
    sentAt: view.getFloat64(8),
  };
}

/** Sends back what asks for it; seen hears of every packet. */
export function reflect(channel: RTCDataChannel, seen: (seq: number, sentAt: number) => void): void {
  channel.binaryType = "arraybuffer";
  channel.onmessage = ({ data }) => {
    const head = read(data);
    if (head?.kind !== packet) return;
    seen(head.seq, head.sentAt);
    if (head.echoed && channel.readyState === "open") channel.send(write(headBytes, { ...head, kind: echo }));
  };
}

/** Counts what arrives and how evenly. */
export class Meter {
  private readonly seen = new Set<number>();
  private readonly roundTrips: number[] = [];
  private transit: number | undefined;
  private jitter = 0;

  /** A packet arrived; the clock of both times is the same. */
  arrived(seq: number, transit: number): void {
    if (this.seen.has(seq)) return;
    this.seen.add(seq);
    if (this.transit !== undefined) this.jitter += (Math.abs(transit - this.transit) - this.jitter) / 16;
    this.transit = transit;
  }

  /** An echo came back. */
  returned(roundTrip: number): void {
    this.roundTrips.push(roundTrip);
  }

  get count(): number {
    return this.seen.size;
  }

  result(sent: number, size: number, ms: number, held: boolean): Measured {
    const trips = [...this.roundTrips].sort((a, b) => a - b);
    const rtt = trips[Math.floor(trips.length / 2)];
    return {
      sent,
      loss: sent === 0 ? 1 : Math.max(0, 1 - this.count / sent),
      kbps: ms <= 0 ? 0 : (this.count * size * 8) / ms,
      held,
      ...(rtt === undefined ? {} : { rtt_ms: rtt }),
      ...(this.count < 2 ? {} : { jitter_ms: this.jitter }),
    };
  }
}

/**
 * Sends the load over an open channel whose far end reflects. A far end in this page tells
 * the meter what arrives; of one elsewhere only the echoes are known.
 */
export async function run(
  env: Env,
  channel: RTCDataChannel,
  load: Load,
  meter: Meter,
  far: "here" | "there",
): Promise<Measured> {
  channel.binaryType = "arraybuffer";
  channel.onmessage = ({ data }) => {
    const head = read(data);
    if (head?.kind !== echo) return;
    const trip = env.now() - head.sentAt;
    meter.returned(trip);
    if (far === "there") meter.arrived(head.seq, trip / 2);
  };
  const start = env.now();
  const end = start + load.count * load.everyMs + drainMs;
  let sent = 0;
  let held = false;
  while (sent < load.count && channel.readyState === "open" && env.now() < end) {
    const due = Math.floor((env.now() - start) / load.everyMs) + 1;
    for (const until = Math.min(load.count, due, sent + maxBurst); sent < until; sent += 1) {
      held ||= channel.bufferedAmount > heldBytes;
      if (channel.bufferedAmount > heldBytes) break;
      const echoed = sent % load.echoEvery === 0;
      channel.send(write(load.size, { kind: packet, echoed, seq: sent, sentAt: env.now() }));
    }
    await pause(env.timers, load.everyMs);
  }
  const lasted = env.now() - start;
  for (let waited = 0; waited < drainMs && meter.count < sent; waited += 50) await pause(env.timers, 50);
  const left = Math.ceil(channel.bufferedAmount / load.size);
  return meter.result(Math.max(0, sent - left), load.size, lasted, held);
}
