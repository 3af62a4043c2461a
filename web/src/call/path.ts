// Reads from getStats which way the media goes and whether anything arrives.
import type { CandidateType } from "../protocol/messages";
import type { Path } from "./types";

export interface Entry {
  id: string;
  type: string;
  selectedCandidatePairId?: string;
  localCandidateId?: string;
  remoteCandidateId?: string;
  selected?: boolean;
  nominated?: boolean;
  state?: string;
  bytesSent?: number;
  bytesReceived?: number;
  currentRoundTripTime?: number;
  roundTripTime?: number;
  packetsReceived?: number;
  packetsLost?: number;
  responsesReceived?: number;
  requestsReceived?: number;
  requestsSent?: number;
  candidateType?: string;
  relayProtocol?: string;
  protocol?: string;
  address?: string;
  /** What address is called in older browsers. */
  ip?: string;
  port?: number;
  /** Of a codec. */
  mimeType?: string;
}

/** The selected candidate pair (RFC 8445) in what getStats tells. */
export interface Selected {
  entries: Map<string, Entry>;
  pair: Entry;
  local: Entry | undefined;
  remote: Entry | undefined;
  /** Seconds. */
  rtt: number;
}

export interface PathReport {
  path: Path | undefined;
  /** Grows with everything that arrives on the selected pair, media or check. */
  heard: number;
}

/** Reads the way of the media and whether anything arrives. */
export function readPath(stats: RTCStatsReport, theirs?: CandidateType): PathReport {
  const found = selected(stats, theirs);
  if (!found) return { path: undefined, heard: 0 };
  const { pair, local, remote } = found;
  const heard = (pair.bytesReceived ?? 0) + (pair.responsesReceived ?? 0) + (pair.requestsReceived ?? 0);
  const path: Path = {
    relay: local?.candidateType === "relay" || remote?.candidateType === "relay",
    local: local?.candidateType ?? "unknown",
    remote: remote?.candidateType ?? "unknown",
  };
  if (local?.candidateType === "relay") path.protocol = protocolOf(local.relayProtocol);
  return { path, heard };
}

/**
 * Finds the selected pair; undefined while there is none. theirs is what the other end says that
 * its own candidate is: one that hears the other's relay before it is told of that candidate takes
 * it for a peer's own address (RFC 8445 section 7.3.1.3).
 */
export function selected(stats: RTCStatsReport, theirs?: CandidateType): Selected | undefined {
  const entries = entriesOf(stats);
  const pair = selectedPair(entries);
  if (!pair) return undefined;
  const local = entries.get(pair.localCandidateId ?? "");
  let remote = entries.get(pair.remoteCandidateId ?? "");
  if (remote?.candidateType === "prflx" && theirs === "relay") remote = { ...remote, candidateType: "relay" };
  return { entries, pair, local, remote, rtt: pair.currentRoundTripTime ?? mediaRTT(entries) };
}

/** What getStats tells, by id. */
export function entriesOf(stats: RTCStatsReport): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  stats.forEach((entry: Entry) => entries.set(entry.id, entry));
  return entries;
}

/** What RTCP tells, where a browser does not tell what its checks took. */
function mediaRTT(entries: Map<string, Entry>): number {
  for (const { type, roundTripTime } of entries.values()) {
    if (type === "remote-inbound-rtp" && roundTripTime !== undefined) return roundTripTime;
  }
  return 0;
}

function selectedPair(entries: Map<string, Entry>): Entry | undefined {
  let fallback: Entry | undefined;
  for (const entry of entries.values()) {
    if (entry.type === "transport" && entry.selectedCandidatePairId) {
      return entries.get(entry.selectedCandidatePairId);
    }
    if (entry.type !== "candidate-pair" || entry.state !== "succeeded") continue;
    // Firefox marks the pair itself.
    if (entry.selected || (entry.nominated && !fallback)) fallback = entry;
  }
  return fallback;
}

function protocolOf(name: string | undefined): Path["protocol"] {
  return name === "udp" || name === "tcp" || name === "tls" ? name : undefined;
}
