import type { JSX } from "preact";
import type { Person } from "../../protocol/messages";
import type { Someone } from "../../state/people";
import { Avatar } from "../Avatar";
import { useApp } from "../context";
import { GuestTag } from "../GuestTag";
import { Icon } from "../icons";
import { statusWord } from "../words";

interface Props {
  person: Someone | Person;
  /** Said in place of a status. */
  about?: string;
  /** Where the row is in the whole list, from 1, where only a part of it is drawn. */
  place?: { at: number; of: number; top: number };
}

/** Somebody, and the buttons to reach them. */
export function PersonRow({ person, about, place }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { name, status, id } = person;
  const { line, quiet } = person as Someone;
  const unread = app.chats.unreadIn(id);
  const namesake = app.people.alike.value.has(id);
  const favourite = app.contacts.favourites.value.has(id);
  const blocked = app.contacts.blocked.value.has(id);
  const why = blocked
    ? t("people.blocked_why", { name })
    : status === "offline"
      ? t("roster.offline_why", { name })
      : app.calls.room
        ? ""
        : t(app.calls.others.value.length > 0 ? "roster.full_why" : "roster.busy_why");
  const reach = (media: "video" | "audio", label: string) => (
    <button
      type="button"
      class="round ghost"
      aria-label={label}
      title={why || label}
      disabled={why !== ""}
      onClick={() => app.call(person, media)}
    >
      <Icon name={media === "audio" ? "phone" : "video"} />
    </button>
  );
  return (
    <li
      class={`person ${status} ${app.view.openWith.value === id ? "open" : ""} ${place ? "placed" : ""}`}
      aria-label={name}
      aria-setsize={place?.of}
      aria-posinset={place?.at}
      style={place ? { top: `${place.top}px` } : undefined}
    >
      <Avatar of={person} status={status} />
      <span class="person-words">
        <button
          type="button"
          class="person-open"
          data-at={place?.at}
          aria-label={t("roster.message", { name })}
          aria-describedby={`status-${id}`}
          onClick={() => app.openConversation(id)}
        >
          <span class="person-name" dir="auto">
            {name}
          </span>
        </button>
        <span class={`person-status ${namesake ? "whole" : ""}`} id={`status-${id}`}>
          {namesake ? <b>{id} · </b> : <GuestTag user={person} />}
          {favourite && <Mark icon="star" text={t("people.favourite")} />}
          {blocked && <Mark icon="block" text={t("people.blocked")} />}
          {quiet && <Mark icon="moon" text={t("people.quiet")} />}
          {about ?? (line ? <bdi>{line}</bdi> : t(statusWord[status]))}
          {line && about === undefined && <span class="sr-only"> {t(statusWord[status])}</span>}
          {unread > 0 && <span class="sr-only"> {t("roster.unread", { count: String(unread) })}</span>}
        </span>
      </span>
      {unread > 0 && (
        <span class="badge" aria-hidden="true">
          {unread > 99 ? "99+" : unread}
        </span>
      )}
      {reach("audio", t("roster.audio", { name }))}
      {reach("video", t("roster.video", { name }))}
    </li>
  );
}

function Mark({ icon, text }: { icon: "star" | "block" | "moon"; text: string }): JSX.Element {
  return (
    <span class={`mark ${icon}`} title={text}>
      <Icon name={icon} size={15} />
      <span class="sr-only">{text} </span>
    </span>
  );
}
