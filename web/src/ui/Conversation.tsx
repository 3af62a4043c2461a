import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { User } from "../protocol/messages";
import { missed, tooLong, type CallEntry, type Entry, type TextEntry } from "../state/texts";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { GuestTag } from "./GuestTag";
import { Icon } from "./icons";
import { callEntryWord, duration, statusWord, textProblem } from "./words";

interface Props {
  peer: User;
  /** Beside or over a call: no call buttons. */
  inCall?: boolean;
  onBack?: () => void;
}

/** The texts and calls with one person, and the box to write in. */
export function Conversation({ peer, inCall = false, onBack }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const person = app.people.find(peer.id);
  const { name } = peer;
  const status = person?.status ?? "offline";
  const entries = app.texts.conversations.value.get(peer.id)?.entries ?? [];
  const log = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  }, [entries, peer.id]);

  return (
    <section class="conversation" aria-label={t("text.with", { name })}>
      <header class="conversation-head">
        {onBack && (
          <button type="button" class="round ghost" aria-label={t("text.back")} onClick={onBack}>
            <Icon name={inCall ? "close" : "back"} />
          </button>
        )}
        <Avatar of={{ id: peer.id, name }} status={status} size="small" />
        <div class="person-words">
          <h2 class="person-name">{name}</h2>
          <span class="person-status">
            {app.people.alike.value.has(peer.id) ? <b>{peer.id} · </b> : <GuestTag user={peer} />}
            {t(statusWord[status])}
          </span>
        </div>
      </header>
      <div class="log" role="log" ref={log} tabIndex={0} aria-label={t("text.log")}>
        {entries.length === 0 && <p class="muted center">{t("text.empty", { name })}</p>}
        {entries.map((entry, i) => (
          <Item key={entry.id} entry={entry} peer={peer} before={entries[i - 1]} />
        ))}
      </div>
      <Composer key={peer.id} peer={{ id: peer.id, name }} offline={status === "offline"} />
    </section>
  );
}

function Item({ entry, peer, before }: { entry: Entry; peer: User; before?: Entry }): JSX.Element {
  const { settings } = useApp();
  const language = settings.language.value;
  const day = (at: number) =>
    new Date(at).toLocaleDateString(language, { weekday: "short", day: "numeric", month: "short" });
  const newDay = day(entry.at) !== (before ? day(before.at) : day(Date.now()));
  return (
    <>
      {newDay && <p class="day">{day(entry.at)}</p>}
      {entry.kind === "text" ? <Text entry={entry} peer={peer} /> : <CallLine entry={entry} />}
    </>
  );
}

function Text({ entry, peer }: { entry: TextEntry; peer: User }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const retry = () => void app.texts.retry(peer.id, entry.id);
  return (
    <div class={`text ${entry.mine ? "mine" : "theirs"} ${entry.state}`}>
      <p class="bubble" dir="auto">
        {entry.body}
      </p>
      <p class="meta">
        <Time at={entry.at} />
        {entry.mine && entry.state === "sending" && <span> · {t("text.sending")}</span>}
        {entry.mine && entry.state === "sent" && <span> · {t("text.sent")}</span>}
      </p>
      {entry.state === "failed" && (
        <p class="failure" role="alert">
          <span>{t(textProblem(entry.problem), { name: peer.name })}</span>
          <button type="button" class="link" onClick={retry}>
            {t("text.retry")}
          </button>
        </p>
      )}
    </div>
  );
}

function CallLine({ entry }: { entry: CallEntry }): JSX.Element {
  const { t } = useApp().settings;
  return (
    <p class={`call-line ${missed(entry) ? "missed" : ""}`}>
      <Icon name={entry.media === "video" ? "video" : "phone"} size={18} />
      <span>
        {t(callEntryWord(entry))}
        {entry.seconds !== undefined && ` · ${duration(entry.seconds)}`}
      </span>
      <Time at={entry.at} />
    </p>
  );
}

function Time({ at }: { at: number }): JSX.Element {
  const language = useApp().settings.language.value;
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()}>
      {date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" })}
    </time>
  );
}

function Composer({ peer, offline }: { peer: User; offline: boolean }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [body, setBody] = useState("");
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    current.style.height = "auto";
    current.style.height = `${Math.min(current.scrollHeight, 140)}px`;
  }, [body]);
  const long = body.length > 2000 && tooLong(body);
  const ready = body.trim() !== "" && !long;
  const send = () => {
    if (!ready) return;
    void app.texts.send(peer, body);
    setBody("");
    box.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // isComposing: Enter chooses a word in a Chinese input method.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {(long || offline) && (
        <p class={long ? "field-error" : "hint"} role="status">
          {long ? t("text.too_long") : t("text.offline_hint", { name: peer.name })}
        </p>
      )}
      <div class="composer-row">
        <textarea
          ref={box}
          rows={1}
          dir="auto"
          aria-label={t("text.box")}
          placeholder={t("text.placeholder", { name: peer.name })}
          value={body}
          onInput={(event) => setBody(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="round primary" aria-label={t("text.send")} disabled={!ready}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}
