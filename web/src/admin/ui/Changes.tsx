import type { JSX } from "preact";
import type { Change, Effect } from "../state/settings";
import { keyFor } from "../words";
import { useAdmin, useWords, type Translate } from "./context";
import { useErrorText } from "./errors";
import { when } from "./format";
import { Glyph } from "./glyphs";
import { problemText } from "./SettingField";

/** What is typed and not applied yet, what it would do, and the buttons; in every section. */
export function Changes(): JSX.Element | null {
  const { editor } = useAdmin();
  const { t } = useWords();
  const { value: changes } = editor.changes;
  const { value: saving } = editor.saving;
  const open = editor.edits.value.size > 0 || editor.conflict.value !== undefined;
  if (!open) {
    return (
      <div class="changes-place" role="status">
        {saving.kind === "saved" && (
          <p class="note good">
            <Glyph name="check" /> {t("changes.saved", { n: saving.count })}
          </p>
        )}
      </div>
    );
  }
  return (
    <section class="changes" aria-label={t("changes.title")}>
      <Conflicted />
      <div class="changes-body">
        <div class="changes-what">
          <h2>{t("changes.title")}</h2>
          {changes.length === 0 ? <p class="muted">{t("changes.none")}</p> : <List changes={changes} />}
        </div>
        <div class="changes-then">
          <h2>{t(editor.problems.value.length > 0 ? "changes.wrong" : "changes.then")}</h2>
          <Then />
        </div>
      </div>
      <Buttons />
    </section>
  );
}

/** A setting's name in words. */
export function nameOf(name: string, t: Translate): string {
  if (name.startsWith("segment:")) return t("set.segment", { name: name.slice("segment:".length) });
  const key = keyFor("set", name);
  return key ? t(key) : name;
}

const valuePrefix: Record<string, string> = {
  "peers.mode": "peers",
  "registration.policy": "join",
  "registration.guests": "flag",
  "registration.users_may_invite": "flag",
  "log.level": "level",
};

/** A setting's value as people read it. */
export function valueWord(name: string, value: string, t: Translate): string {
  const key = keyFor(valuePrefix[name] ?? "", value);
  return key ? t(key) : value || t("set.empty");
}

export function List({ changes }: { changes: readonly Change[] }): JSX.Element {
  const { t } = useWords();
  return (
    <ul class="diffs" role="list">
      {changes.map(({ name, before, after }) => (
        <li key={name}>
          <span>{nameOf(name, t)}</span>{" "}
          <del>
            <span class="sr-only">{t("changes.before")}</span> {valueWord(name, before, t)}
          </del>{" "}
          <span aria-hidden="true">→</span>{" "}
          <ins>
            <span class="sr-only">{t("changes.after")}</span> {valueWord(name, after, t)}
          </ins>
        </li>
      ))}
    </ul>
  );
}

/** What would come of applying. */
function Then(): JSX.Element {
  const { editor } = useAdmin();
  const { t } = useWords();
  const errorText = useErrorText();
  const { value: problems } = editor.problems;
  const { value: preview } = editor.preview;
  return (
    <div role="status">
      {problems.length > 0 && (
        <ul class="effects" role="list">
          {problems.map((problem) => (
            <li key={problem.key + problem.code} class="tone-bad">
              <b>{nameOf(problem.key.replace(/\[.*$/, ""), t)}</b>: {problemText(problem, t)}
            </li>
          ))}
        </ul>
      )}
      {problems.length === 0 && preview.kind === "asking" && <p class="muted">{t("changes.asking")}</p>}
      {problems.length === 0 && preview.kind === "none" && <p class="muted">{t("changes.not_asked")}</p>}
      {preview.kind === "failed" && <p class="tone-bad">{errorText(preview.error)}</p>}
      {problems.length === 0 && preview.kind === "known" && <Effects effects={preview.effects} />}
    </div>
  );
}

function Effects({ effects }: { effects: readonly Effect[] }): JSX.Element {
  const { t } = useWords();
  if (effects.length === 0) return <p class="tone-good">{t("changes.harmless")}</p>;
  return (
    <ul class="effects" role="list">
      {effects.map((effect, i) => (
        <li key={`${effect.code} ${i}`}>{effectText(effect, t)}</li>
      ))}
    </ul>
  );
}

export function effectText({ code, params }: Effect, t: Translate): string {
  // Some effects have other words by what they say.
  const idle = code === "ports_kept" && params.calls === "0";
  const key = keyFor("effect", idle ? "ports_kept_idle" : [code, params.policy].filter(Boolean).join("_"));
  if (key) return t(key, { n: params.sessions ?? params.allocations ?? "", ...params });
  const told = Object.entries(params).map(([name, value]) => `${name} ${value}`);
  return [code, ...told].join(", ");
}

/** Another administrator was quicker. */
function Conflicted(): JSX.Element | null {
  const admin = useAdmin();
  const { t, language } = useWords();
  const { value: conflict } = admin.editor.conflict;
  if (!conflict) return null;
  const name = conflict.who || t("conflict.somebody");
  const time = when(conflict.at, admin.serverNow.value, language);
  return (
    <div class="conflict" role="alert">
      <p>
        <Glyph name="warning" />
        <b>{conflict.at > 0 ? t("conflict.at", { name, time }) : t("conflict.some_time", { name })}</b>
      </p>
      <p>{t("conflict.kept")}</p>
      {conflict.changes.length > 0 && <List changes={conflict.changes} />}
    </div>
  );
}

function Buttons(): JSX.Element {
  const { editor } = useAdmin();
  const { t } = useWords();
  const errorText = useErrorText();
  const { value: saving } = editor.saving;
  return (
    <div class="changes-buttons">
      {saving.kind === "failed" && (
        <p class="tone-bad" role="alert">
          {errorText(saving.error)}
        </p>
      )}
      <button type="button" class="button small quiet" onClick={() => editor.discard()}>
        {t("changes.discard")}
      </button>
      <button type="button" class="button small" onClick={() => void editor.look()}>
        {t("changes.preview")}
      </button>
      <button
        type="button"
        class="button small primary"
        disabled={!editor.mayApply.value}
        onClick={() => void editor.apply()}
      >
        {t("changes.apply")}
      </button>
    </div>
  );
}
