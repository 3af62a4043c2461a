import type { JSX } from "preact";
import { AdminPlace } from "./AdminPlace";
import { AnnouncementPlace } from "./AnnouncementPlace";
import { useApp } from "./context";
import { Empty } from "./Empty";
import { Logo } from "./icons";
import { Incoming } from "./Incoming";
import { PathTest } from "./PathTest";
import { Shell } from "./Shell";
import { Start } from "./Start";

export function Root(): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  switch (app.identity.session.value.kind) {
    case "in":
      return (
        <>
          <Shell away={app.view.admin.value !== undefined} />
          <AdminPlace />
          <PathTest />
          <Incoming />
          <AnnouncementPlace />
        </>
      );
    case "out":
      return <Start />;
    case "unreachable":
      return (
        <main class="welcome full">
          <Logo size={72} />
          <Empty title={t("root.unreachable")}>
            <p class="muted">{t("root.unreachable_how")}</p>
          </Empty>
        </main>
      );
    default:
      return (
        <main class="welcome full" aria-busy="true">
          <Logo size={72} />
        </main>
      );
  }
}
