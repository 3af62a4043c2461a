// What is measured and agreed beside the media of a call: levels, quality, the words to compare.
import type { Timers } from "../protocol/clock";
import type { Payload, Role } from "../protocol/messages";
import { Levels, type Gauge } from "./levels";
import type { Mixer } from "./mixer";
import { QualityWatch } from "./qualityWatch";
import { SasExchange, type SasDeps } from "./sas";

/** What the browser gives for it; each may be missing. */
export interface Tools {
  gauge: (track: MediaStreamTrack) => Gauge | undefined;
  mix: (screen: MediaStreamTrack) => Mixer | undefined;
  digest: SasDeps["digest"];
  random: SasDeps["random"];
}

export interface InstrumentsDeps {
  tools: Tools | undefined;
  timers: Timers;
  now: () => number;
}

/** The part of a link that is looked at. */
interface Watched {
  state: string;
  pc: RTCPeerConnection | undefined;
}

export class Instruments {
  readonly levels: Levels;
  readonly quality: QualityWatch;
  /** Of the present connection; a new one has new certificates, and new words. */
  sas: SasExchange | undefined;
  private readonly deps: InstrumentsDeps;

  constructor(deps: InstrumentsDeps) {
    this.deps = deps;
    const { timers, now } = deps;
    this.levels = new Levels({ gauge: (track) => deps.tools?.gauge(track), timers, now });
    this.quality = new QualityWatch({ timers, now });
  }

  /** A connection is being made. */
  begin(role: Role, link: Watched, send: (payload: Payload) => Promise<unknown>): void {
    const { tools } = this.deps;
    if (tools) this.sas = new SasExchange(tools, role, () => link.pc, send);
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
  }

  /** The connection is gone. */
  end(): void {
    this.sas?.close();
    this.sas = undefined;
    this.quality.stop();
    this.levels.stop();
  }
}
