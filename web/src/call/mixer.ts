// The screen's own sound and the microphone in one track, so that sharing needs no new offer.

export class Mixer {
  /** What is sent instead of the microphone. */
  readonly track: MediaStreamTrack;
  private readonly audio: AudioContext;
  private readonly out: MediaStreamAudioDestinationNode;
  private readonly screen: MediaStreamAudioSourceNode;
  private mic: MediaStreamAudioSourceNode | undefined;

  constructor(audio: AudioContext, screen: MediaStreamTrack) {
    this.audio = audio;
    this.out = audio.createMediaStreamDestination();
    this.screen = audio.createMediaStreamSource(new MediaStream([screen]));
    this.screen.connect(this.out);
    this.track = this.out.stream.getAudioTracks()[0]!;
  }

  /** A muted microphone is silent in the mix too: its track is. */
  setMic(mic: MediaStreamTrack | undefined): void {
    this.mic?.disconnect();
    this.mic = mic && this.audio.createMediaStreamSource(new MediaStream([mic]));
    this.mic?.connect(this.out);
  }

  close(): void {
    this.mic?.disconnect();
    this.screen.disconnect();
    this.track.stop();
  }
}
