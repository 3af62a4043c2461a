// What goes on now: GET /admin/live.
import { Loose } from "./loose";
import { readFindings, readLegs, type Finding, type Leg } from "./path";

export interface Live {
  /** Unix milliseconds by the server. */
  serverTime: number;
  node: string;
  version: string;
  uptimeSeconds: number;
  people: LivePerson[];
  calls: LiveCall[];
  allocations: Allocation[];
  ports: PortUse[];
  forecast: Forecast | undefined;
  segments: LiveSegment[];
  leftOut: LeftOut[];
  nodes: { node: string; self: boolean; people: number }[];
  warnings: Warning[];
}

export interface LivePerson {
  id: string;
  name: string;
  guest: boolean;
  admin: boolean;
  status: "free" | "busy" | "offline";
  devices: Device[];
}

export interface Device {
  device: string;
  session: string;
  address: string;
  segment: string;
  /** "wss" or "sse". */
  transport: string;
  since: number;
  /** Its line is down; it may come back. */
  away: boolean;
  path: { at: number; legs: Leg[]; findings: Finding[] } | undefined;
}

export interface Sample {
  at: number;
  rtt: number;
  /** 0 to 1. */
  loss: number;
  /** kbit/s. */
  up: number;
  down: number;
}

export interface Report extends Sample {
  path: {
    local: string;
    remote: string;
    protocol: string;
    relayProtocol: string;
    relay: string;
    remoteRelay: string;
  };
}

export interface CallEnd {
  user: { id: string; name: string };
  device: string;
  address: string;
  segment: string;
  report: Report | undefined;
  samples: Sample[];
}

export interface LiveCall {
  call: string;
  state: string;
  media: string;
  since: number;
  started: number | undefined;
  ends: CallEnd[];
}

export interface Allocation {
  id: string;
  user: string;
  session: string;
  client: string;
  server: string;
  relayed: string;
  transport: string;
  peers: string[];
  created: number;
  expires: number;
  outside: boolean;
  up: number;
  down: number;
  bytesUp: number;
  bytesDown: number;
  dropped: number;
}

export interface PortUse {
  address: string;
  min: number;
  max: number;
  used: number;
  outside: number;
  free: number;
  peak: number;
  refused: number;
  taken: number;
}

export interface Forecast {
  peak: number;
  perCall: number;
  callsLeft: number;
  state: "ok" | "tight" | "full";
  fullInSeconds: number | undefined;
}

export interface LiveSegment {
  name: string;
  clients: string[];
  serverAddresses: string[];
  turnAddresses: string[];
  transports: string[];
  derived: boolean;
  leftOut: boolean;
  reason: string;
  interface: string;
  people: number;
  calls: number;
}

export interface LeftOut {
  interface: string;
  segment: string;
  address: string;
  reason: string;
}

export interface Warning {
  code: string;
  params: Record<string, string>;
}

const named = (f: Loose, key: string) => f.text(key) || undefined;

function person(f: Loose): LivePerson | undefined {
  const id = named(f, "id");
  if (id === undefined) return undefined;
  const status = f.text("status");
  return {
    id,
    name: f.text("name") || id,
    guest: f.flag("guest"),
    admin: f.flag("admin"),
    status: status === "free" || status === "busy" ? status : "offline",
    devices: f.list("devices", device),
  };
}

const device = (f: Loose): Device => ({
  device: f.text("device"),
  session: f.text("session"),
  address: f.text("address"),
  segment: f.text("segment"),
  transport: f.text("transport"),
  since: f.number("since"),
  away: f.flag("away"),
  path: f.has("path") ? devicePath(f.object("path")) : undefined,
});

const devicePath = (f: Loose) => ({
  at: f.number("at"),
  legs: readLegs(f),
  findings: readFindings(f),
});

const sample = (f: Loose): Sample => ({
  at: f.number("at"),
  rtt: f.number("rtt_ms"),
  loss: f.number("loss"),
  up: f.number("up_kbps"),
  down: f.number("down_kbps"),
});

