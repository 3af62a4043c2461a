import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { isGuest } from "../../state/joining";
import { Told, useAction } from "../action";
import { useApp } from "../context";
import { Field } from "../Field";

/** Getting one's data, and deleting the account. */
export function OwnData(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { me } = app;
  const [leaving, setLeaving] = useState(false);
  const [password, setPassword] = useState("");
  const exporting = useAction();
  const deleting = useAction();
  if (!me) return null;
  const guest = isGuest(me);
  const save = () =>
    void exporting.run(async () => saveAs(await app.contacts.api.exportAll(), `fieldphone-${me.id}.zip`));
  const remove = (event: Event) => {
    event.preventDefault();
    void deleting.run(() =>
      app.identity.deleteAccount(() => app.contacts.api.deleteAccount(guest ? undefined : password)),
    );
  };
  return (
    <div class="stack">
      <button type="button" class="button wide" disabled={exporting.busy} onClick={save}>
        {exporting.busy ? t("people.exporting") : t("people.export")}
      </button>
      <p class="hint">{t("people.export_hint")}</p>
      <Told outcome={exporting.outcome} />
      {!leaving && (
        <button type="button" class="button wide danger-text" onClick={() => setLeaving(true)}>
          {t("people.delete")}
        </button>
      )}
      {leaving && (
        <form class="stack boxed" onSubmit={remove}>
          <p>
            <strong>{t("people.delete_title")}</strong>
          </p>
          <p>{t("people.delete_what")}</p>
          {!guest && (
            <Field
              label={t("field.current")}
              value={password}
              onInput={setPassword}
              autoComplete="current-password"
              secret
            />
          )}
          <Told outcome={deleting.outcome} />
          <button type="submit" class="button danger" disabled={deleting.busy || (!guest && password === "")}>
            {t("people.delete_now")}
          </button>
          <button type="button" class="button" onClick={() => setLeaving(false)}>
            {t("people.keep")}
          </button>
        </form>
      )}
    </div>
  );
}

function saveAs(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
