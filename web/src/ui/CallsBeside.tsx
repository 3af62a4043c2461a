import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Call } from "../call/types";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { Icon } from "./icons";
import { endWord } from "./words";

const noteMs = 6_000;

/** In a call: what waits on hold, the way back to it, and how another call has ended. */
export function CallsBeside({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { calls } = app;
  return (
    <div class={`beside ${call.held || calls.others.value.length > 0 ? "full" : ""}`}>
      <EndedBeside />
      {call.held && <Resume onClick={() => calls.resume(call.call)} />}
      {calls.others.value.length > 0 && (
        <ul class="beside-list" role="list" aria-label={t("held.label")}>
          {calls.others.value.map((other) => (
            <Waiting key={other.call} call={other} />
          ))}
        </ul>
      )}
    </div>
  );
}

/** The way back; whoever pressed Hold, which is gone now, stands on it. */
function Resume({ onClick }: { onClick: () => void }): JSX.Element {
  const { t } = useApp().settings;
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) button.current?.focus();
  }, []);
  return (
    <button ref={button} type="button" class="button primary beside-resume" onClick={() => onClick()}>
      <Icon name="phone" size={20} />
      <span>{t("held.resume")}</span>
    </button>
  );
}

function Waiting({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { name } = call.peer;
  return (
    <li class="beside-call" aria-label={name}>
      <Avatar of={call.peer} size="small" />
      <span class="beside-words">
        <span class="beside-name">{name}</span>
        <span class="beside-state">{t("held.waits")}</span>
      </span>
      <button
        type="button"
        class="beside-button"
        aria-label={t("held.swap_to", { name })}
        onClick={() => app.calls.resume(call.call)}
      >
        <Icon name="swap" size={20} />
        <span>{t("held.swap")}</span>
      </button>
      <button
        type="button"
        class="beside-button end"
        aria-label={t("held.end", { name })}
        title={t("held.end", { name })}
        onClick={() => app.calls.hangUp(call.call)}
      >
        <Icon name="hangUp" size={20} />
      </button>
    </li>
  );
}

/** The other side of a second call has ended it. */
function EndedBeside(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { endedBeside } = app.calls;
  const ended = endedBeside.value;
  useEffect(() => {
    if (!ended) return undefined;
    const timer = setTimeout(() => (endedBeside.value = undefined), noteMs);
    return () => clearTimeout(timer);
  }, [ended?.call]);
  return (
    <div role="status">
      {ended && <p class="beside-note">{t(endWord(ended), { name: ended.peer.name })}</p>}
    </div>
  );
}
