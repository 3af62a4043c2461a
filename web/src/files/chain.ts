// What stands for the content of a file up to a part (PROTOCOL.md, "The data channel").
//
// The browser's own SHA-256 takes a part at a time and cannot go on with the next one, so
// the parts are chained. A library that can would work on the page's own thread, which is
// slow on phones, and would find damage only at the end.
import { digest, type Source } from "./types";

export const partBytes = 1 << 20;

export type Bytes = Uint8Array<ArrayBuffer>;

export const partsOf = (size: number): number => Math.ceil(size / partBytes);

/** The chain after one more part with this sum. */
export async function link(before: Bytes, sum: Bytes): Promise<Bytes> {
  const both = new Uint8Array(before.length + sum.length);
  both.set(before);
  both.set(sum, before.length);
  return digest(both);
}

export async function readPart(source: Source, at: number): Promise<ArrayBuffer> {
  return source.slice(at, Math.min(source.size, at + partBytes)).arrayBuffer();
}

/** The chains of a file as far as they have been worked out: the one after each part. */
export class Chains {
  private readonly known: Bytes[] = [];
  private readonly source: Source;

  constructor(source: Source) {
    this.source = source;
  }

  /** The chain after so many parts. */
  async after(parts: number): Promise<Bytes> {
    while (this.known.length < parts) {
      const part = await readPart(this.source, this.known.length * partBytes);
      await this.add(this.known.length, await digest(part));
    }
    return parts === 0 ? new Uint8Array(0) : this.known[parts - 1]!;
  }

  /** Takes the sum of a part that has been read; the ones before it are known. */
  async add(part: number, sum: Bytes): Promise<Bytes> {
    if (part < this.known.length) return this.known[part]!;
    const chain = await link(part === 0 ? new Uint8Array(0) : this.known[part - 1]!, sum);
    this.known[part] = chain;
    return chain;
  }
}
