import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { LoggedCall } from "../protocol/pastCalls";
import { wasMissed } from "../state/callLog";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { Empty } from "./Empty";
import { Icon } from "./icons";
import { duration, pastWord } from "./words";

/** Who called whom, when, for how long, and why it ended. */
export function PastCalls(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { callLog } = app;
  const calls = callLog.calls.value;
  const state = callLog.state.value;
  useEffect(() => {
    callLog.seen();
    void callLog.load();
  }, []);
  return (
    <section class="past" aria-label={t("past.title")}>
      <header class="conversation-head">
        <button
          type="button"
          class="round ghost"
          aria-label={t("text.back")}
          onClick={() => (app.view.pastCalls.value = false)}
        >
          <Icon name="back" />
        </button>
        <h2>{t("past.title")}</h2>
      </header>
      <div class="past-body">
        {!calls && state !== "failed" && <Empty title={t("past.loading")} />}
        {calls?.length === 0 && (
          <Empty title={t("past.none")}>
            <p class="muted">{t("past.none_how")}</p>
          </Empty>
        )}
        {state === "failed" && (
          <div class="past-failed" role="alert">
            <p>{t("past.failed")}</p>
            <button type="button" class="button" onClick={() => void callLog.load()}>
              {t("past.retry")}
            </button>
          </div>
        )}
        {calls && calls.length > 0 && (
          <ul class="past-list" role="list">
            {calls.map((call, i) => (
              <Row key={call.call} call={call} before={calls[i - 1]} />
            ))}
          </ul>
        )}
        {callLog.more.value && (
          <button
            type="button"
            class="button past-older"
            disabled={state === "loading"}
            onClick={() => void callLog.loadOlder()}
          >
            {t("past.older")}
          </button>
        )}
      </div>
    </section>
  );
}

function Row({ call, before }: { call: LoggedCall; before: LoggedCall | undefined }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const language = app.settings.language.value;
  const me = app.me?.id ?? "";
  const mine = call.from.id === me;
  const other = mine ? call.to : call.from;
  const peer = app.people.find(other.id) ?? { ...app.personNamed(other.id), name: other.name };
  const { name } = peer;
  const missed = wasMissed(call, me);
  const date = new Date(call.server_time);
  const day = (at: Date) =>
    at.toLocaleDateString(language, { weekday: "long", day: "numeric", month: "long" });
  const newDay = !before || day(new Date(before.server_time)) !== day(date);
  const reachable = (app.people.find(peer.id)?.status ?? "offline") !== "offline";
  return (
    <>
      {newDay && (
        <li class="past-day" role="presentation">
          {day(date)}
        </li>
      )}
      <li class={`past-call ${missed ? "missed" : ""}`} aria-label={name}>
        <Avatar of={peer} />
        <button type="button" class="past-words" onClick={() => app.openConversation(peer.id)}>
          <span class="past-name">{name}</span>
          <span class="past-what">
            <Icon name={mine ? "callOut" : "callIn"} size={16} />
            <span class="sr-only">{t(mine ? "past.out" : "past.in")}</span>
            <span>{t(pastWord(call, me), { name })}</span>
          </span>
          <span class="past-more">
            <time dateTime={date.toISOString()}>
              {date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" })}
            </time>
            {call.seconds !== undefined && <span> · {duration(call.seconds)}</span>}
            {call.path && <span> · {t(call.path === "relay" ? "past.relay" : "past.direct")}</span>}
          </span>
        </button>
        {(["audio", "video"] as const).map((media) => (
          <button
            key={media}
            type="button"
            class="round ghost"
            aria-label={t(media === "audio" ? "roster.audio" : "roster.video", { name })}
            disabled={!reachable || !app.calls.room}
            onClick={() => app.call(peer, media)}
          >
            <Icon name={media === "audio" ? "phone" : "video"} />
          </button>
        ))}
      </li>
    </>
  );
}