function report(f: Loose): Report {
  const p = f.object("path");
  return {
    ...sample(f),
    path: {
      local: p.text("local"),
      remote: p.text("remote"),
      protocol: p.text("protocol"),
      relayProtocol: p.text("relay_protocol"),
      relay: p.text("relay"),
      remoteRelay: p.text("remote_relay"),
    },
  };
}

function callEnd(f: Loose): CallEnd {
  const user = f.object("user");
  return {
    user: { id: user.text("id"), name: user.text("name") || user.text("id") },
    device: f.text("device"),
    address: f.text("address"),
    segment: f.text("segment"),
    report: f.has("report") ? report(f.object("report")) : undefined,
    samples: f.list("samples", sample),
  };
}

function call(f: Loose): LiveCall | undefined {
  const id = named(f, "call");
  if (id === undefined) return undefined;
  return {
    call: id,
    state: f.text("state"),
    media: f.text("media"),
    since: f.number("since"),
    started: f.maybeNumber("started"),
    ends: f.list("ends", callEnd),
  };
}

function allocation(f: Loose): Allocation | undefined {
  const id = named(f, "id");
  if (id === undefined) return undefined;
  return {
    id,
    user: f.text("user"),
    session: f.text("session"),
    client: f.text("client"),
    server: f.text("server"),
    relayed: f.text("relayed"),
    transport: f.text("transport"),
    peers: f.texts("peers"),
    created: f.number("created"),
    expires: f.number("expires"),
    outside: f.flag("outside"),
    up: f.number("up_kbps"),
    down: f.number("down_kbps"),
    bytesUp: f.number("bytes_up"),
    bytesDown: f.number("bytes_down"),
    dropped: f.number("dropped"),
  };
}

const portUse = (f: Loose): PortUse => ({
  address: f.text("address"),
  min: f.number("min"),
  max: f.number("max"),
  used: f.number("used"),
  outside: f.number("outside"),
  free: f.number("free"),
  peak: f.number("peak"),
  refused: f.number("refused"),
  taken: f.number("taken"),
});

function forecast(f: Loose): Forecast {
  const state = f.text("state");
  return {
    peak: f.number("peak"),
    perCall: f.number("per_call"),
    callsLeft: f.number("calls_left"),
    state: state === "tight" || state === "full" ? state : "ok",
    fullInSeconds: f.maybeNumber("full_in_s"),
  };
}

const segment = (f: Loose): LiveSegment => ({
  name: f.text("name"),
  clients: f.texts("clients"),
  serverAddresses: f.texts("server_addresses"),
  turnAddresses: f.texts("turn_addresses"),
  transports: f.texts("transports"),
  derived: f.flag("derived"),
  leftOut: f.flag("left_out"),
  reason: f.text("reason"),
  interface: f.text("interface"),
  people: f.number("people"),
  calls: f.number("calls"),
});

/** Reads the answer; a part that is missing is empty. */
export function readLive(value: unknown): Live {
  const f = new Loose(value);
  return {
    serverTime: f.number("server_time"),
    node: f.text("node"),
    version: f.text("version"),
    uptimeSeconds: f.number("uptime_s"),
    people: f.list("people", person),
    calls: f.list("calls", call),
    allocations: f.list("allocations", allocation),
    ports: f.list("ports", portUse),
    forecast: f.has("forecast") ? forecast(f.object("forecast")) : undefined,
    segments: f.list("segments", segment),
    leftOut: f.list("left_out", (l) => ({
      interface: l.text("interface"),
      segment: l.text("segment"),
      address: l.text("address"),
      reason: l.text("reason"),
    })),
    nodes: f.list("nodes", (n) => ({
      node: n.text("node"),
      self: n.flag("self"),
      people: n.number("people"),
    })),
    warnings: f.list("warnings", (w) => ({ code: w.text("code"), params: w.object("params").plain() })),
  };
}
