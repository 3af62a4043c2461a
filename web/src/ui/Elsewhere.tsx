import type { JSX } from "preact";
import { useApp } from "./context";
import { Icon } from "./icons";

/** What this person does on another device, and the way to bring it here. */
export function Elsewhere(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  return (
    <>
      {app.calls.elsewhere.value.map((call) => (
        <div class="banner elsewhere" key={call.call}>
          <p>
            <Icon name={call.media === "video" ? "video" : "phone"} size={20} />
            <span>{t("elsewhere.in_call", { name: app.personNamed(call.peer.id).name })}</span>
          </p>
          {app.calls.room && (
            <button type="button" class="button" onClick={() => app.takeHere(call)}>
              {t("elsewhere.take")}
            </button>
          )}
        </div>
      ))}
    </>
  );
}
