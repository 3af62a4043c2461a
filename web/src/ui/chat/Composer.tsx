import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { echoID } from "../../protocol/messages";
import { RequestError } from "../../protocol/pending";
import type { TextMessage } from "../../protocol/texts";
import { tooLong } from "../../state/chat/chats";
import { useApp } from "../context";
import { FileButton } from "../files/FileButton";
import { VoiceButton } from "../files/VoiceButton";
import { Icon } from "../icons";
import { textProblem } from "../words";
import { OnDemand } from "./OnDemand";

interface Props {
  chat: string;
  name: string;
  group: boolean;
  /** One's own text that is being changed. */
  editing: TextMessage | undefined;
  onEdited: () => void;
}

const loadPicker = () => import("./EmojiPicker").then((m) => m.EmojiPicker);
const mostHigh = 140;

/** The box to write in. What is being written stays when one looks at another chat. */
export function Composer(props: Props): JSX.Element {
  const { chat, name, group, editing, onEdited } = props;
  const app = useApp();
  const { t } = app.settings;
  const { drafts, typing } = app.chats;
  const [body, setBody] = useState(() => drafts.get(chat) ?? "");
  const [problem, setProblem] = useState<string>();
  const [picking, setPicking] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    setBody(editing?.body ?? drafts.get(chat) ?? "");
    setProblem(undefined);
    if (editing) box.current?.focus();
  }, [editing]);
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    current.style.height = "auto";
    current.style.height = `${Math.min(current.scrollHeight, mostHigh)}px`;
  }, [body]);
  const long = body.length > 2000 && tooLong(body);
  const ready = body.trim() !== "" && !long;

  const write = (text: string) => {
    setBody(text);
    setProblem(undefined);
    if (editing) return;
    if (text === "") drafts.delete(chat);
    else drafts.set(chat, text);
    if (text !== "" && chat !== echoID) typing.typed(chat);
  };
  const insert = (emoji: string) => {
    const { current } = box;
    const [from, to] = [current?.selectionStart ?? body.length, current?.selectionEnd ?? body.length];
    write(body.slice(0, from) + emoji + body.slice(to));
    requestAnimationFrame(() => current?.setSelectionRange(from + emoji.length, from + emoji.length));
  };
  const save = async (message: TextMessage) => {
    try {
      if (body.trim() !== message.body) await app.chats.edit(message, body);
      onEdited();
    } catch (error) {
      setProblem(t(textProblem(error instanceof RequestError ? error.code : "internal"), { name }));
    }
  };
  const send = () => {
    if (!ready) return;
    setPicking(false);
    box.current?.focus();
    if (editing) {
      void save(editing);
      return;
    }
    if (!app.chats.send(chat, body)) {
      setProblem(t("chat.too_many_waiting"));
      return;
    }
    drafts.delete(chat);
    setBody("");
    const shown = app.chats.find(chat);
    if (!shown) return;
    shown.following = true;
    if (shown.window.value?.newer) void app.chats.latest(chat);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && (picking || editing)) {
      if (picking) setPicking(false);
      else onEdited();
    }
    // isComposing: Enter chooses a word in a Chinese input method.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const away = !group && chat !== echoID && (app.people.find(chat)?.status ?? "offline") === "offline";
  const error = long ? t("text.too_long") : problem;
  const hint = away && body !== "" && !editing ? t("text.offline_hint", { name }) : undefined;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {editing && (
        <p class="editing">
          <Icon name="edit" size={18} />
          <span>{t("chat.editing")}</span>
          <button type="button" class="round ghost" aria-label={t("chat.stop_editing")} onClick={onEdited}>
            <Icon name="close" size={20} />
          </button>
        </p>
      )}
      {(error ?? hint) !== undefined && (
        <p class={error ? "field-error" : "hint"} role={error ? "alert" : "status"}>
          {error ?? hint}
        </p>
      )}
      {picking && <OnDemand load={loadPicker} props={{ onPick: insert }} />}
      <div class="composer-row">
        <button
          type="button"
          class="round ghost emoji-button"
          aria-label={t("chat.emoji")}
          aria-expanded={picking}
          onClick={() => setPicking(!picking)}
        >
          <Icon name="smile" />
        </button>
        {!editing && <FileButton chat={chat} />}
        <textarea
          ref={box}
          rows={1}
          dir="auto"
          aria-label={t("text.box")}
          placeholder={t(group ? "chat.placeholder_group" : "text.placeholder", { name })}
          value={body}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {body === "" && !editing && <VoiceButton chat={chat} />}
        <button
          type="submit"
          class="round primary"
          aria-label={editing ? t("chat.save_edit") : t("text.send")}
          disabled={!ready}
        >
          <Icon name={editing ? "check" : "send"} />
        </button>
      </div>
    </form>
  );
}
