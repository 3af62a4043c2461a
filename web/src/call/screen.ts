// A screen that is shown, and its sound, which goes out together with the microphone.
import type { MediaSource, Screen } from "./media";
import type { Mixer } from "./mixer";
import type { ScreenUse } from "./types";

export class SharedScreen {
  readonly video: MediaStreamTrack;
  readonly mixer: Mixer | undefined;
  private readonly audio: MediaStreamTrack | undefined;

  private constructor({ video, audio }: Screen, mixer: Mixer | undefined) {
    this.video = video;
    this.audio = audio;
    this.mixer = mixer;
    // Sound that cannot be mixed in is not sent instead of the voice.
    if (!mixer) audio?.stop();
  }

  /** Asks for a screen; throws when the person changes their mind. */
  static async open(
    source: MediaSource,
    mix: ((screen: MediaStreamTrack) => Mixer | undefined) | undefined,
    use: ScreenUse,
  ): Promise<SharedScreen> {
    const screen = await source.screen();
    screen.video.contentHint = use;
    return new SharedScreen(screen, screen.audio && mix?.(screen.audio));
  }

  close(): void {
    this.video.stop();
    this.audio?.stop();
    this.mixer?.close();
  }
}
