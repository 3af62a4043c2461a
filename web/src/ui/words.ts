// From codes to keys of plain words: what happened and what to do.
import type { Call, CallEnd, DeviceProblem } from "../call/types";
import type { Key } from "../i18n";
import type { ApiCode } from "../protocol/api";
import type { LoggedCall } from "../protocol/pastCalls";
import type { Status } from "../protocol/messages";
import type { RequestProblem } from "../protocol/pending";
import type { PastCall } from "../protocol/texts";
import { missed } from "../state/pastCalls";

export const statusWord: Record<Status, Key> = {
  free: "status.free",
  busy: "status.busy",
  offline: "status.offline",
};

const apiWords: Record<ApiCode, Key> = {
  bad_request: "api.bad_request",
  body_too_large: "api.bad_request",
  invalid_id: "api.invalid_id",
  invalid_name: "api.invalid_name",
  password_too_short: "api.password_too_short",
  password_too_long: "api.password_too_long",
  id_taken: "api.id_taken",
  wrong_credentials: "api.wrong_credentials",
  user_disabled: "api.user_disabled",
  unauthenticated: "api.session_expired",
  session_expired: "api.session_expired",
  session_revoked: "api.session_expired",
  forbidden_origin: "api.forbidden_origin",
  not_found: "api.internal",
  method_not_allowed: "api.internal",
  rate_limited: "api.rate_limited",
  busy: "api.busy",
  registration_closed: "api.registration_closed",
  guests_off: "api.guests_off",
  too_many_guests: "api.too_many_guests",
  invite_required: "api.invite_required",
  invite_unknown: "api.invite_unknown",
  invite_expired: "api.invite_expired",
  invite_used_up: "api.invite_used_up",
  invite_revoked: "api.invite_revoked",
  invalid_invite: "api.bad_request",
  too_many_invites: "api.too_many_invites",
  not_allowed: "api.not_allowed",
  admin_exists: "api.admin_exists",
  admin_code_wrong: "api.admin_code_wrong",
  too_many_connections: "api.busy",
  bad_data: "api.bad_request",
  no_such_chat: "api.no_such_chat",
  blocked: "api.blocked",
  not_stored: "api.not_stored",
  invalid_text: "api.invalid_text",
  no_audience: "api.no_audience",
  invalid_line: "people.invalid_line",
  invalid_tags: "people.invalid_tags",
  invalid_picture: "people.invalid_picture",
  picture_too_large: "people.picture_too_large",
  too_many_contacts: "people.too_many_contacts",
  not_yourself: "api.bad_request",
  last_admin: "people.last_admin",
  file_too_large: "files.too_large",
  quota_full: "files.quota_full",
  disk_full: "files.disk_full",
  file_gone: "files.gone",
  no_such_file: "files.no_such_file",
  wrong_checksum: "files.damaged",
  wrong_offset: "files.damaged",
  invalid_file: "files.refused",
  file_taken: "files.refused",
  store_unavailable: "api.busy",
  attention_busy: "api.attention_busy",
  internal: "api.internal",
  unreachable: "api.unreachable",
};

export const apiWord = (code: ApiCode): Key => apiWords[code];

/** How a call ended, for the one who is told. */
export function endWord(call: Pick<Call, "end" | "outgoing" | "endedBySelf">): Key {
  if (call.end === "hangup") return call.endedBySelf ? "end.hangup_self" : "end.hangup";
  if (call.end === "cancelled") return call.outgoing ? "end.cancelled_self" : "end.cancelled";
  return endWords[call.end ?? "other"];
}

const endWords: Record<CallEnd, Key> = {
  hangup: "end.hangup",
  declined: "end.declined",
  cancelled: "end.cancelled",
  busy: "end.busy",
  timeout: "end.timeout",
  unreachable: "end.unreachable",
  answered_elsewhere: "end.answered_elsewhere",
  declined_elsewhere: "end.declined_elsewhere",
  merged: "end.other",
  lost: "end.lost",
  failed: "end.failed",
  session_ended: "end.session_ended",
  ended_by_admin: "end.ended_by_admin",
  moved: "end.moved",
  quiet: "end.quiet",
  blocked: "end.blocked",
  in_call: "end.in_call",
  no_server: "end.no_server",
  no_media_path: "end.failed",
  other: "end.other",
};

/** How a call of the log ended, for the one who reads it. */
export function pastWord({ from, reason, by, seconds }: LoggedCall, me: string): Key {
  if (reason === "hangup" && by === me) return "past.hung_up_self";
  const outgoing = from.id === me;
  const unanswered = seconds === undefined && !outgoing ? unansweredHere[reason] : undefined;
  return unanswered ?? endWord({ end: reason, outgoing, endedBySelf: by === me });
}

