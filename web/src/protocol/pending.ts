import type { ErrorCode, ServerMessage } from "./messages";
import type { Timers } from "./clock";

/** Why a request was not carried out: the server's code, or what happened on the way to it. */
export type RequestProblem = ErrorCode | "no_answer" | "too_many" | "stopped";

export class RequestError extends Error {
  readonly code: RequestProblem;

  constructor(code: RequestProblem) {
    super(code);
    this.code = code;
  }
}

export type Answer = Extract<ServerMessage, { type: "ack" | "text.sent" | "welcome" }>;

interface Waiting {
  frame: string;
  timer: number;
  resolve: (answer: Answer) => void;
  reject: (error: RequestError) => void;
}

/** More than this many unanswered requests means that something is wrong. */
const maxWaiting = 500;

/** Requests on their way: kept until answered, in order, so that they can be sent again after a reconnect. */
export class Pending {
  private readonly waiting = new Map<string, Waiting>();
  private readonly timers: Timers;
  private count = 0;

  constructor(timers: Timers) {
    this.timers = timers;
  }

  get size(): number {
    return this.waiting.size;
  }

  nextID(): string {
    this.count += 1;
    return String(this.count);
  }

  /** Keeps a request until it is answered or timeoutMs have passed. */
  add(id: string, frame: string, timeoutMs: number, send: (frame: string) => void): Promise<Answer> {
    if (this.waiting.size >= maxWaiting) return Promise.reject(new RequestError("too_many"));
    return new Promise((resolve, reject) => {
      const timer = this.timers.set(() => {
        this.waiting.delete(id);
        reject(new RequestError("no_answer"));
      }, timeoutMs);
      send(frame);
      this.waiting.set(id, { frame, timer, resolve, reject });
    });
  }

  /** Gives an answer to the request it names. An answer to nothing (a late or second one) is dropped. */
  answer(message: ServerMessage): void {
    const waiting = message.re === undefined ? undefined : this.waiting.get(message.re);
    if (!waiting) return;
    this.waiting.delete(message.re!);
    this.timers.clear(waiting.timer);
    if (message.type === "error") waiting.reject(new RequestError(message.data.code));
    else waiting.resolve(message as Answer);
  }

  /** Sends everything unanswered again, oldest first. */
  resend(send: (frame: string) => void): void {
    for (const waiting of this.waiting.values()) send(waiting.frame);
  }

  /** Gives up on everything. */
  stop(): void {
    for (const waiting of this.waiting.values()) {
      this.timers.clear(waiting.timer);
      waiting.reject(new RequestError("stopped"));
    }
    this.waiting.clear();
  }
}
