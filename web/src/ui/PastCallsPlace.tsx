import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "./context";
import { Empty } from "./Empty";
import { Icon } from "./icons";

/** Opens the list of calls; says how many were missed. */
export function PastCallsButton(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const missed = app.callLog.missed.value;
  const label =
    missed > 0 ? `${t("past.title")}, ${t("past.missed", { count: String(missed) })}` : t("past.title");
  return (
    <button
      type="button"
      class="round ghost past-button"
      aria-label={label}
      title={label}
      onClick={() => app.showPastCalls()}
    >
      <Icon name="history" />
      {missed > 0 && (
        <span class="badge" aria-hidden="true">
          {missed > 99 ? "99+" : missed}
        </span>
      )}
    </button>
  );
}

/** Loads the list when it is first looked at. */
export function PastCallsPlace(): JSX.Element {
  const { t } = useApp().settings;
  const [List, setList] = useState<{ is: ComponentType } | "failed" | undefined>(undefined);
  useEffect(() => {
    import("./PastCalls").then(
      ({ PastCalls }) => setList({ is: PastCalls }),
      () => setList("failed"),
    );
  }, []);
  if (List === undefined) return <Empty title={t("past.loading")} />;
  if (List !== "failed") return <List.is />;
  return (
    <Empty title={t("past.failed")}>
      <p class="muted">{t("admin.not_loaded_how")}</p>
    </Empty>
  );
}
