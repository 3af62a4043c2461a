// The media of the present call: own devices, the link to the other end, and the two pictures.
import { batch, signal } from "@preact/signals";
import type { IceServers } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import type { Payload, Role } from "../protocol/messages";
import type { FlowState, Thrift } from "./flow";
import { Instruments, type Tools } from "./instruments";
import { Link, type Tracks } from "./link";
import type { MediaSource } from "./media";
import { OwnMedia, type OwnDeps } from "./own";
import type { Call } from "./types";
import type { Wish } from "./wish";

export interface SessionDeps {
  source: MediaSource;
  newPeer: (config: RTCConfiguration) => RTCPeerConnection;
  newStream: () => MediaStream;
  fetchIce: () => Promise<IceServers>;
  signalling: () => boolean;
  relayOnly: boolean;
  /** What the person wants of every call on this device. */
  thrift: () => Thrift;
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
  /** The running RTCPeerConnection, for support and tests. */
  onPeer: (pc: RTCPeerConnection | undefined) => void;
  onProblem: (problem: string) => void;
  /** For what is measured and agreed beside the media. */
  tools?: Tools;
}

export interface SessionEvents {
  /** What this side sends, or why it cannot, has changed. */
  onOwn: (own: OwnMedia) => void;
  onLink: (link: Link) => void;
  /** The call that these are the media of. */
  call?: () => Call;
}

export class MediaSession {
  /**
   * The other end's sound and picture, apart: an element with both keeps silent
   * until the first picture comes, which in an audio call is never.
   */
  readonly sound = signal<MediaStream | undefined>(undefined);
  readonly picture = signal<MediaStream | undefined>(undefined);
  readonly preview = signal<MediaStream | undefined>(undefined);
  /** What is held back of the pictures; undefined without media. */
  readonly flow = signal<FlowState | undefined>(undefined);
  link: Link | undefined;
  own: OwnMedia | undefined;
  readonly instruments: Instruments;
  /** For links that are made from now on. */
  relayOnly: boolean;
  private readonly deps: SessionDeps;
  private readonly events: SessionEvents;
  private devices: Promise<void> = Promise.resolve();
  /** On hold here: no devices, nothing is sent. */
  private suspended = false;
  /** On hold there: the devices stay open, nothing is sent. */
  private paused = false;
  /** The media whose camera is off because sound alone is wanted. */
  private cameraWaits: OwnMedia | undefined;

  constructor(deps: SessionDeps, events: SessionEvents) {
    this.deps = deps;
    this.events = events;
    this.relayOnly = deps.relayOnly;
    this.instruments = new Instruments({ ...deps, tools: deps.tools, call: events.call });
  }

  /** Takes what the other end sent. */
  receive(payload: Payload): void {
    this.link?.receive(payload);
    this.instruments.receive(payload);
  }

  /** Asks for the devices that a call needs. */
  open(wish: Wish): void {
    this.release();
    this.relayOnly = this.deps.relayOnly;
    this.acquire(wish);
  }

  /** Lets go of the devices and sends nothing; the connection stays. */
  suspend(): void {
    this.own?.stop();
    this.own = undefined;
    this.instruments.own(undefined);
    this.preview.value = undefined;
    this.suspended = true;
    this.devices = Promise.resolve();
    this.sendAll();
  }

  /** Asks for the devices again and sends what they give. */
  resume(wish: Wish): void {
    this.suspended = false;
    this.acquire(wish);
    const { own } = this;
    void this.devices.then(() => own === this.own && this.sendAll());
  }

  /** Sends nothing while nobody there listens. */
  pause(on: boolean): void {
    if (on === this.paused) return;
    this.paused = on;
    this.sendAll();
  }

  private get sent(): Tracks {
    return this.paused ? {} : (this.own?.tracks ?? {});
  }

  private sendAll(): void {
    for (const kind of ["audio", "video"] as const)
      this.link
        ?.replace(kind, this.sent[kind] ?? null)
        .catch((error: unknown) => this.deps.onProblem(String(error)));
  }

  private acquire(wish: Wish): void {
    const deps: OwnDeps = {
      source: this.deps.source,
      replace: async (kind, track) => this.link?.replace(kind, this.paused ? null : track),
      mix: this.deps.tools?.mix,
      onChange: () => {
        if (own !== this.own) return;
        const track = own.tracks.video;
        if (this.preview.value?.getVideoTracks()[0] !== track) this.preview.value = this.streamOf(track);
        this.instruments.own(own.microphone);
        this.events.onOwn(own);
      },
    };
    const { soundOnly } = this.deps.thrift();
    const own = new OwnMedia(deps, { ...wish, video: wish.video && !soundOnly });
    this.own = own;
    this.cameraWaits = wish.video && soundOnly ? own : undefined;
    this.devices = own.acquire();
  }

  /**
   * Starts the link of a generation; the one before it is thrown away. The devices
   * come first: with permission given, candidates are real addresses. started runs
   * when the devices have been asked for.
   */
  connect(role: Role, send: (payload: Payload) => Promise<unknown>, started: () => void): void {
    const { own, deps } = this;
    if (!own && !this.suspended) return;
    this.unlink();
    const link: Link = new Link({
      role,
      relayOnly: this.relayOnly,
      tracks: () => this.sent,
      thrift: deps.thrift,
      newPeer: (config) => {
        const pc = deps.newPeer(config);
        deps.onPeer(pc);
        return pc;
      },
      newStream: deps.newStream,
      fetchIce: deps.fetchIce,
      send,
      signalling: deps.signalling,
      timers: deps.timers,
      now: deps.now,
      // A stream of its own for each track: elements notice a new stream, not a new track.
      onTrack: (track) => ((track.kind === "audio" ? this.sound : this.picture).value = this.streamOf(track)),
      onChange: () => {
        if (link !== this.link) return;
        this.instruments.see(link);
        this.flow.value = link.flow.state;
        this.events.onLink(link);
      },
      onProblem: deps.onProblem,
    });
    this.link = link;
    this.instruments.begin(role, link, send);
    this.instruments.own(own?.microphone);
    link.start(this.devices);
    void this.devices.then(() => {
      if (link === this.link) started();
    });
  }

  /**
   * The person wants less, or more again: of the running call at once. Sound only
   * switches the camera off, and on again if that is what had it off.
   */
  thriftChanged({ soundOnly }: Thrift): void {
    this.link?.flow.update();
    const { own } = this;
    if (soundOnly && own?.wish.video) {
      this.cameraWaits = own;
      void own.setVideo(false);
    } else if (!soundOnly && own && this.cameraWaits === own) {
      this.cameraWaits = undefined;
      void own.setVideo(true);
    }
  }

  /** Lets go of everything: connection, camera, microphone, screen. */
  release(): void {
    this.unlink();
    this.own?.stop();
    this.own = undefined;
    this.preview.value = undefined;
  }

  private unlink(): void {
    this.link?.close();
    this.link = undefined;
    this.instruments.end();
    batch(() => {
      this.sound.value = undefined;
      this.picture.value = undefined;
      this.flow.value = undefined;
    });
    this.deps.onPeer(undefined);
  }

  private streamOf(track: MediaStreamTrack | undefined): MediaStream | undefined {
    if (!track) return undefined;
    const stream = this.deps.newStream();
    stream.addTrack(track);
    return stream;
  }
}
