// A server of chats by hand, as Alice sees it: it stores, pushes what may be lost, repeated
// or late, and answers what is asked.
import type { ChatHead, ChatPage, Group, Mark, MessagePage } from "../src/protocol/chats";
import { RequestError, type Answer } from "../src/protocol/pending";
import { isGroup, type TextMessage } from "../src/protocol/texts";
import { Chats } from "../src/state/chat/chats";
import { counts } from "../src/state/pastCalls";
import { Kept } from "../src/state/storage";
import { FakeTime } from "./fakes";

export const alice = { id: "alice", name: "Alice" };
export const bob = { id: "bob", name: "Bob" };

export class FakeStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

interface Stored {
  messages: TextMessage[];
  rev: number;
  marks: Map<string, Mark>;
}

export class ChatServer {
  readonly chats = new Map<string, Stored>();
  /** What is on its way to Alice's page. */
  readonly pushes: TextMessage[] = [];
  asked: string[] = [];
  down = false;
  clock = 1_790_000_000_000;

  of(chat: string): Stored {
    const known = this.chats.get(chat);
    if (known) return known;
    const fresh = { messages: [], rev: 0, marks: new Map<string, Mark>() };
    this.chats.set(chat, fresh);
    return fresh;
  }

  /** Stores a message; a name that is known already is stored no second time. */
  store(chat: string, from: typeof alice, body: string, name?: string): TextMessage {
    const to = this.of(chat);
    const known = to.messages.find((each) => each.message === name);
    if (known) return known;
    to.rev += 1;
    this.clock += 1_000;
    const message: TextMessage = {
      message: name ?? `m-${chat}-${to.messages.length}-x`,
      chat,
      from,
      kind: "text",
      body,
      pos: to.messages.length + 1,
      rev: to.rev,
      server_time: this.clock,
    };
    to.messages.push(message);
    return message;
  }

  write(chat: string, from: typeof alice, body: string): TextMessage {
    const message = this.store(chat, from, body);
    this.pushes.push(message);
    return message;
  }

  change(chat: string, index: number, change: Partial<TextMessage>): void {
    const to = this.of(chat);
    to.rev += 1;
    to.messages[index] = { ...to.messages[index]!, ...change, rev: to.rev };
    this.pushes.push(to.messages[index]);
  }

  head(chat: string): ChatHead {
    const { messages, rev, marks } = this.of(chat);
    const { read, delivered } = marks.get("alice") ?? { read: 0, delivered: 0 };
    const last = messages[messages.length - 1];
    return {
      chat,
      name: chat,
      at: last?.server_time ?? 0,
      rev,
      pos: messages.length,
      read,
      delivered,
      unread: messages.filter((each) => each.pos > read && counts(each, "alice")).length,
      last,
      ...(isGroup(chat) ? { group: { members: 3, admin: false, left: false } } : { peer: marks.get(chat) }),
    };
  }

  mark(chat: string, user: string, { delivered = 0, read = 0 }: Partial<Mark>): void {
    const { marks } = this.of(chat);
    const before = marks.get(user) ?? { delivered: 0, read: 0 };
    marks.set(user, {
      delivered: Math.max(before.delivered, delivered, read),
      read: Math.max(before.read, read),
    });
  }

  private async answer<T>(what: string, make: () => T): Promise<T> {
    this.asked.push(what);
    const made = this.down ? undefined : make();
    // An answer tells of the moment in which it was made, and arrives later.
    for (let i = 0; i < 3; i += 1) await Promise.resolve();
    if (made === undefined) throw new Error("unreachable");
    return made;
  }

