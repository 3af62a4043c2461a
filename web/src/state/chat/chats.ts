// All chats of the user of this page: what the server keeps of them, what is on its way to
// it, and who has read what.
import type { Over } from "../../call/types";
import type { ChatApi, Group, GroupChange, MessagePage } from "../../protocol/chats";
import type { Timers } from "../../protocol/clock";
import {
  echoID,
  maxTextBytes,
  newName,
  type ClientData,
  type ServerMessage,
  type User,
} from "../../protocol/messages";
import type { Answer } from "../../protocol/pending";
import { groupPrefix, isGroup, type FileInfo, type TextMessage } from "../../protocol/texts";
import type { Kept } from "../storage";
import { Book } from "./book";
import type { Chat } from "./chat";
import { EchoChat } from "./echo";
import { Marking } from "./marking";
import { Outbox } from "./outbox";
import { around, newer, newest, older } from "./pages";
import { Sync } from "./sync";
import { Typing } from "./typing";

type TextType = "text.send" | "text.edit" | "text.delete";

export interface ChatsDeps {
  api: Pick<ChatApi, keyof ChatApi>;
  request: <T extends TextType>(type: T, data: ClientData[T]) => Promise<Answer>;
  tell: <T extends "text.mark" | "text.typing">(type: T, data: ClientData[T]) => void;
  online: () => boolean;
  timers: Timers;
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  serverNow: () => number;
  /** Kept on this device. */
  kept: Kept;
  onProblem: (problem: string) => void;
}

export const tooLong = (body: string): boolean => new TextEncoder().encode(body).length > maxTextBytes;

export class Chats {
  readonly book = new Book();
  readonly outbox: Outbox;
  readonly typing: Typing;
  /** What is being written in each chat, and not sent. */
  readonly drafts = new Map<string, string>();
  echo: EchoChat | undefined;
  private readonly deps: ChatsDeps;
  private readonly marking: Marking;
  private readonly sync: Sync;

  constructor(deps: ChatsDeps) {
    this.deps = deps;
    const { book } = this;
    const { api, timers, online, tell, onProblem, kept } = deps;
    this.outbox = new Outbox({
      send: (data) => deps.request("text.send", data),
      online,
      timers,
      kept,
      onSent: ({ message, chat, body, file }, sent, again) => {
        const more = file ? { file } : {};
        this.sync.sent({ message, chat, from: book.me, kind: "text", body, ...more, ...sent }, again);
      },
    });
    this.marking = new Marking({ tell: (data) => tell("text.mark", data), online, timers });
    this.typing = new Typing({ tell: (chat) => tell("text.typing", { chat }), timers, now: deps.serverNow });
    this.sync = new Sync({
      book,
      api,
      marking: this.marking,
      online,
      timers,
      onStored: ({ message, chat, from }) => {
        this.outbox.remove(message);
        this.typing.over(chat, from.id);
      },
      onProblem,
    });
  }

  /** Somebody is in. */
  open(me: User, echoName: string): void {
    if (this.book.me.id === me.id) return;
    this.close();
    this.book.me = me;
    this.echo = new EchoChat(me, echoName, (data) => this.deps.request("text.send", data));
    this.outbox.open(me.id);
  }

  /** Forgets what is in memory; forever, also what waits on the device to be sent. */
  close(forever = false): void {
    this.outbox.close(forever);
    this.marking.clear();
    this.typing.clear();
    this.sync.clear();
    this.book.clear();
    this.echo = undefined;
    this.drafts.clear();
  }

  /** The line to the server is up, for the first time or again. */
  welcome(): void {
    void this.sync.loadList();
    this.outbox.wake();
  }

  unreadIn(chat: string): number {
    return this.book.all.value.get(chat)?.head.value.unread ?? 0;
  }

  find(chat: string): Chat | undefined {
    return chat === echoID ? this.echo?.chat : this.book.all.value.get(chat);
  }

  /** The screen shows a chat: its newest messages are fetched, or those around the first unread one. */
  async show(id: string, name: string): Promise<void> {
    if (id !== echoID) await this.sync.show(this.book.chat(id, name));
  }

  older(id: string): Promise<void> {
    return this.sync.fetching(id, (chat) => older(this.deps.api, chat));
  }

  newer(id: string): Promise<void> {
    return this.sync.fetching(id, (chat) => newer(this.deps.api, chat));
  }

