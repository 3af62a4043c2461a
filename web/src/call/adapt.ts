// How much picture a link bears, so that the sound stays good: a policy without a browser,
// told once a second how the media fare. Quickly down, slowly up, and slower after each
// time that going up was wrong.

/** What was seen in the last second. Undefined where the browser does not tell. */
export interface Sample {
  /** Monotonic milliseconds. */
  at: number;
  /** Part of our sound that did not arrive at the other end, 0 to 1. */
  loss: number | undefined;
  /** Milliseconds to the other end and back. */
  rttMs: number | undefined;
  /** What the browser believes the way bears in all. */
  roomKbps: number | undefined;
  /** What was sent of picture. */
  videoKbps: number;
  /** The encoder says that it lacks bandwidth. */
  starved: boolean;
}

/** How the picture is sent. */
export interface PictureOrder {
  kbps: number;
  /** Pixels of the shorter side, at most. */
  side: number;
  fps: number;
}

export interface Order {
  /** Undefined: the picture is paused. */
  picture: PictureOrder | undefined;
  /** Why it is paused: the link is weak, or somebody wants sound alone. */
  paused: "weak" | "asked" | undefined;
  /** Of sound; undefined: as the browser likes. */
  soundKbps: number | undefined;
}

/** Best first; kept: what a step needs at least to be worth its pixels. */
const steps: readonly (PictureOrder & { kept: number })[] = [
  { kbps: 2_500, side: 1_080, fps: 30, kept: 600 },
  { kbps: 1_000, side: 720, fps: 25, kept: 350 },
  { kbps: 500, side: 360, fps: 20, kept: 160 },
  { kbps: 200, side: 240, fps: 15, kept: 60 },
  { kbps: 90, side: 180, fps: 8, kept: 30 },
];
const paused = steps.length;

/** Sound, sent twice, with its headers. */
const soundCost = 80;
/** After a start or a change of path the browser's belief is worth nothing for so long. */
const graceMs = 6_000;
/** What is bad for so long in a row is not chance. */
const badMs = 2_000;
/** After a step down, so long until the next. */
const settleMs = 2_500;
const lossyDown = 0.1;
const lossyUp = 0.08;
const slowMs = 900;
/** Good for so long before a step up; doubled when that was wrong, up to the most. */
const goodMs = 5_000;
const goodMostMs = 60_000;
/** A step down so soon after one up means that going up was wrong. */
const regretMs = 12_000;
/** So much of a sample's loss counts: one in fifty packets lost is chance. */
const lossWeight = 0.3;
const thriftyKbps = 150;
const thriftySoundKbps = 20;
const scarceSoundKbps = 16;

export class Adapt {
  /** The most picture that the other end wants; undefined: any. */
  limitKbps: number | undefined;
  /** This device's person wants to use little. */
  thrifty = false;
  private step = 0;
  private loss = 0;
  private room: number | undefined;
  private graceUntil: number;
  private badSince: number | undefined;
  private goodSince: number | undefined;
  private downAt = Number.NEGATIVE_INFINITY;
  private upAt = Number.NEGATIVE_INFINITY;
  private wait = goodMs;

  constructor(now: number) {
    this.graceUntil = now + graceMs;
  }

  /** The media take another path, or come back after a silence. */
  pathChanged(now: number): void {
    this.graceUntil = now + graceMs;
    this.badSince = this.goodSince = undefined;
    this.wait = goodMs;
  }

  see(sample: Sample): void {
    const { at } = sample;
    if (sample.loss !== undefined) this.loss += (sample.loss - this.loss) * lossWeight;
    this.room = sample.roomKbps;
    if (at < this.graceUntil) return;
    if (this.isBad(sample)) {
      this.goodSince = undefined;
      this.badSince ??= at;
      if (at - this.badSince >= badMs && at - this.downAt >= settleMs) this.down(at, sample);
      return;
    }
    this.badSince = undefined;
    if (!this.isGood(sample)) {
      this.goodSince = undefined;
      return;
    }
    this.goodSince ??= at;
    if (this.step > 0 && at - this.goodSince >= this.wait) this.up(at);
    if (this.upAt > this.downAt && at - this.upAt >= 2 * regretMs) this.wait = goodMs;
  }

  /** Nothing holds the picture back. */
  get unbound(): boolean {
    return this.step === 0 && this.limitKbps === undefined && !this.thrifty;
  }

  get order(): Order {
    const { step, thrifty } = this;
    const most = Math.min(
      this.limitKbps ?? Number.POSITIVE_INFINITY,
      thrifty ? thriftyKbps : Number.POSITIVE_INFINITY,
    );
    const weak = step === paused;
    const asked = this.limitKbps === 0;
    const picture = weak || asked ? undefined : fitting(step, most);
    const scarce = weak || (this.room !== undefined && this.room < soundCost);
    return {
      picture,
      paused: asked ? "asked" : weak ? "weak" : undefined,
      soundKbps: thrifty ? thriftySoundKbps : scarce ? scarceSoundKbps : undefined,
    };
  }

  private isBad({ rttMs, roomKbps, videoKbps, starved }: Sample): boolean {
    if (this.step === paused) return false;
    if (this.loss >= lossyDown || (rttMs ?? 0) >= slowMs) return true;
    if (roomKbps === undefined) return false;
    const room = roomKbps - soundCost;
    // A low belief means little while no more than that is wanted.
    const wanted = starved || videoKbps >= 0.6 * room;
    return wanted && room < steps[this.step]!.kept;
  }

  private isGood({ rttMs, roomKbps, videoKbps }: Sample): boolean {
    if (this.loss >= lossyUp || (rttMs ?? 0) >= slowMs / 2) return false;
    if (roomKbps === undefined || this.step === 0) return true;
    const room = roomKbps - soundCost;
    // Nothing is sent that could show how much goes: trying is the only way.
    if (this.step === paused) return true;
    return room >= 1.15 * Math.min(steps[this.step]!.kbps, Math.max(videoKbps * 1.2, steps[this.step]!.kept));
  }

  private down(at: number, { roomKbps }: Sample): void {
    const room = roomKbps === undefined ? Number.POSITIVE_INFINITY : roomKbps - soundCost;
    const fits = steps.findIndex(({ kept }) => kept <= room);
    this.step = Math.min(paused, Math.max(this.step + 1, fits < 0 ? paused : fits));
    if (at - this.upAt < regretMs) this.wait = Math.min(goodMostMs, this.wait * 2);
    this.downAt = at;
    this.badSince = undefined;
  }

  private up(at: number): void {
    this.step -= 1;
    this.upAt = at;
    this.goodSince = undefined;
  }
}

function fitting(step: number, most: number): PictureOrder {
  const from = steps.slice(step);
  const { kbps, side, fps } =
    from.find((each) => each.kept <= most && each.kbps <= 2 * most) ?? steps[paused - 1]!;
  return { kbps: Math.min(kbps, most), side, fps };
}
