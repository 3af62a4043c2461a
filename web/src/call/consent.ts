// Who may record: nobody, unless both have agreed. Pure of the browser.
import { signal } from "@preact/signals";
import type { Timers } from "../protocol/clock";
import type { Payload, RecordWord } from "../protocol/messages";

/** Why nothing is recorded, where that is worth a word. */
export type OffReason = "refused" | "unanswered" | "stopped" | "failed";

export type ConsentState =
  | { kind: "off"; because?: OffReason }
  | { kind: "asking" } // this side wants to
  | { kind: "asked" } // the other side wants to
  /** stopping: this side wants it to end, and the other one has not been told yet. */
  | { kind: "on"; mine: boolean; theirs: boolean; stopping: boolean };

export interface ConsentDeps {
  /** Says it to the other end; rejects when the server did not pass it on. */
  send: (payload: Payload) => Promise<unknown>;
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
  /** This side's recording begins or ends. */
  onRecord: (on: boolean) => void;
}

const answerMs = 60_000;
/** Who has said no is left alone for so long. */
const quietMs = 30_000;
const againMs = 1_000;

export class Consent {
  readonly state = signal<ConsentState>({ kind: "off" });
  private readonly deps: ConsentDeps;
  private timer: number | undefined;
  private refusedAt = Number.NEGATIVE_INFINITY;
  private ended = false;

  constructor(deps: ConsentDeps) {
    this.deps = deps;
  }

  /** This side wants to record. */
  ask(): void {
    if (this.state.value.kind !== "off") return;
    this.become({ kind: "asking" });
    this.timer = this.deps.timers.set(() => this.withdraw("unanswered"), answerMs);
    this.tell("ask").catch(() => {
      if (this.state.value.kind === "asking") this.become({ kind: "off", because: "unanswered" });
    });
  }

  /** Takes back what this side asked for. */
  takeBack(): void {
    if (this.state.value.kind === "asking") this.withdraw(undefined);
  }

  /** Answers the other side. */
  answer(yes: boolean): void {
    if (this.state.value.kind !== "asked") return;
    if (!yes) {
      this.refusedAt = this.deps.now();
      this.become({ kind: "off" });
      this.tell("no").catch(() => undefined);
      return;
    }
    // The sign is shown from the word on that lets the other side record.
    this.become({ kind: "on", mine: false, theirs: true, stopping: false });
    this.tell("yes").catch(() => {
      if (this.state.value.kind === "on") this.become({ kind: "off" });
    });
  }

  /** Either side ends it. What the other side records goes on until it has been told. */
  stop(because?: OffReason): void {
    const { value } = this.state;
    if (value.kind !== "on" || value.stopping) return;
    this.become({ ...value, mine: false, stopping: true });
    this.sayStop(value.theirs, because);
  }

  /** Takes what the other side said. */
  receive(word: RecordWord): void {
    const { kind } = this.state.value;
    switch (word) {
      case "ask":
        if (kind === "asking") this.become({ kind: "on", mine: true, theirs: true, stopping: false });
        else if (kind === "off") this.question();
        break;
      case "yes":
        if (kind === "asking") this.become({ kind: "on", mine: true, theirs: false, stopping: false });
        break;
      case "no":
        if (kind === "asking") this.become({ kind: "off", because: "refused" });
        break;
      case "stop":
        if (kind === "asked") this.become({ kind: "off" });
        else if (kind === "on") this.become({ kind: "off", because: "stopped" });
        break;
    }
  }

  /** The connection is over, and with it what was agreed. */
  end(): void {
    this.ended = true;
    this.become({ kind: "off" });
  }

  private question(): void {
    if (this.deps.now() - this.refusedAt < quietMs) {
      this.tell("no").catch(() => undefined);
      return;
    }
    this.become({ kind: "asked" });
    // The asker gives up a moment earlier.
    this.timer = this.deps.timers.set(() => this.become({ kind: "off" }), answerMs + againMs);
  }

  private withdraw(because: "unanswered" | undefined): void {
    this.become({ kind: "off", because });
    this.tell("stop").catch(() => undefined);
  }

  private sayStop(matters: boolean, because?: OffReason): void {
    const done = () => {
      if (this.isStopping) this.become({ kind: "off", because });
    };
    this.tell("stop").then(done, () => {
      if (!matters) done();
      else if (this.isStopping) this.timer = this.deps.timers.set(() => this.sayStop(true, because), againMs);
    });
  }

  private get isStopping(): boolean {
    const { value } = this.state;
    return value.kind === "on" && value.stopping;
  }

  private tell(record: RecordWord): Promise<unknown> {
    return this.ended ? Promise.reject(new Error("over")) : this.deps.send({ record });
  }

  private become(state: ConsentState): void {
    this.deps.timers.clear(this.timer);
    this.timer = undefined;
    const before = this.recording;
    this.state.value = state;
    if (this.recording !== before) this.deps.onRecord(this.recording);
  }

  private get recording(): boolean {
    const { value } = this.state;
    return value.kind === "on" && value.mine;
  }
}
