// What the tests need of a browser and of the server.
import type { Timers } from "../protocol/clock";
import type { LegName } from "../protocol/messages";

export interface Env {
  newPeer: (config: RTCConfiguration) => RTCPeerConnection;
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** What this device is to test, from GET /api/v1/path. */
export interface Plan {
  /** Unix milliseconds. */
  server_time: number;
  segment?: string;
  client?: string;
  server?: string;
  /** TCP port of the plain-HTTP page that helps with the certificate. */
  start_port?: number;
  legs: { leg: LegName; url: string }[];
  username: string;
  credential: string;
  /** Two addresses of the server's STUN, for the behaviour of a NAT (RFC 5780). */
  nat?: { primary: string; other: string };
}

/** Relay ports that answer STUN for a while, from POST /api/v1/path/sweep. */
export interface Sweep {
  address: string;
  ports: number[];
  ufrag: string;
  password: string;
}

export const pause = (timers: Timers, ms: number): Promise<void> =>
  new Promise((resolve) => timers.set(resolve, ms));

/** Runs work until it is done, for at most ms; whether it was done in time. */
export function within(timers: Timers, ms: number, work: (done: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = timers.set(() => resolve(false), ms);
    work(() => {
      timers.clear(timer);
      resolve(true);
    });
  });
}

/** Does the jobs, so many at a time, in their order. */
export async function pooled(atOnce: number, jobs: (() => Promise<void>)[]): Promise<void> {
  const waiting = [...jobs];
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await job();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

export function close(...peers: (RTCPeerConnection | undefined)[]): void {
  for (const pc of peers) {
    if (!pc) continue;
    pc.onicecandidate = pc.onicecandidateerror = pc.ondatachannel = pc.onconnectionstatechange = null;
    pc.close();
  }
}
