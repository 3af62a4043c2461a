// One RTCPeerConnection from its start to its close: the media of one call and generation.
import type { IceServers } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import type { CandidateType, Payload, Role } from "../protocol/messages";
import { Flow, type Thrift } from "./flow";
import { Nominated } from "./nominated";
import { tuneOpus } from "./opus";
import { PassedOver } from "./passedOver";
import { readPath } from "./path";
import { Recovery, type LinkState } from "./recovery";
import type { Kind, Path } from "./types";

export type Tracks = Partial<Record<Kind, MediaStreamTrack>>;

export interface LinkDeps {
  role: Role;
  relayOnly: boolean;
  /** What is sent now; asked whenever a sender is set up. */
  tracks: () => Tracks;
  thrift: () => Thrift;
  newPeer: (config: RTCConfiguration) => RTCPeerConnection;
  newStream: () => MediaStream;
  fetchIce: () => Promise<IceServers>;
  /** Sends to the other end; rejects when the server did not pass it on. */
  send: (payload: Payload) => Promise<unknown>;
  /** Whether the server can be reached; a restart without it would only wait. */
  signalling: () => boolean;
  timers: Timers;
  now: () => number;
  onTrack: (track: MediaStreamTrack) => void;
  onChange: () => void;
  onProblem: (problem: string) => void;
}

const tickMs = 500;
/** After so long without a connection it is worth saying that the relay is tried. */
const relayHintMs = 2_000;
const iceAttempts = 3;
const kinds: readonly Kind[] = ["audio", "video"];

export class Link {
  pc: RTCPeerConnection | undefined;
  path: Path | undefined;
  readonly flow: Flow;
  private readonly nominated: Nominated;
  private readonly passedOver = new PassedOver();
  private readonly deps: LinkDeps;
  private recovery: Recovery;
  private senders: Partial<Record<Kind, RTCRtpSender>> = {};
  private candidates: RTCIceCandidateInit[] = [];
  private queue: Promise<void> = Promise.resolve();
  /** As offerer: how many offers were made. As answerer: the last one that came. */
  private offers = 0;
  private relayFound = false;
  private restartWanted = false;
  /** A restart waits for its turn; what asks for one meanwhile gets that. */
  private restarting = false;
  private closed = false;
  private ticker: number | undefined;

  constructor(deps: LinkDeps) {
    this.deps = deps;
    this.recovery = new Recovery(deps.now());
    this.nominated = new Nominated(deps.send);
    this.flow = new Flow({ ...deps, sender: (kind) => this.senders[kind] });
  }

  /**
   * Makes the connection once ready is done (own devices must have been asked for
   * before); the offerer then offers. What the other end sends meanwhile waits.
   */
  start(ready: Promise<void>): void {
    this.enqueue(async () => {
      await ready;
      const ice = await this.iceServers();
      if (this.closed) return;
      const pc = this.deps.newPeer({
        iceServers: ice?.iceServers ?? [],
        iceTransportPolicy: this.deps.relayOnly ? "relay" : "all",
        bundlePolicy: "max-bundle",
      });
      this.pc = pc;
      // The time that the person took to allow the camera is not the network's.
      this.recovery = new Recovery(this.deps.now());
      this.listenTo(pc);
      this.tick();
      if (this.deps.role === "offerer") {
        const tracks = this.deps.tracks();
        // Both kinds from the start, with or without a device: a camera or screen that
        // comes later then needs no new offer.
        for (const kind of kinds) this.adopt(kind, pc.addTransceiver(tracks[kind] ?? kind), tracks);
        await this.offer(pc, false);
      }
    });
  }

  /** Takes what the other end sent, in its order. */
  receive(payload: Payload): void {
    if (payload.restart) {
      // An offer on its way to them, made since the one they speak of, is what they ask for.
      const madeSince = payload.offer !== undefined && this.offers > payload.offer;
      if (this.deps.role === "offerer" && !madeSince) this.restart();
      return;
    }
    this.flow.receive(payload);
    this.nominated.receive(payload);
    this.enqueue(async () => {
      const { pc } = this;
      if (!pc) return;
      if (payload.description) await this.describe(pc, payload.description, payload.offer);
      if (payload.candidate) await this.candidate(pc, payload.candidate);
    });
  }

