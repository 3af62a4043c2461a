// Keeps the chats here and on the server alike: takes what is pushed, finds what is missing,
// fetches it.
import { batch } from "@preact/signals";
import type { ChatApi, ChatHead, Mark } from "../../protocol/chats";
import type { Timers } from "../../protocol/clock";
import { isGroup, type TextMessage } from "../../protocol/texts";
import type { Book } from "./book";
import { Chat } from "./chat";
import type { Marking } from "./marking";
import { around, catchUp, newest } from "./pages";
import { pageSize } from "./window";

export interface SyncDeps {
  book: Book;
  api: Pick<ChatApi, "chats" | "page" | "changes">;
  marking: Marking;
  online: () => boolean;
  timers: Timers;
  /** Called with every message, however it came. */
  onStored: (message: TextMessage) => void;
  onProblem: (problem: string) => void;
}

/** Chats whose messages are held; of the others only the head is. */
const mostHeld = 8;
const gapMs = 250;
const listMs = 1_000;
const retryMs = 5_000;

export class Sync {
  private readonly deps: SyncDeps;
  /** Chats with messages held, the one looked at last at the end. */
  private held: string[] = [];
  private readonly syncing = new Set<string>();
  private listTimer: number | undefined;
  private gapTimer: number | undefined;

  constructor(deps: SyncDeps) {
    this.deps = deps;
  }

  clear(): void {
    this.deps.timers.clear(this.listTimer);
    this.deps.timers.clear(this.gapTimer);
    this.listTimer = this.gapTimer = undefined;
    this.held = [];
  }

  /** Holds the messages of a chat from now on, and those of another no longer. */
  keep(chat: Chat): void {
    this.held = [...this.held.filter((each) => each !== chat.id), chat.id];
    for (const oldest of this.held.splice(0, this.held.length - mostHeld))
      this.deps.book.all.value.get(oldest)?.drop();
  }

  /** The screen shows a chat. */
  async show(chat: Chat): Promise<void> {
    this.keep(chat);
    if (!chat.window.value) await this.fetch(chat);
  }

  async loadList(before?: number): Promise<void> {
    const { book } = this.deps;
    const user = book.me.id;
    if (user === "") return;
    try {
      const page = await this.deps.api.chats(before);
      if (book.me.id !== user) return;
      batch(() => {
        for (const head of page.chats) this.refresh(head);
        if (before !== undefined || !book.loaded.value) book.more.value = page.more;
        book.loaded.value = true;
      });
      await Promise.all(this.held.map((id) => this.settle(id)));
    } catch (error) {
      this.deps.onProblem(`chats: ${String(error)}`);
      if (this.deps.online()) this.listSoon(retryMs);
    }
  }

  /** The chats after those that are listed. */
  async moreChats(): Promise<void> {
    const { value: list } = this.deps.book.list;
    const last = list[list.length - 1];
    if (this.deps.book.more.value && last) await this.loadList(last.head.value.at);
  }

  private refresh(head: ChatHead): void {
    const known = this.deps.book.all.value.get(head.chat);
    if (known) known.refresh(head);
    else this.deps.book.put(new Chat(head, this.deps.book.me.id));
    const chat = this.deps.book.all.value.get(head.chat)!;
    this.arrived(chat);
    // What was marked while the server was away.
    const { read, delivered } = chat.head.value;
    if (read > head.read) this.deps.marking.want(chat.id, { read, delivered });
  }

  /** Takes what was pushed. */
  receive(message: TextMessage): void {
    const known = this.deps.book.all.value.get(message.chat);
    const name = message.from.id === this.deps.book.me.id ? message.chat : message.from.name;
    const chat = known ?? this.deps.book.chat(message.chat, isGroup(message.chat) ? "" : name);
    // Of a chat that is new here the list tells the rest.
    if (!known) chat.caughtUp(message.rev - 1);
    this.apply(chat, message);
    if (!known || message.kind === "note") this.listSoon();
    if (chat.gap) this.gapSoon();
  }

  /**
   * Takes a text of this device that is stored. One that has been stored for longer may be
   * another by now, and what came between is not known: the changes tell.
   */
  sent(message: TextMessage, again: boolean): void {
    if (!again) {
      this.receive(message);
      return;
    }
    const chat = this.deps.book.chat(message.chat, message.chat);
    chat.miss(message.rev);
    this.apply(chat, { ...message, rev: 0 });
    this.gapSoon();
  }

  private apply(chat: Chat, message: TextMessage): void {
    this.deps.onStored(message);
    // Its first page could not be fetched: now there is something to fetch.
    if (chat.failed.value && this.held.includes(chat.id)) this.gapSoon();
    if (chat.apply(message)) this.deps.book.news.value = { chat: chat.id, message };
    this.arrived(chat);
  }

  /** The newest message of a chat is on this device. */
  private arrived(chat: Chat): void {
    const { pos, delivered, group } = chat.head.value;
    if (pos <= delivered || group?.left) return;
    chat.mark({ delivered: pos });
    this.deps.marking.want(chat.id, { delivered: pos });
  }

  /** Takes somebody's marks. */
  marks(id: string, user: string, mark: Mark): void {
    const chat = this.deps.book.all.value.get(id);
    if (!chat) return;
    if (user !== this.deps.book.me.id) {
      chat.markOf(user, mark);
      return;
    }
    chat.mark(mark);
    // What is unread after that mark, only the server knows, unless it is nothing.
    if (mark.read < chat.head.value.pos) this.listSoon();
  }

  private fetch(chat: Chat): Promise<void> {
    const { unread, read } = chat.head.value;
    const { api } = this.deps;
    return this.fetching(chat.id, () =>
      unread > pageSize / 2 ? around(api, chat, read) : newest(api, chat),
    );
  }

  /** Fetches for the screen; what goes wrong the chat tells. */
  async fetching(id: string, load: (chat: Chat) => Promise<void>): Promise<void> {
    const chat = this.deps.book.all.value.get(id);
    if (!chat || chat.loading.value) return;
    try {
      await load(chat);
      for (const message of chat.window.value?.messages ?? []) this.deps.onStored(message);
    } catch (error) {
      this.deps.onProblem(`chat: ${String(error)}`);
    }
    if (chat.gap) this.gapSoon();
  }

  /** Brings a chat whose messages are held up to date. */
  private async settle(id: string): Promise<void> {
    const chat = this.deps.book.all.value.get(id);
    if (!chat || this.syncing.has(id)) return;
    this.syncing.add(id);
    try {
      if (!chat.window.value) await this.fetch(chat);
      else if (chat.gap && !(await catchUp(this.deps.api, chat, (message) => this.apply(chat, message)))) {
        chat.drop();
        await this.fetch(chat);
      }
    } catch (error) {
      this.deps.onProblem(`chat: ${String(error)}`);
    } finally {
      this.syncing.delete(id);
    }
  }

  /** A little later a hole is mostly filled by what was on its way. */
  private gapSoon(): void {
    this.gapTimer ??= this.deps.timers.set(() => {
      this.gapTimer = undefined;
      if ([...this.deps.book.all.value.values()].some((chat) => chat.gap || chat.failed.value))
        void this.loadList();
    }, gapMs);
  }

  listSoon(ms = listMs): void {
    this.listTimer ??= this.deps.timers.set(() => {
      this.listTimer = undefined;
      void this.loadList();
    }, ms);
  }
}
