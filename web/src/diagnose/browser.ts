// What only this browser can tell of the way to the server.
import { socketURL } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import { within } from "./env";
import { legLimitMs } from "./gather";
import type { Signalling, Trust } from "./self";

export interface Way {
  timers: Timers;
  now: () => number;
  /** Whether the running connection is the event stream. */
  fallback: () => boolean;
}

const trips = 3;

/** Opens a WebSocket beside the running connection, and measures some requests. */
export async function signalling({ timers, now, fallback }: Way): Promise<Signalling> {
  const start = now();
  let ws: WebSocket | undefined;
  let opened = false;
  await within(timers, legLimitMs, (done) => {
    ws = new WebSocket(socketURL(location));
    ws.onopen = () => {
      opened = true;
      done();
    };
    ws.onerror = done;
  });
  const wssMs = opened ? now() - start : undefined;
  ws?.close();
  const rttMs = await roundTrip(timers, now);
  return { wssMs, fallback: fallback(), rttMs };
}

/** The quickest of some requests on a connection that is open already. */
async function roundTrip(timers: Timers, now: () => number): Promise<number | undefined> {
  let best: number | undefined;
  for (let i = 0; i < trips; i += 1) {
    const start = now();
    let answered = false;
    await within(timers, legLimitMs, (done) => {
      fetch("/healthz", { cache: "no-store" }).then(() => {
        answered = true;
        done();
      }, done);
    });
    if (!answered) break;
    const ms = now() - start;
    best = best === undefined ? ms : Math.min(best, ms);
  }
  return best;
}

/**
 * Browsers refuse a service worker to a site whose certificate a person let pass.
 * Only Chromium is known to say it in so many words, and to take no other.
 */
export async function trust(timers: Timers): Promise<Trust> {
  if (!("serviceWorker" in navigator)) return "unknown";
  let found: Trust = "unknown";
  await within(timers, legLimitMs, (done) => {
    navigator.serviceWorker
      .register("/sw.js")
      .then((registration) => registration.update())
      .then(
        () => (found = "userAgentData" in navigator ? "trusted" : "unknown"),
        (error: unknown) => (found = /ssl|certificate/i.test(String(error)) ? "untrusted" : "unknown"),
      )
      .then(done, done);
  });
  return found;
}
