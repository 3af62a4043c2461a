// One chat as this device knows it.
import { signal } from "@preact/signals";
import type { ChatHead, Mark } from "../../protocol/chats";
import { isGroup, type TextMessage } from "../../protocol/texts";
import { counts } from "../pastCalls";
import { take, trim, type Window } from "./window";

export const emptyHead = (chat: string, name: string): ChatHead => ({
  chat,
  name,
  at: 0,
  rev: 0,
  pos: 0,
  read: 0,
  delivered: 0,
  unread: 0,
  ...(isGroup(chat) ? { group: { members: 0, admin: false, left: false } } : {}),
});

export class Chat {
  readonly id: string;
  readonly head;
  /** The messages that are held; undefined while none have been fetched. */
  readonly window = signal<Window | undefined>(undefined);
  /** What is being fetched for the screen, and whether that failed last. */
  readonly loading = signal(false);
  readonly failed = signal(false);
  /** How far the others of a group have received and read. */
  readonly others = signal<ReadonlyMap<string, Mark>>(new Map());
  /** The message to be shown in the middle of the screen, and pointed out. */
  readonly target = signal<string | undefined>(undefined);
  /** Whether the screen stays with the newest message. */
  following = true;
  /** Everything up to this rev is in here. */
  synced = 0;
  /** The highest rev that is known of, and the ones beyond a gap that are here. */
  private known = 0;
  private readonly ahead = new Set<number>();
  /** The fetching that runs, or ran last. */
  private running: Promise<void> = Promise.resolve();
  /** What arrived while a page was on its way, which may be older than that. */
  private arrivals: TextMessage[] | undefined;
  private readonly me: string;

  constructor(head: ChatHead, me: string) {
    this.id = head.chat;
    this.me = me;
    this.head = signal(head);
    this.synced = head.rev;
  }

  /** Whether changes are known to be missing. */
  get gap(): boolean {
    return this.known > this.synced;
  }

  /** Takes up a message as it came, by whatever way; true when it is new and waits to be seen. */
  apply(message: TextMessage): boolean {
    this.note(message.rev);
    this.arrivals?.push(message);
    const held = this.window.value;
    if (held) this.window.value = trim(take(held, [message]), this.following);
    return this.applyToHead(message);
  }

  /** Everything up to rev has been applied. */
  caughtUp(rev: number): void {
    if (rev > this.synced) this.synced = rev;
    this.advance();
  }

  /** There are changes up to rev, which are not here. */
  miss(rev: number): void {
    this.known = Math.max(this.known, rev);
  }

  /** The list of chats tells of this one, perhaps later than what arrived meanwhile. */
  refresh(told: ChatHead): void {
    const own = this.head.value;
    const read = Math.max(own.read, told.read);
    const marks = {
      read,
      delivered: Math.max(own.delivered, told.delivered),
      peer: furthest(own.peer, told.peer),
    };
    if (told.rev < own.rev) {
      this.head.value = { ...own, ...marks };
      this.recount();
      return;
    }
    this.head.value = { ...told, ...marks };
    if (read > told.read) this.recount();
    // A page that is on its way may be older than this.
    if (!this.window.value && !this.loading.value) this.caughtUp(told.rev);
    else this.miss(told.rev);
  }

  /** Own marks: what this or another device of the user says. They only grow. */
  mark({ read = 0, delivered = 0 }: Partial<Mark>): void {
    const own = this.head.value;
    if (read <= own.read && delivered <= own.delivered) return;
    this.head.value = {
      ...own,
      read: Math.max(read, own.read),
      delivered: Math.max(delivered, own.delivered),
    };
    if (read > own.read) this.recount();
  }

  /** The marks of somebody else. */
  markOf(user: string, mark: Mark): void {
    if (!isGroup(this.id)) {
      const { peer } = this.head.value;
      this.head.value = { ...this.head.value, peer: furthest(peer, mark) };
      return;
    }
    const others = new Map(this.others.value);
    others.set(user, furthest(others.get(user), mark)!);
    this.others.value = others;
  }

  /** Fetches something of the window; what arrives meanwhile is put on top of what was fetched. */
  load(fetch: (held: Window | undefined) => Promise<Window>): Promise<void> {
    if (!this.loading.value) this.running = this.fetch(fetch);
    return this.running;
  }

  /** Resolves when nothing is being fetched. */
  idle(): Promise<void> {
    return this.running.catch(() => undefined);
  }

  private async fetch(fetch: (held: Window | undefined) => Promise<Window>): Promise<void> {
    this.loading.value = true;
    this.arrivals = [];
    try {
      const fetched = await fetch(this.window.value);
      this.window.value = take(fetched, this.arrivals);
      this.failed.value = false;
      if (!this.gap) this.caughtUp(this.head.value.rev);
    } catch (error) {
      this.failed.value = true;
      throw error;
    } finally {
      this.arrivals = undefined;
      this.loading.value = false;
    }
  }

  drop(): void {
    this.window.value = undefined;
    this.caughtUp(this.head.value.rev);
  }

  private note(rev: number): void {
    this.miss(rev);
    if (rev > this.synced) this.ahead.add(rev);
    this.advance();
  }

  private advance(): void {
    while (this.ahead.delete(this.synced + 1)) this.synced += 1;
    for (const rev of this.ahead) if (rev <= this.synced) this.ahead.delete(rev);
  }

  private applyToHead(message: TextMessage): boolean {
    const head = this.head.value;
    const rev = Math.max(head.rev, message.rev);
    if (message.pos > head.pos) {
      const news = message.pos > head.read && counts(message, this.me);
      const name = message.note?.name ?? head.name;
      const unread = head.unread + (news ? 1 : 0);
      const at = Math.max(head.at, message.server_time);
      this.head.value = { ...head, name, rev, pos: message.pos, at, last: message, unread };
      return news;
    }
    const latest = head.last?.message === message.message && message.rev > head.last.rev;
    this.head.value = { ...head, rev, last: latest ? message : head.last };
    if (message.pos > head.read) this.recount();
    return false;
  }

  /** Counts what is unread, where what is held tells; else the next list does. */
  private recount(): void {
    const head = this.head.value;
    const held = this.window.value;
    const unread =
      head.read >= head.pos ? 0 : (this.unreadHeld(held) ?? Math.min(head.unread, head.pos - head.read));
    if (unread !== head.unread) this.head.value = { ...head, unread };
  }

  private unreadHeld(held: Window | undefined): number | undefined {
    const { read } = this.head.value;
    const first = held?.messages[0];
    if (!held || held.newer || !first || (held.older && first.pos > read + 1)) return undefined;
    return held.messages.filter((message) => message.pos > read && counts(message, this.me)).length;
  }
}

function furthest(a: Mark | undefined, b: Mark | undefined): Mark | undefined {
  if (!a || !b) return a ?? b;
  return { delivered: Math.max(a.delivered, b.delivered), read: Math.max(a.read, b.read) };
}
