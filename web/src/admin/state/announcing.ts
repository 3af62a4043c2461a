// What administrators say to all: writing it, and who has seen it.
import { computed, signal } from "@preact/signals";
import type { ApiError, Api } from "../../protocol/api";
import type { Timers } from "../../protocol/clock";
import { newName } from "../../protocol/messages";
import { asApiError } from "./editor";
import { Loose } from "./loose";

export interface AnnouncingDeps {
  api: Pick<Api, "call">;
  timers: Timers;
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
}

export interface Said {
  name: string;
  from: string;
  body: string;
  /** For whom; empty: for all. */
  tag: string;
  at: number;
  attention: boolean;
  /** Of one that was spoken; undefined while it goes on. */
  ended: number | undefined;
  seen: number;
  of: number;
}

export interface Reader {
  id: string;
  name: string;
  /** When; 0 for those who have not. */
  at: number;
}

export interface Details {
  name: string;
  seen: readonly Reader[];
  missing: readonly Reader[];
}

export const maxBytes = 2_000;
/** A crowd acknowledges at once; its list is asked for no more often than this. */
const listEveryMs = 1_000;
const encoder = new TextEncoder();
const encode = encodeURIComponent;

export class Announcing {
  readonly said = signal<readonly Said[] | undefined>(undefined);
  readonly problem = signal<ApiError | undefined>(undefined);
  /** The tags that people have, and how many have each. */
  readonly tags = signal<readonly { tag: string; people: number }[]>([]);
  /** What is being written, and to whom; empty: to all. */
  readonly body = signal("");
  readonly tag = signal("");
  readonly bytes = computed(() => encoder.encode(this.body.value.trim()).length);
  /** How many people it would reach; undefined while that is asked. */
  readonly reach = signal<number | undefined>(undefined);
  /** The list that is open. */
  readonly details = signal<Details | undefined>(undefined);
  private readonly deps: AnnouncingDeps;
  private draft: string | undefined;
  private timer: number | undefined;

  constructor(deps: AnnouncingDeps) {
    this.deps = deps;
  }

  async load(): Promise<void> {
    await Promise.all([this.loadSaid(), this.loadTags(), this.choose(this.tag.value)]);
  }

  async choose(tag: string): Promise<void> {
    this.tag.value = tag;
    this.reach.value = undefined;
    await this.tell(async () => {
      const query = tag === "" ? "" : `?tag=${encode(tag)}`;
      const answer = new Loose(await this.deps.api.call("GET", `announcements/reach${query}`));
      if (this.tag.value === tag) this.reach.value = answer.number("people");
    });
  }

  /** Says it, once, whatever is sent again; tells to how many. */
  async send(): Promise<number> {
    this.draft ??= newName("n", this.deps.random);
    const tag = this.tag.value === "" ? undefined : this.tag.value;
    const answer = new Loose(
      await this.deps.api.call("POST", "announcements", {
        announcement: this.draft,
        body: this.body.value,
        tag,
      }),
    );
    this.draft = undefined;
    this.body.value = "";
    void this.loadSaid();
    return answer.number("of");
  }

  /** What was written is another text now. */
  write(body: string): void {
    if (body !== this.body.value) this.draft = undefined;
    this.body.value = body;
  }

  async show(name: string): Promise<void> {
    await this.tell(async () => {
      const answer = new Loose(await this.deps.api.call("GET", `announcements/${encode(name)}`));
      this.details.value = {
        name,
        seen: answer.list("seen", reader),
        missing: answer.list("missing", reader),
      };
    });
  }

  hide(): void {
    this.details.value = undefined;
  }

  async remind(name: string): Promise<number> {
    const answer = new Loose(await this.deps.api.call("POST", `announcements/${encode(name)}/remind`, {}));
    return answer.number("people");
  }

  /** Somebody has seen one. */
  heard(name: string, seen: number, of: number): void {
    const list = this.said.value;
    if (!list) return;
    if (!list.some((each) => each.name === name)) void this.loadSaid();
    this.said.value = list.map((each) => (each.name === name ? { ...each, seen, of } : each));
    if (this.details.value?.name !== name || this.timer !== undefined) return;
    this.timer = this.deps.timers.set(() => {
      this.timer = undefined;
      if (this.details.value?.name === name) void this.show(name);
    }, listEveryMs);
  }

  async loadSaid(): Promise<void> {
    await this.tell(async () => {
      const answer = new Loose(await this.deps.api.call("GET", "announcements"));
      this.said.value = answer.list("announcements", said);
    });
  }

  private async loadTags(): Promise<void> {
    await this.tell(async () => {
      const counted = new Map<string, number>();
      new Loose(await this.deps.api.call("GET", "users")).list("users", (user) => {
        for (const tag of user.texts("tags")) counted.set(tag, (counted.get(tag) ?? 0) + 1);
        return undefined;
      });
      this.tags.value = [...counted]
        .map(([tag, people]) => ({ tag, people }))
        .sort((a, b) => a.tag.localeCompare(b.tag));
    });
  }

  private async tell(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
      this.problem.value = undefined;
    } catch (error) {
      this.problem.value = asApiError(error);
    }
  }
}

const reader = (f: Loose): Reader | undefined => {
  const id = f.text("id");
  return id === "" ? undefined : { id, name: f.text("name") || id, at: f.number("at") };
};

const said = (f: Loose): Said | undefined => {
  const name = f.text("announcement");
  if (name === "") return undefined;
  const from = f.object("from");
  return {
    name,
    from: from.text("name") || from.text("id"),
    body: f.text("body"),
    tag: f.text("tag"),
    at: f.number("server_time"),
    attention: f.flag("attention"),
    ended: f.maybeNumber("ended"),
    seen: f.number("seen"),
    of: f.number("of"),
  };
};
