// What is measured and agreed beside the media of a call: levels, quality, the words to compare.
import type { Timers } from "../protocol/clock";
import type { CandidateType, Payload, Role } from "../protocol/messages";
import { Consent } from "./consent";
import { Levels, type Gauge } from "./levels";
import type { Mixer } from "./mixer";
import { QualityWatch } from "./qualityWatch";
import type { Scene } from "./recorder";
import { SasExchange, type SasDeps } from "./sas";
import { Tape, type Recordings, type TapeDeps } from "./tape";
import type { Call } from "./types";

/** What the browser gives for it; each may be missing. */
export interface Tools {
  gauge: (track: MediaStreamTrack) => Gauge | undefined;
  mix: (screen: MediaStreamTrack) => Mixer | undefined;
  digest: SasDeps["digest"];
  random: SasDeps["random"];
  /** Undefined where the browser cannot record. */
  record: TapeDeps["start"] | undefined;
  recordings: Recordings;
}

export interface InstrumentsDeps {
  tools: Tools | undefined;
  timers: Timers;
  now: () => number;
  call: (() => Call) | undefined;
  onProblem: (problem: string) => void;
}

/** The part of a link that is looked at. */
interface Watched {
  state: string;
  theirs?: CandidateType | undefined;
  pc: RTCPeerConnection | undefined;
}

export class Instruments {
  readonly levels: Levels;
  readonly quality: QualityWatch;
  /** Of the present connection; a new one has new certificates, and new words. */
  sas: SasExchange | undefined;
  /** Whether it may be recorded. */
  consent: Consent | undefined;
  private readonly deps: InstrumentsDeps;
  private readonly tape: Tape;

  constructor(deps: InstrumentsDeps) {
    this.deps = deps;
    const { timers, now } = deps;
    this.levels = new Levels({ gauge: (track) => deps.tools?.gauge(track), timers, now });
    this.quality = new QualityWatch({ timers, now });
    this.tape = new Tape({
      start: (scene, onFull) =>
        deps.tools?.record?.(scene, onFull) ?? Promise.reject(new Error("this browser cannot record")),
      onDone: (recorded) => deps.tools?.recordings.add(recorded),
      onFailed: (error) => {
        deps.onProblem(`recording: ${String(error)}`);
        this.consent?.stop("failed");
      },
    });
  }

  /** A connection is being made. */
  begin(role: Role, link: Watched, send: (payload: Payload) => Promise<unknown>): void {
    const { tools } = this.deps;
    if (tools) this.sas = new SasExchange(tools, role, () => link.pc, send);
    this.consent = new Consent({
      send,
      timers: this.deps.timers,
      now: this.deps.now,
      onRecord: (on) => (on ? this.tape.start(this.scene(link)) : void this.tape.stop()),
    });
    this.levels.hear(() => link.pc?.getReceivers?.() ?? []);
  }

  /** Something of the connection has changed. */
  see(link: Watched): void {
    this.quality.see(link);
    void this.sas?.look();
  }

  /** The own microphone has become another one. */
  own(mic: MediaStreamTrack | undefined): void {
    this.levels.listen(mic);
  }

  /** Takes what the other end sent beside the media. */
  receive(payload: Payload): void {
    if (payload.check) void this.sas?.receive(payload.check);
    if (payload.record) this.consent?.receive(payload.record);
  }

  /** The connection is gone. */
  end(): void {
    this.sas?.close();
    this.consent?.end();
    this.sas = this.consent = undefined;
    this.quality.stop();
    this.levels.stop();
  }

  /** What goes over the connection is what is recorded: nothing while it is on hold. */
  private scene({ pc }: Watched): Scene {
    const sent = () => pc?.getSenders().map(({ track }) => track) ?? [];
    const received = () => pc?.getReceivers().map(({ track }) => track) ?? [];
    const of = (kind: string) => (track: MediaStreamTrack | null) => track?.kind === kind;
    return {
      sounds: () => [...sent(), ...received()].filter((track) => track !== null).filter(of("audio")),
      theirs: () => {
        const peerMedia = this.deps.call?.().peerMedia;
        const sends = !peerMedia || peerMedia.video || peerMedia.screen;
        return sends ? received().find(of("video")) : undefined;
      },
      own: () => sent().find(of("video")) ?? undefined,
      name: this.deps.call?.().peer.name ?? "",
    };
  }
}
