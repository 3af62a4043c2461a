import type { JSX } from "preact";
import type { TextMessage } from "../../protocol/texts";
import type { Row } from "../../state/chat/rows";
import { isEmoji } from "../../state/chat/words";
import { missed } from "../../state/pastCalls";
import { Avatar } from "../Avatar";
import { useApp } from "../context";
import { FileBubble } from "../files/FileBubble";
import { Icon } from "../icons";
import { callEntryWord, duration, textProblem } from "../words";
import { Body } from "./Body";
import { MessageMenu } from "./MessageMenu";
import { Ticks } from "./Ticks";
import { noteWords } from "./words";

interface Props extends Row {
  group: boolean;
  /** It was looked for. */
  found: boolean;
  last: boolean;
  /** Its menu is open. */
  open: boolean;
  onOpen: (message: string | undefined) => void;
  onEdit: (message: TextMessage) => void;
}

/** One message, and the lines above it. */
export function LogRow(props: Props): JSX.Element {
  const { message, day, fresh, found } = props;
  const { t } = useApp().settings;
  return (
    <div class={`row ${found ? "found" : ""}`} data-message={message.message}>
      {day && <DayLine at={message.server_time} />}
      {fresh && (
        <p class="unread-line">
          <span>{t("chat.new")}</span>
        </p>
      )}
      {message.kind === "text" && <Text {...props} />}
      {message.kind === "call" && <CallLine message={message} mine={props.mine} />}
      {message.kind === "note" && <NoteLine message={message} />}
    </div>
  );
}

function DayLine({ at }: { at: number }): JSX.Element {
  const { language } = useApp().settings;
  const date = new Date(at);
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : ("numeric" as const);
  return (
    <p class="day">
      <span>
        {date.toLocaleDateString(language.value, { weekday: "short", day: "numeric", month: "short", year })}
      </span>
    </p>
  );
}

function Text(props: Props): JSX.Element {
  const { message, mine, progress, problem, head, group, last, open, onOpen, onEdit } = props;
  const app = useApp();
  const { t } = app.settings;
  const gone = message.deleted !== undefined;
  const big = !gone && !message.file && isEmoji(message.body);
  const author = group && !mine;
  const toMenu = (event: MouseEvent) => {
    if (gone || (event.target as Element).closest("a, button, input, audio, video")) return;
    if (window.getSelection()?.isCollapsed === false) return;
    event.preventDefault();
    onOpen(message.message);
  };
  return (
    <div
      class={`text ${mine ? "mine" : "theirs"} ${progress ?? ""} ${head ? "first" : ""} ${group ? "in-group" : ""}`}
    >
      {author && (head ? <Avatar of={message.from} size="small" /> : <span class="avatar-room" />)}
      <div class="text-main">
        {author && head && (
          <p class="author" dir="auto">
            {message.from.name}
          </p>
        )}
        <div class="bubble-line">
          <div class={`bubble ${big ? "big" : ""} ${gone ? "gone" : ""}`} dir="auto" onContextMenu={toMenu}>
            {gone ? (
              <i>{t(mine ? "chat.deleted_mine" : "chat.deleted")}</i>
            ) : (
              <>
                <FileBubble message={message} />
                <Body message={message} mine={mine} />
              </>
            )}
          </div>
          {!gone && (
            <button
              type="button"
              class="more-button"
              aria-label={t("chat.more")}
              aria-haspopup="menu"
              aria-expanded={open}
              tabIndex={last ? 0 : -1}
              onClick={() => onOpen(open ? undefined : message.message)}
            >
              <Icon name="more" size={20} />
            </button>
          )}
        </div>
        <p class="meta">
          <Time at={message.server_time} />
          {message.edited !== undefined && !gone && <span> · {t("chat.edited")}</span>}
          {progress && <Ticks progress={progress} />}
        </p>
        {problem !== undefined && (
          <p class="failure" role="alert">
            <span>{t(textProblem(problem), { name: app.personNamed(message.chat).name })}</span>
            {progress === "failed" && (
              <>
                <button type="button" class="link" onClick={() => app.chats.retry(message.message)}>
                  {t("text.retry")}
                </button>
                <button type="button" class="link" onClick={() => app.chats.discard(message.message)}>
                  {t("chat.delete")}
                </button>
              </>
            )}
          </p>
        )}
        {open && (
          <MessageMenu
            message={message}
            mine={mine}
            progress={progress}
            onClose={() => onOpen(undefined)}
            onEdit={onEdit}
          />
        )}
      </div>
    </div>
  );
}

export function CallLine({ message, mine }: { message: TextMessage; mine: boolean }): JSX.Element | null {
  const { t } = useApp().settings;
  const { call } = message;
  if (!call) return null;
  const talked = call.seconds ?? 0;
  return (
    <p class={`call-line ${missed(call, mine) ? "missed" : ""}`}>
      <Icon name={call.media === "video" ? "video" : "phone"} size={18} />
      <span>
        {t(callEntryWord(call, mine))}
        {talked > 0 && ` · ${duration(talked)}`}
      </span>
      <Time at={message.server_time} />
    </p>
  );
}

function NoteLine({ message }: { message: TextMessage }): JSX.Element {
  const app = useApp();
  return (
    <p class="call-line note-line" dir="auto">
      {noteWords(message, app.me?.id ?? "", app.settings.t, app.settings.language.value)}
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
