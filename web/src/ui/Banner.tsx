import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ConnectionState } from "../protocol/connection";
import { useApp } from "./context";
import { Elsewhere } from "./Elsewhere";

/** Blinks shorter than this are nobody's concern. */
const patienceMs = 1_500;
const backMs = 3_000;
/** After so many tries, about 20 s, a page whose warning was accepted may face a new certificate. */
const longAttempts = 7;

/** Says when the server is out of reach, when it is back, and what else ends the connection. */
export function Banner(): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const state = app.connection.value;
  const [late, setLate] = useState(false);
  const [back, setBack] = useState(false);
  const shownAway = useRef(false);
  const away = state.kind === "away" || state.kind === "connecting";
  useEffect(() => {
    if (!away) return undefined;
    const timer = setTimeout(() => {
      setLate(true);
      shownAway.current = true;
    }, patienceMs);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [away]);
  useEffect(() => {
    if (state.kind !== "online" || !shownAway.current) return undefined;
    shownAway.current = false;
    setBack(true);
    const timer = setTimeout(() => setBack(false), backMs);
    return () => clearTimeout(timer);
  }, [state.kind]);

  const words = bannerWords(state, late);
  return (
    <div role="status" class="banner-place">
      {words && (
        <div class="banner warn">
          <p>{t(words)}</p>
          {state.kind === "stopped" && state.reason === "replaced" && (
            <button type="button" class="button" onClick={() => app.takeBack()}>
              {t("banner.take_back")}
            </button>
          )}
          {state.kind === "stopped" && state.reason === "broken" && (
            <button type="button" class="button" onClick={() => location.reload()}>
              {t("banner.reload")}
            </button>
          )}
        </div>
      )}
      {!words && back && (
        <div class="banner good">
          <p>{t("banner.back")}</p>
        </div>
      )}
      <Elsewhere />
    </div>
  );
}

function bannerWords(state: ConnectionState, late: boolean) {
  if (state.kind === "stopped") {
    if (state.reason === "replaced") return "banner.replaced";
    return state.reason === "broken" ? "banner.broken" : undefined;
  }
  if (state.kind === "away" && state.refused) return "banner.refused";
  if (!late) return undefined;
  return state.kind === "away" && state.attempts >= longAttempts ? "banner.long" : "banner.away";
}
