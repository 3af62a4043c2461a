import type { CallMedia, EndReason, Media, Role, User } from "../protocol/messages";
import type { RequestProblem } from "../protocol/pending";

/** What a tab keeps across reloads. */
export interface Keep {
  get(key: string): string | undefined;
  set(key: string, value: string | undefined): void;
}

/** Why a camera, microphone or screen is not there. */
export type DeviceProblem = "insecure" | "denied" | "missing" | "in_use" | "unknown";

export type Kind = "audio" | "video";

/** How the media goes: straight, or through a TURN relay and over what. */
export interface Path {
  relay: boolean;
  protocol?: "udp" | "tcp" | "tls";
  local: string;
  remote: string;
}

export type CallStage =
  | "inviting" // asked the server, nothing rings yet
  | "ringing" // rings on the other side
  | "incoming" // rings here
  | "starting" // accepted; devices and servers are being fetched
  | "connecting" // looking for a way to the other side
  | "connected"
  | "lost" // was connected; looking for a way again
  | "ended";

/** Why a call ended: the server's reason, or what this page found out before the server could say. */
export type CallEnd = EndReason | "in_call" | "no_server" | "no_media_path";

export interface Own {
  audio: boolean;
  video: boolean;
  screen: boolean;
  /** Why sound or picture cannot be sent, where that is so. */
  problems: Partial<Record<Kind | "screen", DeviceProblem>>;
  /** True while the browser asks the person for permission. */
  asking: boolean;
  mirrored: boolean;
  cameras: number;
  /** Another device than before is used, because one was unplugged or is back. */
  moved: Partial<Record<Kind, { back: boolean; label: string }>>;
  /** What the screen is shown for: letters that stay sharp, or motion that stays smooth. */
  screenFor: ScreenUse;
  /** The screen comes with its sound. */
  screenSound: boolean;
}

export type ScreenUse = "detail" | "motion";

export interface Call {
  call: string;
  peer: User;
  outgoing: boolean;
  media: Media;
  role: Role;
  gen: number;
  stage: CallStage;
  /** Server time in Unix milliseconds since when both are in the call. */
  since: number | undefined;
  path: Path | undefined;
  /** True when a relay has been found and the direct ways did not answer yet. */
  tryingRelay: boolean;
  /** Seconds that the present try to connect has lasted. */
  trying: number;
  peerConnected: boolean;
  peerMedia: CallMedia | undefined;
  /** Put on hold here. */
  held: boolean;
  /** It rings beside another call of theirs. */
  waiting: boolean;
  own: Own;
  end: CallEnd | undefined;
  endedBySelf: boolean;
}

export const noOwn: Own = {
  audio: false,
  video: false,
  screen: false,
  problems: {},
  asking: false,
  mirrored: false,
  cameras: 0,
  moved: {},
  screenFor: "detail",
  screenSound: false,
};

type Start = Pick<Call, "call" | "peer" | "outgoing" | "media" | "role" | "stage"> & {
  since?: number;
  held?: boolean;
};

/** A call at its beginning. */
export const newCall = (start: Start): Call => ({
  gen: 0,
  path: undefined,
  tryingRelay: false,
  trying: 0,
  peerConnected: true,
  peerMedia: undefined,
  own: noOwn,
  end: undefined,
  endedBySelf: false,
  waiting: false,
  ...start,
  held: start.held ?? false,
  since: start.since,
});

/** A call that is over, as the conversation tells of it. */
export interface Over {
  call: string;
  peer: User;
  media: Media;
  outgoing: boolean;
  end: CallEnd;
  /** Seconds talked; undefined when it was never answered. */
  seconds: number | undefined;
  at: number;
}

/** How a call ends whose first request was not carried out. */
export function endFor(problem: RequestProblem): CallEnd {
  switch (problem) {
    case "offline":
      return "unreachable";
    case "in_call":
      return "in_call";
    case "no_answer":
    case "stopped":
      return "no_server";
    default:
      return "other";
  }
}
