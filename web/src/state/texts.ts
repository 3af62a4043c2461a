import { computed, signal } from "@preact/signals";
import type { CallEnd, Over } from "../call/types";
import { echoID, maxTextBytes, newName, type ClientData, type Media, type User } from "../protocol/messages";
import type { TextMessage } from "../protocol/texts";
import { RequestError, type Answer, type RequestProblem } from "../protocol/pending";
import type { Kept } from "./storage";

export interface TextEntry {
  kind: "text";
  id: string;
  mine: boolean;
  body: string;
  /** Unix milliseconds by the server's clock. */
  at: number;
  state: "sending" | "sent" | "failed";
  problem?: RequestProblem;
}

/** A call in the conversation: missed, declined, or how long it was. */
export interface CallEntry {
  kind: "call";
  id: string;
  mine: boolean;
  media: Media;
  end: CallEnd;
  seconds?: number;
  at: number;
}

export type Entry = TextEntry | CallEntry;

export interface Conversation {
  peer: User;
  entries: Entry[];
  unread: number;
}

export interface TextsDeps {
  send: (data: ClientData["text.send"]) => Promise<Answer>;
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  serverNow: () => number;
  kept: Kept;
  /** The conversation that is open and looked at. */
  lookingAt: () => string | undefined;
}

const maxEntries = 200;
const maxConversations = 50;
/** What sessionStorage is asked to hold, in characters. */
const maxKept = 1_000_000;

export const tooLong = (body: string): boolean => new TextEncoder().encode(body).length > maxTextBytes;

export class Texts {
  readonly conversations = signal<ReadonlyMap<string, Conversation>>(new Map());
  readonly unread = computed(() => {
    let sum = 0;
    for (const conversation of this.conversations.value.values()) sum += conversation.unread;
    return sum;
  });
  private readonly deps: TextsDeps;
  private user: string | undefined;

  constructor(deps: TextsDeps) {
    this.deps = deps;
  }

  /** Takes up what this tab kept for the user. */
  open(user: string): void {
    if (this.user === user) return;
    this.user = user;
    this.conversations.value = restore(this.deps.kept.get(`texts.${user}`));
  }

  /** Forgets everything, on the device as well. */
  clear(): void {
    if (this.user !== undefined) this.deps.kept.set(`texts.${this.user}`, undefined);
    this.user = undefined;
    this.conversations.value = new Map();
  }

  async send(to: User, body: string): Promise<void> {
    const text = body.trim();
    if (text === "" || tooLong(text)) return;
    const id = newName("m", this.deps.random);
    this.add(to, { kind: "text", id, mine: true, body: text, at: this.deps.serverNow(), state: "sending" });
    await this.deliver(to.id, id, text);
  }

  /** Sends a text that failed once more, under the same name, so that it cannot arrive twice. */
  async retry(to: string, id: string): Promise<void> {
    const entry = this.conversations.value.get(to)?.entries.find((each) => each.id === id);
    if (entry?.kind !== "text" || entry.state !== "failed") return;
    this.change(to, id, { state: "sending", problem: undefined });
    await this.deliver(to, id, entry.body);
  }

  receive(message: TextMessage, me: string): void {
    const mine = message.from.id === me;
    const peer = mine ? { id: message.chat, name: message.chat } : message.from;
    const { message: id, body, server_time: at } = message;
    this.add(peer, { kind: "text", id, mine, body, at, state: "sent" });
  }

  addCall(over: Over): void {
    const { call: id, outgoing: mine, media, end, seconds, at } = over;
    this.add(over.peer, { kind: "call", id, mine, media, end, seconds, at });
  }

  markRead(peer: string): void {
    const conversation = this.conversations.value.get(peer);
    if (conversation && conversation.unread > 0) this.put({ ...conversation, unread: 0 });
  }

  private async deliver(to: string, id: string, body: string): Promise<void> {
    try {
      const answer = await this.deps.send({ message: id, chat: to, body });
      const at = answer.type === "text.sent" ? answer.data.server_time : this.deps.serverNow();
      this.change(to, id, { state: "sent", at });
    } catch (error) {
      this.change(to, id, {
        state: "failed",
        problem: error instanceof RequestError ? error.code : "internal",
      });
    }
  }

  private add(peer: User, entry: Entry): void {
    const known = this.conversations.value.get(peer.id);
    if (known?.entries.some((each) => each.id === entry.id)) return;
    const awaited = peer.id === echoID || this.deps.lookingAt() === peer.id;
    const seen = entry.mine || awaited || (entry.kind === "call" && !missed(entry));
    const name = peer.name === peer.id && known ? known.peer.name : peer.name;
    this.put({
      peer: { id: peer.id, name },
      entries: [...(known?.entries ?? []), entry].slice(-maxEntries),
      unread: (known?.unread ?? 0) + (seen ? 0 : 1),
    });
  }

  private change(peer: string, id: string, change: Partial<TextEntry>): void {
    const conversation = this.conversations.value.get(peer);
    if (!conversation) return;
    const entries = conversation.entries.map((entry) =>
      entry.kind === "text" && entry.id === id ? { ...entry, ...change } : entry,
    );
    this.put({ ...conversation, entries });
  }

  private put(conversation: Conversation): void {
    const conversations = new Map(this.conversations.value);
    // Last in the map is last used; the ones not used for longest go first.
    conversations.delete(conversation.peer.id);
    conversations.set(conversation.peer.id, conversation);
    for (const id of conversations.keys()) {
      if (conversations.size <= maxConversations) break;
      conversations.delete(id);
    }
    this.conversations.value = conversations;
    if (this.user !== undefined) this.deps.kept.set(`texts.${this.user}`, keepable(conversations));
  }
}

export function missed(entry: CallEntry): boolean {
  return (
    !entry.mine && ["cancelled", "timeout", "busy", "lost"].includes(entry.end) && entry.seconds === undefined
  );
}

function keepable(conversations: ReadonlyMap<string, Conversation>): string {
  let list = [...conversations.values()];
  let json = JSON.stringify(list);
  while (json.length > maxKept && list.length > 0) {
    list =
      list.length > 1
        ? list.slice(1)
        : list.map((c) => ({ ...c, entries: c.entries.slice(c.entries.length / 2 + 1) }));
    json = JSON.stringify(list);
  }
  return json;
}

function restore(json: string | undefined): ReadonlyMap<string, Conversation> {
  try {
    const list = JSON.parse(json ?? "[]") as Conversation[];
    // What was on its way when the page went may have arrived: the person decides.
    const settle = (entry: Entry): Entry =>
      entry.kind === "text" && entry.state === "sending"
        ? { ...entry, state: "failed", problem: "no_answer" }
        : entry;
    return new Map(list.map((c) => [c.peer.id, { ...c, entries: c.entries.map(settle) }]));
  } catch {
    return new Map();
  }
}
