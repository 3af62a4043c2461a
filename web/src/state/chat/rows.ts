// What a chat looks like, line by line.
import type { ChatHead, Mark } from "../../protocol/chats";
import { isGroup, type TextMessage } from "../../protocol/texts";
import type { RequestProblem } from "../../protocol/pending";
import type { User } from "../../protocol/messages";
import { counts } from "../pastCalls";
import type { Unsent } from "./outbox";

/** How far one's own text got. */
export type Progress = "waiting" | "failed" | "sent" | "delivered" | "read";

export interface Row {
  message: TextMessage;
  mine: boolean;
  progress?: Progress;
  problem?: RequestProblem;
  /** A day begins here. */
  day: boolean;
  /** The first that was unread when the chat was opened. */
  fresh: boolean;
  /** The first of several by the same person in a row. */
  head: boolean;
}

export interface RowsOf {
  messages: readonly TextMessage[];
  unsent: readonly Unsent[];
  me: User;
  reach: Mark;
  /** What was read when the chat was opened; undefined for no dividing line. */
  readTo: number | undefined;
}

const runMs = 5 * 60_000;

/** Up to which position everybody else has received and read. */
export function reachOf(
  head: Pick<ChatHead, "chat" | "peer" | "group">,
  others: ReadonlyMap<string, Mark>,
): Mark {
  if (!isGroup(head.chat)) return head.peer ?? { delivered: 0, read: 0 };
  const count = (head.group?.members ?? 0) - 1;
  const all = [...others.values()];
  if (count < 1 || all.length < count) return { delivered: 0, read: 0 };
  // Who left counts no more, wherever they stopped reading.
  const nth = (key: keyof Mark) => all.map((mark) => mark[key]).sort((a, b) => b - a)[count - 1]!;
  return { delivered: nth("delivered"), read: nth("read") };
}

const progressAt = (pos: number, reach: Mark): Progress =>
  pos <= reach.read ? "read" : pos <= reach.delivered ? "delivered" : "sent";

const drawn = new WeakMap<Unsent, TextMessage>();

/** What waits, in the form of what is stored. */
function asMessage(unsent: Unsent, me: User): TextMessage {
  const known = drawn.get(unsent);
  if (known) return known;
  const { message, chat, body, file, at } = unsent;
  const rest = { kind: "text" as const, pos: Number.MAX_SAFE_INTEGER, rev: 0, server_time: at };
  const made = { message, chat, from: me, body, file, ...rest };
  drawn.set(unsent, made);
  return made;
}

/** Each message once: first what is stored, by position, then what waits, as it was written. */
export function rowsOf({ messages, unsent, me, reach, readTo }: RowsOf): Row[] {
  const stored = new Set(messages.map((message) => message.message));
  const waiting = unsent.filter((each) => !stored.has(each.message));
  const rows: Row[] = [];
  let before: TextMessage | undefined;
  let fresh = readTo === undefined;
  const add = (message: TextMessage, more: Partial<Row>) => {
    const day = !before || dayOf(before.server_time) !== dayOf(message.server_time);
    const first = !fresh && message.pos > readTo! && counts(message, me.id);
    if (first) fresh = true;
    const head = day || first || !follows(before!, message);
    rows.push({ message, mine: message.from.id === me.id, day, fresh: first, head, ...more });
    before = message;
  };
  for (const message of messages) {
    const own = message.from.id === me.id && message.kind === "text" && message.deleted === undefined;
    add(message, own ? { progress: progressAt(message.pos, reach) } : {});
  }
  for (const each of waiting) {
    const { failed, problem } = each;
    add(asMessage(each, me), { progress: failed ? "failed" : "waiting", problem });
  }
  return rows;
}

const follows = (before: TextMessage, message: TextMessage): boolean =>
  before.kind === "text" &&
  message.kind === "text" &&
  before.from.id === message.from.id &&
  message.server_time - before.server_time < runMs;

function dayOf(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}
