import { useState } from "preact/hooks";
import { ApiError } from "../../protocol/api";
import type { Outcome } from "../../ui/action";
import { useApp } from "../../ui/context";
import { apiWord } from "../../ui/words";
import { asApiError } from "../state/editor";
import { Loose } from "../state/loose";
import { keyFor } from "../words";
import { useWords } from "./context";

/** What the server refused and what to do, in the dashboard's words or else the app's. */
export function useErrorText(): (error: ApiError) => string {
  const { t } = useWords();
  const { settings } = useApp();
  return (error) => {
    const told = new Loose(error.answer).object("error");
    const key = keyFor("error", told.text("code") || error.code);
    if (key) return t(key);
    // The server's own sentence says more than that something went wrong.
    if (error.code === "internal" && told.has("message")) return told.text("message");
    return settings.t(apiWord(error.code), { seconds: String(error.retryAfter ?? 30) });
  };
}

/** Runs something that the server may refuse, and tells in words how it went. */
export function useAct() {
  const errorText = useErrorText();
  const [outcome, setOutcome] = useState<Outcome>();
  const [busy, setBusy] = useState(false);
  const run = async (action: () => Promise<void>, done?: string): Promise<boolean> => {
    setBusy(true);
    setOutcome(undefined);
    try {
      await action();
      if (done !== undefined) setOutcome({ good: true, text: done });
      return true;
    } catch (error) {
      setOutcome({ good: false, text: errorText(asApiError(error)) });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { outcome, busy, run };
}
