import type { JSX } from "preact";
import type { Key } from "../../i18n";
import type { Side } from "../../state/view";
import { useApp } from "../context";

const sides: readonly { side: Side; word: Key }[] = [
  { side: "people", word: "side.people" },
  { side: "chats", word: "side.chats" },
];

/** What the list shows: everybody, or the chats that there are. */
export function SideTabs(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const unread = app.chats.book.unread.value;
  return (
    <nav class="side-tabs" aria-label={t("side.label")}>
      {sides.map(({ side, word }) => (
        <button
          type="button"
          key={side}
          class="side-tab"
          aria-pressed={app.view.side.value === side}
          onClick={() => (app.view.side.value = side)}
        >
          {t(word)}
          {side === "chats" && unread > 0 && (
            <>
              <span class="badge" aria-hidden="true">
                {unread > 99 ? "99+" : unread}
              </span>
              <span class="sr-only">{t("roster.unread", { count: String(unread) })}</span>
            </>
          )}
        </button>
      ))}
    </nav>
  );
}
