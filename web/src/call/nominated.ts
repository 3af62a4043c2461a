// Which kinds of candidates the two ends have selected: each end knows only its own for certain,
// so they tell each other.
import { candidateType, type CandidateType, type Payload } from "../protocol/messages";

export class Nominated {
  /** The other end's own, as it says. */
  theirs: CandidateType | undefined;
  private told: CandidateType | undefined;
  private readonly send: (payload: Payload) => Promise<unknown>;

  constructor(send: (payload: Payload) => Promise<unknown>) {
    this.send = send;
  }

  receive({ nominated }: Payload): void {
    if (nominated) this.theirs = nominated;
  }

  /** Tells the other end of the own kind, when it is another than before. */
  tell(type: string | undefined): void {
    const own = candidateType(type);
    if (!own || own === this.told) return;
    this.told = own;
    this.send({ nominated: own }).catch(() => {
      if (this.told === own) this.told = undefined; // said again at the next look
    });
  }

  /** The other end may have missed it. */
  forget(): void {
    this.told = undefined;
  }
}
