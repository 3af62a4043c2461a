// Tells the server how the media of the running call fare: nothing runs while there is none.
import type { Timers } from "../protocol/clock";
import { candidateType, type CallReport, type CandidateType, type Path } from "../protocol/messages";
import { selected, type Entry, type Selected } from "./path";

export interface ReportsDeps {
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
  tell: (report: CallReport) => void;
}

/** The part of a link that is reported. */
export interface Reported {
  state: string;
  /** What the other end says of its own candidate. */
  theirs?: CandidateType | undefined;
  pc: Pick<RTCPeerConnection, "getStats"> | undefined;
}

const everyMs = 5_000;

export class Reports {
  private readonly deps: ReportsDeps;
  private of: { call: string; gen: number; startedAt: number } | undefined;
  private link: Reported | undefined;
  private timer: number | undefined;
  private last: Counters | undefined;
  private setupMs: number | undefined;

  constructor(deps: ReportsDeps) {
    this.deps = deps;
  }

  /** The media of a generation start. */
  begin(call: string, gen: number): void {
    this.stop();
    this.of = { call, gen, startedAt: this.deps.now() };
  }

  /** Something changed; from the first connection on, reports are sent. */
  see(link: Reported): void {
    if (!this.of || this.link || link.state !== "connected") return;
    this.link = link;
    this.setupMs = Math.round(this.deps.now() - this.of.startedAt);
    this.report();
  }

  stop(): void {
    this.deps.timers.clear(this.timer);
    this.of = this.link = this.timer = this.last = this.setupMs = undefined;
  }

  private report(): void {
    const { of, link } = this;
    if (!of || !link) return;
    this.timer = this.deps.timers.set(() => this.report(), everyMs);
    // While the path is lost there is nothing to tell.
    if (link.state !== "connected" || !link.pc) return;
    link.pc.getStats().then(
      (stats) => {
        if (this.of === of) this.send(of, selected(stats, link.theirs));
      },
      () => undefined, // Closed meanwhile.
    );
  }

  private send({ call, gen }: { call: string; gen: number }, found: Selected | undefined): void {
    const path = found && pathOf(found);
    if (!found || !path) return;
    const now = count(found, this.deps.now());
    const { last = now, setupMs } = this;
    this.last = now;
    this.setupMs = undefined;
    this.deps.tell({
      call,
      gen,
      path,
      ...(setupMs === undefined ? {} : { setup_ms: setupMs }),
      rtt_ms: Math.round(found.rtt * 10_000) / 10,
      ...compare(last, now),
    });
  }
}

interface Counters {
  at: number;
  sent: number;
  received: number;
  packets: number;
  lost: number;
}

function count({ entries, pair }: Selected, at: number): Counters {
  const out = { at, sent: pair.bytesSent ?? 0, received: pair.bytesReceived ?? 0, packets: 0, lost: 0 };
  for (const entry of entries.values()) {
    if (entry.type !== "inbound-rtp") continue;
    out.packets += entry.packetsReceived ?? 0;
    // Duplicates make it negative (RFC 3550 section 6.4.1).
    out.lost += entry.packetsLost ?? 0;
  }
  return out;
}

/** Counters begin anew with another pair. */
function compare(last: Counters, now: Counters): Pick<CallReport, "loss" | "up_kbps" | "down_kbps"> {
  const ms = now.at - last.at;
  const kbps = (bytes: number) => (ms > 0 ? Math.round((Math.max(0, bytes) * 8) / ms) : 0);
  const lost = Math.max(0, now.lost - last.lost);
  const expected = lost + Math.max(0, now.packets - last.packets);
  return {
    loss: expected > 0 ? Math.round((lost / expected) * 10_000) / 10_000 : 0,
    up_kbps: kbps(now.sent - last.sent),
    down_kbps: kbps(now.received - last.received),
  };
}

function pathOf({ local, remote }: Selected): Path | undefined {
  const [own, theirs] = [candidateType(local?.candidateType), candidateType(remote?.candidateType)];
  if (!local || !remote || !own || !theirs) return undefined;
  const relayProtocol = local.relayProtocol;
  return {
    local: own,
    remote: theirs,
    protocol: local.protocol === "tcp" ? "tcp" : "udp",
    ...(relayProtocol === "udp" || relayProtocol === "tcp" || relayProtocol === "tls"
      ? { relay_protocol: relayProtocol }
      : {}),
    ...only("relay", relayed(local)),
    ...only("remote_relay", relayed(remote)),
  };
}

const only = (key: "relay" | "remote_relay", value: string | undefined) =>
  value === undefined ? {} : { [key]: value };

function relayed({ candidateType, address, ip, port }: Entry): string | undefined {
  const host = address ?? ip;
  if (candidateType !== "relay" || port === undefined || host === undefined) return undefined;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return `${host}:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : undefined;
}
