import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { echoID } from "../protocol/messages";
import { isGroup, type TextMessage } from "../protocol/texts";
import { Composer } from "./chat/Composer";
import { ConversationHead } from "./chat/Head";
import { Log } from "./chat/Log";
import { OnDemand } from "./chat/OnDemand";
import { useApp } from "./context";

interface Props {
  /** A person's id, or a group's name. */
  chat: string;
  /** Beside or over a call. */
  inCall?: boolean;
  onBack?: () => void;
}

const loadSearch = () => import("./chat/ChatSearch").then((m) => m.ChatSearch);

/** The texts and calls of one chat, and the box to write in. */
export function Conversation({ chat: id, inCall = false, onBack }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { name } = app.personNamed(id);
  const chat = app.chats.find(id);
  const [searching, setSearching] = useState(false);
  const [editing, setEditing] = useState<TextMessage>();
  useEffect(() => {
    setSearching(false);
    setEditing(undefined);
    void app.chats.show(id, name);
    void app.chats.loadMarks(id).catch(() => undefined);
  }, [id]);
  const closed = chat?.head.value.group?.left ?? false;

  return (
    <section class="conversation" aria-label={t("text.with", { name })}>
      <ConversationHead
        id={id}
        inCall={inCall}
        onBack={onBack}
        onSearch={id === echoID ? undefined : () => setSearching(!searching)}
      />
      {searching && <OnDemand load={loadSearch} props={{ chat: id, onClose: () => setSearching(false) }} />}
      {chat ? (
        <Log key={id} chat={chat} name={name} onEdit={setEditing} />
      ) : (
        <div class="log" aria-busy="true" />
      )}
      {closed ? (
        <p class="composer hint center">{t("chat.not_member")}</p>
      ) : (
        <Composer
          key={id}
          chat={id}
          name={name}
          group={isGroup(id)}
          editing={editing}
          onEdited={() => setEditing(undefined)}
        />
      )}
    </section>
  );
}
