import { effect } from "@preact/signals";
import { describe, expect, test, vi } from "vitest";
import { ContactBook } from "../src/state/contacts";
import type { PeopleApi } from "../src/protocol/peopleApi";
import { People, type Someone } from "../src/state/people";
import { arrange, fold, overscan, visibleRows } from "../src/state/roster";

function site(): People {
  const people = new People();
  people.setAccounts([
    { id: "ana", name: "Ána Müller", line: "medic, tent 4", tags: ["medics"] },
    { id: "bob", name: "Bob", tags: ["kitchen", "medics"], quiet: true },
    { id: "li", name: "李雷", line: "Straße" },
    { id: "me", name: "Me" },
    { id: "old", name: "", gone: true },
  ]);
  people.snapshot([{ id: "bob", name: "Bob", status: "free" }]);
  return people;
}

const ids = (people: readonly Someone[]) => people.map((person) => person.id);

function find(people: People, wanted: { query?: string; tag?: string; favourites?: string[] }): string[] {
  const { query = "", tag, favourites = [] } = wanted;
  const text = (id: string) => people.text(id);
  return ids(arrange(people.all.value, { me: "me", favourites: new Set(favourites), query, tag, text }));
}

describe("the roster", () => {
  test.each([
    ["", ["bob", "ana", "li"]],
    ["ana mull", ["ana"]],
    ["MÜLLER", ["ana"]],
    ["  tent   4 ", ["ana"]],
    ["李", ["li"]],
    ["strasse", ["li"]],
    ["medics", ["bob", "ana"]],
    ["kitchen bob", ["bob"]],
    ["4 medics ana", ["ana"]],
    ["me", ["ana", "bob"]],
    ["nobody", []],
    [".*", []],
  ])("finds by name, id, line and tag: %j", (query, found) => {
    expect(find(site(), { query }).sort()).toEqual([...found].sort());
  });

  test("favourites come first, then those who are there; tags narrow it", () => {
    expect(find(site(), { favourites: ["li", "stranger"] })).toEqual(["li", "bob", "ana"]);
    expect(find(site(), { tag: "medics" })).toEqual(["bob", "ana"]);
    expect(find(site(), { tag: "medics", favourites: ["ana"] })).toEqual(["ana", "bob"]);
    expect(site().tags.value).toEqual(["medics", "kitchen"]);
  });

  test("folds what looks the same into one", () => {
    expect(fold("ＡＢＣ\u200b É\u00a0ß")).toBe("abc e ss");
  });

  test("draws what can be seen and a little more", () => {
    expect(visibleRows(5000, 64, 0, 640)).toEqual({ from: 0, to: 10 + overscan });
    expect(visibleRows(5000, 64, 64 * 100, 640)).toEqual({ from: 100 - overscan, to: 110 + overscan });
    expect(visibleRows(5000, 64, 64 * 6000, 640).to).toBe(5000);
    expect(visibleRows(0, 64, 0, 640)).toEqual({ from: 0, to: 0 });
  });
});

describe("people", () => {
  test("who looks at one person hears of that person alone", () => {
    const people = site();
    const heard: (string | undefined)[] = [];
    effect(() => void heard.push(people.find("ana")?.status));
    people.update([{ id: "bob", name: "Bob", status: "busy" }]);
    people.update([{ id: "ana", name: "Ána Müller", status: "free" }]);
    expect(heard).toEqual(["offline", "free"]);
  });

  test("a profile changes while somebody is there, and presence does not undo it", () => {
    const people = site();
    people.setProfiles([{ id: "bob", name: "Bobby", line: "cook" }]);
    expect(people.find("bob")).toEqual({ id: "bob", name: "Bobby", line: "cook", status: "free" });
    people.update([{ id: "bob", name: "Bobby", status: "busy" }]);
    expect(people.find("bob")).toMatchObject({ line: "cook", status: "busy" });
    expect(find(people, { query: "cook" })).toEqual(["bob"]);
    expect(find(people, { query: "kitchen" })).toEqual([]);
  });

  test("the deleted are known and not listed; the unlisted are forgotten", () => {
    const people = site();
    expect(people.find("old")).toMatchObject({ gone: true });
    people.setProfiles([{ id: "ana", name: "", gone: true }]);
    expect(ids(people.all.value)).toEqual(["bob", "me", "li"]);
    people.setAccounts([{ id: "me", name: "Me" }]);
    expect(ids(people.all.value)).toEqual(["bob", "me"]); // bob is there all the same
    people.clear();
    expect(people.all.value).toEqual([]);
    expect(people.find("ana")).toBeUndefined();
  });

  test("an update among five thousand sorts nothing", () => {
    const people = new People();
    people.setAccounts(
      Array.from({ length: 5000 }, (_, i) => ({ id: `p${i}`, name: `Person ${(i * 7919) % 5000}` })),
    );
    expect(people.all.value).toHaveLength(5000);
    const alike = people.alike.value;
    const sorts = vi.spyOn(Array.prototype, "sort");
    for (let n = 0; n < 100; n++) {
      people.update([{ id: `p${n * 37}`, name: `Person ${(n * 37 * 7919) % 5000}`, status: "free" }]);
      expect(people.all.value).toHaveLength(5000);
    }
    expect(people.alike.value).toBe(alike);
    expect(sorts).not.toHaveBeenCalled();
    people.update([{ id: "p1", name: "Another name", status: "free" }]);
    expect(people.all.value).toHaveLength(5000);
    expect(sorts).toHaveBeenCalled();
    sorts.mockRestore();
  });
});

test("of several answers about contacts the one to the last request counts", async () => {
  const answers: ((favourites: string[]) => void)[] = [];
  const api = {
    mark: () => new Promise((resolve) => answers.push((favourites) => resolve({ favourites, blocked: [] }))),
  } as unknown as PeopleApi;
  const book = new ContactBook(api, new People(), () => undefined);
  const both = [book.mark("a", { favourite: true }), book.mark("b", { favourite: true })];
  answers[1]!(["a", "b"]);
  answers[0]!(["a"]);
  await Promise.all(both);
  expect([...book.favourites.value]).toEqual(["a", "b"]);
});