  /** Sends another track, or none, without a new offer. */
  async replace(kind: Kind, track: MediaStreamTrack | null): Promise<void> {
    await this.senders[kind]?.replaceTrack(track);
  }

  networkChanged(): void {
    if (this.pc && this.recovery.networkChanged(this.deps.now())) this.restart();
  }

  /**
   * The server, or the other end at it, can be reached again: make the restart
   * that had to wait. A server that was restarted knows no relayed paths any more.
   */
  signallingBack(serverRestarted: boolean): void {
    if (!this.pc) return;
    this.nominated.forget();
    const broken = this.state !== "connected" || (serverRestarted && this.path?.relay === true);
    if (this.restartWanted || broken) this.restart();
  }

  /** What the other end says of its own candidate. */
  get theirs(): CandidateType | undefined {
    return this.nominated.theirs;
  }

  get state(): LinkState {
    return this.recovery.state(this.deps.now(), this.pc?.connectionState ?? "new");
  }

  /** Seconds that the present try has lasted. */
  get trying(): number {
    return Math.floor(this.recovery.trying(this.deps.now()) / 1000);
  }

  get tryingRelay(): boolean {
    if (this.state === "connected") return false;
    return this.deps.relayOnly || (this.relayFound && this.recovery.trying(this.deps.now()) >= relayHintMs);
  }

  close(): void {
    this.closed = true;
    this.deps.timers.clear(this.ticker);
    const { pc } = this;
    this.pc = undefined;
    if (!pc) return;
    pc.onicecandidate = pc.ontrack = pc.onconnectionstatechange = null;
    pc.close();
  }

  private send(payload: Payload): void {
    this.deps.send(payload).catch(() => (this.restartWanted = true));
  }

  /** One thing after the other: descriptions and candidates must not overtake. */
  private enqueue(operation: () => Promise<void>): void {
    this.queue = this.queue.then(async () => {
      if (this.closed) return;
      try {
        await operation();
      } catch (error) {
        if (!this.closed) this.deps.onProblem(String(error));
      }
    });
  }

  private listenTo(pc: RTCPeerConnection): void {
    pc.onicecandidate = ({ candidate }) => {
      if (!candidate || candidate.candidate === "") return;
      if (/ typ relay /.test(candidate.candidate)) this.relayFound = true;
      const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
      this.send({
        candidate: { candidate: candidate.candidate, sdpMid, sdpMLineIndex, usernameFragment },
      });
    };
    pc.ontrack = ({ track }) => this.deps.onTrack(track);
    pc.onconnectionstatechange = () => void this.look();
  }

  private tick(): void {
    this.ticker = this.deps.timers.set(() => {
      this.tick();
      void this.look();
    }, tickMs);
  }

  private async look(): Promise<void> {
    const { pc } = this;
    if (!pc) return;
    let heard = 0;
    let passesDirect = false;
    try {
      const stats = await pc.getStats();
      const report = readPath(stats, this.theirs);
      heard = report.heard;
      passesDirect = this.passedOver.look(stats) && report.path?.relay === true;
      if (report.path) this.path = report.path;
      if (this.state === "connected") this.nominated.tell(report.path?.local);
      if (this.state === "connected") this.flow.look(stats);
      else this.flow.lost();
    } catch {
      // Closed meanwhile.
    }
    if (this.closed) return;
    const health = { connection: pc.connectionState, heard, passesDirect };
    if (this.recovery.check(this.deps.now(), health)) this.restart();
    this.deps.onChange();
  }

