import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isGroup } from "../../protocol/texts";
import type { Chat } from "../../state/chat/chat";
import { useApp } from "../context";
import { Empty } from "../Empty";
import { Icon } from "../icons";
import { Face } from "./Face";
import { OnDemand } from "./OnDemand";
import { preview } from "./words";

const loadNewGroup = () => import("./NewGroup").then((m) => m.NewGroup);
const loadResults = () => import("./SearchResults").then((m) => m.SearchResults);
const minWords = 2;

/** The chats and groups that there are, the newest activity first, and the search in all of them. */
export function ChatList(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { book } = app.chats;
  const [making, setMaking] = useState(false);
  const [query, setQuery] = useState("");
  const words = query.trim();
  const wanted = words.toLowerCase();
  const all = book.list.value;
  const shown = all.filter((chat) => app.personNamed(chat.id).name.toLowerCase().includes(wanted));
  return (
    <div class="roster-body">
      <div class="roster-head">
        <h2>{t("side.chats")}</h2>
        <button type="button" class="button small" onClick={() => setMaking(true)}>
          <Icon name="plus" size={18} />
          <span>{t("chat.new_group")}</span>
        </button>
      </div>
      {(all.length > 0 || words !== "") && (
        <label class="search">
          <Icon name="search" size={20} />
          <input
            type="search"
            aria-label={t("chat.search_all")}
            placeholder={t("chat.search_all")}
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        </label>
      )}
      <ul class="people" role="list">
        {shown.map((chat) => (
          <ChatRow key={chat.id} chat={chat} />
        ))}
      </ul>
      {words.length >= minWords && <OnDemand load={loadResults} props={{ words }} />}
      {all.length === 0 && words === "" && <NoChats />}
      {words === "" && book.more.value && <More />}
      {making && <OnDemand load={loadNewGroup} props={{ onClose: () => setMaking(false) }} />}
    </div>
  );
}

function NoChats(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  if (!app.chats.book.loaded.value) return <Empty title={t("chat.loading")} />;
  return (
    <Empty title={t("chat.none")}>
      <p class="muted">{t("chat.none_how")}</p>
    </Empty>
  );
}

function ChatRow({ chat }: { chat: Chat }): JSX.Element {
  const app = useApp();
  const { t, language } = app.settings;
  const { last, unread, at } = chat.head.value;
  const { name } = app.personNamed(chat.id);
  const me = app.me?.id ?? "";
  const waiting = app.chats.outbox.all.value.some((unsent) => unsent.chat === chat.id);
  const writes = app.chats.typing.now.value.has(chat.id);
  const line = last && preview(last, me, t, language.value);
  const said = last?.kind === "text" && (last.from.id === me || isGroup(chat.id));
  const by = said ? `${last.from.id === me ? t("chat.you_said") : `${last.from.name}:`} ` : "";
  return (
    <li class={`person chat-row ${app.view.openWith.value === chat.id ? "open" : ""}`} aria-label={name}>
      <Face id={chat.id} name={name} />
      <span class="person-words">
        <button
          type="button"
          class="person-open"
          aria-label={t("chat.open", { name })}
          aria-describedby={`chat-${chat.id}`}
          onClick={() => app.openConversation(chat.id)}
        >
          <span class="person-name" dir="auto">
            {name}
          </span>
        </button>
        <span class={`person-status ${unread > 0 ? "unread" : ""}`} id={`chat-${chat.id}`}>
          {writes ? <span class="writes">{t("chat.writes")}</span> : <bdi>{by + (line ?? "")}</bdi>}
          {unread > 0 && <span class="sr-only"> {t("roster.unread", { count: String(unread) })}</span>}
        </span>
      </span>
      <span class="chat-side">
        <span class="chat-when">{waiting ? t("chat.waiting") : whenWord(at, language.value)}</span>
        {unread > 0 && (
          <span class="badge" aria-hidden="true">
            {unread > 99 ? "99+" : unread}
          </span>
        )}
      </span>
    </li>
  );
}

/** The time today, the day before that. */
function whenWord(at: number, language: string): string {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return today
    ? date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" })
    : date.toLocaleDateString(language, { day: "numeric", month: "short" });
}

/** Fetches more chats when it comes into view. */
function More(): JSX.Element {
  const app = useApp();
  const box = useRef<HTMLButtonElement>(null);
  const more = () => void app.chats.moreChats();
  useEffect(() => {
    if (!box.current || typeof IntersectionObserver === "undefined") return undefined;
    const watch = new IntersectionObserver((found) => found.some((each) => each.isIntersecting) && more());
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return (
    <button type="button" class="link" ref={box} onClick={more}>
      {app.settings.t("chat.more_chats")}
    </button>
  );
}
