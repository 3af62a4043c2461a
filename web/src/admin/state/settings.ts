// Settings as the server has them, and what an administrator is typing over them.
import { Loose } from "./loose";

export type Json = Record<string, unknown>;

/** What GET /admin/settings says. */
export interface Loaded {
  revision: string | number;
  settings: Json;
  /** Names of settings that the environment or the command line decides. */
  fixed: string[];
  defaults: Json;
}

export interface SegmentDraft {
  name: string;
  clients: string;
  server_addresses: string;
  turn_addresses: string;
  transports: string[];
}

/** What is typed: text for a field, a segment (null: removed), or a choice. */
export type Edit = string | boolean | SegmentDraft | null;
export type Edits = ReadonlyMap<string, Edit>;

export interface Problem {
  key: string;
  code: string;
  message: string;
}

export interface Effect {
  code: string;
  params: Record<string, string>;
}

/** One setting that differs; before and after are written as people read them. */
export interface Change {
  name: string;
  before: string;
  after: string;
}

/** What is typed, as text; segments are typed in parts. */
export const textOf = (edit: Edit): string => (typeof edit === "object" ? "" : String(edit));

type Kind = "number" | "text" | "list" | "flag";

/** The settings that the dashboard knows, in the order in which it shows them. */
export const fields = {
  "relay_ports.min": "number",
  "relay_ports.max": "number",
  "peers.mode": "text",
  "peers.allow": "list",
  "peers.deny": "list",
  "limits.allocations_per_session": "number",
  "limits.allocations": "number",
  "limits.kbps_per_allocation": "number",
  "limits.kbps": "number",
  "limits.allocates_per_second_per_source": "number",
  "limits.bindings_per_second_per_source": "number",
  "registration.policy": "text",
  "registration.guests": "flag",
  "registration.users_may_invite": "flag",
  "log.level": "text",
} as const satisfies Record<string, Kind>;

export type FieldName = keyof typeof fields;

export const isField = (name: string): name is FieldName => name in fields;

const segmentPrefix = "segment:";
export const segmentKey = (name: string): string => segmentPrefix + name;
const segmentOf = (key: string) =>
  key.startsWith(segmentPrefix) ? key.slice(segmentPrefix.length) : undefined;

export function readLoaded(value: unknown): Loaded {
  const f = new Loose(value);
  const revision = f.raw.revision;
  return {
    revision: typeof revision === "number" ? revision : f.text("revision"),
    settings: f.object("settings").raw,
    fixed: f.texts("fixed"),
    defaults: f.object("defaults").raw,
  };
}

export const readProblems = (value: unknown): Problem[] =>
  new Loose(value).list("problems", (p) => ({
    key: p.text("key"),
    code: p.text("code"),
    message: p.text("message"),
  }));

export const readEffects = (value: unknown): Effect[] =>
  new Loose(value).list("effects", (e) => ({ code: e.text("code"), params: e.object("params").plain() }));

/** The value of a setting; undefined where the server does not have it. */
export function valueOf(settings: Json, name: string): unknown {
  if (name in settings) return settings[name];
  let here: unknown = settings;
  for (const part of name.split(".")) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Json)[part];
  }
  return here;
}

/** A value as it stands in a field. */
export const written = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(String).join("\n")
    : ["string", "number", "boolean"].includes(typeof value)
      ? String(value)
      : "";

/** The lines of a list that is typed; commas and spaces part items as well. */
export const itemsOf = (text: string): string[] => text.split(/[\s,;]+/).filter((item) => item !== "");

export function draftOf(segment: Json): SegmentDraft {
  const f = new Loose(segment);
  const lines = (key: string) => f.texts(key).join("\n");
  return {
    name: f.text("name"),
    clients: lines("clients"),
    server_addresses: lines("server_addresses"),
    turn_addresses: lines("turn_addresses"),
    transports: f.texts("transports"),
  };
}

export const newSegment: SegmentDraft = {
  name: "",
  clients: "",
  server_addresses: "",
  turn_addresses: "",
  transports: [],
};

const segmentFrom = (before: Json, draft: SegmentDraft): Json => ({
  ...before,
  name: draft.name.trim(),
  clients: itemsOf(draft.clients),
  server_addresses: itemsOf(draft.server_addresses),
  turn_addresses: itemsOf(draft.turn_addresses),
  transports: draft.transports,
});

export const segmentsOf = (settings: Json): Json[] =>
  Array.isArray(settings.segments)
    ? settings.segments.filter((s): s is Json => typeof s === "object" && s !== null)
    : [];

