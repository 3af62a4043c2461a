// The test of this device's own legs, one row each, filled in as they are done.
import { signal } from "@preact/signals";
import type { Leg, LegCode, LegName } from "../protocol/messages";
import { pooled, type Env, type Plan, type Sweep } from "./env";
import { gatherLeg, targetOf } from "./gather";
import { nat } from "./nat";
import { ports } from "./ports";
import { throughput } from "./throughput";

export interface Row {
  leg: LegName;
  target: string | undefined;
  /** Undefined while it is not done. */
  result: Leg | undefined;
  running: boolean;
}

/** How the signalling goes now, and whether a WebSocket opens. */
export interface Signalling {
  /** Until a WebSocket was open; undefined where it did not open. */
  wssMs: number | undefined;
  /** The running connection is the event stream. */
  fallback: boolean;
  /** Round trip of a request; undefined where none was answered. */
  rttMs: number | undefined;
}

/** What can be known of the certificate: many browsers do not say. */
export type Trust = "trusted" | "untrusted" | "unknown";

export interface SelfDeps extends Env {
  /** Throws a code where the server gives none. */
  plan: () => Promise<Plan>;
  sweep: () => Promise<Sweep>;
  /** Unix milliseconds by the device's clock. */
  wallClock: () => number;
  signalling: () => Promise<Signalling>;
  trust: () => Promise<Trust>;
  /** A call runs, which nothing may disturb. */
  busy: () => boolean;
}

const atOnce = 3;
/** Half of a session's leeway: what signs and expires here is judged by the server's clock alone. */
const clockOffMs = 60_000;
/** Certificates are backdated by two days; a clock that is further off refuses them. */
const clockWrongMs = 24 * 3_600_000;
const slowTripMs = 1_000;

/** Says why there is no plan. */
export class NoPlan extends Error {
  readonly code: LegCode;

  constructor(code: LegCode) {
    super(code);
    this.code = code;
  }
}

export class SelfTest {
  readonly rows = signal<Row[]>([]);
  plan: Plan | undefined;
  private readonly deps: SelfDeps;

  constructor(deps: SelfDeps) {
    this.deps = deps;
  }

  async run(): Promise<Leg[]> {
    this.set(["clock", "tls", "signalling"].map((leg) => row(leg as LegName)));
    await this.do(0, () => this.clock());
    const { plan, deps } = this;
    const server: (() => Promise<void>)[] = [
      () => this.do(1, () => this.tls()),
      () => this.do(2, () => this.signalling()),
    ];
    if (!plan) {
      await pooled(atOnce, server);
      return this.legs;
    }
    const first = this.rows.value.length;
    this.set([
      ...this.rows.value,
      ...plan.legs.map(({ leg, url }) => row(leg, targetOf(url))),
      row("throughput"),
      row("ports"),
      ...(plan.nat ? [row("nat")] : []),
    ]);
    const asked = plan.legs.map(
      ({ leg, url }, i) =>
        () =>
          this.do(first + i, () => this.ask(leg, url)),
    );
    await pooled(atOnce, [...server, ...asked]);
    let next = first + plan.legs.length;
    await this.do(next++, () => this.throughput(plan));
    await this.do(next++, () => this.ports());
    if (plan.nat) {
      const { nat: two } = plan;
      await this.do(next, () => nat(deps, two));
    }
    return this.legs;
  }

  private get legs(): Leg[] {
    return this.rows.value.flatMap(({ result }) => (result ? [result] : []));
  }

  private set(rows: Row[]): void {
    this.rows.value = rows;
  }

  private change(at: number, change: Partial<Row>): void {
    this.set(judge(this.rows.value.map((each, i) => (i === at ? { ...each, ...change } : each))));
  }

  private async do(at: number, test: () => Promise<Leg>): Promise<void> {
    this.change(at, { running: true });
    const { leg, target } = this.rows.value[at]!;
    const failed: Leg = { leg, state: "failed", code: "internal", ...(target ? { target } : {}) };
    const result = await test().catch(() => failed);
    this.change(at, { running: false, result, target: target ?? result.target });
  }

