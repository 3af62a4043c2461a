// Whom one has marked: favourites, and those from whom nothing is wanted.
import { signal } from "@preact/signals";
import type { Contacts, PeopleApi } from "../protocol/peopleApi";
import type { People } from "./people";

export class ContactBook {
  readonly favourites = signal<ReadonlySet<string>>(new Set());
  readonly blocked = signal<ReadonlySet<string>>(new Set());
  readonly api: PeopleApi;
  private readonly people: People;
  private readonly onProblem: (problem: string) => void;
  /** Of several answers the one to the last request counts. */
  private asked = 0;

  constructor(api: PeopleApi, people: People, onProblem: (problem: string) => void) {
    this.api = api;
    this.people = people;
    this.onProblem = onProblem;
  }

  /**
   * Everybody, and whom one has marked. It costs nothing while nobody has changed, and what
   * changed while the line was away is in it.
   */
  async load(): Promise<void> {
    const loadPeople = async () => {
      const users = await this.api.users();
      if (users) this.people.setAccounts(users);
    };
    const done = await Promise.allSettled([loadPeople(), this.take(this.api.contacts())]);
    for (const one of done) if (one.status === "rejected") this.onProblem(`people: ${String(one.reason)}`);
  }

  mark(id: string, change: { favourite?: boolean; blocked?: boolean }): Promise<void> {
    return this.take(this.api.mark(id, change));
  }

  clear(): void {
    this.asked++;
    this.api.forget();
    this.favourites.value = new Set();
    this.blocked.value = new Set();
  }

  private async take(answer: Promise<Contacts>): Promise<void> {
    const turn = ++this.asked;
    const { favourites, blocked } = await answer;
    if (turn !== this.asked) return;
    this.favourites.value = new Set(favourites);
    this.blocked.value = new Set(blocked);
  }
}
