import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { isGuest } from "../state/joining";
import { Told, useAction } from "./action";
import { useApp } from "./context";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import { Icon } from "./icons";
import { DevicesButton } from "./MediaDialogs";
import { TestButton } from "./PathTest";
import { OwnData } from "./people/OwnData";
import { ProfileForm } from "./people/ProfileForm";
import { Preferences } from "./Preferences";

/** Own name, password, language, theme. */
export function AccountDialog(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { me } = app;
  const close = () => (app.view.account.value = false);
  if (!me) return null;
  return (
    <Dialog label={t("account.title")} class="account" onEscape={close}>
      <header class="dialog-head">
        <h2>{t("account.title")}</h2>
        <button type="button" class="round ghost" aria-label={t("account.close")} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <ProfileForm />
      {isGuest(me) ? <p class="hint">{t("guest.until")}</p> : <PasswordForm />}
      <Preferences />
      <DevicesButton />
      <TestButton wide />
      {me.admin && (
        <form action="/api/v1/poster" target="_blank" rel="noopener">
          <button type="submit" class="button wide">
            {t("admin.poster")}
          </button>
        </form>
      )}
      <OwnData />
    </Dialog>
  );
}

function PasswordForm(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [open, setOpen] = useState(false);
  const [current, setCurrent] = useState("");
  const [fresh, setFresh] = useState("");
  const { outcome, busy, run } = useAction();
  const submit = async (event: Event) => {
    event.preventDefault();
    const done = await run(() => app.identity.changePassword(current, fresh), t("account.password_changed"));
    if (!done) return;
    setCurrent("");
    setFresh("");
    setOpen(false);
  };
  return (
    <div class="stack">
      {!open && (
        <button type="button" class="button wide" onClick={() => setOpen(true)}>
          {t("account.change_password")}
        </button>
      )}
      {open && (
        <form class="stack boxed" onSubmit={submit}>
          <Field
            label={t("field.current")}
            value={current}
            onInput={setCurrent}
            autoComplete="current-password"
            secret
          />
          <Field label={t("field.new")} value={fresh} onInput={setFresh} autoComplete="new-password" secret />
          <button type="submit" class="button primary" disabled={busy || current === "" || fresh === ""}>
            {t("account.set_password")}
          </button>
        </form>
      )}
      <Told outcome={outcome} />
    </div>
  );
}