  latest(id: string): Promise<void> {
    return this.sync.fetching(id, (chat) => newest(this.deps.api, chat));
  }

  /** Brings a message that was found to the screen. */
  async goTo(message: TextMessage, name: string): Promise<void> {
    const chat = this.book.chat(message.chat, name);
    const there = () => chat.window.value?.messages.some((each) => each.message === message.message);
    chat.following = false;
    this.sync.keep(chat);
    await chat.idle();
    if (!there()) await this.sync.fetching(chat.id, () => around(this.deps.api, chat, message.pos));
    chat.target.value = message.message;
  }

  /** The chats after those that are listed. */
  moreChats(): Promise<void> {
    return this.sync.moreChats();
  }

  /** Writes a text, which waits on the device until the server has stored it. False when that may not be. */
  send(chat: string, body: string, file?: FileInfo): boolean {
    const text = body.trim();
    if ((text === "" && !file) || tooLong(text)) return false;
    const message = newName("m", this.deps.random);
    const at = this.deps.serverNow();
    this.typing.sent();
    if (chat === echoID) {
      void this.echo?.write(message, text, at);
      return true;
    }
    if (this.outbox.full) return false;
    this.outbox.add({ message, chat, body: text, at, ...(file ? { file } : {}) });
    return true;
  }

  /** Sends what was refused once more, under its name, so that it cannot arrive twice. */
  retry(message: string): void {
    const echoed = this.echo?.unsent.value.find((each) => each.message === message);
    if (echoed) void this.echo?.write(message, echoed.body, echoed.at);
    else this.outbox.retry(message);
  }

  /** Takes back what was not sent. */
  discard(message: string): void {
    this.echo?.forget(message);
    this.outbox.remove(message);
  }

  async edit({ chat, message }: TextMessage, body: string): Promise<void> {
    await this.deps.request("text.edit", { message, chat, body: body.trim() });
  }

  async remove({ chat, message }: TextMessage): Promise<void> {
    await this.deps.request("text.delete", { message, chat });
  }

  /** Everything up to a position has been on the screen. */
  seen(id: string, pos: number): void {
    const chat = this.book.all.value.get(id);
    if (!chat || pos <= chat.head.value.read) return;
    chat.mark({ read: pos, delivered: pos });
    this.marking.want(id, { read: pos, delivered: pos });
  }

  search(words: string, chat?: string, before?: number): Promise<MessagePage> {
    return this.deps.api.search(words, chat, before);
  }

  /** How far everybody in a group has received and read. */
  async loadMarks(id: string): Promise<void> {
    const chat = this.book.all.value.get(id);
    if (!chat || !isGroup(id)) return;
    for (const [user, mark] of await this.deps.api.marks(id)) {
      if (user !== this.book.me.id) chat.markOf(user, mark);
    }
  }

  /** Makes a group; group is its name for machines, the same again when a try is repeated. */
  async createGroup(group: string, name: string, members: string[]): Promise<string> {
    const made = await this.deps.api.createGroup(group, name, members);
    const chat = this.book.chat(groupPrefix + made.group, made.name);
    const head = chat.head.value;
    if (head.rev === 0) {
      const of = { members: made.members.length, admin: true, left: false };
      chat.head.value = { ...head, at: this.deps.serverNow(), group: of };
    }
    void this.sync.loadList();
    return chat.id;
  }

  group(id: string): Promise<Group> {
    return this.deps.api.group(id.slice(groupPrefix.length));
  }

  async changeGroup(id: string, change: GroupChange): Promise<Group> {
    const group = await this.deps.api.changeGroup(id.slice(groupPrefix.length), change);
    this.sync.listSoon();
    return group;
  }

  /** Only calls with the echo contact are told of here; of all others the server tells. */
  addCall(over: Over): void {
    if (over.peer.id === echoID) this.echo?.addCall(over);
  }

  take(message: ServerMessage): void {
    if (message.type === "text.message") {
      const { data } = message;
      if (data.from.id === echoID) this.echo?.add(data);
      else if (data.chat !== echoID) this.sync.receive(data);
    } else if (message.type === "text.marks") {
      this.sync.marks(message.data.chat, message.data.user, message.data);
    } else if (message.type === "text.typing" && message.data.user !== this.book.me.id) {
      this.typing.heard(message.data.chat, message.data.user);
    }
  }
}
