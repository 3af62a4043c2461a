import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { FileState } from "../../files/types";
import type { FileInfo } from "../../protocol/texts";
import { useApp } from "../context";
import { LineIcon } from "../icons";
import { duration } from "../words";
import { useContent } from "./content";
import { glyphs } from "./glyphs";

export function VoicePlayer({ info, state }: { info: FileInfo; state: FileState }): JSX.Element {
  const url = useContent(info, state, true);
  return <Player url={url} seconds={info.seconds ?? 0} />;
}

/** Plays a voice with a bar to move in it. */
export function Player({ url, seconds }: { url: string | undefined; seconds: number }): JSX.Element {
  const { t } = useApp().settings;
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const toggle = () => {
    const { current } = audio;
    if (!current) return;
    if (playing) current.pause();
    else void current.play().catch(() => setPlaying(false));
  };
  const seek = (to: number) => {
    setAt(to);
    if (audio.current) audio.current.currentTime = to;
  };
  const whole = Math.max(seconds, at, 0.1);
  const label = t("files.voice", { duration: duration(Math.round(seconds)) });
  return (
    <div class="voice" role="group" aria-label={label}>
      <audio
        ref={audio}
        src={url}
        preload="metadata"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => {
          setPlaying(false);
          setAt(0);
        }}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
      />
      <button
        type="button"
        class="round primary"
        aria-label={playing ? t("voice.pause") : t("voice.play")}
        disabled={url === undefined}
        onClick={toggle}
      >
        <LineIcon path={playing ? glyphs.pause : glyphs.play} size={22} />
      </button>
      <input
        type="range"
        min={0}
        max={whole}
        step={0.1}
        value={at}
        aria-label={t("voice.seek")}
        aria-valuetext={`${duration(Math.floor(at))} / ${duration(Math.round(whole))}`}
        disabled={url === undefined}
        onInput={(event) => seek(Number(event.currentTarget.value))}
      />
      <span class="voice-time">{duration(Math.floor(playing || at > 0 ? at : seconds))}</span>
    </div>
  );
}
