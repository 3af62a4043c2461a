// Changing settings: typing, previewing, applying, and another administrator in between.
import { computed, signal } from "@preact/signals";
import { ApiError } from "../../protocol/api";
import type { Timers } from "../../protocol/clock";
import { Loose } from "./loose";
import {
  changesBetween,
  isField,
  overlay,
  problemsIn,
  readEffects,
  readLoaded,
  readProblems,
  same,
  textOf,
  valueOf,
  written,
  type Change,
  type Edit,
  type Edits,
  type Effect,
  type FieldName,
  type Json,
  type Loaded,
  type Problem,
} from "./settings";

export interface EditorDeps {
  load: () => Promise<unknown>;
  preview: (settings: Json) => Promise<unknown>;
  save: (revision: string | number, settings: Json) => Promise<unknown>;
  timers: Timers;
  onSaved: () => void;
}

/** What the server says would come of applying. */
export type Preview =
  | { kind: "none" }
  | { kind: "asking" }
  | { kind: "known"; problems: Problem[]; effects: Effect[] }
  | { kind: "failed"; error: ApiError };

/** Somebody else changed settings meanwhile. */
export interface Conflict {
  who: string;
  /** Unix milliseconds; 0 if the server did not say. */
  at: number;
  changes: Change[];
}

export type Saving =
  { kind: "no" } | { kind: "busy" } | { kind: "saved"; count: number } | { kind: "failed"; error: ApiError };

const pauseMs = 500;
/** How long it is said that something was applied. */
const saidMs = 10_000;

export class Editor {
  readonly loaded = signal<Loaded | undefined>(undefined);
  readonly edits = signal<Edits>(new Map());
  readonly preview = signal<Preview>({ kind: "none" });
  readonly conflict = signal<Conflict | undefined>(undefined);
  readonly saving = signal<Saving>({ kind: "no" });
  readonly problem = signal<ApiError | undefined>(undefined);
  readonly changes = computed<Change[]>(() => {
    const { value: loaded } = this.loaded;
    return loaded ? changesBetween(loaded.settings, overlay(loaded.settings, this.edits.value)) : [];
  });
  /** What is wrong, by what is seen here and what the server said. */
  readonly problems = computed<Problem[]>(() => {
    const { value: loaded } = this.loaded;
    if (!loaded) return [];
    const local = problemsIn(loaded.settings, this.edits.value);
    const preview = this.preview.value;
    return local.length > 0 || preview.kind !== "known" ? local : preview.problems;
  });
  readonly mayApply = computed(
    () =>
      this.changes.value.length > 0 && this.problems.value.length === 0 && this.saving.value.kind !== "busy",
  );
  private readonly deps: EditorDeps;
  private timer: number | undefined;
  /** Grows with each edit, so that an answer about an older state is known. */
  private version = 0;

  constructor(deps: EditorDeps) {
    this.deps = deps;
  }

  /** Fetches the settings anew; says so if somebody changed them while something is being typed. */
  async load(): Promise<void> {
    try {
      const fresh = readLoaded(await this.deps.load());
      const before = this.loaded.value;
      if (before && before.revision !== fresh.revision && this.edits.value.size > 0) {
        this.meet(before, fresh, "", 0);
      } else this.loaded.value = fresh;
      this.problem.value = undefined;
    } catch (error) {
      this.problem.value = asApiError(error);
    }
  }

  /** What a field shows: what is typed, or what is set. */
  text(name: FieldName): string {
    const edit = this.edits.value.get(name);
    return edit === undefined ? written(valueOf(this.loaded.value?.settings ?? {}, name)) : textOf(edit);
  }

  flag(name: FieldName): boolean {
    const edit = this.edits.value.get(name);
    return edit === undefined ? valueOf(this.loaded.value?.settings ?? {}, name) === true : edit === true;
  }

  /** Types over a setting; previews when the typing pauses. */
  set(name: string, edit: Edit): void {
    const edits = new Map(this.edits.value);
    const settings = this.loaded.value?.settings ?? {};
    if (isField(name) && same(settings, name, edit)) edits.delete(name);
    else edits.set(name, edit);
    this.become(edits);
  }

