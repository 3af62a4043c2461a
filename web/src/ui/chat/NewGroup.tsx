import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { newName } from "../../protocol/messages";
import { Told, useAction } from "../action";
import { useApp } from "../context";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Icon } from "../icons";
import { PeoplePicker } from "./PeoplePicker";

const mostPeople = 499;

/** Makes a group: a name, and who is in it. */
export function NewGroup({ onClose }: { onClose: () => void }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  // One name for every try, so that a second try makes no second group.
  const group = useRef(newName("g", (bytes) => crypto.getRandomValues(bytes)));
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { outcome, busy, run } = useAction();
  const submit = async (event: Event) => {
    event.preventDefault();
    let made = "";
    const done = await run(async () => {
      made = await app.chats.createGroup(group.current, name.trim(), [...chosen]);
    });
    if (!done) return;
    onClose();
    app.openConversation(made);
  };
  return (
    <Dialog label={t("chat.new_group")} onEscape={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <header class="dialog-head">
          <h2>{t("chat.new_group")}</h2>
          <button type="button" class="round ghost" aria-label={t("account.close")} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        <Field
          label={t("chat.group_name")}
          value={name}
          onInput={setName}
          maxLength={64}
          autoComplete="off"
        />
        <PeoplePicker chosen={chosen} without={new Set()} most={mostPeople} onChange={setChosen} />
        <Told outcome={outcome} />
        <button
          type="submit"
          class="button primary wide"
          disabled={busy || name.trim() === "" || chosen.size === 0}
        >
          {t("chat.make_group")}
        </button>
      </form>
    </Dialog>
  );
}
