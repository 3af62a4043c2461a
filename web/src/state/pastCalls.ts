// Calls that are over, as chats and the call log tell of them.
import type { PastCall, TextMessage } from "../protocol/texts";

/** Whether somebody called this person and was not answered. */
export function missed(call: Pick<PastCall, "reason" | "seconds">, mine: boolean): boolean {
  return !mine && (call.seconds ?? 0) === 0 && call.reason !== "declined" && call.reason !== "hangup";
}

/** Whether a message waits to be seen: texts of others, and calls that were missed. */
export function counts(message: TextMessage, me: string): boolean {
  if (message.from.id === me || message.deleted !== undefined) return false;
  if (message.kind === "call") return message.call !== undefined && missed(message.call, false);
  return message.kind === "text";
}
