import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { effect, type ReadonlySignal } from "@preact/signals";
import type { Grade } from "../call/quality";
import type { Call } from "../call/types";
import { echoID } from "../protocol/messages";
import { useApp } from "./context";
import { Icon } from "./icons";

const filled: Record<Grade, number> = { good: 3, fair: 2, poor: 1, lost: 0 };

/** How good the call is, and how safe; each says more when it is pressed. */
export function CallGauges(): JSX.Element {
  const { calls, settings, view } = useApp();
  const { t } = settings;
  const { quality, sas } = calls.session.instruments;
  const verdict = quality.verdict.value;
  // Nobody is there to compare with.
  const alone = calls.current.value?.peer.id === echoID;
  const forged = sas?.state.value.kind === "forged";
  return (
    <div class="gauges">
      {verdict && (
        <button
          type="button"
          class={`gauge ${verdict.grade}`}
          aria-label={t("quality.open", { grade: t(`quality.${verdict.grade}`) })}
          onClick={() => (view.mediaDialog.value = "quality")}
        >
          <span class="gauge-bars" aria-hidden="true">
            {[1, 2, 3].map((n) => (
              <span key={n} class={n <= filled[verdict.grade] ? "full" : ""} />
            ))}
          </span>
          <span>{t(`quality.${verdict.grade}`)}</span>
        </button>
      )}
      {sas && !alone && (
        <button
          type="button"
          class={`gauge ${forged ? "poor" : ""}`}
          aria-label={t("safety.open")}
          onClick={() => (view.mediaDialog.value = "safety")}
        >
          <Icon name={forged ? "warning" : "lock"} size={18} />
          <span>{t("safety.open")}</span>
        </button>
      )}
    </div>
  );
}

/** Grows with the level; the page is not drawn anew for it. */
export function LevelFill({
  level,
  across,
}: {
  level: ReadonlySignal<number>;
  across?: boolean;
}): JSX.Element {
  const fill = useRef<HTMLSpanElement>(null);
  useEffect(
    () =>
      effect(() => {
        const share = level.value;
        if (fill.current) fill.current.style.transform = across ? `scaleX(${share})` : `scaleY(${share})`;
      }),
    [level, across],
  );
  return <span class={`level-fill ${across ? "across" : ""}`} ref={fill} aria-hidden="true" />;
}

/** Says so when somebody speaks into a muted microphone. */
export function MutedHint(): JSX.Element {
  const { calls, settings } = useApp();
  return (
    <div class="muted-hint" role="status">
      {calls.session.instruments.levels.mutedSpeech.value && (
        <p class="chip">
          <Icon name="micOff" size={18} />
          <span>{settings.t("media.you_are_muted")}</span>
        </p>
      )}
    </div>
  );
}

/** Another device than before is in use. */
export function Moved({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { moved } = call.own;
  const words = {
    audio: { fell: "media.moved_mic", back: "media.back_mic" },
    video: { fell: "media.moved_camera", back: "media.back_camera" },
  } as const;
  return (
    <div class="problems" role="status">
      {(["audio", "video"] as const).map((kind) => {
        const move = moved[kind];
        if (!move) return null;
        const label = move.label || t("media.another");
        return (
          <div key={kind} class="problem moved">
            <Icon name={kind === "audio" ? "mic" : "video"} size={20} />
            <p>{t(words[kind][move.back ? "back" : "fell"], { label })}</p>
            <button
              type="button"
              class="round ghost small"
              aria-label={t("call.dismiss")}
              onClick={() => app.calls.session.own?.dismissMoved(kind)}
            >
              <Icon name="close" size={20} />
            </button>
          </div>
        );
      })}
    </div>
  );
}
