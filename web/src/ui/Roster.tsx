import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Person } from "../protocol/messages";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { Empty } from "./Empty";
import { GuestTag } from "./GuestTag";
import { Icon } from "./icons";
import { Invite } from "./Invite";
import { NotifyHint } from "./NotifyHint";
import { statusWord } from "./words";

const searchFrom = 10;

/** Everybody else: who is there, and the buttons to reach them. */
export function Roster(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [query, setQuery] = useState("");
  const others = app.people.all.value.filter((person) => person.id !== app.me?.id);
  const wanted = query.trim().toLowerCase();
  const shown = others.filter((p) => p.name.toLowerCase().includes(wanted) || p.id.includes(wanted));
  const online = others.filter((p) => p.status !== "offline").length;
  const namesakes = app.people.alike.value;

  if (others.length === 0) {
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
  return (
    <div class="roster-body">
      <div class="roster-head">
        <h2>{t("roster.title")}</h2>
        <span class="muted">{t("roster.online", { count: String(online) })}</span>
      </div>
      {others.length > searchFrom && (
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
      )}
      <ul class="people" role="list">
        {shown.map((person) => (
          <Row key={person.id} person={person} namesake={namesakes.has(person.id)} />
        ))}
      </ul>
      {shown.length === 0 && <p class="muted center">{t("roster.none")}</p>}
      <EchoRow />
      {online === 0 && <Invite small />}
      <NotifyHint />
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
      <Row person={{ ...echo, name: t("echo.name") }} namesake={false} about={t("echo.about")} />
    </ul>
  );
}

interface RowProps {
  person: Person;
  namesake: boolean;
  /** Said in place of a status. */
  about?: string;
}

const busyWhy = (calls: { busy: boolean; others: { value: unknown[] } }) =>
  calls.others.value.length > 0 ? "roster.full_why" : "roster.busy_why";

/** namesake: somebody else has a name that looks the same, so the id is shown as well. */
function Row({ person, namesake, about }: RowProps): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { name, status, id } = person;
  const unread = app.chats.unreadIn(id);
  const why =
    status === "offline" ? t("roster.offline_why", { name }) : app.calls.room ? "" : t(busyWhy(app.calls));
  const call = (media: "video" | "audio") => app.call(person, media);
  return (
    <li class={`person ${status} ${app.view.openWith.value === id ? "open" : ""}`} aria-label={name}>
      <Avatar of={person} status={status} />
      <span class="person-words">
        <button
          type="button"
          class="person-open"
          aria-label={t("roster.message", { name })}
          aria-describedby={`status-${id}`}
          onClick={() => app.openConversation(id)}
        >
          <span class="person-name">{name}</span>
        </button>
        <span class={`person-status ${namesake ? "whole" : ""}`} id={`status-${id}`}>
          {namesake ? <b>{id} · </b> : <GuestTag user={person} />}
          {about ?? t(statusWord[status])}
          {unread > 0 && <span class="sr-only"> {t("roster.unread", { count: String(unread) })}</span>}
        </span>
      </span>
      {unread > 0 && (
        <span class="badge" aria-hidden="true">
          {unread > 99 ? "99+" : unread}
        </span>
      )}
      <button
        type="button"
        class="round ghost"
        aria-label={t("roster.audio", { name })}
        title={why || t("roster.audio", { name })}
        disabled={why !== ""}
        onClick={() => call("audio")}
      >
        <Icon name="phone" />
      </button>
      <button
        type="button"
        class="round ghost"
        aria-label={t("roster.video", { name })}
        title={why || t("roster.video", { name })}
        disabled={why !== ""}
        onClick={() => call("video")}
      >
        <Icon name="video" />
      </button>
    </li>
  );
}
