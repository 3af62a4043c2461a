import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../protocol/api";
import { useApp } from "./context";
import { apiWord } from "./words";

export type Outcome = { good: boolean; text: string } | undefined;

export function Told({ outcome }: { outcome: Outcome }): JSX.Element | null {
  if (!outcome) return null;
  return (
    <p class={`note ${outcome.good ? "good" : "bad"}`} role={outcome.good ? "status" : "alert"}>
      {outcome.text}
    </p>
  );
}

/** Runs something that the server may refuse, and tells in words how it went. */
export function useAction() {
  const { t } = useApp().settings;
  const [outcome, setOutcome] = useState<Outcome>();
  const [busy, setBusy] = useState(false);
  const run = async (action: () => Promise<void>, done?: string): Promise<boolean> => {
    setBusy(true);
    setOutcome(undefined);
    try {
      await action();
      if (done) setOutcome({ good: true, text: done });
      return true;
    } catch (error) {
      const refused = error instanceof ApiError ? error : new ApiError("internal");
      const word = refused.code === "wrong_credentials" ? "account.wrong_current" : apiWord(refused.code);
      setOutcome({
        good: false,
        text: t(word, { seconds: String(refused.retryAfter ?? 30) }),
      });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { outcome, busy, run };
}
