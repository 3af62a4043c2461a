// Path tests that an administrator asks clients for.
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Api } from "../../protocol/api";
import type { Timers } from "../../protocol/clock";
import { Loose } from "./loose";
import { readPathTest, type PathTest } from "./path";
import { Poll } from "./poll";

export interface Asked {
  kind: "self" | "pairs";
  /** Ids; empty: everybody. */
  people: readonly string[];
}

export interface TestsDeps {
  api: Pick<Api, "call">;
  timers: Timers;
  now: () => number;
  visible: ReadonlySignal<boolean>;
}

const everyMs = 1_000;

export class Tests {
  /** What was asked last. */
  readonly asked = signal<Asked | undefined>(undefined);
  readonly starting = signal(false);
  private readonly watched = signal<Poll<PathTest> | undefined>(undefined);
  readonly result = computed(() => this.watched.value?.value.value);
  readonly problem = computed(() => this.watched.value?.problem.value);
  readonly running = computed(
    () => this.starting.value || (this.watched.value !== undefined && this.result.value?.done !== true),
  );
  private readonly deps: TestsDeps;

  constructor(deps: TestsDeps) {
    this.deps = deps;
  }

  /** Starts a test and follows it; throws when the server refuses. */
  async start(asked: Asked): Promise<void> {
    const { api } = this.deps;
    this.starting.value = true;
    try {
      const people = asked.people.length > 0 ? { people: asked.people } : {};
      const answer = new Loose(await api.call("POST", "admin/path-tests", { kind: asked.kind, ...people }));
      const path = `admin/path-tests/${encodeURIComponent(answer.text("id"))}`;
      this.watched.value?.stop();
      const poll = new Poll({
        ...this.deps,
        everyMs,
        ask: async () => readPathTest(await api.call("GET", path)),
        onAnswer: (test) => {
          if (test.done) poll.stop();
        },
      });
      this.watched.value = poll;
      this.asked.value = asked;
      poll.start();
    } finally {
      this.starting.value = false;
    }
  }

  /** Goes on following a test that is not done. */
  follow(): void {
    if (this.result.value?.done !== true) this.watched.value?.start();
  }

  pause(): void {
    this.watched.value?.stop();
  }
}
