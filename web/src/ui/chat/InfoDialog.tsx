import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Mark, Member } from "../../protocol/chats";
import { isGroup, type TextMessage } from "../../protocol/texts";
import { Avatar } from "../Avatar";
import { useApp } from "../context";
import { Dialog } from "../Dialog";
import { Icon } from "../icons";
import { Ticks } from "./Ticks";

/** When a message was sent and changed, and who has received and read it. */
export function InfoDialog({ message, onClose }: { message: TextMessage; onClose: () => void }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const when = (at: number) =>
    new Date(at).toLocaleString(app.settings.language.value, { dateStyle: "medium", timeStyle: "short" });
  const peer = app.chats.find(message.chat)?.head.value.peer;
  const mine = message.from.id === app.me?.id;
  return (
    <Dialog label={t("chat.info")} onEscape={onClose}>
      <header class="dialog-head">
        <h2>{t("chat.info")}</h2>
        <button type="button" class="round ghost" aria-label={t("account.close")} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="stack">
        <dl class="facts">
          <dt>{t("chat.from")}</dt>
          <dd dir="auto">{message.from.name}</dd>
          <dt>{t("text.sent")}</dt>
          <dd>{when(message.server_time)}</dd>
          {message.edited !== undefined && (
            <>
              <dt>{t("chat.edited")}</dt>
              <dd>{when(message.edited)}</dd>
            </>
          )}
          {mine && !isGroup(message.chat) && (
            <>
              <dt>{t("chat.progress")}</dt>
              <dd>{t(progressWord(message.pos, peer))}</dd>
            </>
          )}
        </dl>
        {isGroup(message.chat) && <Reached message={message} />}
      </div>
    </Dialog>
  );
}

const progressWord = (pos: number, mark: Mark | undefined) =>
  pos <= (mark?.read ?? 0) ? "chat.read" : pos <= (mark?.delivered ?? 0) ? "chat.delivered" : "text.sent";

/** Who of a group has read a message, who has received it, and who has not. */
function Reached({ message }: { message: TextMessage }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [members, setMembers] = useState<Member[]>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    Promise.all([app.chats.group(message.chat), app.chats.loadMarks(message.chat)]).then(
      ([group]) => setMembers(group.members.filter((member) => member.id !== message.from.id)),
      () => setFailed(true),
    );
  }, []);
  const others = app.chats.find(message.chat)?.others.value;
  if (failed) {
    return (
      <p class="note bad" role="alert">
        {t("chat.not_done")}
      </p>
    );
  }
  if (!members) return <p class="muted center">{t("chat.loading")}</p>;
  return (
    <ul role="list" class="members">
      {members.map((member) => {
        const mark = others?.get(member.id);
        const word = progressWord(
          message.pos,
          member.id === app.me?.id ? { delivered: message.pos, read: message.pos } : mark,
        );
        return (
          <li class="member" key={member.id}>
            <Avatar of={member} size="small" />
            <span class="person-words">
              <span class="person-name" dir="auto">
                {member.name}
              </span>
              <span class="person-status">{word === "text.sent" ? t("chat.not_received") : t(word)}</span>
            </span>
            <Ticks
              progress={word === "chat.read" ? "read" : word === "chat.delivered" ? "delivered" : "waiting"}
            />
          </li>
        );
      })}
    </ul>
  );
}
