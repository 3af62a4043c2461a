// The signalling WebSocket: opens, says hello, resumes, notices silence, comes back.
import type { Timers } from "./clock";
import type { ClientData, ClientType, RunningCall, ServerMessage, Welcome } from "./messages";
import { parse } from "./parse";
import { Pending, RequestError, type Answer } from "./pending";

/** A WebSocket as this code wants it. */
export interface Socket {
  onOpen: (() => void) | undefined;
  onFrame: ((frame: unknown) => void) | undefined;
  onClose: ((code: number) => void) | undefined;
  send(frame: string): void;
  close(code?: number): void;
}

/** Why a connection does not come back by itself. */
export type StopReason = "signed_out" | "session_ended" | "replaced" | "broken";

export type ConnectionState =
  | { kind: "idle" }
  | { kind: "connecting"; first: boolean }
  | { kind: "online" }
  /** refused: the page loads but the socket does not open, as with certificates that a browser half trusts. */
  | { kind: "away"; attempts: number; refused: boolean }
  | { kind: "stopped"; reason: StopReason };

export interface ConnectionDeps {
  device: string;
  /** Opens a connection; refusals counts those before it that did not open although the server can be reached. */
  open: (refusals: number) => Socket;
  /** Asks over HTTP, after a socket that did not open, what a WebSocket cannot tell. Never rejects. */
  probe: () => Promise<"ok" | "unauthenticated" | "unreachable">;
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
  random: () => number;
  /** The calls whose media runs here. */
  runningCalls: () => RunningCall[];
  onState: (state: ConnectionState) => void;
  onWelcome: (welcome: Welcome) => void;
  onMessage: (message: ServerMessage) => void;
  onProblem: (problem: string) => void;
}

/** How long a socket may take to open and to be welcomed. */
const openTimeoutMs = 8_000;
/** The first pauses between attempts; the last is kept. Each is jittered between half and all of it. */
const pausesMs = [250, 500, 1_000, 2_000, 4_000, 8_000];
const defaultHeartbeatMs = 5_000;
const requestTimeoutMs = 20_000;
/** After a change of network a socket that does not open within so long was too early: the next try. */
const urgentOpenMs = 2_500;
/** One change of network is told several times within so long. */
const togetherMs = 400;
/** A signal of a call that is not answered within so long was written into a dead socket. */
const signalAnswerMs = 3_000;
/** The close code that asks to wait a little longer: the device did not read fast enough. */
const slowCode = 4001;

export class Connection {
  private readonly deps: ConnectionDeps;
  private readonly pending: Pending;
  private socket: Socket | undefined;
  private welcomed = false;
  private everWelcomed = false;
  private stream: string | undefined;
  private lastSeq = 0;
  private heartbeatMs = defaultHeartbeatMs;
  private attempts = 0;
  private refusals = 0;
  private wokenAt = Number.NEGATIVE_INFINITY;
  private urgentUntil = Number.NEGATIVE_INFINITY;
  private silence: number | undefined;
  private retry: number | undefined;
  private stoppedBy: StopReason | undefined;

  constructor(deps: ConnectionDeps) {
    this.deps = deps;
    this.pending = new Pending(deps.timers);
  }

  /** Connects, anew where it is connected; the socket before is not heard any more. */
  start(): void {
    this.stoppedBy = undefined;
    this.attempts = 0;
    this.drop();
    this.connect();
  }

  /** Leaves for good; bye tells the server so that presence knows at once. */
  stop(reason: StopReason): void {
    if (reason === "signed_out" && this.welcomed) this.write("bye", {});
    this.halt(reason);
  }

  /**
   * Called when the network came back or changed, or the page became visible. A
   * socket may look open and be dead after a roam, so a changed network always
   * gets a new one; it resumes the same stream.
   */
  wake(networkChanged: boolean): void {
    if (this.stoppedBy) return;
    if (this.welcomed && !networkChanged) return;
    if (this.socket && !this.welcomed && !networkChanged) return;
    const { now } = this.deps;
    if (networkChanged) {
      if (this.socket && now() - this.wokenAt < togetherMs) return;
      this.wokenAt = now();
      this.urgentUntil = this.wokenAt + openTimeoutMs;
      this.attempts = 0;
    }
    this.drop();
    this.connect();
  }

  /** Sends a request and waits for its answer, across reconnects, for at most timeoutMs. */
  request<T extends ClientType>(
    type: T,
    data: ClientData[T],
    timeoutMs: number = requestTimeoutMs,
  ): Promise<Answer> {
    if (this.stoppedBy) return Promise.reject(new RequestError("stopped"));
    const id = this.pending.nextID();
    const frame = JSON.stringify({ type, id, data });
    return this.pending.add(id, frame, timeoutMs, (f) => {
      if (!this.welcomed) return;
      this.transmit(f);
      if (type === "call.signal") this.listen(signalAnswerMs);
    });
  }

  /** Says something that needs no answer and is worth nothing later. */
  tell<T extends ClientType>(type: T, data: ClientData[T]): void {
    if (this.welcomed) this.write(type, data);
  }

