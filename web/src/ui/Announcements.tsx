import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";
import "../style/announce.css";

/** Who was just typing or tapping must not acknowledge by it. */
const guardMs = 700;

/** What administrators say, the newest on top, until it is acknowledged. */
export function Announcements(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const [first, ...others] = app.announcements.pending.value;
  const name = first?.announcement;
  const [ready, setReady] = useState("");
  useEffect(() => {
    if (name === undefined) return undefined;
    const timer = setTimeout(() => setReady(name), guardMs);
    return () => clearTimeout(timer);
  }, [name]);
  if (!first) return null;
  const next = others[0];
  return (
    <Dialog key={name} alert label={t("announce.title")} scrim="announce-scrim" class="announce">
      <header class="announce-head">
        <span class="announce-sign">
          <Icon name="warning" size={30} />
        </span>
        <div>
          <h2>{t("announce.title")}</h2>
          <p>{first.tag === undefined ? t("announce.to_all") : t("announce.to_group", { tag: first.tag })}</p>
        </div>
      </header>
      <div class="announce-middle" tabIndex={0}>
        <p class="announce-from">
          <Avatar of={first.from} size="small" />
          <b dir="auto">{first.from.name}</b>
          <Time at={first.server_time} />
        </p>
        <p class={`announce-body ${first.body.length > 240 ? "long" : ""}`} dir="auto">
          {first.body}
        </p>
      </div>
      <footer class="announce-foot">
        <button
          type="button"
          class="announce-button"
          disabled={ready !== name}
          onClick={() => app.announcements.acknowledge(first.announcement)}
        >
          <Icon name="check" size={26} />
          <span>{t("announce.seen")}</span>
        </button>
        {next && (
          <p class="announce-count" role="status">
            <b>{t("announce.count", { n: String(others.length + 1) })}</b>
            <span dir="auto">{t("announce.next", { text: next.body })}</span>
          </p>
        )}
      </footer>
    </Dialog>
  );
}

function Time({ at }: { at: number }): JSX.Element {
  const app = useApp();
  const language = app.settings.language.value;
  const [date, today] = [new Date(at), new Date(app.clock.now())];
  const time = { hour: "2-digit", minute: "2-digit", hour12: false } as const;
  const text =
    date.toDateString() === today.toDateString()
      ? date.toLocaleTimeString(language, time)
      : date.toLocaleString(language, { weekday: "short", day: "numeric", month: "short", ...time });
  return <time dateTime={date.toISOString()}>{text}</time>;
}
