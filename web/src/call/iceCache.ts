// Keeps the relay's addresses and credentials, so that a new way is looked for without asking first.
import type { IceServers } from "../protocol/api";

export interface IceCacheDeps {
  fetch: () => Promise<IceServers>;
  /** Unix milliseconds by the server's clock. */
  serverNow: () => number;
  onProblem: (problem: string) => void;
}

/** Older than this they are still used, and asked for anew for the next time. */
const freshMs = 5 * 60_000;
/** Credentials that end so soon are not worth a new allocation. */
const leastLifeMs = 60_000;

export class IceCache {
  private readonly deps: IceCacheDeps;
  private kept: { servers: IceServers; at: number } | undefined;
  private age = 0;

  constructor(deps: IceCacheDeps) {
    this.deps = deps;
  }

  /** What there is, at once, or what the server says. */
  get(): Promise<IceServers> {
    const { kept } = this;
    const now = this.deps.serverNow();
    if (!kept || kept.servers.expires_at * 1000 - now < leastLifeMs) return this.load();
    if (now - kept.at > freshMs || now < kept.at) {
      this.load().catch((error: unknown) => this.deps.onProblem(`ice servers: ${String(error)}`));
    }
    return Promise.resolve(kept.servers);
  }

  /** The server was restarted or the session is another: what was told before may not hold. */
  clear(): void {
    this.kept = undefined;
    this.age += 1;
  }

  private async load(): Promise<IceServers> {
    const { age } = this;
    const servers = await this.deps.fetch();
    if (age === this.age) this.kept = { servers, at: this.deps.serverNow() };
    return servers;
  }
}