  /** Looks for a new way (ICE restart, RFC 8445 section 2.4): the offerer does it, the answerer asks for it. */
  private restart(): void {
    if (!this.deps.signalling()) {
      this.restartWanted = true;
      return;
    }
    this.restartWanted = false;
    this.recovery.restarted(this.deps.now());
    if (this.deps.role === "answerer") {
      this.send({ restart: true, offer: this.offers });
      return;
    }
    if (this.restarting) return;
    this.restarting = true;
    this.enqueue(async () => {
      try {
        const { pc } = this;
        if (!pc || pc.signalingState === "closed") return;
        await this.refresh(pc);
        await this.offer(pc, true);
      } finally {
        this.restarting = false;
      }
    });
  }

  private async offer(pc: RTCPeerConnection, iceRestart: boolean): Promise<void> {
    const { type, sdp } = await pc.createOffer({ iceRestart });
    await pc.setLocalDescription({ type, sdp });
    this.offers += 1;
    this.send({ description: { type: "offer", sdp: sdp ?? "" }, offer: this.offers });
  }

  private async describe(
    pc: RTCPeerConnection,
    description: NonNullable<Payload["description"]>,
    offer: number | undefined,
  ): Promise<void> {
    if (description.type === "answer") {
      // An answer to an offer that has been made anew since.
      if (pc.signalingState !== "have-local-offer" || (offer ?? this.offers) !== this.offers) return;
      await pc.setRemoteDescription(this.tuned(description));
      await this.flush(pc);
      return;
    }
    if (this.deps.role !== "answerer") return;
    this.offers = offer ?? this.offers;
    if (pc.remoteDescription) await this.refresh(pc);
    await pc.setRemoteDescription(this.tuned(description));
    const tracks = this.deps.tracks();
    for (const transceiver of pc.getTransceivers()) {
      const kind = transceiver.receiver.track.kind as Kind;
      if (this.senders[kind]) continue;
      transceiver.direction = "sendrecv";
      await transceiver.sender.replaceTrack(tracks[kind] ?? null);
      this.adopt(kind, transceiver, tracks);
    }
    const answer = await pc.createAnswer();
    await pc.setLocalDescription(answer);
    this.send({ description: { type: "answer", sdp: answer.sdp ?? "" }, offer });
    await this.flush(pc);
  }

  private tuned({ type, sdp }: NonNullable<Payload["description"]>): RTCSessionDescriptionInit {
    return { type, sdp: tuneOpus(sdp, !this.deps.thrift().saveData) };
  }

  private adopt(kind: Kind, transceiver: RTCRtpTransceiver, tracks: Tracks): void {
    const { sender } = transceiver;
    this.senders[kind] = sender;
    // One stream for both, so that the other end keeps lips and voice together.
    const stream = this.deps.newStream();
    for (const each of kinds) if (tracks[each]) stream.addTrack(tracks[each]);
    if (typeof sender.setStreams === "function") sender.setStreams(stream);
  }

  private async candidate(pc: RTCPeerConnection, candidate: RTCIceCandidateInit): Promise<void> {
    if (!pc.remoteDescription) {
      this.candidates.push(candidate);
      return;
    }
    try {
      await pc.addIceCandidate(candidate);
    } catch (error) {
      // Of an ICE generation that is over, or of a kind this browser does not know; the others may do.
      this.deps.onProblem(`candidate: ${String(error)}`);
    }
  }

  private async flush(pc: RTCPeerConnection): Promise<void> {
    for (const candidate of this.candidates.splice(0)) await this.candidate(pc, candidate);
  }

  /** Credentials last as long as a session; what gathers again needs fresh ones. */
  private async refresh(pc: RTCPeerConnection): Promise<void> {
    const ice = await this.iceServers();
    if (!ice || this.closed) return;
    pc.setConfiguration({ ...pc.getConfiguration(), iceServers: ice.iceServers });
  }

  private async iceServers(): Promise<IceServers | undefined> {
    for (let attempt = 1; attempt <= iceAttempts && !this.closed; attempt += 1) {
      try {
        return await this.deps.fetchIce();
      } catch (error) {
        this.deps.onProblem(`ice servers: ${String(error)}`);
        if (attempt < iceAttempts)
          await new Promise<void>((resolve) => this.deps.timers.set(resolve, 500 * attempt));
      }
    }
    return undefined;
  }
}
