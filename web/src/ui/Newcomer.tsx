import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "./context";
import { Field } from "./Field";
import { apiWord, until } from "./words";

/** The invite that somebody brought: who invites and how long it lasts, or what is wrong with it. */
export function InviteNote(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const invited = app.joining.invited.value;
  if (invited.kind === "none") return null;
  if (invited.kind === "checking") {
    return (
      <p class="note" role="status">
        {t("invited.checking")}
      </p>
    );
  }
  if (invited.kind === "good") {
    const { invited_by: name, expires_at: end, uses_left: uses } = invited.worth;
    const when = until(end, app.settings.language.value);
    return (
      <div class="note good" role="status">
        <p>{name === "" ? t("invited.welcome") : t("invited.by", { name })}</p>
        <p>
          {uses > 1 ? t("invited.until_uses", { when, uses: String(uses) }) : t("invited.until", { when })}
        </p>
      </div>
    );
  }
  return (
    <div class="note bad" role="alert">
      <p>{t(apiWord(invited.why), { seconds: String(invited.wait ?? 30) })}</p>
      {app.joining.site.value?.policy !== "invite" && (
        <button type="button" class="link" onClick={() => app.joining.dropInvite()}>
          {t("invited.without")}
        </button>
      )}
    </div>
  );
}

/** For those who came without an invite to a site that wants one. */
export function NeedInvite(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [pasted, setPasted] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    app.joining.take(pasted);
    setPasted("");
  };
  return (
    <form class="stack" onSubmit={submit} noValidate>
      <p>{t("invited.needed")}</p>
      <Field
        label={t("invited.link")}
        value={pasted}
        onInput={setPasted}
        hint={t("invited.link_hint")}
        maxLength={512}
        plain
      />
      <button type="submit" class="button primary wide" disabled={pasted.trim() === ""}>
        {t("invited.use")}
      </button>
    </form>
  );
}
