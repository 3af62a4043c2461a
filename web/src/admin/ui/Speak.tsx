import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Told } from "../../ui/action";
import { useApp } from "../../ui/context";
import { Icon } from "../../ui/icons";
import { duration } from "../../ui/words";
import { useAdmin, useWords } from "./context";
import { useErrorText } from "./errors";
import { Panel } from "./parts";

/** Speaks to everybody, like a public-address system. */
export function Speak(): JSX.Element {
  const app = useApp();
  const { speaking, announcing } = useAdmin();
  const { t } = useWords();
  const errorText = useErrorText();
  const [tag, setTag] = useState("");
  useEffect(() => {
    speaking.follow();
    return () => speaking.rest();
  }, []);
  const { value: stage } = speaking.stage;
  const { value: onAir } = speaking.onAir;
  const { value: problem } = speaking.problem;
  const { value: device } = speaking.device;
  const other = stage === "off" ? onAir : undefined;
  return (
    <Panel title={t("speak.title")} note={t("speak.note")} class={`speak ${stage}`}>
      {problem && <Told outcome={{ good: false, text: errorText(problem) }} />}
      {device && <Told outcome={{ good: false, text: t("speak.no_microphone") }} />}
      {stage === "off" ? (
        <div class="speak-row">
          <label class="choice line">
            <span>{t("speak.to")}</span>
            <select value={tag} onChange={(event) => setTag(event.currentTarget.value)}>
              <option value="">{t("announce.everybody")}</option>
              {announcing.tags.value.map((each) => (
                <option key={each.tag} value={each.tag}>
                  {each.tag} ({each.people})
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            class="button danger solid"
            disabled={other !== undefined}
            onClick={() => void speaking.start(tag)}
          >
            <Icon name="speaker" size={20} />
            <span>{t(tag === "" ? "speak.start" : "speak.start_group", { tag })}</span>
          </button>
        </div>
      ) : (
        <Live />
      )}
      {other && (
        <p class="note warn" role="status">
          {t("speak.other", { name: other.from, n: other.listening })}
        </p>
      )}
      {stage !== "off" && app.connection.value.kind !== "online" && (
        <p class="note warn">{app.settings.t("attention.connecting")}</p>
      )}
    </Panel>
  );
}

function Live(): JSX.Element {
  const app = useApp();
  const admin = useAdmin();
  const { speaking } = admin;
  const { t } = useWords();
  const { value: stage } = speaking.stage;
  const { value: onAir } = speaking.onAir;
  const { value: muted } = speaking.muted;
  void admin.tick.value;
  const live = stage === "live";
  return (
    <div class="on-air">
      <p class={`on-air-sign ${live && !muted ? "live" : ""}`} role="status">
        <span class="on-air-dot" aria-hidden="true" />
        {t(!live ? "speak.asking" : muted ? "speak.muted" : "speak.live")}
      </p>
      <p class="on-air-count">
        <b>{onAir?.listening ?? 0}</b> <span>{t("speak.listening", { n: onAir?.listening ?? 0 })}</span>
        {onAir && <span class="digits">{duration(Math.max(0, app.clock.now() - onAir.since) / 1000)}</span>}
      </p>
      <div class="on-air-buttons">
        <button type="button" class="button" aria-pressed={muted} onClick={() => speaking.mute(!muted)}>
          <Icon name={muted ? "micOff" : "mic"} size={20} />
          <span>{t(muted ? "speak.unmute" : "speak.mute")}</span>
        </button>
        <button type="button" class="button danger solid" onClick={() => speaking.hangUp()}>
          <Icon name="hangUp" size={20} />
          <span>{t("speak.stop")}</span>
        </button>
      </div>
    </div>
  );
}