  /** The plan's request tells the clock as well. */
  private async clock(): Promise<Leg> {
    const { deps } = this;
    const start = deps.now();
    try {
      this.plan = await deps.plan();
    } catch (error) {
      return { leg: "clock", state: "failed", code: error instanceof NoPlan ? error.code : "internal" };
    }
    const ms = Math.round(deps.now() - start);
    const offset = Math.round(deps.wallClock() - ms / 2 - this.plan.server_time);
    const more = { ms, data: { offset_ms: offset } };
    if (Math.abs(offset) < clockOffMs) return { leg: "clock", state: "ok", ...more };
    const state = Math.abs(offset) < clockWrongMs ? "slow" : "failed";
    return { leg: "clock", state, code: "clock_off", ...more };
  }

  private async tls(): Promise<Leg> {
    switch (await this.deps.trust()) {
      case "trusted":
        return { leg: "tls", state: "ok" };
      case "untrusted":
        return { leg: "tls", state: "slow", code: "untrusted" };
      default:
        return { leg: "tls", state: "skipped", code: "unsupported" };
    }
  }

  private async signalling(): Promise<Leg> {
    const { wssMs, fallback, rttMs } = await this.deps.signalling();
    const leg = "signalling";
    const data = rttMs === undefined ? {} : { data: { rtt_ms: Math.round(rttMs) } };
    if (wssMs === undefined) {
      if (rttMs === undefined) return { leg, state: "failed", code: "timeout" };
      return { leg, state: "slow", code: "fallback", ...data };
    }
    const ms = Math.round(wssMs);
    if (fallback) return { leg, state: "slow", code: "fallback", ms, ...data };
    if (rttMs !== undefined && rttMs > slowTripMs) return { leg, state: "slow", code: "slow", ms, ...data };
    return { leg, state: "ok", ms, ...data };
  }

  private ask(leg: LegName, url: string): Promise<Leg> {
    return gatherLeg(this.deps, leg, url, this.server(url));
  }

  private async throughput(plan: Plan): Promise<Leg> {
    if (this.deps.busy()) return { leg: "throughput", state: "skipped" };
    const works = (want: LegName) =>
      this.rows.value.some(({ leg, result }) => leg === want && isGood(result));
    const order: LegName[] = ["turn_udp", "turn_tcp", "turn_tls", "turn_https"];
    const best = order.find(works);
    const at = this.rows.value.find(({ leg, result }) => leg === best && isGood(result));
    const url = plan.legs.find((each) => each.leg === best && targetOf(each.url) === at?.target)?.url;
    if (url === undefined) return { leg: "throughput", state: "skipped", code: "no_candidate" };
    return throughput(this.deps, url, this.server(url));
  }

  private async ports(): Promise<Leg> {
    let sweep: Sweep;
    try {
      sweep = await this.deps.sweep();
    } catch {
      // Nothing is wrong with the path: too many sweeps, or no free ports to spare.
      return { leg: "ports", state: "skipped" };
    }
    return ports(this.deps, sweep);
  }

  private server(url: string): RTCIceServer {
    const { username = "", credential = "" } = this.plan ?? {};
    return url.startsWith("stun") ? { urls: url } : { urls: url, username, credential };
  }
}

const row = (leg: LegName, target?: string): Row => ({ leg, target, result: undefined, running: false });

export const isGood = (leg: Leg | undefined): boolean => leg?.state === "ok" || leg?.state === "slow";

/** What the legs say about each other: TLS to the relay takes no certificate that a person let pass. */
export function judge(rows: Row[]): Row[] {
  const result = (leg: LegName) => rows.filter((each) => each.leg === leg).map((each) => each.result);
  const relayTrusts = result("turn_tls").some(isGood);
  const warned = result("tls").some((leg) => leg?.code === "untrusted");
  const open = new Set(result("turn_https").flatMap((leg) => (leg && isGood(leg) ? [leg.target] : [])));
  return rows.map((each) => {
    const leg = each.result;
    if (!leg) return each;
    if (leg.leg === "tls" && leg.state === "skipped" && relayTrusts)
      return { ...each, result: { leg: "tls", state: "ok" } };
    if (leg.leg === "turn_tls" && leg.code === "refused" && (warned || open.has(leg.target)))
      return { ...each, result: { ...leg, code: "untrusted" } };
    return each;
  });
}
