// What all legs together mean for calls, and the text that support is sent.
import type { Leg } from "../protocol/messages";
import type { Plan } from "./env";
import { isGood, type Row } from "./self";

/**
 * fine: everything works. some: calls work, some ways do not. tcp: calls work, but only
 * over TCP. none: no relay can be reached. away: the server cannot be reached. refused: it
 * does not say what to test.
 */
export type Verdict = "fine" | "some" | "tcp" | "none" | "away" | "refused";

export function verdict(rows: Row[]): Verdict {
  const legs = rows.flatMap(({ result }) => (result ? [result] : []));
  const relays = legs.filter(({ leg }) => leg.startsWith("turn_"));
  const planless = legs.find(
    ({ leg, state, code }) => leg === "clock" && state === "failed" && code !== "clock_off",
  );
  if (planless) return planless.code === "timeout" ? "away" : "refused";
  if (!relays.some(isGood)) return "none";
  if (!relays.some((leg) => leg.leg === "turn_udp" && isGood(leg))) return "tcp";
  return legs.every(({ state }) => state === "ok" || state === "skipped") ? "fine" : "some";
}

export interface Reporter {
  user: string;
  browser: string;
  page: string;
  at: Date;
}

/** The result as plain text, in the protocol's words, so that it reads the same everywhere. */
export function reportText(
  rows: Row[],
  plan: Plan | undefined,
  { user, browser, page, at }: Reporter,
): string {
  const where = [
    ["page", page],
    ["user", user],
    ["segment", plan?.segment],
    ["client", plan?.client],
    ["server", plan?.server],
    ["browser", browser],
  ].flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  const legs = rows.map(({ leg, result }) => (result ? line(result) : `skipped   ${leg}`));
  return ["Fieldphone connection test", at.toISOString(), ...where, "", ...legs, ""].join("\n");
}

function line({ leg, state, ms, code, target, data, blocked }: Leg): string {
  return [
    state.padEnd(9),
    leg.padEnd(11),
    ms === undefined ? "" : `${ms} ms`,
    code ?? "",
    target ?? "",
    ...Object.entries(data ?? {}).map(([name, value]) => `${name}=${value}`),
    blocked && blocked.length > 0 ? `blocked=${spans(blocked)}` : "",
  ]
    .filter((part) => part !== "")
    .join(" ");
}

/** 49160-49162,49170. */
export function spans(ports: readonly number[]): string {
  const out: [number, number][] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const last = out[out.length - 1];
    if (last && port <= last[1] + 1) last[1] = port;
    else out.push([port, port]);
  }
  return out.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
}
