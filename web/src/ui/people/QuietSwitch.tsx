import type { JSX } from "preact";
import { useApp } from "../context";
import { Icon } from "../icons";
import { useAction } from "../action";

/** Do not disturb, one tap away, and plain to see while it is on. */
export function QuietSwitch({ wide = false }: { wide?: boolean }): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { busy, run } = useAction();
  const { me } = app;
  if (!me) return null;
  const quiet = app.people.find(me.id)?.quiet ?? false;
  const toggle = () => void run(() => app.changeProfile({ quiet: !quiet }));
  return (
    <button
      type="button"
      class={wide ? "button wide quiet-switch" : `round ghost quiet-switch ${quiet ? "on" : ""}`}
      role="switch"
      aria-checked={quiet}
      aria-label={t("people.do_not_disturb")}
      title={quiet ? t("people.quiet_on") : t("people.do_not_disturb")}
      disabled={busy}
      onClick={toggle}
    >
      <Icon name="moon" size={wide ? 20 : 24} />
      {wide && (
        <>
          <span class="grow">
            {t("people.do_not_disturb")}
            <small>{t("people.quiet_hint")}</small>
          </span>
          <span class="knob" aria-hidden="true" />
        </>
      )}
    </button>
  );
}
