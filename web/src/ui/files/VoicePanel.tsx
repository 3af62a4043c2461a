import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Recorder, RecorderState } from "../../files/recorder";
import type { Key } from "../../i18n";
import { useApp } from "../context";
import { Icon, LineIcon } from "../icons";
import { duration } from "../words";
import { glyphs } from "./glyphs";
import { Player } from "./VoicePlayer";

export interface VoicePanelProps {
  chat: string;
  recorder: Recorder;
  onClose: () => void;
}

const problems: Record<Extract<RecorderState, { kind: "problem" }>["problem"], Key> = {
  denied: "voice.denied",
  missing: "voice.missing",
  failed: "voice.failed",
  too_short: "voice.too_short",
};

/** Stands in the place of the box to write in while a voice message is made. */
export function VoicePanel({ chat, recorder, onClose }: VoicePanelProps): JSX.Element {
  const { t } = useApp().settings;
  const state = recorder.state.value;
  const discard = () => {
    recorder.discard();
    onClose();
  };
  const bin = (
    <button type="button" class="round ghost" aria-label={t("voice.discard")} onClick={discard}>
      <LineIcon path={glyphs.bin} size={24} />
    </button>
  );
  return (
    <div
      class="voice-panel"
      role="group"
      aria-label={t("voice.record")}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        discard();
      }}
    >
      {state.kind === "problem" && (
        <>
          <p class="field-error" role="alert">
            {t(problems[state.problem])}
          </p>
          <button type="button" class="button" onClick={discard}>
            {t("account.close")}
          </button>
        </>
      )}
      {(state.kind === "asking" || state.kind === "recording") && (
        <>
          {bin}
          <span class="voice-live" role="status">
            <i class="voice-dot" aria-hidden="true" />
            <span class="sr-only">{t("voice.recording")}</span>
          </span>
          <meter
            min={0}
            max={1}
            value={state.kind === "recording" ? state.level : 0}
            aria-label={t("voice.level")}
          />
          <span class="voice-time">
            {duration(state.kind === "recording" ? Math.floor(state.seconds) : 0)}
          </span>
          <button
            type="button"
            class="round primary"
            aria-label={t("voice.stop")}
            ref={(button) => button?.focus()}
            onClick={() => recorder.stop()}
          >
            <LineIcon path={glyphs.stop} size={22} />
          </button>
        </>
      )}
      {state.kind === "review" && <Review chat={chat} {...state} bin={bin} onSent={discard} />}
    </div>
  );
}

interface ReviewProps {
  chat: string;
  content: Blob;
  seconds: number;
  bin: JSX.Element;
  onSent: () => void;
}

function Review({ chat, content, seconds, bin, onSent }: ReviewProps): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [refused, setRefused] = useState(false);
  const url = useMemo(() => URL.createObjectURL(content), [content]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const send = () => {
    const ending = /mp4/.test(content.type) ? "m4a" : /ogg/.test(content.type) ? "ogg" : "webm";
    const about = { name: `voice.${ending}`, seconds: Math.round(seconds * 10) / 10 };
    if (app.files.send(chat, content, "voice", about)) onSent();
    else setRefused(true);
  };
  return (
    <>
      {bin}
      <div class="voice-review" role="group" aria-label={t("voice.review")}>
        <Player url={url} seconds={seconds} />
        {refused && (
          <p class="field-error" role="alert">
            {t("files.not_sent")}
          </p>
        )}
      </div>
      <button
        type="button"
        class="round primary"
        aria-label={t("voice.send")}
        ref={(button) => button?.focus()}
        onClick={send}
      >
        <Icon name="send" />
      </button>
    </>
  );
}
