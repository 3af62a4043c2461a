import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../protocol/api";
import { useApp } from "./context";
import { Field } from "./Field";
import { Logo } from "./icons";
import { InviteNote, NeedInvite } from "./Newcomer";
import { Preferences } from "./Preferences";
import { apiWord } from "./words";

/** The ways in: a new account, only a name, an account that there is. */
type Way = "new" | "guest" | "known";

const siteRetryMs = 3_000;

/** Creating an account, or signing in where this device has done so before. */
export function Start(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { joining } = app;
  const site = joining.site.value;
  const invited = joining.invited.value;
  const brought = invited.kind !== "none";
  const [chosen, setChosen] = useState<Way>(app.identity.lastUser === undefined || brought ? "new" : "known");
  useEffect(() => {
    let timer: number | undefined;
    const ask = async () => {
      if (!(await joining.load())) timer = window.setTimeout(() => void ask(), siteRetryMs);
    };
    void ask();
    return () => window.clearTimeout(timer);
  }, []);
  useEffect(() => {
    if (brought) setChosen((way) => (way === "known" ? "new" : way));
  }, [brought]);
  const session = app.identity.session.value;
  const why = session.kind === "out" ? session.why : undefined;
  const closed = site?.policy === "closed";
  const ways: Way[] = closed ? ["known"] : site?.guests ? ["new", "guest", "known"] : ["new", "known"];
  const way = ways.includes(chosen) ? chosen : ways[0]!;
  const locked = way !== "known" && site?.policy === "invite" && invited.kind !== "good";
  return (
    <main class="start">
      <section class="start-card">
        <header class="start-head">
          <Logo size={52} />
          <h1>Fieldphone</h1>
          {site?.name && <p class="site-name">{site.name}</p>}
          <p class="muted">{t("start.tagline")}</p>
        </header>
        {why && (
          <p class="note warn" role="alert">
            {t(`start.${why}`)}
          </p>
        )}
        {app.joining.adminCode.value !== undefined && <p class="note good">{t("admin.first")}</p>}
        {closed && <p class="note warn">{t("start.closed")}</p>}
        {ways.length > 1 && (
          <div class={`segments of-${ways.length}`} role="group" aria-label={t("start.choice")}>
            {ways.map((each) => (
              <button
                key={each}
                type="button"
                class="segment"
                aria-pressed={way === each}
                onClick={() => setChosen(each)}
              >
                {t(`start.${each}`)}
              </button>
            ))}
          </div>
        )}
        {way !== "known" && <InviteNote />}
        {locked ? <NeedInvite /> : <EntryForm key={way} way={way} />}
      </section>
      <footer class="start-foot">
        <Preferences />
      </footer>
    </main>
  );
}

function EntryForm({ way }: { way: Way }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const fresh = way === "new";
  const [id, setID] = useState(fresh ? "" : (app.identity.lastUser ?? ""));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ field?: string; text: string }>();

  const enter = () => {
    if (way === "guest") return app.identity.joinAsGuest(name.trim());
    const user = id.trim().toLowerCase();
    return fresh
      ? app.identity.createAccount(user, name.trim(), password)
      : app.identity.signIn(user, password);
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (way !== "guest" && id.trim() === "") return setError({ field: "id", text: t("start.need_id") });
    if (way !== "known" && name.trim() === "") return setError({ field: "name", text: t("start.need_name") });
    if (way !== "guest" && password === "")
      return setError({ field: "password", text: t("start.need_password") });
    setBusy(true);
    setError(undefined);
    try {
      await enter();
    } catch (problem) {
      const refused = problem instanceof ApiError ? problem : new ApiError("internal");
      setBusy(false);
      // What is wrong with the invite, or with the site's rules, is told above the form.
      if (refused.field === "invite" && app.joining.refused(refused)) return;
      const text = t(apiWord(refused.code), { seconds: String(refused.retryAfter ?? 30) });
      setError({ field: fieldAtFault(refused), text });
    }
  };
  const errorOf = (field: string) => (error?.field === field ? error.text : undefined);

  return (
    <form class="stack" onSubmit={submit} noValidate>
      {way !== "guest" && (
        <Field
          label={t("field.id")}
          value={id}
          onInput={setID}
          hint={fresh ? t("field.id_hint") : undefined}
          error={errorOf("id")}
          autoComplete="username"
          plain
        />
      )}
      {way !== "known" && (
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
      {way !== "guest" && (
        <Field
          label={t("field.password")}
          value={password}
          onInput={setPassword}
          error={errorOf("password")}
          autoComplete={fresh ? "new-password" : "current-password"}
          secret
        />
      )}
      {way === "guest" && <p class="hint">{t("guest.how")}</p>}
      {error && !["id", "name", "password"].includes(error.field ?? "") && (
        <p class="note bad" role="alert">
          {error.text}
        </p>
      )}
      <button type="submit" class="button primary wide" disabled={busy}>
        {t(({ new: "start.create", guest: "start.join", known: "start.sign_in" } as const)[way])}
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
