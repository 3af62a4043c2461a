// Reads what the server sends. Nothing past this file meets data of an unknown shape.
import {
  endReasons,
  errorCodes,
  transports,
  type CallInfo,
  type Media,
  type PathPayload,
  type PathRun,
  type Payload,
  type Person,
  type Role,
  type ServerData,
  type ServerMessage,
  type ServerType,
  type User,
} from "./messages";

class Malformed extends Error {}

/** The fields of one JSON object, read with a type or refused. */
class Fields {
  private readonly fields: Record<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Malformed("not an object");
    this.fields = value as Record<string, unknown>;
  }

  text(key: string): string {
    const value = this.fields[key];
    if (typeof value !== "string") throw new Malformed(key);
    return value;
  }

  name(key: string): string {
    const value = this.text(key);
    if (value === "") throw new Malformed(key);
    return value;
  }

  number(key: string): number {
    const value = this.fields[key];
    if (typeof value !== "number" || !Number.isFinite(value)) throw new Malformed(key);
    return value;
  }

  flag(key: string): boolean {
    const value = this.fields[key];
    if (typeof value !== "boolean") throw new Malformed(key);
    return value;
  }

  oneOf<T extends string>(key: string, choices: readonly T[], otherwise?: T): T {
    const value = this.text(key) as T;
    if (choices.includes(value)) return value;
    if (otherwise !== undefined) return otherwise;
    throw new Malformed(key);
  }

  object(key: string): Fields {
    return new Fields(this.fields[key]);
  }

  list<T>(key: string, read: (item: Fields) => T): T[] {
    const value = this.fields[key];
    if (value === null || value === undefined) return [];
    if (!Array.isArray(value)) throw new Malformed(key);
    return value.map((item) => read(new Fields(item)));
  }

  maybe<T>(key: string, read: (key: string) => T): T | undefined {
    const value = this.fields[key];
    return value === undefined || value === null ? undefined : read(key);
  }

  /** A list of texts; those that are none of the choices are left out. */
  among<T extends string>(key: string, choices: readonly T[]): T[] {
    const value = this.fields[key];
    if (!Array.isArray(value) || value.some((item) => typeof item !== "string")) throw new Malformed(key);
    return value.filter((item): item is T => choices.includes(item as T));
  }

  raw(key: string): unknown {
    return this.fields[key];
  }
}

const roles: readonly Role[] = ["offerer", "answerer"];
const medias: readonly Media[] = ["video", "audio"];

const user = (f: Fields): User => ({ id: f.name("id"), name: f.text("name") });

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
  return out;
}

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
  "text.sent": (f) => ({ message: f.name("message"), server_time: f.number("server_time") }),
  "text.message": (f) => ({
    message: f.name("message"),
    from: user(f.object("from")),
    to: f.name("to"),
    body: f.text("body"),
    server_time: f.number("server_time"),
  }),
  "call.ringing": (f) => ({ call: f.name("call") }),
  "call.incoming": (f) => ({
    call: f.name("call"),
    from: user(f.object("from")),
    media: f.oneOf("media", medias),
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