  readonly api = {
    chats: (before?: number): Promise<ChatPage> =>
      this.answer("chats", () => {
        const all = [...this.chats.keys()].map((chat) => this.head(chat)).sort((a, b) => b.at - a.at);
        const rest = all.filter((head) => before === undefined || head.at < before);
        return { chats: rest.slice(0, 100), more: rest.length > 100 };
      }),
    page: (chat: string, limit: number, before = Number.POSITIVE_INFINITY): Promise<MessagePage> =>
      this.answer(`page ${chat} ${before}`, () => {
        const all = this.of(chat).messages.filter((each) => each.pos < before);
        return { messages: all.slice(-limit), more: all.length > limit, rev: 0 };
      }),
    changes: (chat: string, since: number): Promise<MessagePage> =>
      this.answer(`changes ${chat} ${since}`, () => {
        const all = this.of(chat)
          .messages.filter((each) => each.rev > since)
          .sort((a, b) => a.rev - b.rev);
        const messages = all.slice(0, 5);
        const more = all.length > 5;
        return { messages, more, rev: more ? messages[4]!.rev : this.of(chat).rev };
      }),
    search: (): Promise<MessagePage> => this.answer("search", () => ({ messages: [], more: false, rev: 0 })),
    marks: (chat: string): Promise<ReadonlyMap<string, Mark>> =>
      this.answer("marks", () => new Map(this.of(chat).marks)),
    group: (group: string): Promise<Group> =>
      this.answer("group", () => ({ group, name: group, members: [] })),
    createGroup: (group: string, name: string): Promise<Group> =>
      this.answer("create", () => ({ group, name, members: [] })),
    changeGroup: (group: string): Promise<Group> =>
      this.answer("change", () => ({ group, name: group, members: [] })),
  };
}

/** A page of Alice's. */
export class Page {
  readonly time = new FakeTime();
  readonly server: ChatServer;
  readonly storage: FakeStorage;
  readonly chats: Chats;
  online = true;
  readonly told: { type: string; data: Record<string, unknown> }[] = [];
  /** What becomes of the next thing that is sent: refused, or stored while the answer is lost. */
  fate: (() => "ok" | "lost" | "unstored" | RequestError) | undefined;
  readonly sent: string[] = [];
  private names = 0;

  constructor(server = new ChatServer(), storage = new FakeStorage(), prefix = 0) {
    this.server = server;
    this.storage = storage;
    this.names = prefix;
    this.chats = new Chats({
      api: server.api,
      request: (type, data) => this.request(type, data as { message: string; chat: string; body: string }),
      tell: (type, data) => {
        this.told.push({ type, data: data });
        if (type === "text.mark" && this.online) server.mark(data.chat, "alice", data as Partial<Mark>);
      },
      online: () => this.online,
      timers: this.time,
      random: (bytes) => {
        this.names += 1;
        return bytes.map((_, i) => (i < 3 ? this.names >> (6 * i) : 0) & 63);
      },
      serverNow: () => this.server.clock + this.time.now,
      kept: new Kept(() => storage as unknown as Storage),
      onProblem: () => undefined,
    });
    this.chats.open(alice, "Echo test");
  }

  bodies(chat: string): string[] {
    return (this.chats.find(chat)?.window.value?.messages ?? []).map((each) => each.body);
  }

  deliver(message: TextMessage): void {
    this.chats.take({ type: "text.message", data: message });
  }

  /** The line comes back, and everything that was to happen happens. */
  async reconnect(): Promise<void> {
    this.online = true;
    this.chats.welcome();
    await this.time.pass(60_000);
  }

  private async request(
    type: string,
    { message, chat, body }: { message: string; chat: string; body: string },
  ): Promise<Answer> {
    await Promise.resolve();
    this.sent.push(`${type} ${body}`);
    const fate = this.fate?.() ?? "ok";
    if (fate instanceof RequestError) throw fate;
    if (!this.online || this.server.down || fate === "unstored") throw new RequestError("no_answer");
    if (chat === "_echo") return { type: "text.sent", data: { message, pos: 1, rev: 1, server_time: 5 } };
    const { pos, rev, server_time } = this.server.store(chat, alice, body, message);
    if (fate === "lost") throw new RequestError("no_answer");
    return { type: "text.sent", data: { message, pos, rev, server_time } };
  }
}
