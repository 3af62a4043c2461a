/** Timers that are handed in, so that tests can turn the clock. */
export interface Timers {
  set(fn: () => void, ms: number): number;
  clear(timer: number | undefined): void;
}

/** The server's clock, learned from its messages; devices' own clocks may be years off. */
export class ServerClock {
  private offset = 0;
  private readonly local: () => number;

  constructor(local: () => number) {
    this.local = local;
  }

  /** Takes over the server's time, in Unix milliseconds. */
  learn(serverTime: number): void {
    this.offset = serverTime - this.local();
  }

  /** Unix milliseconds by the server's clock. */
  now(): number {
    return this.local() + this.offset;
  }
}
