import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../context";
import { Avatar } from "../Avatar";
import { Icon } from "../icons";

interface Props {
  chosen: ReadonlySet<string>;
  /** Who is not offered. */
  without: ReadonlySet<string>;
  most: number;
  onChange: (chosen: ReadonlySet<string>) => void;
}

/** Of thousands of people these are drawn; the box above finds the others. */
const mostShown = 60;

/** Chooses people: those who were chosen first, then whom the words find. */
export function PeoplePicker({ chosen, without, most, onChange }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [query, setQuery] = useState("");
  const wanted = query.trim().toLowerCase();
  const everybody = app.people.all.value.filter(
    (person) => !without.has(person.id) && person.id !== app.me?.id,
  );
  const found = everybody.filter(
    ({ id, name }) => chosen.has(id) || name.toLowerCase().includes(wanted) || id.includes(wanted),
  );
  const shown = [...found.filter(({ id }) => chosen.has(id)), ...found.filter(({ id }) => !chosen.has(id))];
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id) && next.size < most) next.add(id);
    onChange(next);
  };
  return (
    <fieldset class="picker">
      <legend>{t("chat.choose_people", { count: String(chosen.size) })}</legend>
      <label class="search">
        <Icon name="search" size={20} />
        <input
          type="search"
          aria-label={t("roster.search")}
          placeholder={t("roster.search")}
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </label>
      <div class="picker-list">
        {shown.slice(0, mostShown).map((person) => (
          <label class="pick" key={person.id}>
            <input type="checkbox" checked={chosen.has(person.id)} onChange={() => toggle(person.id)} />
            <Avatar of={person} size="small" />
            <span class="person-words">
              <span class="person-name" dir="auto">
                {person.name}
              </span>
              <span class="person-status">{person.id}</span>
            </span>
          </label>
        ))}
        {shown.length > mostShown && (
          <p class="hint center">{t("chat.more_people", { count: String(shown.length - mostShown) })}</p>
        )}
        {shown.length === 0 && <p class="muted center">{t("roster.none")}</p>}
      </div>
    </fieldset>
  );
}
