// Reads from getStats which way the media goes and whether anything arrives.
import type { Path } from "./types";

interface Entry {
  id: string;
  type: string;
  selectedCandidatePairId?: string;
  localCandidateId?: string;
  remoteCandidateId?: string;
  selected?: boolean;
  nominated?: boolean;
  state?: string;
  bytesReceived?: number;
  responsesReceived?: number;
  requestsReceived?: number;
  candidateType?: string;
  relayProtocol?: string;
  protocol?: string;
}

export interface PathReport {
  path: Path | undefined;
  /** Grows with everything that arrives on the selected pair, media or check. */
  heard: number;
}

/** Finds the selected candidate pair (RFC 8445) in what getStats tells. */
export function readPath(stats: RTCStatsReport): PathReport {
  const entries = new Map<string, Entry>();
  stats.forEach((entry: Entry) => entries.set(entry.id, entry));
  const pair = selectedPair(entries);
  if (!pair) return { path: undefined, heard: 0 };
  const local = entries.get(pair.localCandidateId ?? "");
  const remote = entries.get(pair.remoteCandidateId ?? "");
  const heard = (pair.bytesReceived ?? 0) + (pair.responsesReceived ?? 0) + (pair.requestsReceived ?? 0);
  const path: Path = {
    relay: local?.candidateType === "relay" || remote?.candidateType === "relay",
    local: local?.candidateType ?? "unknown",
    remote: remote?.candidateType ?? "unknown",
  };
  if (local?.candidateType === "relay") path.protocol = protocolOf(local.relayProtocol);
  return { path, heard };
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
