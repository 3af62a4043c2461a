// The words of the signalling protocol (rtc/PROTOCOL.md) as closed unions.
import type { Leg, PathRun, PathSignal } from "./paths";
import type { ClientTextData, ServerTextData } from "./texts";

export * from "./paths";

export interface User {
  id: string;
  name: string;
}

/** The user that the server itself answers for: whoever calls it gets their own sound and picture back. */
export const echoID = "_echo";
/** By whom an administrator's voice is passed on to many. */
export const attentionID = "_attention";

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
  "no_such_chat",
  "no_such_text",
  "not_allowed",
  "blocked",
  "not_stored",
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
  "moved",
  "quiet",
  "blocked",
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
  /** An administrator speaks to many: taken by itself, listened to only. */
  attention?: boolean;
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
  /** The other side waits: nothing is sent and nothing is played. */
  held?: boolean;
}

/** A running call of this user on another device; since is Unix milliseconds. */
export interface ElsewhereCall {
  call: string;
  peer: User;
  media: Media;
  since: number;
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
  /**
   * Which offer a description is or answers, so that late answers are known; with restart,
   * the last one that came before it was asked for.
   */
  offer?: number;
  /** Nothing but that the link of a file goes on. */
  alive?: boolean;
  /** Asks for a recording, answers, ends it. */
  record?: RecordWord;
  /** The words that both compare by voice: a commitment, or a nonce. */
  check?: Check;
  /** How the sender of this wants pictures: the most in kbit/s, 0 for none, absent for any. */
  limit?: { video_kbps?: number; reason?: "sound_only" | "save_data" };
  /** The sender's picture waits because its way out is weak, or goes on. */
  picture?: "paused" | "sent";
  /** What the sender's own candidate of the selected pair is. */
  nominated?: CandidateType;
}

export type RecordWord = "ask" | "yes" | "no" | "stop";

/** Hexadecimal digits of 32 bytes each; one of the two. */
export interface Check {
  commit?: string;
  nonce?: string;
}

export const candidateTypes = ["host", "srflx", "prflx", "relay"] as const;
export type CandidateType = (typeof candidateTypes)[number];

export const candidateType = (name: string | undefined): CandidateType | undefined =>
  candidateTypes.find((type) => type === name);

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

type Empty = Record<string, never>;
type OfCall = { call: string };

/** What a client sends: the data of each type. */
export interface ClientData extends ClientTextData {
  hello: { device: string; stream?: string; last_seq?: number; calls?: RunningCall[] };
  pong: { seq: number };
  bye: Empty;
  "call.invite": { call: string; to: string; media: Media };
  "call.accept": { call: string; media: Media };
  "call.decline": OfCall;
  "call.cancel": OfCall;
  "call.hangup": { call: string; reason?: "hangup" | "failed" };
  "call.signal": CallSignal;
  /** gen: of the media that was lost, where it is known. */
  "call.rejoin": { call: string; gen?: number };
  "call.media": CallMedia;
  /** Brings a running call from another device of the same user to this one. */
  "call.move": { call: string; media: Media };
  "call.report": CallReport;
  "path.signal": PathSignal;
  /** test is empty where the user ran it alone. */
  "path.result": { test: string; legs: Leg[] };
}

/** What the server sends: the data of each type. */
export interface ServerData extends ServerTextData {
  welcome: Welcome;
  ping: { server_time: number };
  ack: Empty;
  error: { code: ErrorCode; message: string };
  "presence.snapshot": { people: Person[] };
  "presence.update": { people: Person[] };
  "call.ringing": { call: string; waiting?: boolean };
  "call.incoming": CallIncoming;
  "call.started": CallStarted;
  "call.signal": CallSignal;
  "call.media": CallMedia;
  "call.elsewhere": { calls: ElsewhereCall[] };
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
  "text.edit": true,
  "text.delete": true,
  "text.mark": true,
  "text.typing": true,
  "file.ask": true,
  "file.take": true,
  "file.signal": true,
  "file.drop": true,
  "call.invite": true,
  "call.accept": true,
  "call.decline": true,
  "call.cancel": true,
  "call.hangup": true,
  "call.signal": true,
  "call.rejoin": true,
  "call.media": true,
  "call.move": true,
  "call.report": true,
  "path.signal": true,
  "path.result": true,
};
export const clientTypes = Object.keys(clientTable) as ClientType[];

/** The longest text, in bytes of UTF-8. */
export const maxTextBytes = 8000;
/** Bytes of a file, and of its name. */
export const maxFileSize = 64 * 2 ** 30;
export const maxFileName = 255;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/** Makes a name for a device, call or message: prefix and 16 random characters of the protocol's alphabet. */
export function newName(prefix: string, random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): string {
  const bytes = random(new Uint8Array(16));
  let name = prefix + "-";
  for (const byte of bytes) name += alphabet[byte & 63];
  return name;
}
