// The words of path tests.
import type { Payload, Role, User } from "./messages";

export const transports = ["direct", "relay_udp", "relay_tcp", "relay_tls", "relay_https"] as const;
export type Transport = (typeof transports)[number];

/** The server asks for a path test; peer, role and transports belong to a pair. */
export type PathRun =
  | { test: string; kind: "self" }
  | { test: string; kind: "pair"; peer: User; role: Role; transports: Transport[] };

export interface PathSignal {
  test: string;
  payload: PathPayload;
}

/** What the two devices of a pair test say to each other, about one transport. */
export interface PathPayload extends Payload {
  transport: Transport;
}

export const legNames = [
  "clock",
  "tls",
  "signalling",
  "stun",
  "turn_udp",
  "turn_tcp",
  "turn_tls",
  "turn_https",
  "throughput",
  "ports",
  "nat",
  "pair_direct",
  "pair_relay_udp",
  "pair_relay_tcp",
  "pair_relay_tls",
  "pair_relay_https",
] as const;
export type LegName = (typeof legNames)[number];

export const legStates = ["ok", "slow", "failed", "skipped"] as const;
export type LegState = (typeof legStates)[number];

export const legCodes = [
  "timeout",
  "refused",
  "unauthorized",
  "untrusted",
  "name_unresolved",
  "clock_off",
  "fallback",
  "lossy",
  "slow",
  "no_candidate",
  "peer_gone",
  "blocked_ports",
  "unsupported",
  "internal",
] as const;
export type LegCode = (typeof legCodes)[number];

/** What a path test found about one leg. */
export interface Leg {
  leg: LegName;
  state: LegState;
  ms?: number;
  code?: LegCode;
  target?: string;
  data?: Record<string, number>;
  /** Relay ports that did not answer. */
  blocked?: number[];
}
