import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../context";
import { Dialog } from "../Dialog";

/** Signs out; asks before where texts would be lost that the server does not have yet. */
export function SignOut(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [leaving, setLeaving] = useState(false);
  const [asking, setAsking] = useState(false);
  const unsent = app.chats.outbox.waiting.value;
  const leave = () => {
    setAsking(false);
    setLeaving(true);
    // A server out of reach is said by the banner; the button can be tried again.
    void app.identity.signOut().catch(() => setLeaving(false));
  };
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={leaving}
        title={t("account.sign_out_hint")}
        onClick={() => (unsent > 0 ? setAsking(true) : leave())}
      >
        {t("account.sign_out")}
      </button>
      {asking && (
        <Dialog label={t("chat.unsent_title")} onEscape={() => setAsking(false)}>
          <h2>{t("chat.unsent_title")}</h2>
          <p class="dialog-text">{t("chat.unsent_how", { count: String(unsent) })}</p>
          <div class="dialog-buttons">
            <button type="button" class="button" data-first onClick={() => setAsking(false)}>
              {t("chat.stay")}
            </button>
            <button type="button" class="button danger" onClick={leave}>
              {t("chat.leave_unsent")}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
