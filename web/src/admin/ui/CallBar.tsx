import type { JSX } from "preact";
import { useApp } from "../../ui/context";
import { duration } from "../../ui/words";
import { useAdmin, useWords } from "./context";
import { Glyph } from "./glyphs";

/** Leads back to one's own call, which goes on beneath. */
export function CallBar(): JSX.Element | null {
  const app = useApp();
  const admin = useAdmin();
  const { t } = useWords();
  const call = app.calls.current.value;
  void admin.tick.value;
  if (!call || call.stage === "ended") return null;
  const { name } = call.peer;
  return (
    <section class="call-bar" aria-label={t("own.label")}>
      <p>
        <Glyph name="calls" />
        <span>{t(call.since === undefined ? "own.starting" : "own.running", { name })}</span>
        {call.since !== undefined && (
          <span class="digits">{duration((app.clock.now() - call.since) / 1000)}</span>
        )}
      </p>
      <button type="button" class="button small" onClick={() => app.hangUp()}>
        {app.settings.t("call.hang_up")}
      </button>
      <button type="button" class="button small primary" onClick={() => (app.view.admin.value = undefined)}>
        {t("own.back")}
      </button>
    </section>
  );
}
