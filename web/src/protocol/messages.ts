// The words of the signalling protocol (rtc/PROTOCOL.md) as closed unions.

export interface User {
  id: string;
  name: string;
}

/** The user that the server itself answers for: whoever calls it gets their own sound and picture back. */
export const echoID = "_echo";

export type Role = "offerer" | "answerer";
export type Media = "video" | "audio";
export type CallPhase = "ringing" | "active" | "restoring";
export type Status = "free" | "busy" | "offline";

export const errorCodes = [
  "bad_json",
  "unknown_type",
  "bad_data",
  "hello_expected",
  "no_such_call",
  "no_such_test",
  "wrong_state",
  "offline",
  "in_call",
  "rate_limited",
  "internal",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export const endReasons = [
  "hangup",
  "declined",
  "cancelled",
  "busy",
  "timeout",
  "unreachable",
  "answered_elsewhere",
  "declined_elsewhere",
  "merged",
  "lost",
  "failed",
  "session_ended",
  "ended_by_admin",
] as const;
/** Why a call ended. "other" stands for a reason that this page does not know yet. */
export type EndReason = (typeof endReasons)[number] | "other";

export interface Person extends User {
  status: Status;
}

/** A call whose media runs here, as told in hello. */
export interface RunningCall {
  call: string;
  peer: string;
  role: Role;
  gen: number;
  media: Media;
}

/** A call as welcome tells of it; since is Unix milliseconds. */
export interface CallInfo {
  call: string;
  peer: User;
  role: Role;
  state: CallPhase;
  gen: number;
  media: Media;
  since: number;
}

export interface Welcome {
  user: User;
  device: string;
  stream: string;
  resumed: boolean;
  server_time: number;
  heartbeat_ms: number;
  resume_ms: number;
  calls: CallInfo[];
}

export interface CallStarted {
  call: string;
  peer: User;
  role: Role;
  gen: number;
  media: Media;
  server_time: number;
}

export interface CallIncoming {
  call: string;
  from: User;
  media: Media;
  server_time: number;
}

export interface CallEnded {
  call: string;
  reason: EndReason;
  by?: string;
  into?: string;
  server_time: number;
}

export interface CallSignal {
  call: string;
  gen: number;
  payload: Payload;
}

export interface CallMedia {
  call: string;
  audio: boolean;
  video: boolean;
  screen: boolean;
}

/** What both ends say to each other through the server, which passes it on unchanged. */
export interface Payload {
  description?: { type: "offer" | "answer"; sdp: string };
  candidate?: {
    candidate: string;
    sdpMid?: string | null;
    sdpMLineIndex?: number | null;
    usernameFragment?: string | null;
  };
  /** The answerer asks the offerer for an ICE restart. */
  restart?: boolean;
  /** Which offer a description is or answers, so that late answers are known. */
  offer?: number;
}

export interface TextMessage {
  message: string;
  from: User;
  to: string;
  body: string;
  server_time: number;
}

export type CandidateType = "host" | "srflx" | "prflx" | "relay";

/** The selected candidate pair of a call, as one end sees it. */
export interface Path {
  local: CandidateType;
  remote: CandidateType;
  protocol: "udp" | "tcp";
  /** From this end to its relay. */
  relay_protocol?: "udp" | "tcp" | "tls";
  /** The relayed transport address of this end, and of the other. */
  relay?: string;
  remote_relay?: string;
}

/** How the media of a call fare at this end: loss 0 to 1, rates in kbit/s. */
export interface CallReport {
  call: string;
  gen: number;
  path: Path;
  /** In the first report of a gen: from call.started to connected media. */
  setup_ms?: number;
  rtt_ms: number;
  loss: number;
  up_kbps: number;
  down_kbps: number;
}

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

type Empty = Record<string, never>;
type OfCall = { call: string };

/** What a client sends: the data of each type. */
export interface ClientData {
  hello: { device: string; stream?: string; last_seq?: number; calls?: RunningCall[] };
  pong: { seq: number };
  bye: Empty;
  "text.send": { message: string; to: string; body: string };
  "call.invite": { call: string; to: string; media: Media };
  "call.accept": { call: string; media: Media };
  "call.decline": OfCall;
  "call.cancel": OfCall;
  "call.hangup": { call: string; reason?: "hangup" | "failed" };
  "call.signal": CallSignal;
  /** gen: of the media that was lost, where it is known. */
  "call.rejoin": { call: string; gen?: number };
  "call.media": CallMedia;
  "call.report": CallReport;
  "path.signal": PathSignal;
  /** test is empty where the user ran it alone. */
  "path.result": { test: string; legs: Leg[] };
}

/** What the server sends: the data of each type. */
export interface ServerData {
  welcome: Welcome;
  ping: { server_time: number };
  ack: Empty;
  error: { code: ErrorCode; message: string };
  "presence.snapshot": { people: Person[] };
  "presence.update": { people: Person[] };
  "text.sent": { message: string; server_time: number };
  "text.message": TextMessage;
  "call.ringing": OfCall;
  "call.incoming": CallIncoming;
  "call.started": CallStarted;
  "call.signal": CallSignal;
  "call.media": CallMedia;
  "call.peer": { call: string; connected: boolean };
  "call.ended": CallEnded;
  "path.run": PathRun;
  "path.signal": PathSignal;
}

export type ClientType = keyof ClientData;
export type ServerType = keyof ServerData;

export type ClientMessage = { [T in ClientType]: { type: T; id?: string; data?: ClientData[T] } }[ClientType];
export type ServerMessage = {
  [T in ServerType]: { type: T; re?: string; seq?: number; data: ServerData[T] };
}[ServerType];

const clientTable: Record<ClientType, true> = {
  hello: true,
  pong: true,
  bye: true,
  "text.send": true,
  "call.invite": true,
  "call.accept": true,
  "call.decline": true,
  "call.cancel": true,
  "call.hangup": true,
  "call.signal": true,
  "call.rejoin": true,
  "call.media": true,
  "call.report": true,
  "path.signal": true,
  "path.result": true,
};
export const clientTypes = Object.keys(clientTable) as ClientType[];

/** The longest text, in bytes of UTF-8. */
export const maxTextBytes = 8000;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/** Makes a name for a device, call or message: prefix and 16 random characters of the protocol's alphabet. */
export function newName(prefix: string, random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): string {
  const bytes = random(new Uint8Array(16));
  let name = prefix + "-";
  for (const byte of bytes) name += alphabet[byte & 63];
  return name;
}
