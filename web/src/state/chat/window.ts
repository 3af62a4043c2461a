// The stretch of a chat's messages that is held: without holes as far as is known,
// bounded, in the order of their positions, each once.
import type { TextMessage } from "../../protocol/texts";

export interface Window {
  readonly messages: readonly TextMessage[];
  /** There are more before the first, and after the last, that are not held. */
  readonly older: boolean;
  readonly newer: boolean;
}

export const pageSize = 50;
export const mostHeld = 200;
/** A window at the end may grow so far beyond before it is cut. */
const slack = 50;

export const nothingHeld: Window = { messages: [], older: false, newer: false };

/** Of two versions of a message the later one. */
const later = (a: TextMessage, b: TextMessage): TextMessage => (b.rev > a.rev ? b : a);

/** All of both, each message once in its latest version, by position. */
function union(a: readonly TextMessage[], b: readonly TextMessage[]): TextMessage[] {
  const all = new Map<string, TextMessage>();
  for (const message of [...a, ...b]) {
    const known = all.get(message.message);
    all.set(message.message, known ? later(known, message) : message);
  }
  return [...all.values()].sort((x, y) => x.pos - y.pos);
}

/** What came about this stretch, in whatever order and how often; what lies outside of it is left out. */
export function take(window: Window, news: readonly TextMessage[]): Window {
  const { messages, older, newer } = window;
  const first = messages[0]?.pos ?? (newer ? Number.POSITIVE_INFINITY : 0);
  const last = messages[messages.length - 1]?.pos ?? Number.POSITIVE_INFINITY;
  const known = new Map(messages.map((message) => [message.message, message]));
  const wanted = news.filter((message) => {
    const held = known.get(message.message);
    if (held) return message.rev > held.rev;
    if (message.pos < first) return !older;
    return message.pos <= last || !newer;
  });
  return wanted.length === 0 ? window : { ...window, messages: union(messages, wanted) };
}

/** A page from before or after the stretch is put on; the far end gives way. */
export function extend(
  window: Window,
  page: readonly TextMessage[],
  side: "older" | "newer",
  more: boolean,
): Window {
  const messages = union(window.messages, page);
  const over = Math.max(0, messages.length - mostHeld);
  if (side === "older") {
    return {
      messages: messages.slice(0, messages.length - over),
      older: more,
      newer: window.newer || over > 0,
    };
  }
  return { messages: messages.slice(over), older: window.older || over > 0, newer: more };
}

/** Keeps a stretch that grew by what came within bounds: who follows the end keeps the end. */
export function trim(window: Window, following: boolean): Window {
  const { messages } = window;
  if (messages.length <= mostHeld + slack) return window;
  return following
    ? { ...window, messages: messages.slice(-mostHeld), older: true }
    : { ...window, messages: messages.slice(0, mostHeld), newer: true };
}
