// The echo test: one call that tries the direct way, then the relay, and keeps what was found.
import { effect, signal, untracked, type ReadonlySignal } from "@preact/signals";
import type { Timers } from "../protocol/clock";
import { echoID } from "../protocol/messages";
import { loudness, measure, read, type Measured, type Reading } from "./echoReading";
import type { Call, DeviceProblem, Kind } from "./types";

export type Step = "direct" | "relay";

export interface Way extends Partial<Measured> {
  works: boolean;
}

/** What was seen of sound and picture over the whole test; undefined where the browser does not tell. */
export interface Facts {
  /** Whether the microphone was on at any time. */
  unmuted: boolean;
  /** Whether the call is one with a picture, or the camera was on at any time. */
  video: boolean;
  filming: boolean;
  problems: Partial<Record<Kind, DeviceProblem>>;
  /** The loudest half second of the microphone, 0 to 1. */
  loudest: number | undefined;
  /** The brightest spot of the camera's picture, 0 to 255. */
  brightest: number | undefined;
  cameraFrames: number | undefined;
  soundPackets: number;
  soundEnergy: number | undefined;
  picturePackets: number;
  pictureFrames: number | undefined;
}

export interface EchoFound {
  /** What is tested now; undefined when nothing is any more. */
  step: Step | undefined;
  steps: readonly Step[];
  /** False when the call ended before everything was tested. */
  complete: boolean;
  ways: Partial<Record<Step, Way>>;
  facts: Facts;
}

export interface EchoDeps {
  call: ReadonlySignal<Call | undefined>;
  peer: () => Pick<RTCPeerConnection, "getStats"> | undefined;
  /** Makes the media anew, over the relay alone or by any way. */
  relink: (relayOnly: boolean) => void;
  hangUp: () => void;
  /** The page was told to use nothing but the relay. */
  relayOnly: boolean;
  /** The brightest spot of what the camera shows, 0 to 255; undefined where it cannot be told. */
  brightest: () => Promise<number | undefined>;
  timers: Timers;
  /** Monotonic milliseconds. */
  now: () => number;
}

const everyMs = 500;
/** A way that does not connect within this time does not work. */
const connectMs = 10_000;
/** How long a way is watched once it is connected. */
const watchMs = 8_000;
/** What was watched for less, because the call ended, tells too little. */
const enoughMs = 3_000;
/** After so long with pictures a camera has adjusted to the light. */
const cameraMs = 2_000;

interface Phase {
  step: Step;
  /** The generation from which on this way is tried. */
  from: number;
  asked: number;
  gen: number;
  since: number;
  connected: number | undefined;
  readings: Reading[];
  looked: boolean;
}

const noFacts: Facts = {
  unmuted: false,
  video: false,
  filming: false,
  problems: {},
  loudest: undefined,
  brightest: undefined,
  cameraFrames: undefined,
  soundPackets: 0,
  soundEnergy: undefined,
  picturePackets: 0,
  pictureFrames: undefined,
};

export class EchoTest {
  /** Of the call with the echo that is on the screen. */
  readonly found = signal<EchoFound | undefined>(undefined);
  private readonly deps: EchoDeps;
  private readonly steps: readonly Step[];
  private call: Call | undefined;
  private phase: Phase | undefined;
  private facts = noFacts;
  private last: Reading | undefined;
  private timer: number | undefined;

  constructor(deps: EchoDeps) {
    this.deps = deps;
    this.steps = deps.relayOnly ? ["relay"] : ["direct", "relay"];
    effect(() => {
      const call = deps.call.value;
      untracked(() => this.see(call));
    });
  }

  /** Whether there is something to tell about a call that is over. */
  get tells(): boolean {
    return this.found.value !== undefined && Object.keys(this.found.value.ways).length > 0;
  }

  private see(call: Call | undefined): void {
    const echo = call?.peer.id === echoID ? call : undefined;
    if (echo?.stage === "ended" && this.call?.call === echo.call) {
      this.cut();
      return;
    }
    if (echo?.call === this.call?.call) {
      this.call = echo;
      return;
    }
    this.stop();
    this.call = echo;
    this.found.value = undefined;
    if (echo && echo.stage !== "ended") this.begin(this.steps[0]!, 1);
  }

  private begin(step: Step, from: number): void {
    const now = this.deps.now();
    if (!this.phase) {
      this.facts = noFacts;
      this.timer = this.deps.timers.set(() => this.tick(), everyMs);
    }
    this.phase = {
      step,
      from,
      asked: now,
      gen: 0,
      since: now,
      connected: undefined,
      readings: [],
      looked: false,
    };
    this.tell({ step });
  }

