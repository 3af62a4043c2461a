// Runs the path tests: those that the person starts and those that an administrator asks for.
import { signal } from "@preact/signals";
import { ApiError, type Api } from "../protocol/api";
import {
  legNames,
  type ClientData,
  type ClientType,
  type Leg,
  type LegCode,
  type PathRun,
  type PathSignal,
  type ServerMessage,
} from "../protocol/messages";
import { type Env, type Plan, type Sweep } from "./env";
import { PairTest } from "./pair";
import { NoPlan, SelfTest, type SelfDeps } from "./self";

export interface TesterDeps extends Env, Pick<SelfDeps, "wallClock" | "signalling" | "trust" | "busy"> {
  api: Pick<Api, "call">;
  request: <T extends ClientType>(type: T, data: ClientData[T]) => Promise<unknown>;
  /** The server asked for a test, or it is over: for the notice. */
  onAsked: (running: boolean) => void;
  onProblem: (problem: string) => void;
}

/** What both devices of a pair say before the other one is ready. */
const maxEarly = 64;
/** What a result takes, less the legs that are in no plan. */
const maxLegs = 32;

export class Tester {
  /** The test of this device's own legs that runs or ran last. */
  readonly test = signal<SelfTest | undefined>(undefined);
  readonly running = signal(false);
  private readonly deps: TesterDeps;
  private closed = false;
  private own: Promise<Leg[]> | undefined;
  private pair: { test: string; run?: PairTest; early: PathSignal[] } | undefined;

  constructor(deps: TesterDeps) {
    this.deps = deps;
  }

  /** Signed out: what is found from now on is nobody's. */
  close(): void {
    this.closed = true;
    this.pair?.run?.stop();
  }

  /** What the person starts. */
  async start(): Promise<void> {
    if (this.running.value) return;
    await this.tell("", await this.self());
  }

  /** What the server asks for. */
  take(message: Extract<ServerMessage, { type: "path.run" | "path.signal" }>): void {
    if (message.type === "path.signal") {
      this.signal(message.data);
      return;
    }
    this.asked(message.data).catch((error: unknown) => this.deps.onProblem(`path test: ${String(error)}`));
  }

  private async asked(run: PathRun): Promise<void> {
    const { deps } = this;
    deps.onAsked(true);
    try {
      if (run.kind === "self") {
        await this.tell(run.test, await this.self());
        return;
      }
      const legs = await this.pairOf(run);
      if (run.role === "offerer") await this.tell(run.test, legs);
    } finally {
      deps.onAsked(false);
    }
  }

  /** One at a time: who asks while it runs gets the same result. */
  private self(): Promise<Leg[]> {
    this.own ??= this.newSelf().finally(() => {
      this.own = undefined;
      this.running.value = false;
    });
    return this.own;
  }

  private newSelf(): Promise<Leg[]> {
    const { deps } = this;
    const test = new SelfTest({ ...deps, plan: () => this.plan(), sweep: () => this.sweep() });
    this.test.value = test;
    this.running.value = true;
    return test.run();
  }

  private async pairOf(run: Extract<PathRun, { kind: "pair" }>): Promise<Leg[]> {
    const { deps } = this;
    const mine: NonNullable<Tester["pair"]> = { test: run.test, early: [] };
    this.pair?.run?.stop();
    this.pair = mine;
    let plan: Plan;
    try {
      plan = await this.plan();
    } catch (error) {
      const code = error instanceof NoPlan ? error.code : "internal";
      return run.transports.map((transport) => ({ leg: `pair_${transport}`, state: "failed", code }));
    }
    const pair = new PairTest({
      ...deps,
      role: run.role,
      transports: run.transports,
      plan,
      send: (payload) => deps.request("path.signal", { test: run.test, payload }),
    });
    mine.run = pair;
    const legs = pair.run();
    for (const { payload } of mine.early.splice(0)) pair.receive(payload);
    return legs;
  }

  private signal(data: PathSignal): void {
    const { pair } = this;
    if (pair?.test !== data.test) return;
    if (pair.run) pair.run.receive(data.payload);
    else if (pair.early.length < maxEarly) pair.early.push(data);
  }

  private async tell(test: string, legs: Leg[]): Promise<void> {
    if (this.closed || legs.length === 0) return;
    try {
      await this.deps.request("path.result", { test, legs });
    } catch (error) {
      this.deps.onProblem(`path.result: ${String(error)}`);
    }
  }

  private async plan(): Promise<Plan> {
    try {
      const plan = await this.deps.api.call<Plan & { legs: Plan["legs"] | null }>("GET", "path");
      // A newer server may know of more legs than this page.
      const legs = (plan.legs ?? []).filter(({ leg }) => legNames.includes(leg)).slice(0, maxLegs);
      return { ...plan, legs };
    } catch (error) {
      throw new NoPlan(planCode(error));
    }
  }

  private async sweep(): Promise<Sweep> {
    return this.deps.api.call<Sweep>("POST", "path/sweep");
  }
}

function planCode(error: unknown): LegCode {
  if (!(error instanceof ApiError)) return "internal";
  if (error.code === "unreachable") return "timeout";
  return error.signedOut ? "unauthorized" : "internal";
}
