import type { JSX } from "preact";
import { useAdmin, useWords } from "./context";
import { useErrorText } from "./errors";
import { Nothing } from "./parts";

/** Until the first answer: that it is being waited for, or why there is none. */
export function Waiting(): JSX.Element {
  const { t } = useWords();
  const errorText = useErrorText();
  const problem = useAdmin().live.problem.value;
  return (
    <div class="waiting">
      <Nothing>{problem ? errorText(problem) : t("fresh.waiting")}</Nothing>
    </div>
  );
}