const unansweredHere: Partial<Record<CallEnd, Key>> = {
  timeout: "past.missed_in",
  cancelled: "past.gave_up",
  declined: "past.declined_self",
  busy: "past.busy_in",
  unreachable: "past.unreachable_in",
  quiet: "past.quiet_in",
  blocked: "past.blocked_in",
};

/** What to do after a call ended so, where there is something to do. */
export const endAdvice: Partial<Record<CallEnd, Key>> = {
  declined: "advice.text",
  busy: "advice.busy",
  quiet: "advice.text",
  timeout: "advice.text",
  unreachable: "advice.unreachable",
  lost: "advice.lost",
  failed: "advice.failed",
  no_media_path: "advice.failed",
  no_server: "advice.no_server",
  in_call: "advice.in_call",
};

export const problemWord: Record<"audio" | "video" | "screen", Record<DeviceProblem, Key>> = {
  audio: {
    insecure: "device.insecure",
    denied: "device.mic_denied",
    missing: "device.mic_missing",
    in_use: "device.mic_in_use",
    unknown: "device.mic_unknown",
  },
  video: {
    insecure: "device.insecure",
    denied: "device.camera_denied",
    missing: "device.camera_missing",
    in_use: "device.camera_in_use",
    unknown: "device.camera_unknown",
  },
  screen: {
    insecure: "device.insecure",
    denied: "device.screen_denied",
    missing: "device.screen_denied",
    in_use: "device.screen_unknown",
    unknown: "device.screen_unknown",
  },
};

/** Why a text did not go yet, or will not. */
export function textProblem(problem: RequestProblem): Key {
  switch (problem) {
    case "rate_limited":
    case "too_many":
      return "text.rate_limited";
    case "not_stored":
    case "internal":
      return "text.not_stored";
    case "no_answer":
    case "stopped":
      return "text.no_answer";
    case "blocked":
      return "text.blocked";
    case "no_such_chat":
      return "text.no_such_chat";
    default:
      return "text.failed";
  }
}

export interface Line {
  key: Key;
  /** Longer words on what is being tried and what helps. */
  more?: Key;
}

const patienceSeconds = 10;

/** The state of a call in one plain line. */
export function stageLine(call: Call): Line {
  const long = call.trying >= patienceSeconds;
  if (call.held && call.stage === "connected") return { key: "stage.held" };
  switch (call.stage) {
    case "inviting":
      return { key: "stage.inviting" };
    case "ringing":
      return { key: call.waiting ? "stage.ringing_waiting" : "stage.ringing" };
    case "starting":
      return call.own.asking ? { key: "stage.asking" } : { key: "stage.connecting" };
    case "connecting":
      return {
        key: call.tryingRelay ? "stage.connecting_relay" : "stage.connecting",
        ...(long ? { more: "stage.connecting_long" } : {}),
      };
    case "lost":
      return { key: "stage.lost", more: long ? "stage.lost_long" : "stage.lost_more" };
    case "connected":
      return connectedLine(call);
    default:
      return { key: endWord(call) };
  }
}

function connectedLine(call: Call): Line {
  const more: Partial<Line> = call.peerConnected ? {} : { more: "stage.peer_away" };
  const { path } = call;
  if (!path) return { key: "stage.connected", ...more };
  if (!path.relay) return { key: "stage.direct", ...more };
  switch (path.protocol) {
    case "udp":
      return { key: "stage.relay_udp", ...more };
    case "tcp":
      return { key: "stage.relay_tcp", ...more };
    case "tls":
      return { key: "stage.relay_tls", ...more };
    default:
      return { key: "stage.relay", ...more };
  }
}

/** The line that a call leaves in the conversation. */
export function callEntryWord(call: Pick<PastCall, "media" | "reason" | "seconds">, mine: boolean): Key {
  const video = call.media === "video";
  if (missed(call, mine)) return video ? "log.missed_video" : "log.missed_audio";
  if ((call.seconds ?? 0) > 0) return video ? "log.video" : "log.audio";
  if (!mine) return video ? "log.unanswered_video_in" : "log.unanswered_audio_in";
  return video ? "log.unanswered_video" : "log.unanswered_audio";
}

/** A time of the server's, in Unix seconds, as people say it here. */
export function until(seconds: number, language: string): string {
  return new Date(seconds * 1000).toLocaleString(language, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** m:ss, or h:mm:ss. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  return s < 3600
    ? `${minutes}:${two(s % 60)}`
    : `${Math.floor(s / 3600)}:${two(minutes % 60)}:${two(s % 60)}`;
}
