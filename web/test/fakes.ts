// Stand-ins for clock, sockets and the browser's media, driven by hand.
import type { FilesDeps } from "../src/files/deps";
import { FileStore } from "../src/files/store";
import type { Timers } from "../src/protocol/clock";
import type { Socket } from "../src/protocol/connection";

/** A clock that is turned by hand; timers fire in their order. */
export class FakeTime implements Timers {
  now = 1_000;
  private next = 1;
  private readonly waiting = new Map<number, { at: number; fn: () => void }>();

  /** How many timers have yet to fire. */
  get pending(): number {
    return this.waiting.size;
  }

  set = (fn: () => void, ms: number): number => {
    const id = this.next++;
    this.waiting.set(id, { at: this.now + ms, fn });
    return id;
  };

  clear = (timer: number | undefined): void => {
    if (timer !== undefined) this.waiting.delete(timer);
  };

  /** Lets time pass, with room for promises after each timer. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settle();
      const due = [...this.waiting]
        .filter(([, t]) => t.at <= end)
        .sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!due) break;
      this.waiting.delete(due[0]);
      this.now = due[1].at;
      due[1].fn();
    }
    this.now = end;
    await settle();
  }
}

/** Lets everything that only waits for promises happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
}

export interface Frame {
  type: string;
  id?: string;
  data?: Record<string, unknown>;
}

export class FakeSocket implements Socket {
  onOpen: (() => void) | undefined;
  onFrame: ((frame: unknown) => void) | undefined;
  onClose: ((code: number) => void) | undefined;
  readonly sent: Frame[] = [];
  closed = false;

  send(frame: string): void {
    this.sent.push(JSON.parse(frame) as Frame);
  }

  close(): void {
    this.closed = true;
  }

  say(type: string, data: object = {}, more: object = {}): void {
    this.onFrame?.(JSON.stringify({ type, data, ...more }));
  }

  of(type: string): Frame[] {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export class FakeTrack extends EventTarget {
  enabled = true;
  readyState = "live";
  onended: (() => void) | null = null;
  readonly kind: string;
  readonly device: string;

  constructor(kind: string, device = "cam-1") {
    super();
    this.kind = kind;
    this.device = device;
  }

  stop(): void {
    this.readyState = "ended";
  }

  getSettings(): { deviceId: string } {
    return { deviceId: this.device };
  }
}

export class FakeStream {
  private readonly tracks: FakeTrack[];

  constructor(tracks: FakeTrack[] = []) {
    this.tracks = tracks;
  }

  addTrack(track: FakeTrack): void {
    this.tracks.push(track);
  }

  getTracks = (): FakeTrack[] => this.tracks;
  getAudioTracks = (): FakeTrack[] => this.tracks.filter((track) => track.kind === "audio");
  getVideoTracks = (): FakeTrack[] => this.tracks.filter((track) => track.kind === "video");
}

class FakeSender {
  track: FakeTrack | null = null;
  replaceTrack = async (track: FakeTrack | null): Promise<void> => {
    await Promise.resolve();
    this.track = track;
  };
}

interface Transceiver {
  direction: string;
  sender: FakeSender;
  receiver: { track: FakeTrack };
}

/** An RTCPeerConnection that keeps a log of what was asked of it, in order. */
export class FakePeer {
  readonly log: string[] = [];
  readonly added: string[] = [];
  connectionState = "new";
  signalingState = "stable";
  localDescription: { type: string; sdp: string } | null = null;
  remoteDescription: { type: string; sdp: string } | null = null;
  onicecandidate: ((event: { candidate: object | null }) => void) | null = null;
  ontrack: ((event: { track: FakeTrack }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  stats: object[] = [];
  readonly transceivers: Transceiver[] = [];
  config: RTCConfiguration;
  private offers = 0;

  constructor(config: RTCConfiguration) {
    this.config = config;
  }

  addTransceiver(trackOrKind: FakeTrack | string): Transceiver {
    const kind = typeof trackOrKind === "string" ? trackOrKind : trackOrKind.kind;
    const sender = new FakeSender();
    if (typeof trackOrKind !== "string") sender.track = trackOrKind;
    const transceiver = { direction: "sendrecv", sender, receiver: { track: new FakeTrack(kind) } };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  getTransceivers = (): Transceiver[] => this.transceivers;

  async createOffer(options?: { iceRestart?: boolean }): Promise<{ type: string; sdp: string }> {
    await Promise.resolve();
    this.offers += 1;
    return { type: "offer", sdp: `offer ${this.offers}${options?.iceRestart ? " restart" : ""}` };
  }

  async createAnswer(): Promise<{ type: string; sdp: string }> {
    await Promise.resolve();
    return { type: "answer", sdp: `answer to ${this.remoteDescription?.sdp}` };
  }

  async setLocalDescription(description: { type: string; sdp: string }): Promise<void> {
    await Promise.resolve();
    this.log.push(`local ${description.sdp}`);
    this.localDescription = description;
    this.signalingState = description.type === "offer" ? "have-local-offer" : "stable";
  }

  async setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
    await Promise.resolve();
    this.log.push(`remote ${description.sdp}`);
    this.remoteDescription = description;
    this.signalingState = description.type === "offer" ? "have-remote-offer" : "stable";
    if (description.type !== "offer" || this.transceivers.length > 0) return;
    for (const kind of ["audio", "video"]) this.addTransceiver(kind).direction = "recvonly";
  }

  async addIceCandidate(candidate: { candidate: string }): Promise<void> {
    await Promise.resolve();
    if (!this.remoteDescription) throw new Error("no remote description");
    this.added.push(candidate.candidate);
  }

  getConfiguration = (): RTCConfiguration => this.config;

  setConfiguration(config: RTCConfiguration): void {
    this.log.push("configuration");
    this.config = config;
  }

  getStats = async (): Promise<Map<string, object>> => {
    await Promise.resolve();
    return new Map(this.stats.map((entry) => [(entry as { id: string }).id, entry]));
  };

  close(): void {
    this.log.push("close");
    this.signalingState = "closed";
    this.connectionState = "closed";
  }

  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  /** What getStats tells of a pair on which so much was heard. */
  hears(
    bytes: number,
    local: object = { candidateType: "host" },
    remote: object = { candidateType: "host" },
  ): void {
    this.stats = [
      { id: "T", type: "transport", selectedCandidatePairId: "P" },
      {
        id: "P",
        type: "candidate-pair",
        localCandidateId: "L",
        remoteCandidateId: "R",
        bytesReceived: bytes,
      },
      { id: "L", type: "local-candidate", ...local },
      { id: "R", type: "remote-candidate", ...remote },
    ];
  }
}

/** What a page has for files in a browser that keeps nothing. */
export const noFiles: Pick<FilesDeps, "store" | "room" | "newPeer"> = {
  store: new FileStore(
    () => undefined,
    () => 0,
  ),
  room: () => Promise.resolve(undefined),
  newPeer: () => {
    throw new Error("no peer");
  },
};
