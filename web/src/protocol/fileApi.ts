// Files by way of the server (httpapi/openapi.yaml, /api/v1/files).
import { ApiError, refusal, type Api } from "./api";
import type { FileInfo } from "./texts";

export interface FileStatus {
  /** How much of it is there, in bytes. */
  offset: number;
  size: number;
  complete: boolean;
  /** Unix milliseconds. */
  expires_at: number;
}

export interface Upload {
  offset: number;
  chunk_bytes: number;
  complete: boolean;
  expires_at: number;
}

/** A chunk that takes longer than the server waits for one is sent again, smaller. */
const chunkTimeoutMs = 14_000;
const readTimeoutMs = 60_000;

export const fileURL = (file: string): string => `/api/v1/files/${encodeURIComponent(file)}`;

export class FileApi {
  private readonly api: Api;

  constructor(api: Api) {
    this.api = api;
  }

  create({ file, kind, name, type, size }: FileInfo, chat: string): Promise<Upload> {
    return this.api.call("POST", "files", { file, kind, name, type, size, chat });
  }

  status(file: string): Promise<FileStatus> {
    return this.api.call("GET", `files/${encodeURIComponent(file)}/offset`);
  }

  async remove(file: string): Promise<void> {
    await this.api.call("DELETE", `files/${encodeURIComponent(file)}`);
  }

  /** Part of a file that is complete. Throws nothing but an ApiError. */
  async read(file: string, offset: number, length: number): Promise<ArrayBuffer> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), readTimeoutMs);
    try {
      const response = await this.api.fetch(fileURL(file), {
        method: "GET",
        credentials: "same-origin",
        headers: { Range: `bytes=${offset}-${offset + length - 1}` },
        signal: abort.signal,
      });
      if (response.status !== 206) throw await refusal(response);
      const part = await response.arrayBuffer();
      if (part.byteLength !== length) throw new ApiError("unreachable");
      return part;
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError("unreachable");
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Adds a chunk; digest is its SHA-256 in base64. Throws nothing but an ApiError. A Blob, since
   * Chromium sends one four times as fast as an ArrayBuffer.
   */
  async write(
    file: string,
    offset: number,
    chunk: Blob,
    digest: string,
    signal: AbortSignal,
  ): Promise<{ offset: number; complete: boolean }> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    const timer = setTimeout(stop, chunkTimeoutMs);
    signal.addEventListener("abort", stop);
    try {
      const response = await this.api.fetch(fileURL(file), {
        method: "PATCH",
        credentials: "same-origin",
        headers: {
          "Content-Type": "application/octet-stream",
          "Upload-Offset": String(offset),
          "Content-Digest": `sha-256=:${digest}:`,
        },
        body: chunk,
        signal: abort.signal,
      });
      if (!response.ok) throw await refusal(response);
      return (await response.json()) as { offset: number; complete: boolean };
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError("unreachable");
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }
}

/** Where the content goes on, as a wrong_offset says. */
export function rightOffset(error: ApiError): number | undefined {
  const { offset } = (error.answer as { error?: { offset?: unknown } } | undefined)?.error ?? {};
  return typeof offset === "number" && offset >= 0 ? offset : undefined;
}
