import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { Told, useAction } from "../action";
import { useApp } from "../context";
import { Icon } from "../icons";

const mostTags = 8;
const tagChars = 24;
const suggested = 8;

interface Props {
  label: string;
  hint: string;
  own: readonly string[];
  save: (tags: string[]) => Promise<void>;
}

/** Adds and removes the tags of somebody; those that others have are at hand. */
export function TagsEditor({ label, hint, own, save }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [typed, setTyped] = useState("");
  const { outcome, busy, run } = useAction();
  const id = useId();
  const change = (tags: string[]) => run(() => save(tags));
  const add = async (tag: string) => {
    if (tag.trim() !== "" && (await change([...own, tag]))) setTyped("");
  };
  const known = app.people.tags.value
    .filter((tag) => !own.includes(tag) && tag.includes(typed.trim().toLowerCase()))
    .slice(0, suggested);
  return (
    <form
      class="stack tags"
      onSubmit={(event) => {
        event.preventDefault();
        void add(typed);
      }}
    >
      <label for={id}>{label}</label>
      {own.length > 0 && (
        <ul class="chips" role="list">
          {own.map((tag) => (
            <li key={tag}>
              <button
                type="button"
                class="chip"
                disabled={busy}
                aria-label={t("people.remove_tag", { tag })}
                onClick={() => void change(own.filter((other) => other !== tag))}
              >
                <bdi>{tag}</bdi>
                <Icon name="close" size={16} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {own.length < mostTags && (
        <>
          <div class="with-button">
            <div class="field">
              <div class="field-box">
                <input
                  id={id}
                  type="text"
                  value={typed}
                  maxLength={tagChars}
                  aria-describedby={`${id}-hint`}
                  onInput={(event) => setTyped(event.currentTarget.value)}
                />
              </div>
            </div>
            <button type="submit" class="button" disabled={busy || typed.trim() === ""}>
              {t("people.add")}
            </button>
          </div>
          <p class="hint" id={`${id}-hint`}>
            {hint}
          </p>
          {known.length > 0 && (
            <div class="chips" role="group" aria-label={t("people.suggested")}>
              {known.map((tag) => (
                <button key={tag} type="button" class="chip" disabled={busy} onClick={() => void add(tag)}>
                  + <bdi>{tag}</bdi>
                </button>
              ))}
            </div>
          )}
        </>
      )}
      <Told outcome={outcome} />
    </form>
  );
}
