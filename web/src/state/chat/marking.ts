// Tells the server how far this user's devices have received and read, in batches.
import type { Mark } from "../../protocol/chats";
import type { Timers } from "../../protocol/clock";

export interface MarkingDeps {
  tell: (data: { chat: string } & Partial<Mark>) => void;
  online: () => boolean;
  timers: Timers;
}

const pauseMs = 300;
/** So many chats at a time: after a night away all of them have something new. */
const atOnce = 10;

export class Marking {
  private readonly deps: MarkingDeps;
  private readonly wanted = new Map<string, Partial<Mark>>();
  private timer: number | undefined;

  constructor(deps: MarkingDeps) {
    this.deps = deps;
  }

  /** The server shall know of this mark. */
  want(chat: string, mark: Partial<Mark>): void {
    const known = this.wanted.get(chat) ?? {};
    const most = (key: keyof Mark) => {
      const value = Math.max(known[key] ?? 0, mark[key] ?? 0);
      return value > 0 ? { [key]: value } : {};
    };
    this.wanted.set(chat, { ...most("delivered"), ...most("read") });
    this.timer ??= this.deps.timers.set(() => this.flush(), pauseMs);
  }

  clear(): void {
    this.deps.timers.clear(this.timer);
    this.timer = undefined;
    this.wanted.clear();
  }

  private flush(): void {
    this.timer = undefined;
    // What is not told now is found out from the list when the server is back.
    if (!this.deps.online()) {
      this.wanted.clear();
      return;
    }
    for (const [chat, mark] of [...this.wanted].slice(0, atOnce)) {
      this.wanted.delete(chat);
      this.deps.tell({ chat, ...mark });
    }
    if (this.wanted.size > 0) this.timer = this.deps.timers.set(() => this.flush(), pauseMs);
  }
}