/** Whole numbers as people type them, with spaces or separators between. */
export function numberFrom(text: string): number | undefined {
  const digits = text.trim().replace(/[\s_'’]/g, "");
  return /^\d{1,12}$/.test(digits) ? Number(digits) : undefined;
}

function typed(name: FieldName, edit: Edit): unknown {
  const kind = fields[name];
  if (kind === "number") return numberFrom(textOf(edit));
  if (kind === "list") return itemsOf(textOf(edit));
  return kind === "flag" ? edit === true : edit;
}

function put(settings: Json, name: string, value: unknown): void {
  const [section, key] = name.split(".") as [string, string | undefined];
  if (name in settings || key === undefined) settings[name] = value;
  else settings[section] = { ...(settings[section] as Json | undefined), [key]: value };
}

/** The settings with what is typed laid over them; what nobody typed stays as it came. */
export function overlay(settings: Json, edits: Edits): Json {
  const out: Json = { ...settings };
  for (const [name, edit] of edits) if (isField(name)) put(out, name, typed(name, edit));
  const segments = [...edits].filter(([key]) => segmentOf(key) !== undefined);
  if (segments.length === 0) return out;
  const left = new Map(segments.map(([key, edit]) => [segmentOf(key)!, edit as SegmentDraft | null]));
  const list: Json[] = [];
  for (const segment of segmentsOf(settings)) {
    const name = new Loose(segment).text("name");
    const edit = left.get(name);
    left.delete(name);
    if (edit === undefined) list.push(segment);
    else if (edit !== null) list.push(segmentFrom(segment, edit));
  }
  for (const edit of left.values()) if (edit) list.push(segmentFrom({}, edit));
  out.segments = list;
  return out;
}

/** Whether a field's edit says what is set already. */
export const same = (settings: Json, name: FieldName, edit: Edit): boolean =>
  JSON.stringify(typed(name, edit)) ===
  JSON.stringify(valueOf(settings, name) ?? (fields[name] === "list" ? [] : undefined));

const flat = (segment: Json | undefined): string => {
  if (!segment) return "";
  const draft = draftOf(segment);
  const part = (text: string) => text.split("\n").join(" ");
  return [
    part(draft.clients),
    part(draft.server_addresses),
    part(draft.turn_addresses),
    draft.transports.join(" "),
  ]
    .filter(Boolean)
    .join(" · ");
};

/** Every setting that differs between two states, as people read it. */
export function changesBetween(before: Json, after: Json): Change[] {
  const out: Change[] = [];
  const list = (value: unknown) => written(value).split("\n").join(", ");
  for (const name of Object.keys(fields)) {
    const [was, is] = [list(valueOf(before, name)), list(valueOf(after, name))];
    if (was !== is) out.push({ name, before: was, after: is });
  }
  const byName = (settings: Json) => new Map(segmentsOf(settings).map((s) => [new Loose(s).text("name"), s]));
  const [was, is] = [byName(before), byName(after)];
  for (const name of new Set([...was.keys(), ...is.keys()])) {
    const [old, fresh] = [was.get(name), is.get(name)];
    if (JSON.stringify(old) !== JSON.stringify(fresh)) {
      out.push({ name: segmentKey(name), before: flat(old), after: flat(fresh) });
    }
  }
  return out;
}

/** What can be seen to be wrong before the server is asked. */
export function problemsIn(settings: Json, edits: Edits): Problem[] {
  const out: Problem[] = [];
  const wrong = (key: string, code: string) => out.push({ key, code, message: "" });
  for (const [name, edit] of edits) {
    if (isField(name) && fields[name] === "number" && numberFrom(textOf(edit)) === undefined)
      wrong(name, "no_number");
    if (segmentOf(name) !== undefined && edit !== null && typeof edit === "object") {
      if (edit.name.trim() === "") wrong(`${name}.name`, "no_name");
      if (itemsOf(edit.clients).length === 0) wrong(`${name}.clients`, "empty");
    }
  }
  const after = overlay(settings, edits);
  const [min, max] = [valueOf(after, "relay_ports.min"), valueOf(after, "relay_ports.max")];
  if (
    typeof min === "number" &&
    typeof max === "number" &&
    (edits.has("relay_ports.min") || edits.has("relay_ports.max"))
  ) {
    if (min > max) wrong(edits.has("relay_ports.max") ? "relay_ports.max" : "relay_ports.min", "reversed");
  }
  return out;
}
