import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { echoID } from "../../protocol/messages";
import type { TextMessage } from "../../protocol/texts";
import type { Chat } from "../../state/chat/chat";
import { reachOf, rowsOf } from "../../state/chat/rows";
import { isGroup } from "../../protocol/texts";
import { useApp } from "../context";
import { Icon } from "../icons";
import { LogRow } from "./LogRow";
import { useScroll } from "./scroll";

interface Props {
  chat: Chat;
  name: string;
  onEdit: (message: TextMessage) => void;
}

/** The messages of a chat, as many as are held; more come as one scrolls to either end. */
export function Log({ chat, name, onEdit }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const box = useRef<HTMLDivElement>(null);
  // Where reading stopped, for as long as the chat is open.
  const readTo = useReadTo(chat);
  const rows = useComputed(() =>
    rowsOf({
      messages: chat.window.value?.messages ?? [],
      unsent: unsentIn(app, chat.id),
      me: app.chats.book.me,
      reach: chat.id === echoID ? { delivered: 0, read: 0 } : reachOf(chat.head.value, chat.others.value),
      readTo: readTo.value,
    }),
  ).value;
  const { atEnd, toEnd } = useScroll(box, chat, rows);
  const [open, setOpen] = useState<string>();
  useEffect(() => {
    const close = () => setOpen(undefined);
    window.addEventListener("blur", close);
    return () => window.removeEventListener("blur", close);
  }, []);
  const { value: held } = chat.window;
  const { unread } = chat.head.value;
  return (
    <div class="log-place">
      {chat.loading.value && (
        <p class="log-note">
          <span class="spinner" aria-hidden="true" />
          {t("chat.loading")}
        </p>
      )}
      {chat.failed.value && !chat.loading.value && <Failed chat={chat} name={name} />}
      <div class="log" role="log" ref={box} tabIndex={0} aria-label={t("text.log")} onKeyDown={moveFocus}>
        {held && rows.length === 0 && !chat.failed.value && (
          <p class="muted center">{isGroup(chat.id) ? t("chat.empty_group") : t("text.empty", { name })}</p>
        )}
        {rows.map((row, i) => (
          <LogRow
            key={row.message.message}
            {...row}
            group={isGroup(chat.id)}
            found={chat.target.value === row.message.message}
            last={i === rows.length - 1}
            open={open === row.message.message}
            onOpen={setOpen}
            onEdit={onEdit}
          />
        ))}
      </div>
      {!atEnd && (
        <button type="button" class="to-end" aria-label={t("chat.to_end")} onClick={toEnd}>
          <Icon name="down" />
          {unread > 0 && <span class="badge">{unread > 99 ? "99+" : unread}</span>}
        </button>
      )}
    </div>
  );
}

/** Where reading stopped: when the chat was opened, or when the page was left. */
function useReadTo(chat: Chat) {
  const app = useApp();
  const { read, unread } = chat.head.peek();
  const readTo = useSignal(unread > 0 ? read : undefined);
  const visible = app.view.visible.value;
  const before = useRef(visible);
  useEffect(() => {
    if (before.current === visible) return;
    before.current = visible;
    const now = chat.head.peek();
    if (!visible) readTo.value = now.read;
    else if (now.unread === 0) readTo.value = undefined;
  }, [visible]);
  return readTo;
}

function unsentIn(app: ReturnType<typeof useApp>, id: string) {
  if (id !== echoID) return app.chats.outbox.all.value.filter((unsent) => unsent.chat === id);
  const unsent = app.chats.echo?.unsent.value ?? [];
  return unsent.map((each) => ({ ...each, chat: id, failed: each.problem !== undefined }));
}

function Failed({ chat, name }: { chat: Chat; name: string }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  return (
    <p class="log-note" role="status">
      {t("chat.not_fetched")}{" "}
      <button type="button" class="link" onClick={() => void app.chats.show(chat.id, name)}>
        {t("text.retry")}
      </button>
    </p>
  );
}

/** The arrow keys go from message to message; only one of their buttons is in the tab order. */
function moveFocus(event: KeyboardEvent): void {
  const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
  const from = event.target as HTMLElement;
  if (step === 0 || !from.classList.contains("more-button")) return;
  const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".more-button")];
  const next = all[all.indexOf(from) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
