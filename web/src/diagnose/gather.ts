// Asks one STUN or TURN server for a candidate, as a call would.
import type { Leg, LegCode, LegName } from "../protocol/messages";
import { close, within, type Env } from "./env";

export interface Gathered {
  /** Until the first candidate of the kind, or until it was given up. */
  ms: number;
  /** The candidates of the kind that was asked for. */
  found: string[];
  /** Whether the browser says that it has tried everything. */
  complete: boolean;
  errors: GatherError[];
}

export interface GatherError {
  /** RFC 8489 and RFC 8656; 701 where the server was not reached (WebRTC, section 4.8.3). */
  code: number;
  text: string;
  ms: number;
}

export type Kind = "relay" | "srflx";

export const legLimitMs = 8_000;
/** A relay that takes longer than this makes calls that begin late. */
const slowMs = 3_000;
/** A server that refuses does so at once; a host that is not there takes the system some seconds. */
const refusedMs = 2_000;
const maxErrors = 16;

/** Gathers until the first candidate of the kind, or, with all, everything that comes in time. */
export async function gather(
  env: Env,
  servers: RTCIceServer[],
  kind: Kind,
  { limitMs = legLimitMs, all = false }: { limitMs?: number; all?: boolean } = {},
): Promise<Gathered> {
  const start = env.now();
  const out: Gathered = { ms: 0, found: [], complete: false, errors: [] };
  let pc: RTCPeerConnection | undefined;
  await within(env.timers, limitMs, (done) => {
    pc = env.newPeer({ iceServers: servers, iceTransportPolicy: kind === "relay" ? "relay" : "all" });
    pc.onicecandidate = ({ candidate }) => {
      if (!candidate) out.complete = true;
      else if (candidate.candidate.includes(` typ ${kind} `)) out.found.push(candidate.candidate);
      if (out.complete || (!all && out.found.length > 0)) done();
    };
    pc.onicecandidateerror = (event) => {
      const { errorCode: code, errorText: text } = event;
      if (out.errors.length < maxErrors) out.errors.push({ code, text, ms: env.now() - start });
    };
    pc.createDataChannel("path");
    pc.createOffer()
      .then((offer) => pc?.setLocalDescription(offer))
      .catch(done);
  });
  out.ms = env.now() - start;
  close(pc);
  return out;
}

/** What the browser's errors come to, the most telling first. */
export function codeOf({ complete, errors }: Gathered): LegCode {
  const codes = errors.map(errorCode);
  const order: LegCode[] = ["unauthorized", "refused", "internal", "name_unresolved", "timeout"];
  const told = order.find((code) => codes.includes(code));
  return told ?? (complete ? "no_candidate" : "timeout");
}

function errorCode({ code, text, ms }: GatherError): LegCode {
  if (code === 701) {
    if (/lookup|resolve/i.test(text)) return "name_unresolved";
    return !/time/i.test(text) && ms < refusedMs ? "refused" : "timeout";
  }
  // Allocation Quota Reached, Forbidden, Insufficient Capacity.
  if (code === 486 || code === 403 || code === 508) return "refused";
  return [400, 401, 438, 441].includes(code) ? "unauthorized" : "internal";
}

/** Where a STUN or TURN URI (RFC 7064, RFC 7065) leads, as legs name it: 10.77.1.2:3478/udp. */
export function targetOf(url: string): string {
  const [, scheme, host, port, transport] =
    /^(stuns?|turns?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(\w+))?$/.exec(url) ?? [];
  if (scheme === undefined || host === undefined) return "";
  const secure = scheme.endsWith("s");
  return `${host}:${port ?? (secure ? "5349" : "3478")}/${transport ?? (secure ? "tcp" : "udp")}`;
}

/** Whether the URI names its host by address, which some browsers refuse with TLS. */
export const byAddress = (url: string): boolean =>
  /^\w+:(\[|\d+\.\d+\.\d+\.\d+[:?]|\d+\.\d+\.\d+\.\d+$)/.test(url);

/** Firefox leaves TLS by address out without a word. */
export const leftOut = (url: string, code: LegCode): boolean =>
  code === "no_candidate" && url.startsWith("turns:") && byAddress(url);

/** Tests one of the plan's legs that a candidate proves. */
export async function gatherLeg(env: Env, leg: LegName, url: string, server: RTCIceServer): Promise<Leg> {
  const target = targetOf(url);
  const stun = leg === "stun";
  const gathered = await gather(env, [server], stun ? "srflx" : "relay");
  const ms = Math.round(gathered.ms);
  const { found, complete, errors } = gathered;
  // Without a NAT the server sees the address that is a candidate already, and no other is told.
  if (found.length > 0 || (stun && complete && errors.length === 0)) {
    const slow = ms >= slowMs;
    return slow ? { leg, state: "slow", code: "slow", ms, target } : { leg, state: "ok", ms, target };
  }
  const code = codeOf(gathered);
  if (leftOut(url, code)) return { leg, state: "skipped", code: "unsupported", target };
  return { leg, state: "failed", code, ms, target };
}
