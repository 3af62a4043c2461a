import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Group, GroupChange, Member } from "../../protocol/chats";
import { Told, useAction } from "../action";
import { Avatar } from "../Avatar";
import { useApp } from "../context";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Icon } from "../icons";
import { PeoplePicker } from "./PeoplePicker";

type Change = (change: GroupChange) => Promise<boolean>;

const mostPeople = 500;

/** Who is in a group, and what may be changed about it. */
export function GroupDialog({ chat, onClose }: { chat: string; onClose: () => void }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [group, setGroup] = useState<Group>();
  const [adding, setAdding] = useState(false);
  const { outcome, busy, run } = useAction();
  useEffect(() => {
    void run(async () => setGroup(await app.chats.group(chat)));
  }, [chat]);
  const change: Change = (wanted) => run(async () => setGroup(await app.chats.changeGroup(chat, wanted)));
  const me = app.me?.id ?? "";
  const admin = group?.members.some((member) => member.id === me && member.admin) ?? false;
  const inside = group?.members.some((member) => member.id === me) ?? false;
  return (
    <Dialog label={t("chat.about_group")} onEscape={onClose}>
      <header class="dialog-head">
        <h2 dir="auto">{group?.name ?? app.personNamed(chat).name}</h2>
        <button type="button" class="round ghost" aria-label={t("account.close")} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="stack">
        <Told outcome={outcome} />
        {!group && !outcome && <p class="muted center">{t("chat.loading")}</p>}
        {group && admin && <NameForm name={group.name} busy={busy} change={change} />}
        {group && inside && !adding && (
          <button type="button" class="button wide" onClick={() => setAdding(true)}>
            <Icon name="invite" size={20} />
            <span>{t("chat.add_people")}</span>
          </button>
        )}
        {group && adding && (
          <Adding group={group} busy={busy} change={change} onDone={() => setAdding(false)} />
        )}
        {group && (
          <section>
            <h3>{t("chat.people", { count: String(group.members.length) })}</h3>
            <ul role="list" class="members">
              {group.members.map((member) => (
                <MemberRow
                  key={member.id}
                  member={member}
                  me={me}
                  rules={admin && member.id !== me}
                  busy={busy}
                  change={change}
                />
              ))}
            </ul>
          </section>
        )}
        {inside && <Leave busy={busy} leave={() => change({ remove: [me] })} onLeft={onClose} />}
      </div>
    </Dialog>
  );
}

function NameForm({
  name: present,
  busy,
  change,
}: {
  name: string;
  busy: boolean;
  change: Change;
}): JSX.Element {
  const { t } = useApp().settings;
  const [name, setName] = useState(present);
  return (
    <form
      class="with-button"
      onSubmit={(event) => {
        event.preventDefault();
        void change({ name: name.trim() });
      }}
    >
      <Field label={t("chat.group_name")} value={name} onInput={setName} maxLength={64} autoComplete="off" />
      <button type="submit" class="button" disabled={busy || name.trim() === "" || name.trim() === present}>
        {t("account.save")}
      </button>
    </form>
  );
}

interface AddingProps {
  group: Group;
  busy: boolean;
  change: Change;
  onDone: () => void;
}

function Adding({ group, busy, change, onDone }: AddingProps): JSX.Element {
  const { t } = useApp().settings;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const there = new Set(group.members.map((member) => member.id));
  const add = async () => {
    if (await change({ add: [...chosen] })) onDone();
  };
  return (
    <div class="stack boxed">
      <PeoplePicker chosen={chosen} without={there} most={mostPeople - there.size} onChange={setChosen} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={onDone}>
          {t("chat.cancel")}
        </button>
        <button
          type="button"
          class="button primary"
          disabled={busy || chosen.size === 0}
          onClick={() => void add()}
        >
          {t("chat.add")}
        </button>
      </div>
    </div>
  );
}

interface MemberProps {
  member: Member;
  me: string;
  /** May change what this member is. */
  rules: boolean;
  busy: boolean;
  change: Change;
}

function MemberRow({ member, me, rules, busy, change }: MemberProps): JSX.Element {
  const { t } = useApp().settings;
  const [asking, setAsking] = useState(false);
  const { id, name, admin } = member;
  const done = (wanted: GroupChange) => {
    setAsking(false);
    void change(wanted);
  };
  return (
    <li class="member">
      <Avatar of={member} size="small" />
      <span class="person-words">
        <span class="person-name" dir="auto">
          {id === me ? t("chat.you") : name}
        </span>
        <span class="person-status">
          {id}
          {admin && <b> · {t("chat.admin")}</b>}
        </span>
      </span>
      {rules && (
        <button
          type="button"
          class="round ghost"
          aria-label={t("chat.change_member", { name })}
          aria-expanded={asking}
          onClick={() => setAsking(!asking)}
        >
          <Icon name="more" />
        </button>
      )}
      {asking && (
        <div class="member-buttons">
          <button
            type="button"
            class="button"
            disabled={busy}
            onClick={() => done(admin ? { demote: [id] } : { promote: [id] })}
          >
            {t(admin ? "chat.demote" : "chat.promote")}
          </button>
          <button type="button" class="button danger" disabled={busy} onClick={() => done({ remove: [id] })}>
            {t("chat.remove_member")}
          </button>
        </div>
      )}
    </li>
  );
}

interface LeaveProps {
  busy: boolean;
  leave: () => Promise<boolean>;
  onLeft: () => void;
}

function Leave({ busy, leave, onLeft }: LeaveProps): JSX.Element {
  const { t } = useApp().settings;
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <button type="button" class="button danger wide" onClick={() => setAsking(true)}>
        {t("chat.leave")}
      </button>
    );
  }
  const go = async () => {
    if (await leave()) onLeft();
  };
  return (
    <div class="stack boxed">
      <p>{t("chat.leave_sure")}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => setAsking(false)}>
          {t("chat.cancel")}
        </button>
        <button type="button" class="button danger" disabled={busy} onClick={() => void go()}>
          {t("chat.leave")}
        </button>
      </div>
    </div>
  );
}
