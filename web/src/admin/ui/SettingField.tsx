import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import type { FieldName, Problem } from "../state/settings";
import { fields, valueOf, written } from "../state/settings";
import { keyFor, type Key } from "../words";
import { useAdmin, useWords, type Translate } from "./context";
import { Glyph } from "./glyphs";

/** The problems of one setting, or of an item in it. */
export const problemsOf = (problems: readonly Problem[], name: string): Problem[] =>
  problems.filter(({ key }) => key === name || key.startsWith(`${name}[`) || key.startsWith(`${name}.`));

/** What is wrong, in words; the server's own where there are none here. */
export function problemText({ code, message }: Problem, t: Translate): string {
  const key = keyFor("problem", code);
  if (message === "") return t(key ?? "problem.invalid");
  return key && code !== "invalid" ? `${t(key)} (${message})` : message;
}

interface Props {
  name: FieldName;
  /** Words beneath it, always there. */
  hint?: Key;
  unit?: string;
  /** What a 0 means. */
  zero?: Key;
  /** Problems of a wider setting that are shown here. */
  also?: readonly Problem[];
}

/** One setting to type: what is wrong stands beneath it, what cannot be changed says why. */
export function SettingField({ name, hint, unit, zero, also = [] }: Props): JSX.Element {
  const { editor } = useAdmin();
  const { t } = useWords();
  const id = useId();
  const fixed = isFixed(editor.loaded.value?.fixed ?? [], name);
  const problems = [...problemsOf(editor.problems.value, name), ...also];
  const text = editor.text(name);
  const list = fields[name] === "list";
  const changed = editor.edits.value.has(name);
  const notes = `${id}-notes`;
  const shared = {
    id,
    value: text,
    disabled: fixed,
    spellcheck: false,
    autoComplete: "off",
    "aria-invalid": problems.length > 0,
    "aria-describedby": notes,
  } as const;
  return (
    <div class={`setting ${problems.length > 0 ? "wrong" : ""} ${changed ? "changed" : ""}`}>
      <label for={id}>{t(`set.${name}`)}</label>
      <span class="setting-box">
        {list ? (
          <textarea
            {...shared}
            rows={Math.min(Math.max(text.split("\n").length, 2), 6)}
            onInput={(event) => editor.set(name, event.currentTarget.value)}
          />
        ) : (
          <input
            {...shared}
            type="text"
            inputMode={fields[name] === "number" ? "numeric" : undefined}
            onInput={(event) => editor.set(name, event.currentTarget.value)}
          />
        )}
        {unit !== undefined && <span class="unit">{unit}</span>}
      </span>
      <div id={notes}>
        {problems.map((problem) => (
          <p key={problem.key + problem.code} class="field-error">
            {problemText(problem, t)}
          </p>
        ))}
        {fixed ? <FixedNote /> : <Default name={name} changed={changed} />}
        {zero && text.trim() === "0" && <p class="hint">{t(zero)}</p>}
        {hint && <p class="hint">{t(hint)}</p>}
      </div>
    </div>
  );
}

/** Whether the environment or the command line decides a setting, alone or with its group. */
export const isFixed = (fixed: readonly string[], name: string): boolean =>
  fixed.some((each) => each === name || name.startsWith(`${each}.`));

export function FixedNote(): JSX.Element {
  const { t } = useWords();
  return (
    <p class="hint fixed">
      <Glyph name="lock" size={14} />
      <span>{t("set.fixed")}</span>
    </p>
  );
}

/** What it was before it was typed over, and what it is by default. */
function Default({ name, changed }: { name: FieldName; changed: boolean }): JSX.Element | null {
  const { editor } = useAdmin();
  const { t } = useWords();
  const { value: loaded } = editor.loaded;
  if (!loaded) return null;
  const line = (value: unknown) => written(value).split("\n").join(", ");
  const [now, usual] = [line(valueOf(loaded.settings, name)), line(valueOf(loaded.defaults, name))];
  if (changed) {
    return (
      <p class="hint">
        {t("set.was", { value: now || t("set.empty") })}{" "}
        <button type="button" class="link small" onClick={() => editor.forget(name)}>
          {t("set.back")}
        </button>
      </p>
    );
  }
  return now === usual || usual === "" ? null : <p class="hint">{t("set.default", { value: usual })}</p>;
}

/** A group of settings that belong together. */
export function Group({
  title,
  note,
  children,
}: {
  title: string;
  note?: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <fieldset class="group">
      <legend>{title}</legend>
      {note !== undefined && <p class="hint">{note}</p>}
      {children}
    </fieldset>
  );
}

interface ChoiceProps {
  name: FieldName;
  choices: readonly { value: string; title: Key; text?: Key }[];
}

/** A setting that is one of a few, each with what it means. */
export function SettingChoice({ name, choices }: ChoiceProps): JSX.Element {
  const { editor } = useAdmin();
  const { t } = useWords();
  const id = useId();
  const fixed = isFixed(editor.loaded.value?.fixed ?? [], name);
  const now = editor.text(name);
  const problems = problemsOf(editor.problems.value, name);
  return (
    <div
      class={`choices ${choices.some(({ text }) => text) ? "" : "short"}`}
      role="radiogroup"
      aria-label={t(`set.${name}`)}
    >
      {choices.map(({ value, title, text }) => (
        <label key={value} class={`pick ${now === value ? "on" : ""}`}>
          <input
            type="radio"
            name={id}
            value={value}
            checked={now === value}
            disabled={fixed}
            onChange={() => editor.set(name, value)}
          />
          <span>
            <b>{t(title)}</b>
            {text && <span class="hint">{t(text)}</span>}
          </span>
        </label>
      ))}
      {problems.map((problem) => (
        <p key={problem.code} class="field-error">
          {problemText(problem, t)}
        </p>
      ))}
      {fixed && <FixedNote />}
    </div>
  );
}

/** A setting that is on or off. */
export function SettingFlag({ name, hint }: { name: FieldName; hint?: Key }): JSX.Element {
  const { editor } = useAdmin();
  const { t } = useWords();
  const fixed = isFixed(editor.loaded.value?.fixed ?? [], name);
  return (
    <div class="setting flag">
      <label class="pick bare">
        <input
          type="checkbox"
          checked={editor.flag(name)}
          disabled={fixed}
          onChange={(event) => editor.set(name, event.currentTarget.checked)}
        />
        <span>
          <b>{t(`set.${name}`)}</b>
          {hint && <span class="hint">{t(hint)}</span>}
        </span>
      </label>
      {fixed && <FixedNote />}
    </div>
  );
}
