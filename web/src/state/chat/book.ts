// The chats that are known here.
import { computed, signal } from "@preact/signals";
import type { User } from "../../protocol/messages";
import type { TextMessage } from "../../protocol/texts";
import { Chat, emptyHead } from "./chat";

/** What just arrived and waits to be seen. */
export interface News {
  chat: string;
  message: TextMessage;
}

export class Book {
  readonly all = signal<ReadonlyMap<string, Chat>>(new Map());
  /** Those with something in them, the newest activity first. */
  readonly list = computed(() =>
    [...this.all.value.values()]
      .filter((chat) => chat.head.value.at > 0)
      .sort((a, b) => b.head.value.at - a.head.value.at || (a.id < b.id ? -1 : 1)),
  );
  readonly unread = computed(() => {
    let sum = 0;
    for (const chat of this.all.value.values()) sum += chat.head.value.unread;
    return sum;
  });
  /** Whether a first list has come, and whether it goes on. */
  readonly loaded = signal(false);
  readonly more = signal(false);
  readonly news = signal<News | undefined>(undefined);
  me: User = { id: "", name: "" };

  /** The chat with this name; made where it is new here. */
  chat(id: string, name: string): Chat {
    const known = this.all.value.get(id);
    if (known) return known;
    const chat = new Chat(emptyHead(id, name), this.me.id);
    this.put(chat);
    return chat;
  }

  put(chat: Chat): void {
    const all = new Map(this.all.value);
    all.set(chat.id, chat);
    this.all.value = all;
  }

  clear(): void {
    this.me = { id: "", name: "" };
    this.all.value = new Map();
    this.loaded.value = this.more.value = false;
    this.news.value = undefined;
  }
}
