// Looks at the running connection every two seconds: a grade, and figures on demand.
import { batch, signal } from "@preact/signals";
import type { Timers } from "../protocol/clock";
import type { CandidateType } from "../protocol/messages";
import { detailsOf, Grader, readSample, type Details, type Sample, type Verdict } from "./quality";

/** The part of a link that is watched. */
export interface Watched {
  state: string;
  /** What the other end says of its own candidate. */
  theirs?: CandidateType | undefined;
  pc: Pick<RTCPeerConnection, "getStats"> | undefined;
}

export interface QualityDeps {
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
}

const everyMs = 2_000;
/** Figures are of the last eight seconds. */
const kept = 5;

export class QualityWatch {
  /** Undefined until the first figures. */
  readonly verdict = signal<Verdict | undefined>(undefined);
  readonly details = signal<Details | undefined>(undefined);
  private readonly deps: QualityDeps;
  private link: Watched | undefined;
  private samples: Sample[] = [];
  private grader = new Grader();
  private timer: number | undefined;

  constructor(deps: QualityDeps) {
    this.deps = deps;
  }

  /** Begins with the first connection of a link. */
  see(link: Watched): void {
    if (this.link === link || link.state !== "connected") return;
    this.stop();
    this.link = link;
    void this.look();
  }

  stop(): void {
    this.deps.timers.clear(this.timer);
    this.timer = this.link = undefined;
    this.samples = [];
    this.grader = new Grader();
    batch(() => (this.verdict.value = this.details.value = undefined));
  }

  private async look(): Promise<void> {
    const { link } = this;
    if (!link) return;
    this.timer = this.deps.timers.set(() => void this.look(), everyMs);
    if (link.state !== "connected" || !link.pc) {
      this.samples = [];
      this.verdict.value = this.grader.take(undefined);
      return;
    }
    let sample: Sample | undefined;
    try {
      sample = readSample(await link.pc.getStats(), this.deps.now(), link.theirs);
    } catch {
      // Closed meanwhile.
    }
    if (this.link !== link || !sample) return;
    this.take(sample);
  }

  private take(sample: Sample): void {
    // Another pair counts its bytes from zero.
    if (sample.counters.bytesIn < (this.samples[this.samples.length - 1]?.counters.bytesIn ?? 0))
      this.samples = [];
    this.samples = [...this.samples, sample].slice(-kept);
    const first = this.samples[0]!;
    if (first === sample) return;
    const details = detailsOf(first, sample);
    batch(() => {
      this.details.value = details;
      this.verdict.value = this.grader.take(details);
    });
  }
}
