import type { JSX } from "preact";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { Dialog } from "./Dialog";
import { GuestTag } from "./GuestTag";
import { Icon } from "./icons";

/** Somebody calls. */
export function Incoming(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const ringing = app.calls.incoming.value[0];
  if (!ringing) return null;
  const { from, media, call } = ringing;
  const video = media === "video";
  return (
    <Dialog key={call} label={t("incoming.label", { name: from.name })} class="incoming">
      <div class="pulse">
        <Avatar of={from} size="big" />
      </div>
      <h2 class="incoming-name">{from.name}</h2>
      {app.people.alike.value.has(from.id) ? <p class="incoming-id">{from.id}</p> : <GuestTag user={from} />}
      <p class="incoming-what">{t(video ? "incoming.video" : "incoming.audio")}</p>
      {app.calls.busy && <p class="hint">{t("incoming.ends_call")}</p>}
      <div class="incoming-buttons">
        <button type="button" class="answer bad" onClick={() => app.calls.decline(ringing)}>
          <span class="answer-disc">
            <Icon name="hangUp" size={30} />
          </span>
          <span>{t("incoming.decline")}</span>
        </button>
        {video && (
          <button type="button" class="answer plain" onClick={() => app.answer(ringing, "audio")}>
            <span class="answer-disc">
              <Icon name="phone" size={26} />
            </span>
            <span>{t("incoming.accept_audio")}</span>
          </button>
        )}
        <button type="button" class="answer good" data-first onClick={() => app.answer(ringing, media)}>
          <span class="answer-disc">
            <Icon name={video ? "video" : "phone"} size={30} />
          </span>
          <span>{t("incoming.accept")}</span>
        </button>
      </div>
    </Dialog>
  );
}
