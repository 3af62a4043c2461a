import type { JSX } from "preact";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { Dialog } from "./Dialog";
import { GuestTag } from "./GuestTag";
import { Icon, type IconName } from "./icons";

/** Somebody calls. */
export function Incoming(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const ringing = app.calls.incoming.value[0];
  if (!ringing) return null;
  const { from, media, call } = ringing;
  const video = media === "video";
  const { current, busy, room } = app.calls;
  // What is going on can be put on hold, unless nobody has answered it yet.
  const waits = busy && room && current.value;
  return (
    <Dialog
      key={call}
      label={t("incoming.label", { name: from.name })}
      class={`incoming ${busy ? "waiting" : ""}`}
    >
      <div class="pulse">
        <Avatar of={from} size="big" />
      </div>
      <h2 class="incoming-name">{from.name}</h2>
      {app.people.alike.value.has(from.id) ? <p class="incoming-id">{from.id}</p> : <GuestTag user={from} />}
      <p class="incoming-what">{t(video ? "incoming.video" : "incoming.audio")}</p>
      {busy && (
        <p class="hint" id="incoming-hint">
          {waits ? t("incoming.holds", { name: waits.peer.name }) : t("incoming.ends_call")}
        </p>
      )}
      <div class="incoming-buttons">
        <Answer
          look="bad"
          icon="hangUp"
          label={t("incoming.decline")}
          onClick={() => app.calls.decline(ringing)}
        />
        {waits && (
          <Answer
            look="plain"
            icon={video ? "video" : "phone"}
            label={t("incoming.end_accept")}
            onClick={() => app.answer(ringing, media, "end")}
          />
        )}
        {video && (
          <Answer
            look="plain"
            icon="phone"
            label={t("incoming.accept_audio")}
            onClick={() => app.answer(ringing, "audio")}
          />
        )}
        <Answer
          look="good"
          icon={video ? "video" : "phone"}
          label={t("incoming.accept")}
          first
          hint={busy ? "incoming-hint" : undefined}
          onClick={() => app.answer(ringing, media)}
        />
      </div>
    </Dialog>
  );
}

interface AnswerProps {
  look: "good" | "bad" | "plain";
  icon: IconName;
  label: string;
  first?: boolean;
  /** The id of what says more. */
  hint?: string | undefined;
  onClick: () => void;
}

function Answer({ look, icon, label, first, hint, onClick }: AnswerProps): JSX.Element {
  return (
    <button
      type="button"
      class={`answer ${look}`}
      {...(first ? { "data-first": true } : {})}
      aria-describedby={hint}
      onClick={onClick}
    >
      <span class="answer-disc">
        <Icon name={icon} size={look === "plain" ? 26 : 30} />
      </span>
      <span>{label}</span>
    </button>
  );
}
