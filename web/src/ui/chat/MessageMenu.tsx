import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { echoID } from "../../protocol/messages";
import { isGroup, type TextMessage } from "../../protocol/texts";
import type { Progress } from "../../state/chat/rows";
import { useApp } from "../context";
import { Icon, type IconName } from "../icons";
import { OnDemand } from "./OnDemand";

interface Props {
  message: TextMessage;
  mine: boolean;
  progress?: Progress;
  onClose: () => void;
  onEdit: (message: TextMessage) => void;
}

const loadInfo = () => import("./InfoDialog").then((m) => m.InfoDialog);

/** What can be done with a message. */
export function MessageMenu({ message, mine, progress, onClose, onEdit }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const box = useRef<HTMLDivElement>(null);
  const [asking, setAsking] = useState(false);
  const [info, setInfo] = useState(false);
  const [problem, setProblem] = useState(false);
  const { chat, body, file } = message;
  const stored = progress !== "waiting" && progress !== "failed" && chat !== echoID;
  const rules = isGroup(chat) && app.chats.find(chat)?.head.value.group?.admin === true;
  useMenuKeys(box, onClose, [asking]);

  const remove = async () => {
    if (!stored) app.chats.discard(message.message);
    else {
      try {
        await app.chats.remove(message);
      } catch {
        setProblem(true);
        return;
      }
    }
    onClose();
  };
  if (info) return <OnDemand load={loadInfo} props={{ message, onClose }} />;
  return (
    <div ref={box} class="menu" role="menu" aria-label={t("chat.more")}>
      {problem && (
        <p class="field-error" role="alert">
          {t("chat.not_done")}
        </p>
      )}
      {asking ? (
        <>
          <Item icon="trash" text={t("chat.delete_sure")} danger onClick={() => void remove()} />
          <Item icon="close" text={t("chat.keep")} onClick={onClose} />
        </>
      ) : (
        <>
          {body !== "" && (
            <Item icon="copy" text={t("chat.copy")} onClick={() => void copy(body).finally(onClose)} />
          )}
          {mine && stored && !file && (
            <Item
              icon="edit"
              text={t("chat.edit")}
              onClick={() => {
                onEdit(message);
                onClose();
              }}
            />
          )}
          {stored && <Item icon="info" text={t("chat.info")} onClick={() => setInfo(true)} />}
          {(mine || rules) && chat !== echoID && (
            <Item icon="trash" text={t("chat.delete")} danger onClick={() => setAsking(true)} />
          )}
        </>
      )}
    </div>
  );
}

interface ItemProps {
  icon: IconName;
  text: string;
  danger?: boolean;
  onClick: () => void;
}

const Item = ({ icon, text, danger = false, onClick }: ItemProps): JSX.Element => (
  <button
    type="button"
    role="menuitem"
    class={`menu-item ${danger ? "danger" : ""}`}
    tabIndex={-1}
    onClick={() => onClick()}
  >
    <Icon name={icon} size={20} />
    <span>{text}</span>
  </button>
);

/** A menu takes the focus, is gone through with the arrow keys, and closes on Escape or a click elsewhere. */
function useMenuKeys(box: { current: HTMLDivElement | null }, onClose: () => void, when: unknown[]): void {
  useEffect(() => {
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus({ preventScroll: true });
    box.current?.scrollIntoView({ block: "nearest" });
  }, when);
  useEffect(() => {
    const opener = box.current?.closest(".row")?.querySelector<HTMLElement>(".more-button");
    const onKey = (event: KeyboardEvent) => {
      const items = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
      const at = items.indexOf(document.activeElement as HTMLElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape" || event.key === "Tab") {
        event.stopPropagation();
        onClose();
        opener?.focus();
      } else if (step !== undefined && items.length > 0) {
        event.preventDefault();
        items[(at + step + items.length) % items.length]!.focus();
      }
    };
    const onPress = (event: Event) => {
      const { target } = event;
      if (!(target instanceof Element) || box.current?.contains(target) || opener?.contains(target)) return;
      // A dialog that the menu opened is not elsewhere.
      if (!target.closest(".dialog")) onClose();
    };
    document.addEventListener("keydown", onKey, true);
    document.addEventListener("pointerdown", onPress);
    return () => {
      document.removeEventListener("keydown", onKey, true);
      document.removeEventListener("pointerdown", onPress);
    };
  }, []);
}

/** Without the clipboard, as on a page that is not secure, the words are selected in a box that is gone at once. */
async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const box = document.createElement("textarea");
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
}
