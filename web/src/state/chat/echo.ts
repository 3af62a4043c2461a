// Texts and calls with the echo contact: in memory only, the server keeps none of them.
import type { Over } from "../../call/types";
import { echoID, endReasons, type ClientData, type EndReason, type User } from "../../protocol/messages";
import { RequestError, type Answer, type RequestProblem } from "../../protocol/pending";
import type { TextMessage } from "../../protocol/texts";
import { signal } from "@preact/signals";
import { Chat, emptyHead } from "./chat";
import { nothingHeld } from "./window";

const mostHeld = 200;

/** What was written to the echo contact and did not come through. */
export interface EchoUnsent {
  message: string;
  body: string;
  at: number;
  problem?: RequestProblem;
}

export class EchoChat {
  readonly chat: Chat;
  readonly unsent = signal<readonly EchoUnsent[]>([]);
  private readonly me: User;
  private readonly send: (data: ClientData["text.send"]) => Promise<Answer>;
  private pos = 0;

  constructor(me: User, name: string, send: (data: ClientData["text.send"]) => Promise<Answer>) {
    this.me = me;
    this.send = send;
    this.chat = new Chat(emptyHead(echoID, name), me.id);
    this.chat.window.value = nothingHeld;
  }

  async write(message: string, body: string, at: number): Promise<void> {
    const rest = () => this.unsent.value.filter((each) => each.message !== message);
    this.unsent.value = [...rest(), { message, body, at }];
    try {
      const answer = await this.send({ message, chat: echoID, body });
      const time = answer.type === "text.sent" ? answer.data.server_time : at;
      this.unsent.value = rest();
      this.add({
        message,
        chat: echoID,
        from: this.me,
        kind: "text",
        body,
        pos: 0,
        rev: 0,
        server_time: time,
      });
    } catch (error) {
      const problem = error instanceof RequestError ? error.code : "internal";
      this.unsent.value = [...rest(), { message, body, at, problem }];
    }
  }

  forget(message: string): void {
    this.unsent.value = this.unsent.value.filter((each) => each.message !== message);
  }

  /** What came back. */
  add(message: TextMessage): void {
    const held = this.chat.window.value ?? nothingHeld;
    if (held.messages.some((each) => each.message === message.message)) return;
    this.pos += 1;
    const placed = { ...message, pos: this.pos, rev: this.pos };
    this.chat.window.value = { ...held, messages: [...held.messages, placed].slice(-mostHeld) };
    this.chat.head.value = { ...this.chat.head.value, pos: this.pos, read: this.pos };
  }

  addCall(over: Over): void {
    const { call: message, media, seconds, at } = over;
    const known = (endReasons as readonly string[]).includes(over.end);
    const reason = known ? (over.end as EndReason) : "other";
    const call = { media, reason, seconds };
    const rest = { chat: echoID, from: this.me, kind: "call" as const, body: "", pos: 0, rev: 0 };
    this.add({ message, ...rest, server_time: at, call });
  }
}
