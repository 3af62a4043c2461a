import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { echoID } from "../../protocol/messages";
import { isGroup } from "../../protocol/texts";
import { useApp } from "../context";
import { GuestTag } from "../GuestTag";
import { Icon } from "../icons";
import { statusWord } from "../words";
import { Face } from "./Face";
import { OnDemand } from "./OnDemand";

interface Props {
  id: string;
  inCall: boolean;
  onBack?: () => void;
  onSearch?: () => void;
}

const loadMenu = () => import("../people/PersonMenu").then((m) => m.PersonMenu);
const loadGroup = () => import("./GroupDialog").then((m) => m.GroupDialog);

/** Who this is with, what they do just now, and what can be done with the chat. */
export function ConversationHead({ id, inCall, onBack, onSearch }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { name } = app.personNamed(id);
  const [about, setAbout] = useState(false);
  return (
    <>
      <header class="conversation-head">
        {onBack && (
          <button type="button" class="round ghost" aria-label={t("text.back")} onClick={onBack}>
            <Icon name={inCall ? "close" : "back"} />
          </button>
        )}
        <Face id={id} name={name} small />
        <div class="person-words">
          <h2 class="person-name" dir="auto">
            {name}
          </h2>
          <span class="person-status">
            {isGroup(id) ? <GroupLine id={id} /> : <PersonLine id={id} name={name} />}
          </span>
        </div>
        {onSearch && (
          <button type="button" class="round ghost" aria-label={t("chat.search_here")} onClick={onSearch}>
            <Icon name="search" />
          </button>
        )}
        {!isGroup(id) && id !== echoID && <OnDemand load={loadMenu} props={{ person: { id, name } }} />}
        {isGroup(id) && (
          <button
            type="button"
            class="round ghost"
            aria-label={t("chat.about_group")}
            onClick={() => setAbout(true)}
          >
            <Icon name="people" />
          </button>
        )}
      </header>
      {about && <OnDemand load={loadGroup} props={{ chat: id, onClose: () => setAbout(false) }} />}
    </>
  );
}

function PersonLine({ id, name }: { id: string; name: string }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { status = "offline", line, quiet, gone } = app.people.find(id) ?? {};
  if (gone) return <>{id}</>;
  if (app.chats.typing.now.value.has(id)) return <Writes text={t("chat.writes")} />;
  return (
    <>
      {app.people.alike.value.has(id) ? <b>{id} · </b> : <GuestTag user={{ id, name }} />}
      {t(statusWord[status])}
      {quiet && ` · ${t("people.quiet")}`}
      {line && (
        <>
          {" · "}
          <bdi>{line}</bdi>
        </>
      )}
    </>
  );
}

function GroupLine({ id }: { id: string }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [first, ...others] = app.chats.typing.now.value.get(id) ?? [];
  if (first !== undefined) {
    const { name } = app.personNamed(first);
    return <Writes text={others.length > 0 ? t("chat.several_write") : t("chat.person_writes", { name })} />;
  }
  const group = app.chats.find(id)?.head.value.group;
  if (group?.left) return <>{t("chat.left")}</>;
  return <>{t("chat.people", { count: String(group?.members ?? "") })}</>;
}

const Writes = ({ text }: { text: string }): JSX.Element => (
  <span class="writes" role="status">
    {text}
    <span class="writes-dots" aria-hidden="true" />
  </span>
);