  /** Takes back what is typed over one setting. */
  forget(name: string): void {
    const edits = new Map(this.edits.value);
    edits.delete(name);
    this.become(edits);
  }

  discard(): void {
    this.conflict.value = undefined;
    this.become(new Map());
  }

  private become(edits: Edits): void {
    this.edits.value = edits;
    this.saving.value = { kind: "no" };
    this.preview.value = { kind: "none" };
    this.version++;
    this.deps.timers.clear(this.timer);
    if (this.changes.value.length === 0 || this.problems.value.length > 0) return;
    this.timer = this.deps.timers.set(() => void this.look(), pauseMs);
  }

  /** Asks the server what would come of it. */
  async look(): Promise<void> {
    const { version } = this;
    const { value: loaded } = this.loaded;
    this.deps.timers.clear(this.timer);
    if (!loaded || problemsIn(loaded.settings, this.edits.value).length > 0) return;
    this.preview.value = { kind: "asking" };
    let next: Preview;
    try {
      const answer = await this.deps.preview(overlay(loaded.settings, this.edits.value));
      next = { kind: "known", problems: readProblems(answer), effects: readEffects(answer) };
    } catch (error) {
      next = { kind: "failed", error: asApiError(error) };
    }
    if (version === this.version) this.preview.value = next;
  }

  async apply(): Promise<void> {
    const { value: loaded } = this.loaded;
    if (!loaded || !this.mayApply.value) return;
    const { version } = this;
    const sent = this.edits.value;
    const count = this.changes.value.length;
    this.deps.timers.clear(this.timer);
    this.saving.value = { kind: "busy" };
    try {
      const fresh = readLoaded(await this.deps.save(loaded.revision, overlay(loaded.settings, sent)));
      this.loaded.value = fresh;
      this.conflict.value = undefined;
      this.say(count);
      this.preview.value = { kind: "none" };
      // What was typed while it was being saved stays.
      this.edits.value = new Map([...this.edits.value].filter(([name, edit]) => sent.get(name) !== edit));
      this.deps.onSaved();
    } catch (error) {
      await this.refused(asApiError(error), loaded, version);
    }
  }

  private say(count: number): void {
    const said: Saving = { kind: "saved", count };
    this.saving.value = said;
    this.deps.timers.set(() => {
      if (this.saving.value === said) this.saving.value = { kind: "no" };
    }, saidMs);
  }

  private async refused(error: ApiError, before: Loaded, version: number): Promise<void> {
    const answer = new Loose(error.answer);
    const inner = answer.object("error");
    const problems = [answer, inner].map((f) => readProblems(f.raw)).find((list) => list.length > 0);
    if (problems) {
      this.saving.value = { kind: "no" };
      if (version === this.version) this.preview.value = { kind: "known", problems, effects: [] };
      return;
    }
    if (inner.text("code") !== "settings_changed") {
      this.saving.value = { kind: "failed", error };
      return;
    }
    try {
      const fresh = readLoaded(await this.deps.load());
      const told = [inner, inner.object("params"), inner.object("changed"), answer];
      const who = told.map(nameIn).find((name) => name !== "") ?? "";
      const at = told.map((f) => f.number("at")).find((time) => time > 0) ?? 0;
      this.meet(before, fresh, who, at);
      this.saving.value = { kind: "no" };
    } catch (again) {
      this.saving.value = { kind: "failed", error: asApiError(again) };
    }
  }

  /** Takes over another's settings beneath what is typed here. */
  private meet(before: Loaded, fresh: Loaded, who: string, at: number): void {
    const changes = changesBetween(before.settings, fresh.settings);
    this.loaded.value = fresh;
    this.conflict.value = { who, at, changes };
    const edits = [...this.edits.value].filter(
      ([name, edit]) => !(isField(name) && same(fresh.settings, name, edit)),
    );
    this.become(new Map(edits));
  }
}

/** The one who changed something: an object with a name, or the name. */
function nameIn(f: Loose): string {
  for (const key of ["by", "admin", "who"]) {
    const value = f.raw[key];
    if (typeof value === "string") return value;
    const named = f.object(key);
    if (named.has("name") || named.has("id")) return named.text("name") || named.text("id");
  }
  return "";
}

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError("internal");
