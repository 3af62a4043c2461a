// Reads what the server sends. Nothing past this file meets data of an unknown shape.
import {
  candidateType,
  type Check,
  endReasons,
  errorCodes,
  transports,
  type CallInfo,
  type Media,
  type PathPayload,
  type PathRun,
  type Payload,
  type Person,
  type RecordWord,
  type Role,
  type ServerData,
  type ServerMessage,
  type ServerType,
} from "./messages";
import { Fields, Malformed } from "./fields";
import { textReaders, user } from "./parseTexts";

const roles: readonly Role[] = ["offerer", "answerer"];
const medias: readonly Media[] = ["video", "audio"];

const person = (f: Fields): Person => ({
  ...user(f),
  status: f.oneOf("status", ["free", "busy", "offline"]),
});

const people = (f: Fields) => ({ people: f.list("people", person) });

const callInfo = (f: Fields): CallInfo => ({
  call: f.name("call"),
  peer: user(f.object("peer")),
  role: f.oneOf("role", roles),
  state: f.oneOf("state", ["ringing", "active", "restoring"]),
  gen: f.number("gen"),
  media: f.oneOf("media", medias),
  since: f.number("since"),
});

/** The payload comes from the other person's device, so it is read as carefully as the rest. */
function payload(f: Fields): Payload {
  const out: Payload = {};
  out.description = f.maybe("description", (key) => {
    const d = f.object(key);
    return { type: d.oneOf("type", ["offer", "answer"]), sdp: d.text("sdp") };
  });
  out.candidate = f.maybe("candidate", (key) => {
    const c = f.object(key);
    return {
      candidate: c.text("candidate"),
      sdpMid: c.maybe("sdpMid", (k) => c.text(k)) ?? null,
      sdpMLineIndex: c.maybe("sdpMLineIndex", (k) => c.number(k)) ?? null,
      usernameFragment: c.maybe("usernameFragment", (k) => c.text(k)) ?? null,
    };
  });
  out.restart = f.maybe("restart", (key) => f.flag(key));
  out.offer = f.maybe("offer", (key) => f.number(key));
  // A word of a later version is no reason to lose what comes with it.
  const record = f.maybe("record", (key) => f.text(key));
  out.record = recordWords.find((word) => word === record);
  out.check = f.maybe("check", (key) => check(f.object(key)));
  out.limit = f.maybe("limit", (key) => {
    const limit = f.object(key);
    return {
      video_kbps: limit.maybe("video_kbps", (k) => Math.max(0, limit.number(k))),
      reason: limit.maybe("reason", (k) => limit.oneOf(k, ["sound_only", "save_data"])),
    };
  });
  out.picture = f.maybe("picture", (key) => f.oneOf(key, ["paused", "sent"]));
  out.nominated = candidateType(f.maybe("nominated", (key) => f.text(key)));
  return out;
}

const recordWords: readonly RecordWord[] = ["ask", "yes", "no", "stop"];

const hash = (f: Fields, name: string) =>
  f.maybe(name, (key) => {
    const digits = f.text(key);
    if (!/^[0-9a-f]{64}$/.test(digits)) throw new Malformed(`${key} is not 32 bytes`);
    return digits;
  });

const check = (f: Fields): Check => ({ commit: hash(f, "commit"), nonce: hash(f, "nonce") });

const pathPayload = (f: Fields): PathPayload => ({
  ...payload(f),
  transport: f.oneOf("transport", transports),
});

function pathRun(f: Fields): PathRun {
  const test = f.name("test");
  const kind = f.oneOf("kind", ["self", "pair"]);
  if (kind === "self") return { test, kind };
  return {
    test,
    kind,
    peer: user(f.object("peer")),
    role: f.oneOf("role", roles),
    transports: f.among("transports", transports),
  };
}

const empty = () => ({});

const readers: { [T in ServerType]: (f: Fields) => ServerData[T] } = {
  welcome: (f) => ({
    user: user(f.object("user")),
    device: f.name("device"),
    stream: f.name("stream"),
    resumed: f.flag("resumed"),
    server_time: f.number("server_time"),
    heartbeat_ms: f.number("heartbeat_ms"),
    resume_ms: f.number("resume_ms"),
    calls: f.list("calls", callInfo),
  }),
  ping: (f) => ({ server_time: f.number("server_time") }),
  ack: empty,
  error: (f) => ({ code: f.oneOf("code", errorCodes, "internal"), message: f.text("message") }),
  "presence.snapshot": people,
  "presence.update": people,
  "call.ringing": (f) => ({ call: f.name("call"), waiting: f.maybe("waiting", (key) => f.flag(key)) }),
  "call.incoming": (f) => ({
    call: f.name("call"),
    from: user(f.object("from")),
    media: f.oneOf("media", medias),
    attention: f.maybe("attention", (key) => f.flag(key)),
    server_time: f.number("server_time"),
  }),
  "call.started": (f) => ({
    call: f.name("call"),
    peer: user(f.object("peer")),
    role: f.oneOf("role", roles),
    gen: f.number("gen"),
    media: f.oneOf("media", medias),
    server_time: f.number("server_time"),
  }),
  "call.signal": (f) => ({
    call: f.name("call"),
    gen: f.number("gen"),
    payload: payload(f.object("payload")),
  }),
  "call.media": (f) => ({
    call: f.name("call"),
    audio: f.flag("audio"),
    video: f.flag("video"),
    screen: f.flag("screen"),
    held: f.maybe("held", (key) => f.flag(key)),
  }),
  "call.elsewhere": (f) => ({
    calls: f.list("calls", (c) => ({
      call: c.name("call"),
      peer: user(c.object("peer")),
      media: c.oneOf("media", medias),
      since: c.number("since"),
    })),
  }),
  "call.peer": (f) => ({ call: f.name("call"), connected: f.flag("connected") }),
  "call.ended": (f) => ({
    call: f.name("call"),
    reason: f.oneOf("reason", [...endReasons, "other" as const], "other"),
    by: f.maybe("by", (key) => f.text(key)),
    into: f.maybe("into", (key) => f.text(key)),
    server_time: f.number("server_time"),
  }),
  "path.run": pathRun,
  "path.signal": (f) => ({ test: f.name("test"), payload: pathPayload(f.object("payload")) }),
  "file.signal": (f) => ({ link: f.name("link"), payload: payload(f.object("payload")) }),
  ...textReaders,
};

export const serverTypes = Object.keys(readers) as ServerType[];

export type Parsed = { message: ServerMessage } | { problem: string; seq?: number };

/**
 * Reads one frame. A frame that is not understood is a problem, told with its
 * seq where it has one so that the stream can go on past it.
 */
export function parse(frame: unknown): Parsed {
  let seq: number | undefined;
  try {
    if (typeof frame !== "string") return { problem: "not a text frame" };
    const envelope = new Fields(JSON.parse(frame));
    seq = envelope.maybe("seq", (key) => envelope.number(key));
    const re = envelope.maybe("re", (key) => envelope.text(key));
    const type = envelope.text("type") as ServerType;
    if (!serverTypes.includes(type)) return { problem: `unknown type ${type}`, seq };
    const data = readers[type](new Fields(envelope.raw("data") ?? {}));
    return { message: { type, re, seq, data } as ServerMessage };
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError) return { problem: error.message, seq };
    throw error;
  }
}
