// Chats, their messages and groups over HTTP (httpapi/openapi.yaml).
import type { Api } from "./api";
import { Fields, Malformed } from "./fields";
import type { User } from "./messages";
import { textMessage, user } from "./parseTexts";
import type { TextMessage } from "./texts";

/** How far somebody has received and read a chat. */
export interface Mark {
  delivered: number;
  read: number;
}

/** A chat as the list of one's chats tells of it; at in Unix milliseconds. */
export interface ChatHead extends Mark {
  chat: string;
  name: string;
  at: number;
  rev: number;
  pos: number;
  unread: number;
  last?: TextMessage;
  /** The other one's marks, in a chat of two. */
  peer?: Mark;
  group?: { members: number; admin: boolean; left: boolean };
}

export interface ChatPage {
  chats: ChatHead[];
  more: boolean;
}

export interface MessagePage {
  messages: TextMessage[];
  more: boolean;
  /** Up to which change of the chat this tells, where changes were asked for. */
  rev: number;
}

export interface Member extends User {
  admin: boolean;
}

export interface Group {
  group: string;
  name: string;
  members: Member[];
}

/** What changes in a group; ids of people. */
export interface GroupChange {
  name?: string;
  add?: string[];
  remove?: string[];
  promote?: string[];
  demote?: string[];
}

type Query = Record<string, string | number | undefined>;

/** The most chats, and messages, that are asked for at once. */
const chatsAtOnce = 100;
const changesAtOnce = 200;

export class ChatApi {
  private readonly api: Pick<Api, "call">;

  constructor(api: Pick<Api, "call">) {
    this.api = api;
  }

  /** The chats whose last activity was before a time; newest activity first. */
  async chats(before?: number): Promise<ChatPage> {
    const f = await this.get("chats", { before, limit: chatsAtOnce });
    return { chats: each(f, "chats", chatHead), more: f.flag("more") };
  }

  /** A page of a chat in ascending order: the newest, or what comes before a position. */
  page(chat: string, limit: number, before?: number): Promise<MessagePage> {
    return this.messages("chats/messages", { chat, before, limit });
  }

  /** What changed in a chat after a rev, in the order of the changes. */
  changes(chat: string, since: number): Promise<MessagePage> {
    return this.messages("chats/messages", { chat, since, limit: changesAtOnce });
  }

  /** Messages with these words, newest first; in all chats unless one is named. */
  search(words: string, chat?: string, before?: number): Promise<MessagePage> {
    return this.messages("chats/search", { q: words, chat, before, limit: 30 });
  }

  async marks(chat: string): Promise<ReadonlyMap<string, Mark>> {
    const f = await this.get("chats/marks", { chat });
    return new Map(each(f, "marks", (m) => [m.name("user"), mark(m)] as const));
  }

  async group(group: string): Promise<Group> {
    return readGroup(new Fields(await this.api.call("GET", `groups/${encodeURIComponent(group)}`)));
  }

  /** Makes a group under a name that the client chose; the same again changes nothing. */
  async createGroup(group: string, name: string, members: string[]): Promise<Group> {
    return readGroup(new Fields(await this.api.call("POST", "groups", { group, name, members })));
  }

  async changeGroup(group: string, change: GroupChange): Promise<Group> {
    const path = `groups/${encodeURIComponent(group)}`;
    return readGroup(new Fields(await this.api.call("PATCH", path, change)));
  }

  private async messages(path: string, query: Query): Promise<MessagePage> {
    const f = await this.get(path, query);
    const rev = f.maybe("rev", (key) => f.number(key)) ?? 0;
    return { messages: each(f, "messages", textMessage), more: f.flag("more"), rev };
  }

  private async get(path: string, query: Query): Promise<Fields> {
    const parameters = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(key, String(value));
    }
    return new Fields(await this.api.call("GET", `${path}?${parameters}`));
  }
}

/** The readable ones of a list: a newer server may tell of what this page does not know. */
function each<T>(f: Fields, key: string, read: (item: Fields) => T): T[] {
  const list = f.raw(key) ?? [];
  if (!Array.isArray(list)) throw new Malformed(key);
  return list.flatMap((item) => {
    try {
      return [read(new Fields(item))];
    } catch (error) {
      if (error instanceof Malformed) return [];
      throw error;
    }
  });
}

const mark = (f: Fields): Mark => ({ delivered: f.number("delivered"), read: f.number("read") });

function chatHead(f: Fields): ChatHead {
  return {
    ...mark(f),
    chat: f.name("chat"),
    name: f.text("name"),
    at: f.number("at"),
    rev: f.number("rev"),
    pos: f.number("pos"),
    unread: f.number("unread"),
    last: f.maybe("last", (key) => textMessage(f.object(key))),
    peer: f.maybe("peer", (key) => mark(f.object(key))),
    group: f.maybe("group", (key) => {
      const g = f.object(key);
      const left = g.maybe("left", (k) => g.flag(k)) ?? false;
      return { members: g.number("members"), admin: g.flag("admin"), left };
    }),
  };
}

const readGroup = (f: Fields): Group => ({
  group: f.name("group"),
  name: f.text("name"),
  members: each(f, "members", (m) => ({ ...user(m), admin: m.maybe("admin", (k) => m.flag(k)) ?? false })),
});
