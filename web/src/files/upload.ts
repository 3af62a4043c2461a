// Brings a file to the server, chunk by chunk, across cuts and restarts.
import { ApiError } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import { rightOffset, type FileApi } from "../protocol/fileApi";
import type { FileInfo } from "../protocol/texts";
import { base64, digest, type FileProblem, type Source } from "./types";

export interface UploadDeps {
  api: Pick<FileApi, "create" | "write" | "status">;
  info: FileInfo;
  chat: string;
  source: Source;
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
  onProgress: (done: number) => void;
}

const firstChunk = 128 << 10;
const leastChunk = 16 << 10;
/** A chunk should take about so long: short enough for a slow link's timeout, long enough to be worth a request. */
const quickMs = 700;
const slowMs = 4_000;
const pausesMs = [500, 1_000, 2_000, 4_000, 8_000];
const mostDamaged = 4;

/** Refusals that a little time may cure. */
const passing: readonly string[] = [
  "unreachable",
  "rate_limited",
  "busy",
  "store_unavailable",
  "too_many_connections",
  "internal",
];
const mostInternal = 5;

export class Upload {
  private readonly deps: UploadDeps;
  private readonly abort = new AbortController();
  private wake: (() => void) | undefined;
  private chunk = firstChunk;
  private failures = 0;
  private damaged = 0;
  private internal = 0;

  constructor(deps: UploadDeps) {
    this.deps = deps;
  }

  cancel(): void {
    this.abort.abort();
    this.wake?.();
  }

  /** The network came back: do not wait any longer. */
  hurry(): void {
    this.failures = 0;
    this.wake?.();
  }

  /** Runs until the server has all of it, and tells when that forgets it. */
  async run(): Promise<{ until: number } | { problem: FileProblem }> {
    for (;;) {
      try {
        return await this.attempt();
      } catch (error) {
        if (this.abort.signal.aborted) return { problem: "cancelled" };
        if (!(error instanceof ApiError)) return { problem: "unreadable" };
        const problem = this.judge(error);
        if (problem) return { problem };
        await this.pause(error.retryAfter);
        if (this.abort.signal.aborted) return { problem: "cancelled" };
      }
    }
  }

  /** From what the server has to the end, or to the next error. */
  private async attempt(): Promise<{ until: number }> {
    const { api, info, chat } = this.deps;
    const begun = await api.create(info, chat);
    let { offset, complete } = begun;
    this.deps.onProgress(offset);
    while (!complete) {
      if (this.abort.signal.aborted) throw new ApiError("unreachable");
      ({ offset, complete } = await this.send(offset, begun.chunk_bytes));
      this.failures = this.damaged = this.internal = 0;
      this.deps.onProgress(offset);
    }
    const { expires_at } = await api.status(info.file);
    return { until: expires_at };
  }

  private async send(offset: number, most: number): Promise<{ offset: number; complete: boolean }> {
    const { api, info, source, now } = this.deps;
    const part = source.slice(offset, Math.min(source.size, offset + Math.min(this.chunk, most)));
    const content = await part.arrayBuffer();
    if (content.byteLength === 0 && offset < source.size) throw new Error("the file is cut");
    const sum = base64(await digest(content));
    const began = now();
    try {
      const answer = await api.write(info.file, offset, part, sum, this.abort.signal);
      const took = now() - began;
      if (took < quickMs) this.chunk = Math.min(this.chunk * 2, most);
      else if (took > slowMs) this.chunk = Math.max(this.chunk / 2, leastChunk);
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // An answer that was lost: the server has the chunk and says where it stands.
      const right = error.code === "wrong_offset" ? rightOffset(error) : undefined;
      if (right !== undefined && right <= source.size) return { offset: right, complete: false };
      if (error.code === "unreachable") this.chunk = Math.max(this.chunk / 4, leastChunk);
      throw error;
    }
  }

  /** Why it cannot go on; undefined to try again. */
  private judge(error: ApiError): FileProblem | undefined {
    if (error.code === "wrong_checksum")
      return (this.damaged += 1) < mostDamaged ? undefined : "wrong_checksum";
    if (error.code === "internal" && (this.internal += 1) >= mostInternal) return "internal";
    return passing.includes(error.code) ? undefined : error.code;
  }

  private async pause(seconds: number | undefined): Promise<void> {
    const { timers } = this.deps;
    const ms = pausesMs[Math.min(this.failures, pausesMs.length - 1)]!;
    this.failures += 1;
    let timer: number | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = timers.set(resolve, seconds === undefined ? ms : seconds * 1000);
    });
    timers.clear(timer);
    this.wake = undefined;
  }
}
