import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "./context";
import { Dialog } from "./Dialog";

/** The connection test's place: its dialog, loaded when it is first opened, and the notice of tests by others. */
export function PathTest(): JSX.Element {
  const { testing, settings, view } = useApp();
  const open = testing.open.value;
  // Who is at the dashboard asked for it, or sees it there.
  const told = open || view.admin.value !== undefined;
  return (
    <>
      {open && <Loading />}
      <div role="status">
        {testing.asked.value && !told && <p class="asked">{settings.t("test.asked")}</p>}
      </div>
    </>
  );
}

function Loading(): JSX.Element | null {
  const { testing, settings } = useApp();
  const { t } = settings;
  const [loaded, setLoaded] = useState<{ Dialog: ComponentType }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import("./PathTestDialog").then(
      ({ PathTestDialog }) => setLoaded({ Dialog: PathTestDialog }),
      () => setFailed(true),
    );
  }, []);
  if (loaded) return <loaded.Dialog />;
  if (!failed) return null;
  const close = () => (testing.open.value = false);
  return (
    <Dialog label={t("test.open")} onEscape={close}>
      <p>{t("test.not_loaded")}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" data-first onClick={close}>
          {t("account.close")}
        </button>
      </div>
    </Dialog>
  );
}

/** Opens the connection test. */
export function TestButton({ wide = false }: { wide?: boolean }): JSX.Element {
  const app = useApp();
  const open = () => {
    app.view.account.value = false;
    app.testing.open.value = true;
  };
  return (
    <button type="button" class={`button ${wide ? "wide" : ""}`} onClick={open}>
      {app.settings.t("test.open")}
    </button>
  );
}
