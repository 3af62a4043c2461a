// Numbers and times as people read them.
import type { Report } from "../state/live";
import { keyFor, type Key } from "../words";
import type { Translate } from "./context";

export const count = (n: number, language: string): string => Math.round(n).toLocaleString(language);

export function rate(kbps: number, language: string): string {
  const digits = (n: number, unit: string) =>
    `${n.toLocaleString(language, { maximumFractionDigits: n < 10 ? 1 : 0 })} ${unit}`;
  if (kbps >= 1_000_000) return digits(kbps / 1_000_000, "Gbit/s");
  return kbps >= 1_000 ? digits(kbps / 1_000, "Mbit/s") : digits(kbps, "kbit/s");
}

export function bytes(n: number, language: string): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let left = n;
  while (left >= 1_000 && unit < units.length - 1) {
    left /= 1_000;
    unit++;
  }
  return `${left.toLocaleString(language, { maximumFractionDigits: left < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`;
}

/** A share of 1 in percent. */
export const percent = (share: number, language: string): string =>
  `${(share * 100).toLocaleString(language, { maximumFractionDigits: share < 0.1 ? 1 : 0 })} %`;

export const ms = (n: number, language: string): string => `${count(n, language)} ms`;

/** A length of time in its largest unit or two. */
export function span(seconds: number, t: Translate): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t("span.seconds", { n: s });
  if (s < 3_600) return t("span.minutes", { n: Math.floor(s / 60) });
  if (s < 86_400) return t("span.hours", { n: Math.floor(s / 3_600), m: Math.floor((s % 3_600) / 60) });
  return t("span.days", { n: Math.floor(s / 86_400), h: Math.floor((s % 86_400) / 3_600) });
}

/** A time of the server's, in Unix milliseconds; with the date where it is not today. */
export function when(at: number, now: number, language: string): string {
  const [then, today] = [new Date(at), new Date(now)];
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const;
  if (then.toDateString() === today.toDateString()) return then.toLocaleTimeString(language, time);
  return then.toLocaleString(language, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  });
}

/** How media goes at one end, in words. */
export function pathWord({ path }: Report): Key {
  if (path.local === "relay") {
    if (path.relayProtocol === "tcp") return "path.relay_tcp";
    return path.relayProtocol === "tls" ? "path.relay_tls" : "path.relay_udp";
  }
  if (path.remote === "relay") return "path.other_relay";
  if (path.protocol === "tcp") return "path.direct_tcp";
  const nat = [path.local, path.remote].some((type) => type === "srflx" || type === "prflx");
  return nat ? "path.direct_nat" : "path.direct";
}

/** A device's name, made short; names end in random characters. */
export const deviceWord = (device: string): string =>
  device.length > 13 ? `${device.slice(0, 12)}…` : device;

/** A transport's name, or as the server calls it. */
export function transportWord(transport: string, t: Translate): string {
  switch (transport) {
    case "udp":
    case "tcp":
    case "tls":
      return transport.toUpperCase();
    case "wss":
      return "WebSocket";
    case "sse":
      return t("transport.sse");
    default:
      return transport;
  }
}

/** What a path test tries, in words. */
export function legName(leg: string, t: Translate): string {
  const key = keyFor("leg", leg);
  return key ? t(key) : leg;
}

/** Why a leg fails, in words. */
export function codeWord(code: string, t: Translate): string {
  const key = keyFor("code", code);
  return key ? t(key) : code;
}
