// The picture of a recording: the other's, the own one small in the corner, a name where there
// is none. It always has frames, so that the file begins even before the first picture comes.
import type { Scene } from "./recorder";

const width = 960;
const height = 540;
const fps = 12;
const inset = { width: 216, height: 162, margin: 16 };

export class Canvas {
  private readonly element = document.createElement("canvas");
  private readonly pen = this.element.getContext("2d");
  private readonly theirs = new Source();
  private readonly own = new Source();
  private readonly stream: MediaStream;
  private readonly scene: Pick<Scene, "theirs" | "own" | "name">;
  private readonly timer: number;

  constructor(scene: Pick<Scene, "theirs" | "own" | "name">) {
    this.scene = scene;
    this.element.width = width;
    this.element.height = height;
    this.draw();
    this.stream = this.element.captureStream(fps);
    this.timer = window.setInterval(() => this.draw(), 1000 / fps);
  }

  get tracks(): MediaStreamTrack[] {
    return this.stream.getVideoTracks();
  }

  close(): void {
    window.clearInterval(this.timer);
    this.theirs.show(undefined);
    this.own.show(undefined);
    for (const track of this.tracks) track.stop();
  }

  private draw(): void {
    const { pen } = this;
    if (!pen) return;
    this.theirs.show(this.scene.theirs());
    this.own.show(this.scene.own());
    pen.fillStyle = "#0b1110";
    pen.fillRect(0, 0, width, height);
    if (!this.theirs.draw(pen, 0, 0, width, height)) {
      pen.fillStyle = "#f2f6f4";
      pen.font = "36px sans-serif";
      pen.textAlign = "center";
      pen.fillText(this.scene.name, width / 2, height / 2, width - 40);
    }
    const { width: w, height: h, margin } = inset;
    this.own.draw(pen, width - w - margin, height - h - margin, w, h);
  }
}

/** A track as something that can be drawn. */
class Source {
  private readonly video = document.createElement("video");
  private track: MediaStreamTrack | undefined;

  constructor() {
    this.video.muted = true;
    this.video.playsInline = true;
  }

  show(track: MediaStreamTrack | undefined): void {
    if (track === this.track) return;
    this.track = track;
    this.video.srcObject = track ? new MediaStream([track]) : null;
    if (track) this.video.play().catch(() => undefined);
  }

  /** Fits the picture in; false where there is none. */
  draw(pen: CanvasRenderingContext2D, x: number, y: number, w: number, h: number): boolean {
    const { videoWidth, videoHeight } = this.video;
    if (!this.track || this.track.muted || videoWidth < 3) return false;
    const scale = Math.min(w / videoWidth, h / videoHeight);
    const [wide, high] = [videoWidth * scale, videoHeight * scale];
    pen.drawImage(this.video, x + (w - wide) / 2, y + (h - high) / 2, wide, high);
    return true;
  }
}
