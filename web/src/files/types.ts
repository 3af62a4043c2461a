import type { ApiCode } from "../protocol/api";

/** The content of a file, of which a part at a time is read. */
export interface Source {
  readonly size: number;
  slice(start: number, end: number): Blob;
}

/** Why a file does not go on: the server's code, or what happened here. */
export type FileProblem =
  | ApiCode
  | "cancelled"
  | "changed" // not the content that it was
  | "unreadable" // this device cannot read it (any more)
  | "no_room" // this device cannot keep it
  | "choose"; // the browser did not keep it over the reload

/** Where a file stands on this device. */
export type FileState =
  | { kind: "unknown" }
  /** Sent by somebody who has not brought it yet; done counts bytes at the server. */
  | { kind: "awaited"; done: number }
  /** Waits for the other device to take it, or for the server to be reached. */
  | { kind: "offered" }
  | { kind: "moving"; way: "direct" | "server"; done: number }
  /** At the server; until is when that forgets it, in Unix milliseconds. */
  | { kind: "kept"; until: number }
  /** On this device, whole. */
  | { kind: "here" }
  /** Gone to the other device directly. */
  | { kind: "given" }
  | { kind: "stopped"; problem: FileProblem };

export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** SHA-256 by the browser itself: quick, and not on the page's own thread. */
export const digest = async (bytes: BufferSource): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
