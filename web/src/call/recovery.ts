// When to try for a new way: a policy without a browser, told what happens and asked each second.
export interface Health {
  /** RTCPeerConnection.connectionState. */
  connection: RTCPeerConnectionState;
  /** PathReport.heard. */
  heard: number;
  /** The media are relayed, and a direct path is passed over. */
  passesDirect: boolean;
}

export type LinkState = "connecting" | "connected" | "lost";

/** Nothing heard for so long on a connected path shows as lost. */
const silentMs = 3_500;
/**
 * So long without a word where sound came all the time: look for a new way already. The
 * browser leaves a silent path only 3.5 s after its last word; the new one is ready by then.
 */
const earlyMs = 1_400;
/** Something was heard in so many looks in a row: it comes all the time. */
const steadyLooks = 4;
/** So long without a connection before the first ICE restart of a try. */
const patienceMs = 5_000;
/** Between restarts of one try: checks need their time. */
const againMs = 9_000;
/** Restarts asked for within so short a time are one. */
const togetherMs = 1_500;
/** Restarts for a direct path that is passed over: it may be so again. */
const mostForDirect = 3;

export class Recovery {
  private everConnected = false;
  private heard = -1;
  private heardAt: number;
  private looksHeard = 0;
  private steady = false;
  private troubleSince: number | undefined;
  private forDirect = 0;
  private restartedAt = Number.NEGATIVE_INFINITY;
  private readonly startedAt: number;

  constructor(now: number) {
    this.heardAt = now;
    this.startedAt = now;
  }

  /** What to tell the person. */
  state(now: number, connection: RTCPeerConnectionState): LinkState {
    if (connection === "connected" && this.everConnected && now - this.heardAt < silentMs) return "connected";
    return this.everConnected ? "lost" : "connecting";
  }

  /** Milliseconds that the present try has lasted. */
  trying(now: number): number {
    return this.troubleSince === undefined ? 0 : now - this.troubleSince;
  }

  /** Takes in the present health and says whether to restart ICE now. */
  check(now: number, health: Health): boolean {
    if (health.connection === "connected" && !this.everConnected) {
      this.everConnected = true;
      this.heardAt = now;
    }
    if (health.heard !== this.heard) {
      this.heard = health.heard;
      this.heardAt = now;
      this.looksHeard += 1;
      this.steady = this.looksHeard >= steadyLooks || (this.steady && this.looksHeard > 1);
    } else {
      this.looksHeard = 0;
      if (this.steady && now - this.heardAt >= earlyMs && health.connection === "connected") {
        this.steady = false;
        return this.restart(now, this.again(now));
      }
    }
    const silent = now - this.heardAt >= silentMs;
    if (health.connection === "connected" && !silent) {
      this.troubleSince = undefined;
      const again = health.passesDirect && this.forDirect < mostForDirect && this.again(now);
      if (again) this.forDirect += 1;
      return this.restart(now, again);
    }
    this.troubleSince ??= this.everConnected ? now : this.startedAt;
    if (health.connection === "failed") return this.restart(now, this.again(now));
    const waited = now - this.troubleSince >= (this.everConnected ? patienceMs - silentMs : againMs);
    return this.restart(now, waited && this.again(now));
  }

  /** The network came back or changed: restart unless one was just made. */
  networkChanged(now: number): boolean {
    return this.restart(now, now - this.restartedAt >= togetherMs);
  }

  /** A restart was begun for another reason. */
  restarted(now: number): void {
    this.restartedAt = now;
  }

  private again(now: number): boolean {
    return now - this.restartedAt >= againMs;
  }

  private restart(now: number, yes: boolean): boolean {
    if (yes) this.restartedAt = now;
    return yes;
  }
}
