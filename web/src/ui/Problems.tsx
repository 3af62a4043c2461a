import type { JSX } from "preact";
import type { Call } from "../call/types";
import { useApp } from "./context";
import { Icon } from "./icons";
import { problemWord } from "./words";

/** Devices that could not be used: what happened, what to do, and that the call goes on. */
export function Problems({ call }: { call: Call }): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const { problems } = call.own;
  // A camera that is not there is the plain case of an audio call.
  const kinds = (["audio", "video", "screen"] as const).filter((kind) => problems[kind] !== undefined);
  // On an insecure page both fail for one reason; it is said once.
  const shown = kinds.filter((kind, i) => i === 0 || problems[kind] !== "insecure");
  if (shown.length === 0) return null;
  return (
    <div class="problems">
      {shown.map((kind) => (
        <div key={kind} class="problem" role="alert">
          <Icon name="warning" size={20} />
          <p>{t(problemWord[kind][problems[kind]!])}</p>
          <button
            type="button"
            class="round ghost small"
            aria-label={t("call.dismiss")}
            onClick={() => app.calls.session.own?.dismissProblem(kind)}
          >
            <Icon name="close" size={20} />
          </button>
        </div>
      ))}
    </div>
  );
}
