// Fetches the stretches of a chat that the screen wants.
import { ApiError } from "../../protocol/api";
import type { ChatApi } from "../../protocol/chats";
import { isGroup, type TextMessage } from "../../protocol/texts";
import type { Chat } from "./chat";
import { extend, nothingHeld, pageSize } from "./window";

export type Pages = Pick<ChatApi, "page" | "changes">;

/** The newest messages. Of two who have not written to each other yet the server knows no chat. */
export function newest(api: Pages, chat: Chat): Promise<void> {
  return chat.load(async () => {
    const page = await api.page(chat.id, pageSize).catch((error: unknown) => {
      if (isGroup(chat.id) || chat.head.value.pos > 0) throw error;
      if (error instanceof ApiError && error.code === "no_such_chat") return { messages: [], more: false };
      throw error;
    });
    return { messages: page.messages, older: page.more, newer: false };
  });
}

/** The messages around a position, which is in the middle of them. */
export function around(api: Pages, chat: Chat, pos: number): Promise<void> {
  return chat.load(async () => {
    const page = await api.page(chat.id, pageSize, pos + pageSize / 2 + 1);
    const last = page.messages[page.messages.length - 1]?.pos ?? 0;
    return { messages: page.messages, older: page.more, newer: last < chat.head.value.pos };
  });
}

export function older(api: Pages, chat: Chat): Promise<void> {
  return chat.load(async (held = nothingHeld) => {
    const first = held.messages[0];
    if (!first || !held.older) return held;
    const page = await api.page(chat.id, pageSize, first.pos);
    return extend(chat.window.value ?? held, page.messages, "older", page.more);
  });
}

/** What comes after the stretch. Positions have no holes but those of what one may not see. */
export function newer(api: Pages, chat: Chat): Promise<void> {
  return chat.load(async (held = nothingHeld) => {
    const last = held.messages[held.messages.length - 1];
    if (!last || !held.newer) return held;
    for (let step = 1; step <= maxRounds; step += 1) {
      const before = last.pos + step * pageSize + 1;
      const end = before > chat.head.value.pos;
      const { messages } = await api.page(chat.id, pageSize, before);
      const page = messages.filter((message) => message.pos > last.pos);
      if (page.length > 0 || end) return extend(chat.window.value ?? held, page, "newer", !end);
    }
    const page = await api.page(chat.id, pageSize);
    return { messages: page.messages, older: page.more, newer: false };
  });
}

/** A device that was away for longer starts again with the newest page. */
const maxRounds = 20;

/** What changed since the chat was last whole here. False when that was too much to follow. */
export async function catchUp(
  api: Pages,
  chat: Chat,
  apply: (message: TextMessage) => void,
): Promise<boolean> {
  for (let round = 0; round < maxRounds; round += 1) {
    const { messages, rev, more } = await api.changes(chat.id, chat.synced);
    for (const message of messages) apply(message);
    const last = messages[messages.length - 1]?.rev ?? 0;
    if (more && messages.length === 0) return false;
    chat.caughtUp(more ? last : Math.max(last, rev));
    if (!more) return true;
  }
  return false;
}
