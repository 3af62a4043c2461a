// Chooses between the WebSocket and server-sent events (rtc/PROTOCOL.md, "Transport").
import type { Socket } from "./connection";

export interface TransportDeps {
  webSocket: () => Socket;
  /** Opens events; calls opened once they flow. */
  events: (opened: () => void) => Socket;
  now: () => number;
  /** Keeps, for this tab, that WebSockets fail here. */
  kept: { get(key: string): string | undefined; set(key: string, value: string | undefined): void };
}

/** How long a tab goes on with events before it tries a WebSocket first again. */
const rememberMs = 10 * 60_000;
const key = "events-until";

export class Transport {
  private readonly deps: TransportDeps;

  constructor(deps: TransportDeps) {
    this.deps = deps;
  }

  /** Whether events flow instead of a WebSocket. */
  get fallback(): boolean {
    return Number(this.deps.kept.get(key) ?? 0) > this.deps.now();
  }

  /**
   * Opens the next connection. refusals counts the ones before it that did not
   * open although the server can be reached: two such change the transport.
   */
  open(refusals: number): Socket {
    const { kept, now, webSocket, events } = this.deps;
    const remembered = this.fallback;
    const second = refusals % 4 >= 2;
    if (remembered === second) {
      kept.set(key, undefined);
      return webSocket();
    }
    return events(() => kept.set(key, String(now() + rememberMs)));
  }
}
