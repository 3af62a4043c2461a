import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../context";
import { Icon } from "../icons";
import { SearchResults } from "./SearchResults";

/** Finds words in one chat. */
export function ChatSearch({ chat, onClose }: { chat: string; onClose: () => void }): JSX.Element {
  const { t } = useApp().settings;
  const [query, setQuery] = useState("");
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  const words = query.trim();
  return (
    <div class="chat-search" onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <div class="chat-search-row">
        <label class="search">
          <Icon name="search" size={20} />
          <input
            ref={box}
            type="search"
            aria-label={t("chat.search_here")}
            placeholder={t("chat.search_here")}
            value={query}
            maxLength={100}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        </label>
        <button type="button" class="round ghost" aria-label={t("chat.close_search")} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {words.length >= 2 && <SearchResults words={words} chat={chat} onChosen={onClose} />}
    </div>
  );
}
