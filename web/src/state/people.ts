import { computed, signal } from "@preact/signals";
import { echoID, type Person, type User } from "../protocol/messages";
import { alike } from "./alike";

const order = { free: 0, busy: 1, offline: 2 } as const;

/** Everybody with an account, and who of them is connected. The echo contact is nobody of them. */
export class People {
  private readonly accounts = signal<ReadonlyMap<string, User>>(new Map());
  private readonly present = signal<ReadonlyMap<string, Person>>(new Map());
  /** Whether a first list has come. */
  readonly loaded = signal(false);
  /** The echo contact, while the server has one. */
  readonly echo = computed(() => this.present.value.get(echoID));

  /** Everybody, those who can be called first, then by name. */
  readonly all = computed<Person[]>(() => {
    const people = new Map<string, Person>();
    for (const user of this.accounts.value.values()) people.set(user.id, { ...user, status: "offline" });
    for (const person of this.present.value.values()) people.set(person.id, person);
    people.delete(echoID);
    return [...people.values()].sort(
      (a, b) => order[a.status] - order[b.status] || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1),
    );
  });

  /** Who has a name that looks like another's: the id is shown beside it. */
  readonly alike = computed(() => alike(this.accounts.value.values()));

  setAccounts(users: User[]): void {
    this.accounts.value = new Map(users.map(({ id, name }) => [id, { id, name }]));
    this.loaded.value = true;
  }

  snapshot(people: Person[]): void {
    this.remember(people);
    this.present.value = new Map(people.map((person) => [person.id, person]));
  }

  update(people: Person[]): void {
    this.remember(people);
    const present = new Map(this.present.value);
    for (const person of people) {
      if (person.status === "offline") present.delete(person.id);
      else present.set(person.id, person);
    }
    this.present.value = present;
  }

  find(id: string): Person | undefined {
    return id === echoID ? this.echo.value : this.all.value.find((person) => person.id === id);
  }

  clear(): void {
    this.accounts.value = new Map();
    this.present.value = new Map();
    this.loaded.value = false;
  }

  /** Presence also tells of people and names that are newer than the list of accounts. */
  private remember(people: Person[]): void {
    const news = people.filter(({ id, name }) => id !== echoID && this.accounts.value.get(id)?.name !== name);
    if (news.length === 0) return;
    const accounts = new Map(this.accounts.value);
    for (const { id, name } of news) accounts.set(id, { id, name });
    this.accounts.value = accounts;
  }
}
