import type { JSX } from "preact";
import { verdict } from "../call/echoVerdict";
import type { Call } from "../call/types";
import { echoSay } from "../i18n/echo";
import { Avatar } from "./Avatar";
import { useApp } from "./context";
import { EchoVerdict } from "./EchoVerdict";
import { Icon } from "./icons";
import { TestButton } from "./PathTest";
import { endAdvice, endWord } from "./words";

/** What the echo test found, after its call; or why there was none. */
export function EchoEnded({ call }: { call: Call }): JSX.Element {
  const app = useApp();
  const { t, language } = app.settings;
  const words = echoSay(language.value);
  const { peer, end = "other" } = call;
  const found = app.echo.tells ? app.echo.found.value : undefined;
  const advice = endAdvice[end];
  const wanted = end === "hangup";
  return (
    <section class="ended echo-ended" aria-label={t("ended.label")}>
      {!found && <Avatar of={peer} size="big" />}
      <div role="alert">
        <h2>{end === "busy" ? words("busy") : t(endWord(call), { name: peer.name })}</h2>
        {end === "busy" && <p class="muted">{words("busy_advice")}</p>}
        {end !== "busy" && !found && advice && <p class="muted">{t(advice, { name: peer.name })}</p>}
      </div>
      {found && <EchoVerdict found={found} />}
      <div class="ended-buttons">
        {app.people.echo.value && (
          <button type="button" class="button primary" onClick={() => app.call(peer, call.media)}>
            <Icon name={call.media === "video" ? "video" : "phone"} size={20} />
            <span>{words("again")}</span>
          </button>
        )}
        {(found ? verdict(found).network : !wanted && end !== "busy") && <TestButton />}
      </div>
      <button type="button" class="link" onClick={() => app.calls.dismiss()}>
        {t("ended.close")}
      </button>
    </section>
  );
}
