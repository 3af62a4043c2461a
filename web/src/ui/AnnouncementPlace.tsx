import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "./context";

const laterMs = 4_000;
const againMs = 3_000;

/**
 * Where announcements stand, above everything. What draws them comes a moment after the page,
 * so that it is there when the network is not.
 */
export function AnnouncementPlace(): JSX.Element | null {
  const app = useApp();
  const [Drawn, setDrawn] = useState<{ it: ComponentType; banner: ComponentType } | undefined>(undefined);
  const first = app.announcements.pending.value[0];
  const wanted = first !== undefined || app.attention.heard.value !== undefined;
  useEffect(() => {
    if (Drawn) return undefined;
    let timer = 0;
    const load = () => {
      Promise.all([import("./Announcements"), import("./AttentionBanner")]).then(
        ([{ Announcements }, { AttentionBanner }]) =>
          setDrawn({ it: Announcements, banner: AttentionBanner }),
        () => (timer = window.setTimeout(load, againMs)),
      );
    };
    timer = window.setTimeout(load, wanted ? 0 : laterMs);
    return () => window.clearTimeout(timer);
  }, [wanted, Drawn]);
  if (!wanted) return null;
  if (Drawn)
    return (
      <>
        <Drawn.banner />
        <Drawn.it />
      </>
    );
  if (!first) return null;
  // Plainly, rather than not at all.
  const { t } = app.settings;
  return (
    <div class="scrim announce-scrim">
      <div class="dialog" role="alertdialog" aria-label={t("announce.title")}>
        <p class="announce-body" dir="auto">
          {first.body}
        </p>
        <button
          type="button"
          class="button primary"
          onClick={() => app.announcements.acknowledge(first.announcement)}
        >
          {t("announce.seen")}
        </button>
      </div>
    </div>
  );
}