  private tick(): void {
    this.timer = this.deps.timers.set(() => this.tick(), everyMs);
    const peer = this.deps.peer();
    const look = (reading: Reading | undefined) => {
      if (this.deps.peer() === peer) this.look(reading);
    };
    if (!peer) {
      look(undefined);
      return;
    }
    peer.getStats().then(
      (stats) => look(read(stats, this.deps.now())),
      () => undefined, // Closed meanwhile.
    );
  }

  private look(reading: Reading | undefined): void {
    const { call, phase } = this;
    if (!call || !phase) return;
    const now = this.deps.now();
    if (call.gen < phase.from || !["connecting", "connected", "lost"].includes(call.stage)) {
      // A server that does not start the media anew says nothing about the relay.
      if (phase.from > 1 && call.gen < phase.from && now - phase.asked >= connectMs) this.done(undefined);
      return;
    }
    if (call.gen !== phase.gen) {
      this.last = undefined;
      Object.assign(phase, { gen: call.gen, since: now, connected: undefined, readings: [] });
    }
    this.note(call, reading);
    if (call.stage === "connected" && reading?.path) {
      phase.connected ??= now;
      phase.readings.push(reading);
    }
    if (phase.connected === undefined) {
      if (now - phase.since >= connectMs) this.done({ works: false });
      return;
    }
    if (now - phase.connected >= cameraMs) this.lookAtCamera(call, phase);
    if (now - phase.connected < watchMs) return;
    this.done(call.stage === "connected" ? { works: true, ...measure(phase.readings) } : { works: false });
  }

  private note({ own, media }: Call, reading: Reading | undefined): void {
    const { facts } = this;
    this.facts = {
      ...facts,
      unmuted: facts.unmuted || own.audio,
      video: facts.video || media === "video" || own.video,
      filming: facts.filming || own.video || own.screen,
      problems: own.problems,
    };
    if (!reading) return;
    const loud = own.audio ? loudness(this.last, reading) : undefined;
    this.last = reading;
    this.facts = {
      ...this.facts,
      loudest: most(facts.loudest, loud),
      cameraFrames: most(facts.cameraFrames, reading.cameraFrames),
      soundPackets: Math.max(facts.soundPackets, reading.soundPackets),
      soundEnergy: most(facts.soundEnergy, reading.soundEnergy),
      picturePackets: Math.max(facts.picturePackets, reading.picturePackets),
      pictureFrames: most(facts.pictureFrames, reading.pictureFrames),
    };
  }

  private lookAtCamera({ call, own }: Call, phase: Phase): void {
    if (phase.looked || !own.video || own.screen) return;
    phase.looked = true;
    this.deps.brightest().then(
      (brightest) => {
        if (this.call?.call !== call) return;
        this.facts = { ...this.facts, brightest: most(this.facts.brightest, brightest) };
        if (!this.phase) this.tell({});
      },
      () => undefined, // Then it is not known.
    );
  }

  /** One way has been tried; undefined where that could not be done. */
  private done(way: Way | undefined): void {
    const { call, phase } = this;
    if (!call || !phase) return;
    this.keep(phase.step, way);
    const { ways } = this.found.value!;
    if (phase.step === "direct" && !ways.relay) {
      this.deps.relink(true);
      this.begin("relay", call.gen + 1);
      return;
    }
    this.stop();
    this.tell({ step: undefined, complete: true });
    if (ways.relay?.works) return;
    // The call goes on as before; where no way was found it cannot.
    if (way && !ways.direct?.works) this.deps.hangUp();
    else this.deps.relink(this.deps.relayOnly);
  }

  /** The call ended: what was watched for long enough counts. */
  private cut(): void {
    const { phase } = this;
    if (!phase) return;
    const { readings } = phase;
    const enough = readings.length > 0 && readings[readings.length - 1]!.at - readings[0]!.at >= enoughMs;
    if (enough) this.keep(phase.step, { works: true, ...measure(readings) });
    this.stop();
    this.tell({ step: undefined });
  }

  private keep(step: Step, way: Way | undefined): void {
    if (!way) return;
    // With any way allowed, the relay is what remains where no direct one is.
    const fell = step === "direct" && way.path?.relay === true;
    const ways: EchoFound["ways"] = fell ? { direct: { works: false }, relay: way } : { [step]: way };
    this.tell({ ways: { ...this.found.value?.ways, ...ways } });
  }

  private tell(change: Partial<EchoFound>): void {
    const { steps, facts } = this;
    this.found.value = {
      step: undefined,
      complete: false,
      ways: {},
      ...this.found.value,
      steps,
      facts,
      ...change,
    };
  }

  private stop(): void {
    this.deps.timers.clear(this.timer);
    this.timer = this.phase = this.last = undefined;
  }
}

const most = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
