// The short authentication string: what both ends of a connection compare by voice, made
// out of the DTLS fingerprints (RFC 8122) so that it differs when somebody sits in between.
import { signal } from "@preact/signals";
import type { Check, Payload, Role } from "../protocol/messages";

/** Four numbers of 0 to 255, each naming a word, and six digits, the same thing for any language. */
export interface Sas {
  words: readonly number[];
  digits: string;
}

export type SasState =
  | { kind: "none" } // not connected, or the browser cannot
  | { kind: "waiting" } // the other end has not answered; one that does not know this never does
  | { kind: "ready"; sas: Sas }
  | { kind: "forged" }; // the other end broke its commitment, or has become another one

export interface SasDeps {
  /** Undefined on a page that is not secure. */
  digest: ((text: string) => Promise<Uint8Array>) | undefined;
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
}

type Descriptions = Pick<RTCPeerConnection, "localDescription" | "remoteDescription">;

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The fingerprints of one description, in one way of writing; empty where it has none. */
export function fingerprints(sdp: string): string {
  const found = new Set<string>();
  for (const [, name, value] of sdp.matchAll(/^a=fingerprint:(\S+)[ \t]+([0-9A-Fa-f:]+)\s*$/gm))
    found.add(`${name!.toLowerCase()} ${value!.toUpperCase()}`);
  return [...found].sort().join(",");
}

/** Both ends' fingerprints, in the same order at either; undefined before both are known. */
export function bothFingerprints({ localDescription, remoteDescription }: Descriptions): string | undefined {
  const ends = [localDescription, remoteDescription].map((each) => fingerprints(each?.sdp ?? ""));
  return ends.includes("") ? undefined : ends.sort().join("\n");
}

export function sasOf(hash: Uint8Array): Sas {
  const number = hash.slice(4, 10).reduce((sum, byte) => sum * 256 + byte, 0);
  return { words: [...hash.slice(0, 4)], digits: String(number % 1_000_000).padStart(6, "0") };
}

/** The exchange of one connection (PROTOCOL.md, call.signal). */
export class SasExchange {
  readonly state = signal<SasState>({ kind: "none" });
  private readonly deps: SasDeps;
  private readonly role: Role;
  private readonly pc: () => Descriptions | undefined;
  private readonly send: (payload: Payload) => Promise<unknown>;
  private readonly own: string;
  /** Of both ends, as they were when this end first spoke. */
  private prints: string | undefined;
  private commit: string | undefined;
  private nonce: string | undefined;
  /** What the server could not take yet. */
  private unsent: Check | undefined;
  private closed = false;

  constructor(
    deps: SasDeps,
    role: Role,
    pc: () => Descriptions | undefined,
    send: (payload: Payload) => Promise<unknown>,
  ) {
    this.deps = deps;
    this.role = role;
    this.pc = pc;
    this.send = send;
    this.own = hex(deps.random(new Uint8Array(32)));
  }

  /** Call it when something of the connection has changed, and each second. */
  async look(): Promise<void> {
    if (this.closed) return;
    if (this.unsent) await this.say(this.unsent);
    const pc = this.pc();
    const prints = pc && bothFingerprints(pc);
    if (prints === undefined || !this.deps.digest) return;
    if (this.prints !== undefined) {
      // A certificate is for one connection: after the comparison nobody else may take its place.
      if (prints !== this.prints) this.state.value = { kind: "forged" };
      return;
    }
    this.prints = prints;
    this.state.value = { kind: "waiting" };
    if (this.role === "offerer") await this.say({ commit: await this.commitment(this.own) });
    else if (this.commit !== undefined) await this.say({ nonce: this.own });
  }

  /** Takes what the other end said; the first of each kind counts. */
  async receive({ commit, nonce }: Check): Promise<void> {
    await this.look();
    if (this.role === "answerer") {
      if (commit !== undefined && this.commit === undefined) {
        this.commit = commit;
        if (this.prints !== undefined) await this.say({ nonce: this.own });
      }
      if (nonce === undefined || this.nonce !== undefined || this.commit === undefined) return;
      this.nonce = nonce;
      const kept = (await this.commitment(nonce)) === this.commit;
      if (kept) await this.ready(nonce, this.own);
      else if (!this.closed) this.state.value = { kind: "forged" };
      return;
    }
    if (nonce === undefined || this.nonce !== undefined || this.prints === undefined) return;
    this.nonce = nonce;
    await this.say({ nonce: this.own });
    await this.ready(this.own, nonce);
  }

  close(): void {
    this.closed = true;
    this.state.value = { kind: "none" };
  }

  private async ready(offerer: string, answerer: string): Promise<void> {
    const hash = await this.hash(`fieldphone check 1 words\n${this.prints}\n${offerer}\n${answerer}`);
    if (!this.closed && this.state.value.kind === "waiting")
      this.state.value = { kind: "ready", sas: sasOf(hash) };
  }

  private async commitment(nonce: string): Promise<string> {
    return hex(await this.hash(`fieldphone check 1 commit\n${this.prints}\n${nonce}`));
  }

  private hash(text: string): Promise<Uint8Array> {
    return this.deps.digest?.(text) ?? Promise.reject(new Error("no digest on this page"));
  }

  private async say(check: Check): Promise<void> {
    this.unsent = undefined;
    try {
      await this.send({ check });
    } catch {
      this.unsent = check;
    }
  }
}
