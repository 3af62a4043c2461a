import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { present, type DeviceKind } from "../call/devices";
import type { DeviceProblem } from "../call/types";
import type { Key } from "../i18n";
import { LevelFill } from "./CallGauges";
import { useApp } from "./context";
import { DevicesTrial, type Trial } from "./devicesTrial";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";
import { problemWord } from "./words";

const names: Record<DeviceKind, Key> = {
  audioinput: "media.microphone",
  videoinput: "media.camera",
  audiooutput: "media.speaker",
};

const canChooseSpeaker = (): boolean => "setSinkId" in HTMLMediaElement.prototype;

/** Microphone, camera and speaker: tried before a call, changed while one goes on. */
export function DevicesDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const app = useApp();
  const { devices, settings, calls } = app;
  const { t } = settings;
  const level = useMemo(() => signal(0), []);
  const [trial, setTrial] = useState<Trial>({ problems: {} });
  const inCall = calls.session.own;
  const trials = useMemo(() => new DevicesTrial(app, level, setTrial), []);
  useEffect(() => {
    trials.start();
    return () => trials.stop();
  }, []);
  const choose = (kind: DeviceKind, id: string) => {
    devices.choose(kind, id);
    if (kind === "audioinput") void (inCall ? inCall.microphoneChosen() : trials.again());
    if (kind === "videoinput") void (inCall ? inCall.cameraChosen() : trials.again());
  };
  const quiet = (on: boolean) => {
    devices.setQuiet(on);
    void (inCall ? inCall.microphoneChosen() : trials.again());
  };
  const picture = inCall ? calls.session.preview.value : trial.picture;
  return (
    <Dialog label={t("media.title")} class="devices" onEscape={onClose}>
      <header class="dialog-head">
        <h2>{t("media.title")}</h2>
        <button type="button" class="round ghost" aria-label={t("media.close")} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="stack">
        <Choose kind="audioinput" onChoose={choose} problem={trial.problems.audio} />
        <div class="level" role="img" aria-label={t("media.level")}>
          <LevelFill level={level} across />
        </div>
        <p class="hint">{t("media.speak")}</p>
        <label class="tick">
          <input
            type="checkbox"
            checked={devices.choice.value.quiet}
            onChange={(event) => quiet(event.currentTarget.checked)}
          />
          <span>
            {t("media.quiet")}
            <span class="hint">{t("media.quiet_hint")}</span>
          </span>
        </label>
        <p class="hint">{t("media.on_always")}</p>
        <Choose kind="videoinput" onChoose={choose} problem={trial.problems.video} />
        <Picture stream={picture} />
        {canChooseSpeaker() && <Choose kind="audiooutput" onChoose={choose} />}
        <button type="button" class="button wide" onClick={() => void trials.sound()}>
          <Icon name="speaker" size={20} />
          <span>{t("media.test_sound")}</span>
        </button>
        <p class="hint">{t("media.kept")}</p>
      </div>
    </Dialog>
  );
}

interface ChooseProps {
  kind: DeviceKind;
  problem?: DeviceProblem;
  onChoose: (kind: DeviceKind, id: string) => void;
}

function Choose({ kind, problem, onChoose }: ChooseProps): JSX.Element {
  const { devices, settings } = useApp();
  const { t } = settings;
  const list = devices.list.value[kind];
  const chosen = devices.choice.value[kind];
  const name = t(names[kind]);
  const away = chosen !== undefined && !present(list, chosen);
  return (
    <div>
      <label class="choice">
        <span>{name}</span>
        <select value={chosen ?? ""} onChange={(event) => onChoose(kind, event.currentTarget.value)}>
          <option value="">{t("media.automatic")}</option>
          {away && <option value={chosen}>{t("media.away")}</option>}
          {list.map(({ id, label }, i) => (
            <option key={id} value={id}>
              {label || t("media.unnamed", { kind: name, number: String(i + 1) })}
            </option>
          ))}
        </select>
      </label>
      {problem && (
        <p class="note warn" role="alert">
          {t(problemWord[kind === "audioinput" ? "audio" : "video"][problem])}
        </p>
      )}
    </div>
  );
}

function Picture({ stream }: { stream: MediaStream | undefined }): JSX.Element {
  const { t } = useApp().settings;
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current) video.current.srcObject = stream ?? null;
  }, [stream]);
  return (
    <div class="devices-picture">
      <video ref={video} autoplay playsInline muted aria-label={t("media.preview")} hidden={!stream} />
      {!stream && <p class="hint">{t("media.no_camera")}</p>}
    </div>
  );
}
