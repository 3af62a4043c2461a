import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Sas } from "../call/sas";
import { sasWords } from "../call/sasWords";
import { useApp } from "./context";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";
import type { PartProps } from "./MediaDialogs";

/** So long an end that knows these words may take to answer. */
const answerMs = 6_000;

/** The words that both compare by voice, and what they are good for. */
export function SafetyDialog({ call, onClose }: PartProps): JSX.Element {
  const { calls, settings } = useApp();
  const { t } = settings;
  const state = calls.session.instruments.sas?.state.value ?? { kind: "none" };
  const name = call.peer.name;
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), answerMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Dialog label={t("safety.title")} class="safety" onEscape={onClose}>
      <header class="dialog-head">
        <h2>{t("safety.title")}</h2>
        <button type="button" class="round ghost" aria-label={t("media.close")} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {state.kind === "ready" && (
        <>
          <p>{t("safety.how")}</p>
          <Words sas={state.sas} />
        </>
      )}
      {state.kind === "forged" && (
        <p class="note bad" role="alert">
          {t("safety.forged")}
        </p>
      )}
      {state.kind === "waiting" && (
        <p class="hint">{t(late ? "safety.unable" : "safety.waiting", { name })}</p>
      )}
      {state.kind === "none" && <p class="hint">{t("safety.none")}</p>}
      <p>{t("safety.protects", { name })}</p>
      <p class="hint">{t("safety.not")}</p>
    </Dialog>
  );
}

/** Digits are common to all languages; the words are English and come first where that is spoken. */
function Words({ sas }: { sas: Sas }): JSX.Element {
  const { settings } = useApp();
  const { t } = settings;
  const english = settings.language.value === "en";
  const words = (
    <p class="sas-words" lang="en" aria-label={t("safety.words")} role="group">
      {sas.words.map((byte, i) => (
        <span key={i}>{sasWords[byte]}</span>
      ))}
    </p>
  );
  return (
    <div class={`sas ${english ? "" : "digits-first"}`}>
      {english && words}
      <p class="sas-digits" aria-label={t("safety.digits")} role="group">
        {`${sas.digits.slice(0, 3)} ${sas.digits.slice(3)}`}
      </p>
      {!english && words}
    </div>
  );
}
