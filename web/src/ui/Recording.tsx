import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Recorded } from "../call/recorder";
import type { OffReason } from "../call/consent";
import type { Call } from "../call/types";
import type { Key } from "../i18n";
import { echoID } from "../protocol/messages";
import { MoreItem } from "./CallMore";
import { useApp } from "./context";
import { Icon } from "./icons";

const tellMs = 8_000;

const offWords: Record<OffReason, Key> = {
  refused: "record.refused",
  unanswered: "record.unanswered",
  stopped: "record.stopped",
  failed: "record.failed",
};

/** That the call is recorded, for as long as it is; and the question whether it may be. */
export function RecordingSign({ call }: { call: Call }): JSX.Element {
  const { calls, settings } = useApp();
  const { t } = settings;
  const name = call.peer.name;
  const { consent } = calls.session.instruments;
  const state = consent?.state.value ?? { kind: "off" as const };
  const [told, setTold] = useState<typeof state>();
  useEffect(() => {
    if (state.kind !== "off" || !state.because) return;
    const timer = setTimeout(() => setTold(state), tellMs);
    return () => clearTimeout(timer);
  }, [state]);
  return (
    <div class="recording">
      <div role="status">
        {state.kind === "on" && (
          <p class="recording-on">
            <span class="recording-dot" aria-hidden="true" />
            <span>{t(state.stopping ? "record.stopping" : "record.on")}</span>
          </p>
        )}
        {state.kind === "asking" && <p class="chip">{t("record.asking", { name })}</p>}
        {state.kind === "off" && state.because && told !== state && (
          <p class="chip">{t(offWords[state.because], { name })}</p>
        )}
      </div>
      {state.kind === "on" && !state.stopping && (
        <button type="button" class="recording-stop" onClick={() => consent?.stop()}>
          {t("record.stop")}
        </button>
      )}
      {state.kind === "asked" && (
        <div class="recording-question" role="alertdialog" aria-label={t("record.question", { name })}>
          <p class="recording-title">{t("record.question", { name })}</p>
          <p>{t("record.question_more", { name })}</p>
          <div class="recording-answers">
            <button type="button" class="button" onClick={() => consent?.answer(false)}>
              {t("record.no")}
            </button>
            <button type="button" class="button primary" onClick={() => consent?.answer(true)}>
              {t("record.yes")}
            </button>
          </div>
        </div>
      )}
    </div>
  );
}

/** Asks for a recording, or ends it. */
export function RecordItem({ call }: { call: Call }): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { consent } = app.calls.session.instruments;
  // The echo answers no questions.
  if (!consent || !app.deps.call.tools?.record || call.peer.id === echoID) return null;
  const state = consent.state.value;
  switch (state.kind) {
    case "on":
      return (
        <MoreItem
          icon="record"
          label={t("record.stop")}
          disabled={state.stopping}
          onClick={() => consent.stop()}
        />
      );
    case "asking":
      return <MoreItem icon="record" label={t("record.take_back")} onClick={() => consent.takeBack()} />;
    default:
      return (
        <MoreItem
          icon="record"
          label={t("record.start")}
          disabled={state.kind === "asked" || call.stage !== "connected"}
          onClick={() => consent.ask()}
        />
      );
  }
}

/** Recordings that are neither saved nor discarded, wherever one is on the page. */
export function RecordedFiles(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const files = app.deps.call.tools?.recordings.files.value ?? [];
  const kept = files.length > 0;
  useEffect(() => {
    if (!kept) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [kept]);
  if (!kept) return null;
  return (
    <section class="recorded" aria-label={t("record.files")}>
      {files.map((file) => (
        <RecordedFile key={file.name} file={file} />
      ))}
      <p class="hint">{t("record.hint")}</p>
    </section>
  );
}

function RecordedFile({ file }: { file: Recorded }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const recordings = app.deps.call.tools?.recordings;
  const [sure, setSure] = useState(false);
  const [saved, setSaved] = useState(false);
  const save = () => {
    recordings?.save(file);
    setSaved(true);
  };
  return (
    <div class="recorded-file">
      <Icon name="record" size={22} />
      <p>{t("record.done", { name: file.name, size: sizeOf(file.blob.size) })}</p>
      <div class="recorded-buttons">
        <button type="button" class={`button ${saved ? "" : "primary"}`} onClick={save}>
          {t("record.save")}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => (sure || saved ? recordings?.discard(file) : setSure(true))}
        >
          {t(saved ? "media.close" : sure ? "record.discard_sure" : "record.discard")}
        </button>
      </div>
    </div>
  );
}

const sizeOf = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
