import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { TextMessage } from "../../protocol/texts";
import { ApiError, type ApiCode } from "../../protocol/api";
import { useApp } from "../context";
import { apiWord } from "../words";

interface Props {
  words: string;
  /** In this chat only. */
  chat?: string;
  /** One was chosen. */
  onChosen?: () => void;
}

interface Found {
  messages: TextMessage[];
  more: boolean;
}

const pauseMs = 300;

/** The messages with these words, newest first; a click shows one among those around it. */
export function SearchResults({ words, chat, onChosen }: Props): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [found, setFound] = useState<Found>();
  const [problem, setProblem] = useState<ApiCode>();
  const ask = async (before: Found | undefined, wanted: () => boolean) => {
    const last = before?.messages[before.messages.length - 1];
    try {
      const page = await app.chats.search(words, chat, last?.server_time);
      if (!wanted()) return;
      const known = new Set(before?.messages.map((each) => each.message));
      const news = page.messages.filter((each) => !known.has(each.message));
      setFound({
        messages: [...(before?.messages ?? []), ...news],
        more: page.more && news.length > 0,
      });
      setProblem(undefined);
    } catch (error) {
      if (wanted()) setProblem(error instanceof ApiError ? error.code : "internal");
    }
  };
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => void ask(undefined, () => wanted), pauseMs);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [words, chat]);

  const choose = (message: TextMessage) => {
    onChosen?.();
    void app.chats.goTo(message, app.personNamed(message.chat).name);
    if (app.reading.value !== message.chat) app.openConversation(message.chat);
  };
  return (
    <section class="results" aria-label={t("chat.results")}>
      {chat === undefined && <h3>{t("chat.results")}</h3>}
      <div role="status">
        {problem && <p class="note bad">{t(apiWord(problem), { seconds: "30" })}</p>}
        {!found && !problem && <p class="muted center">{t("chat.searching")}</p>}
        {found?.messages.length === 0 && <p class="muted center">{t("chat.found_none")}</p>}
      </div>
      {found?.messages.map((message) => (
        <button type="button" class="result" key={message.message} onClick={() => choose(message)}>
          <span class="result-head">
            <b dir="auto">{chat === undefined ? app.personNamed(message.chat).name : message.from.name}</b>
            <time dateTime={new Date(message.server_time).toISOString()}>
              {new Date(message.server_time).toLocaleDateString(app.settings.language.value, {
                day: "numeric",
                month: "short",
                year: "numeric",
              })}
            </time>
          </span>
          <span class="result-body" dir="auto">
            <Marked text={message.body || (message.file?.name ?? "")} words={words} />
          </span>
        </button>
      ))}
      {found?.more && (
        <button type="button" class="link" onClick={() => void ask(found, () => true)}>
          {t("chat.more_results")}
        </button>
      )}
    </section>
  );
}

/** The part of a text around the words, which stand out. */
function Marked({ text, words }: { text: string; words: string }): JSX.Element {
  const at = text.toLowerCase().indexOf(words.toLowerCase());
  if (at < 0) return <>{text.slice(0, 160)}</>;
  const from = Math.max(0, at - 40);
  return (
    <>
      {from > 0 && "…"}
      {text.slice(from, at)}
      <mark>{text.slice(at, at + words.length)}</mark>
      {text.slice(at + words.length, at + words.length + 120)}
    </>
  );
}
