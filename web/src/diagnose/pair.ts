// Tests the ways between this device and another one, each on a connection of its own.
import type { Leg, LegCode, PathPayload, Role, Transport } from "../protocol/messages";
import { close, within, type Env, type Plan } from "./env";
import { codeOf, leftOut, legLimitMs, targetOf, type GatherError } from "./gather";
import { lossy, Meter, reflect, run } from "./meter";
import { dataOf, shortfall } from "./throughput";

export interface PairDeps extends Env {
  role: Role;
  transports: readonly Transport[];
  plan: Plan;
  /** Sends to the other device; rejects when the server did not pass it on. */
  send: (payload: PathPayload) => Promise<unknown>;
}

const load = { count: 50, everyMs: 20, size: 200, echoEvery: 1 };
/** The offerer is over with one transport after so long; the answerer waits a little longer. */
const idleMs = 15_000;
/** When a transport is done, the offer of the next one, if there is one, is on its way. */
const nextMs = 2_000;
/** The server forgets the test soon after. */
const lifeMs = 85_000;
const maxWaiting = 32;

const planned = {
  direct: "stun",
  relay_udp: "turn_udp",
  relay_tcp: "turn_tcp",
  relay_tls: "turn_tls",
  relay_https: "turn_https",
} as const;

/** One transport's connection, at either end. */
interface End {
  transport: Transport;
  pc: RTCPeerConnection;
  /** Candidates that came before the description. */
  waiting: RTCIceCandidateInit[];
  answered: boolean;
  own: string[];
  complete: boolean;
  /** Called when the browser has no candidate and will have none. */
  nothing: () => void;
  errors: GatherError[];
}

export class PairTest {
  private readonly deps: PairDeps;
  private readonly startedAt: number;
  private queue: Promise<void> = Promise.resolve();
  private end: End | undefined;
  /** The server did not pass on what was sent. */
  private cut = false;
  private idle: number | undefined;
  private over: (() => void) | undefined;

  constructor(deps: PairDeps) {
    this.deps = deps;
    this.startedAt = deps.now();
  }

  /** The offerer gives the legs; the answerer answers until there is nothing more. */
  async run(): Promise<Leg[]> {
    const legs: Leg[] = [];
    if (this.deps.role === "answerer") await this.answerAll();
    else for (const transport of this.deps.transports) legs.push(await this.offer(transport));
    this.drop();
    return legs;
  }

  /** Another test has begun. */
  stop(): void {
    this.cut = true;
    this.over?.();
    this.drop();
  }

  /** Takes what the other device sent, in its order. */
  receive(payload: PathPayload): void {
    this.stillHere();
    this.queue = this.queue.then(() => this.take(payload)).catch(() => undefined);
  }

  private async take({ transport, description, candidate }: PathPayload): Promise<void> {
    if (description?.type === "offer" && this.deps.role === "answerer")
      await this.answer(transport, description);
    const { end } = this;
    if (end?.transport !== transport) return;
    if (description?.type === "answer" && this.deps.role === "offerer" && !end.answered) {
      end.answered = true;
      await end.pc.setRemoteDescription(description);
      for (const each of end.waiting.splice(0)) await this.add(end, each);
    }
    if (!candidate || !fits(transport, candidate.candidate)) return;
    if (end.answered) await this.add(end, candidate);
    else if (end.waiting.length < maxWaiting) end.waiting.push(candidate);
  }

  private async offer(transport: Transport): Promise<Leg> {
    const leg = `pair_${transport}` as const;
    const servers = this.servers(transport);
    if (!servers || this.spent) return { leg, state: "skipped" };
    const target = transport === "direct" ? undefined : targetOf(String(servers[0]!.urls));
    const { deps } = this;
    const start = deps.now();
    const end = this.open(transport, servers);
    const channel = end.pc.createDataChannel("pair", lossy);
    await within(deps.timers, legLimitMs, (done) => {
      channel.onopen = end.nothing = done;
      void this.describe(end, "offer").catch(done);
    });
    const ms = Math.round(deps.now() - start);
    const more = { ms, ...(target === undefined ? {} : { target }) };
    if (channel.readyState !== "open") {
      const code = this.why(end);
      if (leftOut(String(servers[0]?.urls), code))
        return { leg, state: "skipped", code: "unsupported", ...more };
      return { leg, state: "failed", code, ...more, ...(onlyNames(end.own) ? { data: { mdns: 1 } } : {}) };
    }
    const measured = await run(deps, channel, load, new Meter(), "there");
    const code = shortfall(measured);
    const data = { ...dataOf(measured), ...(onlyNames(end.own) ? { mdns: 1 } : {}) };
    return code ? { leg, state: "slow", code, ...more, data } : { leg, state: "ok", ...more, data };
  }

