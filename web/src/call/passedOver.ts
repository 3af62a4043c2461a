// Notices a direct path that the browser does not take though the other end gets through there.
import { entriesOf } from "./path";

/** Checks of the other end, one a second or so, with none of this end's between. */
const unheeded = 3;

/**
 * Chromium comes to this when checks overtake the answer: it takes each for one of a peer reflexive
 * candidate, whose priority tells direct ones from the relay's no more, and gives up all pairs but
 * the first to work. On the pairs given up it answers checks, but makes none.
 */
export class PassedOver {
  /** By pair: checks sent, and checks received by the time of the last one sent. */
  private readonly pairs = new Map<string, { sent: number; received: number }>();

  /** Takes in what getStats tells; true while a direct pair is passed over. */
  look(stats: RTCStatsReport): boolean {
    const entries = entriesOf(stats);
    const direct = (id: string | undefined) => {
      const type = entries.get(id ?? "")?.candidateType;
      return type === "host" || type === "srflx";
    };
    let passed = false;
    for (const [id, pair] of entries) {
      const { requestsSent: sent, requestsReceived: received } = pair;
      if (sent === undefined || received === undefined) continue;
      if (!direct(pair.localCandidateId) || !direct(pair.remoteCandidateId)) continue;
      const before = this.pairs.get(id);
      if (before?.sent !== sent) this.pairs.set(id, { sent, received });
      else if (received - before.received >= unheeded) passed = true;
    }
    return passed;
  }
}
