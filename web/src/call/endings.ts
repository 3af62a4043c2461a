// The calls that ended here. The server may hear of it late and speak of them until then.
import type { ClientData, ClientType } from "../protocol/messages";
import { RequestError } from "../protocol/pending";
import type { Keep } from "./types";

export interface EndingsDeps {
  request: <T extends ClientType>(type: T, data: ClientData[T]) => Promise<unknown>;
  /** A reload must not bring back what ended before it. */
  kept: Keep;
  onProblem: (problem: string) => void;
}

/** The server forgets a call soon after its end; nobody ends so many meanwhile. */
const maxKept = 32;
const key = "ended";

export class Endings {
  private readonly deps: EndingsDeps;
  /** By the call's name: whether the person wanted the end. */
  private readonly over: Map<string, boolean>;
  private readonly telling = new Set<string>();

  constructor(deps: EndingsDeps) {
    this.deps = deps;
    this.over = restore(deps.kept.get(key));
  }

  add(call: string, wanted: boolean): void {
    this.over.delete(call);
    this.over.set(call, wanted);
    for (const oldest of this.over.keys()) {
      if (this.over.size <= maxKept) break;
      this.over.delete(oldest);
    }
    this.keep();
  }

  /** The call is brought here again. */
  forget(call: string): void {
    if (this.over.delete(call)) this.keep();
  }

  hangUp(call: string, reason?: "failed"): void {
    this.tell(call, "call.hangup", reason === undefined ? { call } : { call, reason });
  }

  decline(call: string): void {
    this.tell(call, "call.decline", { call });
  }

  cancel(call: string): void {
    this.tell(call, "call.cancel", { call }, (error) => {
      // It was answered in the same moment.
      if (error instanceof RequestError && error.code === "wrong_state") this.hangUp(call);
    });
  }

  /**
   * Whether a call that the server speaks of is over here, in which case the server
   * is told again. One that could not be answered and rings on may be answered again.
   */
  refuses(call: string, ringsHere: boolean): boolean {
    const wanted = this.over.get(call);
    if (wanted === undefined) return false;
    if (!ringsHere) {
      this.hangUp(call);
    } else if (wanted) {
      this.decline(call);
    } else {
      this.forget(call);
      return false;
    }
    return true;
  }

  /** Says so once at a time; what waits for the server is sent when it is back. */
  private tell<T extends ClientType>(
    call: string,
    type: T,
    data: ClientData[T],
    refused: (error: unknown) => void = () => undefined,
  ): void {
    if (this.telling.has(call)) return;
    this.telling.add(call);
    this.deps.request(type, data).then(
      () => this.telling.delete(call),
      (error: unknown) => {
        this.telling.delete(call);
        this.deps.onProblem(`${type}: ${String(error)}`);
        refused(error);
      },
    );
  }

  private keep(): void {
    this.deps.kept.set(key, JSON.stringify([...this.over]));
  }
}

function restore(json: string | undefined): Map<string, boolean> {
  try {
    const entries = JSON.parse(json ?? "[]") as [string, boolean][];
    return new Map(entries.slice(-maxKept).map(([call, wanted]) => [String(call), wanted === true]));
  } catch {
    return new Map();
  }
}
