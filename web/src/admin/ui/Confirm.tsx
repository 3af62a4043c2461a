import type { JSX } from "preact";
import { Told } from "../../ui/action";
import { Dialog } from "../../ui/Dialog";
import type { Question } from "../state/admin";
import { useAdmin, useWords } from "./context";
import { useAct } from "./errors";

/** Asks, does it, and stays to say why if the server refuses. */
export function Confirm(): JSX.Element | null {
  const question = useAdmin().question.value;
  return question ? <Ask key={question.title} question={question} /> : null;
}

function Ask({ question }: { question: Question }): JSX.Element {
  const admin = useAdmin();
  const { t } = useWords();
  const { outcome, busy, run } = useAct();
  const close = () => (admin.question.value = undefined);
  const go = async () => {
    if ((await run(question.run)) && admin.question.value === question) close();
  };
  return (
    <Dialog label={question.title} class="confirm" onEscape={close}>
      <h2>{question.title}</h2>
      <p>{question.text}</p>
      <Told outcome={outcome} />
      <div class="confirm-buttons">
        <button type="button" class="button" onClick={close} data-first>
          {t("cancel")}
        </button>
        <button
          type="button"
          class={`button ${question.danger ? "danger solid" : "primary"}`}
          disabled={busy}
          onClick={() => void go()}
        >
          {question.action}
        </button>
      </div>
    </Dialog>
  );
}
