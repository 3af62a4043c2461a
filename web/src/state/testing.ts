// The path tests of this page. What runs them is loaded when it is first needed.
import { signal } from "@preact/signals";
import type { Needs, Tester } from "../diagnose";
import type { ServerMessage } from "../protocol/messages";

/** What the signed-in page gives to the tests; the rest is the browser's. */
export type TesterNeeds = Pick<Needs, "api" | "request" | "busy" | "timers" | "onAsked" | "onProblem">;

export interface TestingDeps extends Omit<TesterNeeds, "onAsked"> {
  load: (needs: TesterNeeds) => Promise<Tester>;
}

/** A test may be over before its notice can be read. */
const readableMs = 4_000;

export class Testing {
  /** Whether the dialog is open. */
  readonly open = signal(false);
  /** Whether a test runs that an administrator asked for, or did a moment ago. */
  readonly asked = signal(false);
  private readonly deps: TestingDeps;
  private loaded: Promise<Tester> | undefined;
  private count = 0;
  private hide: number | undefined;

  constructor(deps: TestingDeps) {
    this.deps = deps;
  }

  /** Rejects when it could not be loaded; it can then be tried again. */
  tester(): Promise<Tester> {
    const { load, ...needs } = this.deps;
    this.loaded ??= load({ ...needs, onAsked: (running) => this.notice(running) }).catch((error: unknown) => {
      this.loaded = undefined;
      throw error;
    });
    return this.loaded;
  }

  /** Takes what the server says about tests, in its order. */
  take(message: Extract<ServerMessage, { type: "path.run" | "path.signal" }>): void {
    // What is said about a test that this page never ran needs no loading.
    if (message.type === "path.signal" && !this.loaded) return;
    this.tester().then(
      (tester) => tester.take(message),
      (error: unknown) => this.deps.onProblem(`path test: ${String(error)}`),
    );
  }

  /** Signed out: what was found is not the next person's. */
  reset(): void {
    this.open.value = false;
    this.loaded?.then(
      (tester) => tester.close(),
      () => undefined,
    );
    this.loaded = undefined;
  }

  private notice(running: boolean): void {
    this.count += running ? 1 : -1;
    this.deps.timers.clear(this.hide);
    if (running) this.asked.value = true;
    else if (this.count === 0) this.hide = this.deps.timers.set(() => (this.asked.value = false), readableMs);
  }
}
