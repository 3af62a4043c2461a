import type { ComponentType, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "./context";
import { Empty } from "./Empty";
import { Logo } from "./icons";

type Loaded = { kind: "loading" } | { kind: "failed" } | { kind: "here"; Dashboard: ComponentType };

/** The dashboard's place: loads it for administrators only, and tells others whose it is. */
export function AdminPlace(): JSX.Element | null {
  const app = useApp();
  const open = app.view.admin.value !== undefined;
  const admin = app.me?.admin === true;
  const [loaded, setLoaded] = useState<Loaded>({ kind: "loading" });
  const asked = useRef(false);
  useEffect(() => {
    if (!open || !admin || asked.current) return;
    asked.current = true;
    import("../admin/Dashboard").then(
      ({ Dashboard }) => setLoaded({ kind: "here", Dashboard }),
      () => setLoaded({ kind: "failed" }),
    );
  }, [open, admin]);
  // Once here it stays, so that what is being typed there outlives a look at the calls.
  if (admin && loaded.kind === "here") return <loaded.Dashboard />;
  if (!open) return null;
  return <Aside why={!admin ? "guest" : loaded.kind === "failed" ? "failed" : "loading"} />;
}

const words = {
  guest: { title: "admin.only_title", how: "admin.only_how" },
  failed: { title: "admin.not_loaded", how: "admin.not_loaded_how" },
  loading: { title: "admin.loading", how: undefined },
} as const;

/** Instead of the dashboard: why it is not here, and the way back. */
export function Aside({ why }: { why: keyof typeof words }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const { title, how } = words[why];
  return (
    <main class="welcome full" aria-busy={why === "loading"}>
      <h1 class="sr-only">{t("admin.open")}</h1>
      <Logo size={72} />
      <Empty title={t(title)}>
        {how && <p class="muted">{t(how)}</p>}
        <p class="admin-aside">
          {why === "failed" && (
            <button type="button" class="button primary" onClick={() => location.reload()}>
              {t("banner.reload")}
            </button>
          )}
          <button type="button" class="button" onClick={() => (app.view.admin.value = undefined)}>
            {t("admin.back")}
          </button>
        </p>
      </Empty>
    </main>
  );
}
