import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { arrange } from "../state/roster";
import { useApp } from "./context";
import { Empty } from "./Empty";
import { Icon } from "./icons";
import { Invite } from "./Invite";
import { NotifyHint } from "./NotifyHint";
import { PeopleList } from "./people/PeopleList";
import { PersonRow } from "./people/PersonRow";

const searchFrom = 10;
const tagsShown = 12;

/** Everybody else: who is there, and the buttons to reach them. */
export function Roster(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const query = useSignal("");
  const tag = useSignal<string | undefined>(undefined);
  const shown = useComputed(() =>
    arrange(app.people.all.value, {
      me: app.identity.me?.id,
      favourites: app.contacts.favourites.value,
      query: query.value,
      tag: tag.value,
      text: (id) => app.people.text(id),
    }),
  );
  const others = useComputed(() => {
    const all = app.people.all.value.filter((person) => person.id !== app.identity.me?.id);
    return { count: all.length, online: all.filter((person) => person.status !== "offline").length };
  });
  const { count, online } = others.value;

  if (count === 0) {
    const { value: loaded } = app.people.loaded;
    return (
      <div class="roster-body">
        {loaded ? <Invite /> : <Empty title={t("roster.loading")} />}
        {loaded && app.people.echo.value && <p class="muted echo-alone">{t("echo.alone")}</p>}
        <EchoRow />
        <NotifyHint />
      </div>
    );
  }
  const people = shown.value;
  const filtered = query.value.trim() !== "" || tag.value !== undefined;
  return (
    <div class="roster-body">
      <div class="roster-head">
        <h2>{t("roster.title")}</h2>
        <span class="muted" role="status">
          {filtered
            ? t("people.found", { count: String(people.length) })
            : t("roster.online", { count: String(online) })}
        </span>
      </div>
      {count > searchFrom && (
        <label class="search">
          <Icon name="search" size={20} />
          <input
            type="search"
            aria-label={t("roster.search")}
            placeholder={t("people.search_hint")}
            value={query.value}
            onInput={(event) => (query.value = event.currentTarget.value)}
          />
        </label>
      )}
      <TagFilter chosen={tag.value} onChoose={(chosen) => (tag.value = chosen)} />
      {/* Who searches anew starts at the top. */}
      <PeopleList key={filtered ? `${tag.value ?? ""}\n${query.value}` : ""} people={people} />
      {people.length === 0 && <p class="muted center">{t("people.none")}</p>}
      <EchoRow />
      {online === 0 && <Invite small />}
      <NotifyHint />
    </div>
  );
}

function TagFilter(props: {
  chosen: string | undefined;
  onChoose: (tag: string | undefined) => void;
}): JSX.Element | null {
  const app = useApp();
  const tags = app.people.tags.value.slice(0, tagsShown);
  if (tags.length === 0) return null;
  if (props.chosen !== undefined && !tags.includes(props.chosen)) tags.unshift(props.chosen);
  return (
    <div class="chips" role="group" aria-label={app.settings.t("people.tags")}>
      {tags.map((tag) => (
        <button
          key={tag}
          type="button"
          class="chip"
          aria-pressed={tag === props.chosen}
          onClick={() => props.onChoose(tag === props.chosen ? undefined : tag)}
        >
          <bdi>{tag}</bdi>
        </button>
      ))}
    </div>
  );
}

/** The echo contact, while the server has one: never among the people. */
function EchoRow(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const echo = app.people.echo.value;
  if (!echo) return null;
  return (
    <ul class="people echo-people" role="list">
      <PersonRow person={{ ...echo, name: t("echo.name") }} about={t("echo.about")} />
    </ul>
  );
}