  private connect(): void {
    const { deps } = this;
    deps.timers.clear(this.retry);
    this.welcomed = false;
    if (this.attempts === 0) deps.onState({ kind: "connecting", first: !this.everWelcomed });
    let socket: Socket;
    try {
      socket = deps.open(this.refusals);
    } catch {
      this.lost(1006, false);
      return;
    }
    let opened = false;
    this.socket = socket;
    this.listen(deps.now() < this.urgentUntil ? urgentOpenMs : openTimeoutMs);
    socket.onOpen = () => {
      opened = true;
      this.hello();
    };
    socket.onFrame = (frame) => this.receive(frame);
    socket.onClose = (code) => this.lost(code, opened);
  }

  private hello(): void {
    const { device, runningCalls } = this.deps;
    const resume = this.stream === undefined ? {} : { stream: this.stream, last_seq: this.lastSeq };
    const calls = runningCalls();
    const data: ClientData["hello"] = { device, ...resume, ...(calls.length > 0 ? { calls } : {}) };
    this.transmit(JSON.stringify({ type: "hello", id: this.pending.nextID(), data }));
  }

  private receive(frame: unknown): void {
    this.listen(this.welcomed ? this.heartbeatMs * 2.5 : openTimeoutMs);
    const parsed = parse(frame);
    if ("problem" in parsed) {
      if (parsed.seq !== undefined && parsed.seq > this.lastSeq) this.lastSeq = parsed.seq;
      this.deps.onProblem(parsed.problem);
      return;
    }
    const { message } = parsed;
    if (message.type === "welcome") {
      this.welcome(message.data);
      return;
    }
    if (message.seq !== undefined) {
      if (message.seq <= this.lastSeq) return;
      this.lastSeq = message.seq;
    }
    if (message.type === "ping") this.write("pong", { seq: this.lastSeq });
    if (message.type === "ack" || message.type === "error" || message.type === "text.sent") {
      this.pending.answer(message);
    }
    this.deps.onMessage(message);
  }

  private welcome(welcome: Welcome): void {
    if (!welcome.resumed || welcome.stream !== this.stream) this.lastSeq = 0;
    this.stream = welcome.stream;
    this.heartbeatMs = Math.max(500, welcome.heartbeat_ms);
    this.attempts = 0;
    this.refusals = 0;
    this.welcomed = true;
    this.everWelcomed = true;
    this.listen(this.heartbeatMs * 2.5);
    this.deps.onState({ kind: "online" });
    // First what waited, then what the welcome makes the page ask.
    this.pending.resend((frame) => this.transmit(frame));
    this.deps.onWelcome(welcome);
  }

  /** Starts the wait for the next word of the server anew. */
  private listen(ms: number): void {
    this.deps.timers.clear(this.silence);
    this.silence = this.deps.timers.set(() => {
      this.drop();
      this.lost(1006, this.welcomed);
    }, ms);
  }

  private write<T extends ClientType>(type: T, data: ClientData[T]): void {
    this.transmit(JSON.stringify({ type, data }));
  }

  private transmit(frame: string): void {
    try {
      this.socket?.send(frame);
    } catch {
      // The socket is closing; its close event brings the reconnect.
    }
  }

  /** Lets go of the socket without hearing of it again. */
  private drop(): void {
    const { socket } = this;
    this.deps.timers.clear(this.silence);
    this.socket = undefined;
    if (!socket) return;
    socket.onOpen = socket.onFrame = socket.onClose = undefined;
    try {
      socket.close();
    } catch {
      // It was not open yet; it is not heard any more either way.
    }
  }

  private lost(code: number, opened: boolean): void {
    const wasWelcomed = this.welcomed;
    this.drop();
    this.welcomed = false;
    const reason = stopReason(code);
    if (reason) {
      this.halt(reason);
      return;
    }
    if (code === slowCode) this.attempts = Math.max(this.attempts, 3);
    this.attempts += 1;
    if (wasWelcomed || opened || this.deps.now() < this.urgentUntil) {
      this.away();
      return;
    }
    const attempt = this.attempts;
    void this.deps.probe().then((found) => {
      if (this.stoppedBy || this.socket || this.attempts !== attempt) return;
      if (found === "unauthenticated") {
        this.halt("session_ended");
        return;
      }
      this.refusals = found === "ok" ? this.refusals + 1 : 0;
      this.away();
    });
  }

  private away(): void {
    const pause = pausesMs[Math.min(this.attempts, pausesMs.length) - 1] ?? 0;
    this.deps.onState({ kind: "away", attempts: this.attempts, refused: this.refusals >= 3 });
    this.retry = this.deps.timers.set(() => this.connect(), pause * (0.5 + this.deps.random() / 2));
  }

  private halt(reason: StopReason): void {
    this.stoppedBy = reason;
    this.deps.timers.clear(this.retry);
    this.drop();
    this.welcomed = false;
    this.stream = undefined;
    this.lastSeq = 0;
    this.pending.stop();
    this.deps.onState({ kind: "stopped", reason });
  }
}

/** The reason not to come back that a close code means, if it means that. */
export function stopReason(code: number): StopReason | undefined {
  if (code === 4500) return "session_ended";
  if (code === 4501) return "replaced";
  return code > 4501 && code <= 4999 ? "broken" : undefined;
}
