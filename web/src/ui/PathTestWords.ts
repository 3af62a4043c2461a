// From a leg's machine code to what it means and what to do.
import { spans } from "../diagnose/verdict";
import type { PathKey, Say } from "../i18n/path";
import type { Leg, LegName } from "../protocol/messages";

type Words = [key: PathKey, values?: Record<string, string | number>];

/** A long list of ports helps nobody. */
const maxPortsShown = 12;

/** What a leg found, in one or two plain sentences; start: where the certificate is explained. */
export function explain(leg: Leg, say: Say, start: string): string {
  const [key, values] = words(leg, say, start);
  return say(key, values);
}

function words(leg: Leg, say: Say, start: string): Words {
  if (leg.code === "internal") return ["internal"];
  switch (leg.leg) {
    case "clock":
      return clock(leg, say);
    case "tls":
      if (leg.state === "ok") return ["tls.ok"];
      return [leg.code === "untrusted" ? "tls.untrusted" : "tls.unknown", { start }];
    case "signalling":
      return signalling(leg);
    case "throughput":
      return throughput(leg);
    case "ports":
      return ports(leg);
    case "nat":
      if (leg.state !== "ok") return ["nat.skipped"];
      return [(leg.data?.mappings ?? 1) > 1 ? "nat.changes" : "nat.keeps"];
    default:
      return way(leg, start);
  }
}

const wayWords: Partial<Record<NonNullable<Leg["code"]>, PathKey>> = {
  refused: "way.refused",
  unauthorized: "way.unauthorized",
  untrusted: "way.untrusted",
  name_unresolved: "way.name",
  no_candidate: "way.no_candidate",
  unsupported: "way.unsupported",
  slow: "way.slow",
};

function way({ state, code, target = "", ms = 0 }: Leg, start: string): Words {
  const [, host = target, port = "", transport = ""] = /^(.*):(\d+)\/(\w+)$/.exec(target) ?? [];
  const values = { host, port, protocol: transport.toUpperCase(), target, ms, start };
  if (state === "ok") return ["way.ok", values];
  return [(code && wayWords[code]) ?? "way.timeout", values];
}

function clock({ state, code, data }: Leg, say: Say): Words {
  const offset = data?.offset_ms ?? 0;
  if (state === "ok") return ["clock.ok", { seconds: Math.max(1, Math.ceil(Math.abs(offset) / 1000)) }];
  if (code !== "clock_off") return ["clock.no_answer"];
  return [offset > 0 ? "clock.ahead" : "clock.behind", { time: span(Math.abs(offset) / 1000, say) }];
}

function span(seconds: number, say: Say): string {
  const units: [PathKey, number][] = [
    ["clock.days", 86_400],
    ["clock.hours", 3_600],
    ["clock.minutes", 60],
  ];
  const [key, length] = units.find(([, each]) => seconds >= 2 * each) ?? (["clock.seconds", 1] as const);
  return say(key, { n: Math.round(seconds / length) });
}

function signalling({ state, code, data }: Leg): Words {
  const values = { rtt: data?.rtt_ms ?? 0 };
  if (state === "ok") return ["signalling.ok", values];
  if (code === "fallback") return ["signalling.fallback"];
  return code === "slow" ? ["signalling.slow", values] : ["signalling.timeout"];
}

function throughput({ state, code, data = {} }: Leg): Words {
  const { kbps = 0, loss = 0, rtt_ms: rtt = 0, jitter_ms: jitter = 0 } = data;
  const values = {
    mbps: (kbps / 1000).toFixed(1),
    loss: Number((loss * 100).toFixed(1)),
    rtt: Math.round(rtt),
    jitter: Math.round(jitter),
  };
  if (state === "skipped") return [code === "no_candidate" ? "throughput.no_relay" : "throughput.busy"];
  if (state === "ok") return ["throughput.ok", values];
  if (code === "lossy") return ["throughput.lossy", values];
  return code === "slow" ? ["throughput.slow", values] : ["throughput.timeout"];
}

function ports({ state, target = "", data = {}, blocked = [] }: Leg): Words {
  const { asked = 0, answered = 0 } = data;
  if (state === "skipped") return ["ports.skipped"];
  if (state === "ok") return ["ports.ok", { asked }];
  const more = blocked.length > maxPortsShown ? " …" : "";
  const listed = spans(blocked.slice(0, maxPortsShown)) + more;
  const values = { asked, count: asked - answered, ports: listed, host: target.replace(/\/\w+$/, "") };
  return [answered === 0 ? "ports.all_blocked" : "ports.blocked", values];
}

/** The name of a leg; the legs of a pair test are not shown here. */
export const legTitle = (leg: LegName, say: Say): string =>
  leg.startsWith("pair_") ? leg : say(`leg.${leg}` as PathKey);
