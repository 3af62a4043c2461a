// Asking for a call's media anew, until the server has done it.
import type { ClientData } from "../protocol/messages";
import { RequestError } from "../protocol/pending";

export interface RejoinDeps {
  request: (type: "call.rejoin", data: ClientData["call.rejoin"]) => Promise<unknown>;
  /** The server knows no such call. */
  onGone: (call: string) => void;
  onProblem: (problem: string) => void;
}

export class Rejoin {
  private readonly deps: RejoinDeps;
  private wanted: ClientData["call.rejoin"] | undefined;
  private asking: string | undefined;
  /** A reason to ask again came while the answer was still on its way. */
  private nudged = false;

  constructor(deps: RejoinDeps) {
    this.deps = deps;
  }

  /** gen: of the media that was lost; asking twice then starts only once. */
  ask(call: string, gen: number): void {
    this.wanted = { call, gen };
    this.again(call);
  }

  /** The call is active, or the other end is back: what was refused may be done now. */
  again(call: string): void {
    const { wanted } = this;
    if (wanted?.call !== call) return;
    if (this.asking === call) {
      this.nudged = true;
      return;
    }
    this.asking = call;
    this.nudged = false;
    this.deps.request("call.rejoin", wanted).then(
      () => this.answered(call),
      (error: unknown) => {
        this.deps.onProblem(`call.rejoin: ${String(error)}`);
        this.refused(call, error);
      },
    );
  }

  /** The media starts, or is not wanted any more. */
  done(): void {
    this.wanted = undefined;
  }

  private answered(call: string): void {
    if (this.asking === call) this.asking = undefined;
  }

  private refused(call: string, error: unknown): void {
    this.answered(call);
    if (this.wanted?.call !== call || !(error instanceof RequestError)) return;
    if (error.code === "no_such_call") {
      this.done();
      this.deps.onGone(call);
    }
    if (error.code !== "wrong_state") return;
    // A server that restores the call may learn of a later generation from the other end.
    this.wanted = { call };
    if (this.nudged) this.again(call);
  }
}
