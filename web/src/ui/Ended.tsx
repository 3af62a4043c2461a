import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Call, CallEnd } from "../call/types";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { Icon } from "./icons";
import { TestButton } from "./PathTest";
import { endAdvice, endWord } from "./words";

const plainMs = 6_000;
/** The network may be at fault in these. */
const worthTesting: readonly CallEnd[] = ["failed", "no_media_path", "lost", "no_server"];

/** Nothing is to be explained or done. */
const ends: readonly CallEnd[] = ["hangup", "answered_elsewhere", "declined_elsewhere", "moved"];

/** How a call ended, and what to do now. */
export function Ended({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { peer, end } = call;
  const advice = endAdvice[end ?? "other"];
  const plain = end !== undefined && ends.includes(end);
  useEffect(() => {
    if (!plain) return undefined;
    const timer = setTimeout(() => app.calls.dismiss(), plainMs);
    return () => clearTimeout(timer);
  }, [call.call]);
  const person = app.people.find(peer.id);
  const reachable = person !== undefined && person.status !== "offline";
  return (
    <section class="ended" aria-label={t("ended.label")}>
      <Avatar of={peer} size="big" />
      <div role="alert">
        <h2>{t(endWord(call), { name: peer.name })}</h2>
        {advice && <p class="muted">{t(advice, { name: peer.name })}</p>}
      </div>
      {!plain && (
        <div class="ended-buttons">
          <button
            type="button"
            class="button primary"
            disabled={!reachable}
            onClick={() => app.call(peer, call.media)}
          >
            <Icon name={call.media === "video" ? "video" : "phone"} size={20} />
            <span>{t("ended.again")}</span>
          </button>
          <button type="button" class="button" onClick={() => app.openConversation(peer.id)}>
            <Icon name="message" size={20} />
            <span>{t("ended.write")}</span>
          </button>
          {end && worthTesting.includes(end) && <TestButton />}
        </div>
      )}
      <button type="button" class="link" onClick={() => app.calls.dismiss()}>
        {t("ended.close")}
      </button>
    </section>
  );
}
