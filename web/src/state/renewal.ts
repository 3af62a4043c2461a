import { ApiError, type ApiCode, type Grant } from "../protocol/api";
import type { Timers } from "../protocol/clock";

export interface RenewalDeps {
  renew: () => Promise<Grant>;
  serverNow: () => number;
  timers: Timers;
  onEnded: (code: ApiCode) => void;
  onProblem: (problem: string) => void;
}

const minMs = 60_000;
const maxMs = 80 * 60_000;

/** Renews the session at half of its life for as long as the page is open. */
export class Renewal {
  private readonly deps: RenewalDeps;
  private timer: number | undefined;
  private expiresAt: number | undefined;

  constructor(deps: RenewalDeps) {
    this.deps = deps;
  }

  granted(grant: Grant): void {
    this.expiresAt = grant.expires_at;
  }

  /** Sets the timer; call it when the server's clock is known. A page that was reloaded first asks how long it has. */
  schedule(): void {
    const { serverNow, timers } = this.deps;
    timers.clear(this.timer);
    const left = this.expiresAt === undefined ? 0 : this.expiresAt * 1000 - serverNow();
    this.timer = timers.set(() => void this.renew(), Math.min(Math.max(left / 2, minMs), maxMs));
  }

  stop(): void {
    this.deps.timers.clear(this.timer);
    this.expiresAt = undefined;
  }

  private async renew(): Promise<void> {
    try {
      this.granted(await this.deps.renew());
    } catch (error) {
      if (error instanceof ApiError && error.signedOut) {
        this.deps.onEnded(error.code);
        return;
      }
      this.deps.onProblem(`renew: ${String(error)}`);
    }
    this.schedule();
  }
}