  private why(end: End): LegCode {
    if (end.complete && end.own.length === 0) return codeOf({ ...end, found: [], ms: 0 });
    return this.cut || !end.answered ? "peer_gone" : "timeout";
  }

  private async answerAll(): Promise<void> {
    const { timers } = this.deps;
    await within(timers, lifeMs, (done) => {
      this.over = done;
      this.stillHere();
    });
    this.over = undefined;
    timers.clear(this.idle);
  }

  private stillHere(ms = idleMs): void {
    if (!this.over) return;
    this.deps.timers.clear(this.idle);
    this.idle = this.deps.timers.set(() => this.over?.(), ms);
  }

  private async answer(transport: Transport, offer: RTCSessionDescriptionInit): Promise<void> {
    const servers = this.servers(transport);
    if (!servers || !this.deps.transports.includes(transport)) return;
    const end = this.open(transport, servers);
    end.pc.ondatachannel = ({ channel }) => {
      reflect(channel, () => undefined);
      channel.onclose = () => {
        if (end === this.end) this.stillHere(nextMs);
      };
    };
    end.answered = true;
    await end.pc.setRemoteDescription(offer);
    await this.describe(end, "answer");
  }

  /** Opens the connection of a transport; the one before is over. */
  private open(transport: Transport, iceServers: RTCIceServer[]): End {
    this.drop();
    const { deps } = this;
    const start = deps.now();
    const policy = transport === "direct" ? "all" : "relay";
    const pc = deps.newPeer({ iceServers, iceTransportPolicy: policy });
    const end: End = {
      transport,
      pc,
      waiting: [],
      answered: false,
      own: [],
      complete: false,
      nothing: () => undefined,
      errors: [],
    };
    pc.onicecandidate = ({ candidate }) => {
      if (!candidate) {
        end.complete = true;
        if (end.own.length === 0) end.nothing();
      }
      if (!candidate?.candidate || !fits(transport, candidate.candidate)) return;
      end.own.push(candidate.candidate);
      const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
      this.send({
        transport,
        candidate: { candidate: candidate.candidate, sdpMid, sdpMLineIndex, usernameFragment },
      });
    };
    pc.onicecandidateerror = (event) => {
      const { errorCode: code, errorText: text } = event;
      end.errors.push({ code, text, ms: deps.now() - start });
    };
    this.end = end;
    return end;
  }

  private async describe(end: End, type: "offer" | "answer"): Promise<void> {
    const { pc, transport } = end;
    const made = type === "offer" ? await pc.createOffer() : await pc.createAnswer();
    const description = { type, sdp: made.sdp ?? "" };
    // Before the candidates, which setLocalDescription brings.
    this.send({ transport, description });
    await pc.setLocalDescription(description);
  }

  private async add(end: End, candidate: RTCIceCandidateInit): Promise<void> {
    // Of a kind that this browser does not know; the others may do.
    await end.pc.addIceCandidate(candidate).catch(() => undefined);
  }

  private send(payload: PathPayload): void {
    this.deps.send(payload).catch(() => (this.cut = true));
  }

  private servers(transport: Transport): RTCIceServer[] | undefined {
    const { legs, username, credential } = this.deps.plan;
    const url = legs.find(({ leg }) => leg === planned[transport])?.url;
    if (transport === "direct") return url === undefined ? [] : [{ urls: url }];
    return url === undefined ? undefined : [{ urls: url, username, credential }];
  }

  private get spent(): boolean {
    return this.cut || this.deps.now() - this.startedAt > lifeMs - legLimitMs;
  }

  private drop(): void {
    close(this.end?.pc);
    this.end = undefined;
  }
}

/** Whether a candidate belongs to a transport: what is direct has no relay. */
const fits = (transport: Transport, candidate: string): boolean =>
  / typ relay( |$)/.test(candidate) === (transport !== "direct");

/** Whether all own addresses are mDNS names, which not every network resolves. */
const onlyNames = (candidates: string[]): boolean =>
  candidates.length > 0 && candidates.every((candidate) => /^\S+ \d \S+ \d+ \S+\.local /.test(candidate));
