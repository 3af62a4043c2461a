// One RTCPeerConnection with one data channel, for one file, between two devices.
import type { IceServers } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import type { Payload } from "../protocol/messages";

export interface FileLinkDeps {
  /** The asking device offers. */
  asking: boolean;
  relayOnly: boolean;
  newPeer: (config: RTCConfiguration) => RTCPeerConnection;
  fetchIce: () => Promise<IceServers>;
  /** Sends to the other end; rejects when the server did not pass it on. */
  send: (payload: Payload) => Promise<unknown>;
  timers: Timers;
  onOpen: (channel: RTCDataChannel) => void;
  /** It did not come about, or broke. Once. */
  onOver: () => void;
  onProblem: (problem: string) => void;
}

const label = "file";
const protocol = "fieldphone.file.1";
/** From the offer to the open channel; over the relay in a slow network this takes a while. */
const connectMs = 20_000;
const aliveMs = 20_000;
/** A path may come back by itself, as after a short loss of signal. */
const brokenMs = 12_000;

export class FileLink {
  private readonly deps: FileLinkDeps;
  private pc: RTCPeerConnection | undefined;
  private readonly candidates: RTCIceCandidateInit[] = [];
  private queue: Promise<void> = Promise.resolve();
  private closed = false;
  private opened = false;
  private timer: number | undefined;
  private alive: number | undefined;

  constructor(deps: FileLinkDeps) {
    this.deps = deps;
    this.timer = deps.timers.set(() => this.over("no connection in time"), connectMs);
    this.enqueue(async () => {
      const ice = await deps.fetchIce();
      if (this.closed) return;
      const policy = deps.relayOnly ? "relay" : "all";
      const pc = deps.newPeer({ iceServers: ice.iceServers, iceTransportPolicy: policy });
      this.pc = pc;
      pc.onicecandidate = ({ candidate }) => this.tell(candidate);
      pc.onconnectionstatechange = () => this.look(pc.connectionState);
      if (deps.asking) {
        this.listen(pc.createDataChannel(label, { ordered: true, protocol }));
        await pc.setLocalDescription(await pc.createOffer());
        this.describe(pc);
      } else {
        pc.ondatachannel = ({ channel }) => {
          if (channel.label === label && channel.protocol === protocol) this.listen(channel);
        };
      }
    });
  }

  /** Takes what the other end sent, in its order. */
  receive({ description, candidate }: Payload): void {
    this.enqueue(async () => {
      const { pc } = this;
      if (!pc) return;
      if (description?.type === (this.deps.asking ? "answer" : "offer") && !pc.remoteDescription) {
        await pc.setRemoteDescription(description);
        if (!this.deps.asking) {
          await pc.setLocalDescription(await pc.createAnswer());
          this.describe(pc);
        }
        for (const each of this.candidates.splice(0)) await this.add(pc, each);
      }
      if (!candidate || candidate.candidate === "") return;
      if (pc.remoteDescription) await this.add(pc, candidate);
      else if (this.candidates.length < 64) this.candidates.push(candidate);
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.deps.timers.clear(this.timer);
    this.deps.timers.clear(this.alive);
    const { pc } = this;
    if (!pc) return;
    pc.onicecandidate = pc.onconnectionstatechange = pc.ondatachannel = null;
    pc.close();
  }

  private over(why: string): void {
    if (this.closed) return;
    this.deps.onProblem(`file link: ${why}`);
    this.close();
    this.deps.onOver();
  }

  private enqueue(operation: () => Promise<void>): void {
    this.queue = this.queue.then(operation).catch((error: unknown) => this.over(String(error)));
  }

  private describe({ localDescription }: RTCPeerConnection): void {
    if (!localDescription || (localDescription.type !== "offer" && localDescription.type !== "answer"))
      return;
    const { type, sdp } = localDescription;
    void this.deps.send({ description: { type, sdp } }).catch(() => this.over("not passed on"));
  }

  private tell(found: RTCIceCandidate | null): void {
    if (!found || found.candidate === "") return;
    const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = found;
    // Other candidates may do; without any the time runs out.
    this.deps
      .send({ candidate: { candidate, sdpMid, sdpMLineIndex, usernameFragment } })
      .catch(() => undefined);
  }

  private async add(pc: RTCPeerConnection, candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await pc.addIceCandidate(candidate);
    } catch (error) {
      this.deps.onProblem(`file candidate: ${String(error)}`);
    }
  }

  private look(state: RTCPeerConnectionState): void {
    if (state === "failed" || state === "closed") {
      this.over(state);
    } else if (state === "disconnected") {
      this.deps.timers.clear(this.timer);
      this.timer = this.deps.timers.set(() => this.over("disconnected"), brokenMs);
    } else if (state === "connected" && this.opened) {
      this.deps.timers.clear(this.timer);
    }
  }

  private listen(channel: RTCDataChannel): void {
    channel.binaryType = "arraybuffer";
    channel.onopen = () => {
      if (this.closed) return;
      this.opened = true;
      this.deps.timers.clear(this.timer);
      this.stayAlive();
      this.deps.onOpen(channel);
    };
    channel.onclose = () => this.over("closed by the other end");
    // Chrome and Safari may have opened it before they tell of it.
    if (channel.readyState === "open") channel.onopen(new Event("open"));
  }

  /** The server forgets a link that says nothing. */
  private stayAlive(): void {
    this.alive = this.deps.timers.set(() => {
      this.deps.send({ alive: true }).catch(() => undefined);
      this.stayAlive();
    }, aliveMs);
  }
}
