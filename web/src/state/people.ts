import { batch, computed, signal, type Signal } from "@preact/signals";
import { echoID, type Person, type User } from "../protocol/messages";
import type { Profile } from "../protocol/texts";
import { alike } from "./alike";
import { fold } from "./roster";

/** Somebody as the page knows them: what they say of themselves, and whether they are there. */
export type Someone = Person & Omit<Profile, keyof User>;

const order = { free: 0, busy: 1, offline: 2 } as const;

/**
 * Everybody with an account, and who of them is connected. The echo contact is nobody of them.
 * With thousands of people and several updates a second nothing here may sort at an update: names
 * are sorted when names change, and who looks at one person hears of that person alone.
 */
export class People {
  private readonly profiles = new Map<string, Profile>();
  private readonly people = new Map<string, Someone>();
  /** One for each person that somebody looks at. */
  private readonly cells = new Map<string, Signal<Someone | undefined>>();
  private readonly folded = new Map<string, string>();
  /** Count the changes of names, of profiles, and of anything. */
  private readonly names = signal(0);
  private readonly said = signal(0);
  private readonly changes = signal(0);
  /** Whether a first list has come. */
  readonly loaded = signal(false);
  /** The echo contact, while the server has one. */
  readonly echo = signal<Person | undefined>(undefined);

  private readonly byName = computed(() => {
    void this.names.value;
    const { compare } = new Intl.Collator();
    return [...this.people.values()]
      .filter((person) => !person.gone)
      .sort((a, b) => compare(a.name, b.name) || (a.id < b.id ? -1 : 1))
      .map((person) => person.id);
  });

  /** Everybody, those who can be called first, then by name. */
  readonly all = computed<Someone[]>(() => {
    void this.changes.value;
    const ranks: Someone[][] = [[], [], []];
    for (const id of this.byName.value) {
      const person = this.people.get(id)!;
      ranks[order[person.status]]!.push(person);
    }
    return ranks.flat();
  });

  /** Who has a name that looks like another's: the id is shown beside it. */
  readonly alike = computed(() => alike(this.byName.value.map((id) => this.people.get(id)!)));

  /** The tags that people have, the most frequent first. */
  readonly tags = computed<string[]>(() => {
    void this.said.value;
    const count = new Map<string, number>();
    for (const { tags, gone } of this.profiles.values()) {
      if (!gone) for (const tag of tags ?? []) count.set(tag, (count.get(tag) ?? 0) + 1);
    }
    return [...count].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([tag]) => tag);
  });

  /** The whole list, as the server has it. */
  setAccounts(users: Profile[]): void {
    batch(() => {
      const listed = new Set(users.map((user) => user.id));
      for (const [id, person] of this.people) {
        if (!listed.has(id) && person.status === "offline") this.remove(id);
      }
      this.setProfiles(users);
      this.loaded.value = true;
    });
  }

  /** People who are new or have changed. */
  setProfiles(profiles: Profile[]): void {
    batch(() => {
      for (const { id, name, line, tags, picture, quiet, gone } of profiles) {
        if (id === echoID) continue;
        this.profiles.set(id, {
          id,
          name,
          ...(line ? { line } : {}),
          ...(tags?.length ? { tags } : {}),
          ...(picture ? { picture } : {}),
          ...(quiet ? { quiet } : {}),
          ...(gone ? { gone } : {}),
        });
        this.folded.delete(id);
        this.put(id, this.people.get(id)?.status ?? "offline");
      }
      this.said.value++;
    });
  }

  snapshot(people: Person[]): void {
    batch(() => {
      const here = new Set(people.map((person) => person.id));
      for (const [id, { status }] of this.people) {
        if (status !== "offline" && !here.has(id)) this.put(id, "offline");
      }
      if (!here.has(echoID)) this.echo.value = undefined;
      this.update(people);
    });
  }

  /** Presence also tells of people and names that are newer than the list of accounts. */
  update(people: Person[]): void {
    batch(() => {
      for (const person of people) {
        const { id, name, status } = person;
        if (id === echoID) {
          this.echo.value = status === "offline" ? undefined : person;
          continue;
        }
        const known = this.profiles.get(id);
        if (known?.name !== name && !(known?.gone && status === "offline")) {
          this.profiles.set(id, { ...known, id, name });
          this.folded.delete(id);
        }
        this.put(id, status);
      }
    });
  }

  /** Somebody by id; who asks in a computation hears of changes of this person alone. */
  find(id: string): Someone | undefined {
    if (id === echoID) return this.echo.value;
    let cell = this.cells.get(id);
    if (!cell) {
      cell = signal(this.people.get(id));
      this.cells.set(id, cell);
    }
    return cell.value;
  }

  /** What a search looks through, ready to be compared. */
  text(id: string): string {
    let text = this.folded.get(id);
    if (text === undefined) {
      const { name, line, tags } = this.profiles.get(id) ?? { name: "" };
      text = fold([name, id, line ?? "", ...(tags ?? [])].join("\n"));
      this.folded.set(id, text);
    }
    return text;
  }

  clear(): void {
    batch(() => {
      for (const id of [...this.people.keys()]) this.remove(id);
      this.echo.value = undefined;
      this.loaded.value = false;
    });
    this.cells.clear();
  }

  private put(id: string, status: Person["status"]): void {
    const profile = this.profiles.get(id)!;
    const before = this.people.get(id);
    const person: Someone = { ...profile, status: profile.gone ? "offline" : status };
    this.people.set(id, person);
    if (before?.name !== person.name || before.gone !== person.gone) this.names.value++;
    this.changes.value++;
    const cell = this.cells.get(id);
    if (cell) cell.value = person;
  }

  private remove(id: string): void {
    this.people.delete(id);
    this.profiles.delete(id);
    this.folded.delete(id);
    const cell = this.cells.get(id);
    if (cell) cell.value = undefined;
    this.names.value++;
    this.changes.value++;
  }
}
