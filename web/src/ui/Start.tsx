import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../protocol/api";
import { useApp } from "./context";
import { Field } from "./Field";
import { Logo } from "./icons";
import { Preferences } from "./Preferences";
import { apiWord } from "./words";

/** Creating an account, or signing in where this device has done so before. */
export function Start(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [fresh, setFresh] = useState(app.lastUser === undefined);
  const session = app.session.value;
  const why = session.kind === "out" ? session.why : undefined;
  return (
    <main class="start">
      <section class="start-card">
        <header class="start-head">
          <Logo size={52} />
          <h1>Fieldphone</h1>
          <p class="muted">{t("start.tagline")}</p>
        </header>
        {why && (
          <p class="note warn" role="alert">
            {t(`start.${why}`)}
          </p>
        )}
        <div class="segments" role="group" aria-label={t("start.choice")}>
          <button type="button" class="segment" aria-pressed={fresh} onClick={() => setFresh(true)}>
            {t("start.new")}
          </button>
          <button type="button" class="segment" aria-pressed={!fresh} onClick={() => setFresh(false)}>
            {t("start.known")}
          </button>
        </div>
        <AccountForm key={String(fresh)} fresh={fresh} />
      </section>
      <footer class="start-foot">
        <Preferences />
      </footer>
    </main>
  );
}

function AccountForm({ fresh }: { fresh: boolean }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [id, setID] = useState(fresh ? "" : (app.lastUser ?? ""));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ field?: string; text: string }>();

  const submit = async (event: Event) => {
    event.preventDefault();
    const user = id.trim().toLowerCase();
    if (user === "") return setError({ field: "id", text: t("start.need_id") });
    if (fresh && name.trim() === "") return setError({ field: "name", text: t("start.need_name") });
    if (password === "") return setError({ field: "password", text: t("start.need_password") });
    setBusy(true);
    setError(undefined);
    try {
      await (fresh ? app.createAccount(user, name.trim(), password) : app.signIn(user, password));
    } catch (problem) {
      const refused = problem instanceof ApiError ? problem : new ApiError("internal");
      const text = t(apiWord(refused.code), { seconds: String(refused.retryAfter ?? 30) });
      setError({ field: fieldAtFault(refused), text });
      setBusy(false);
    }
  };
  const errorOf = (field: string) => (error?.field === field ? error.text : undefined);

  return (
    <form class="stack" onSubmit={submit} noValidate>
      <Field
        label={t("field.id")}
        value={id}
        onInput={setID}
        hint={fresh ? t("field.id_hint") : undefined}
        error={errorOf("id")}
        autoComplete="username"
        plain
      />
      {fresh && (
        <Field
          label={t("field.name")}
          value={name}
          onInput={setName}
          hint={t("field.name_hint")}
          error={errorOf("name")}
          autoComplete="name"
          maxLength={64}
        />
      )}
      <Field
        label={t("field.password")}
        value={password}
        onInput={setPassword}
        error={errorOf("password")}
        autoComplete={fresh ? "new-password" : "current-password"}
        secret
      />
      {error && !["id", "name", "password"].includes(error.field ?? "") && (
        <p class="note bad" role="alert">
          {error.text}
        </p>
      )}
      <button type="submit" class="button primary wide" disabled={busy}>
        {fresh ? t("start.create") : t("start.sign_in")}
      </button>
    </form>
  );
}

function fieldAtFault(error: ApiError): string | undefined {
  if (error.field) return error.field;
  if (error.code === "invalid_id" || error.code === "id_taken") return "id";
  if (error.code === "invalid_name") return "name";
  return error.code.startsWith("password_") ? "password" : undefined;
}
