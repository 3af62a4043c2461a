import type { JSX } from "preact";
import { isGuest } from "../state/joining";
import { Told, useAction } from "./action";
import { useApp } from "./context";
import { Dialog } from "./Dialog";

/** For who opened the link on the server's console: the first administrator's place. */
export function AdminClaim(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { outcome, busy, run } = useAction();
  const code = app.joining.adminCode.value;
  const { me } = app;
  if (code === undefined || !me || me.admin) return null;
  const close = () => app.joining.dropAdminCode();
  return (
    <Dialog label={t("admin.title")} class="account" onEscape={close}>
      <h2>{t("admin.title")}</h2>
      <p>{t(isGuest(me) ? "admin.guest" : "admin.how", { name: me.name })}</p>
      <Told outcome={outcome} />
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={close}>
          {t("admin.not_now")}
        </button>
        {!isGuest(me) && (
          <button
            type="button"
            class="button primary"
            data-first
            disabled={busy}
            onClick={() => void run(() => app.identity.claimAdmin(code))}
          >
            {t("admin.claim")}
          </button>
        )}
      </div>
    </Dialog>
  );
}
