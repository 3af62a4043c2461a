// What administrators did, newest first.
import { signal } from "@preact/signals";
import type { ApiError, Api } from "../../protocol/api";
import { asApiError } from "./editor";
import { Loose } from "./loose";

export interface Entry {
  id: string;
  at: number;
  admin: { id: string; name: string };
  action: string;
  target: string;
  before: unknown;
  after: unknown;
  undoneBy: string | undefined;
  undoes: string | undefined;
  canUndo: boolean;
}

const page = 50;

export class Log {
  readonly entries = signal<readonly Entry[] | undefined>(undefined);
  readonly problem = signal<ApiError | undefined>(undefined);
  /** There may be older ones. */
  readonly more = signal(false);
  private readonly api: Pick<Api, "call">;

  constructor(api: Pick<Api, "call">) {
    this.api = api;
  }

  /** Fetches the newest; older ones that were fetched stay. */
  load(): Promise<void> {
    return this.fetch(undefined);
  }

  /** Fetches those before the oldest known. */
  older(): Promise<void> {
    return this.fetch(this.entries.value?.[this.entries.value.length - 1]?.id);
  }

  private async fetch(before: string | undefined): Promise<void> {
    try {
      const query = before === undefined ? "" : `?before=${encodeURIComponent(before)}`;
      const answer = new Loose(await this.api.call("GET", `admin/log${query}`));
      const fresh = answer.list("entries", entry);
      const ids = new Set(fresh.map((each) => each.id));
      const known = (this.entries.value ?? []).filter((each) => !ids.has(each.id));
      if (before !== undefined || known.length === 0) {
        this.more.value = answer.has("more") ? answer.flag("more") : fresh.length >= page;
      }
      this.entries.value = before === undefined ? [...fresh, ...known] : [...known, ...fresh];
      this.problem.value = undefined;
    } catch (error) {
      this.problem.value = asApiError(error);
    }
  }
}

function entry(f: Loose): Entry | undefined {
  const id = f.text("id");
  if (id === "") return undefined;
  const admin = f.object("admin");
  return {
    id,
    at: f.number("at"),
    admin: { id: admin.text("id"), name: admin.text("name") || admin.text("id") },
    action: f.text("action"),
    target: f.text("target"),
    before: f.raw.before,
    after: f.raw.after,
    undoneBy: f.maybeText("undone_by"),
    undoes: f.maybeText("undoes"),
    canUndo: f.flag("can_undo"),
  };
}
