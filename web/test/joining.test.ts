import { encode } from "uqr";
import { describe, expect, test } from "vitest";
import { Api, ApiError, apiCodes, type Invite, type Site } from "../src/protocol/api";
import { alike, looks } from "../src/state/alike";
import { Invites, isGuest, joinLink, Joining, mayInvite, type JoiningDeps } from "../src/state/joining";
import { People } from "../src/state/people";
import { Kept } from "../src/state/storage";
import { apiWord } from "../src/ui/words";
import { messages } from "../src/i18n";

const site: Site = { name: "Camp 3", policy: "invite", guests: true, users_may_invite: false };
const worth = { invited_by: "Maria", expires_at: 1_800_000_000, uses_left: 3 };
const code = "ABCDEFGHIJKLMNOPQRSTUVWXY2";

function storage(): Kept {
  const items = new Map<string, string>();
  return new Kept(
    () =>
      ({
        getItem: (key: string) => items.get(key) ?? null,
        setItem: (key: string, value: string) => void items.set(key, value),
        removeItem: (key: string) => void items.delete(key),
      }) as unknown as Storage,
  );
}

function make(check: JoiningDeps["api"]["checkInvite"] = () => Promise.resolve(worth), kept = storage()) {
  const asked: string[] = [];
  const api = {
    site: () => Promise.resolve(site),
    checkInvite: (given: string) => {
      asked.push(given);
      return check(given);
    },
  };
  return { joining: new Joining({ api, kept }), asked, kept };
}

const settle = () => new Promise((done) => setTimeout(done));

describe("an invite link", () => {
  test("is taken from the fragment, looked up, and kept for a reload of the tab alone", async () => {
    const { joining, asked, kept } = make();
    expect(joining.takeLink(`#join=${code}`)).toBe(true);
    expect(joining.invited.value).toEqual({ kind: "checking", code });
    await settle();
    expect(joining.invited.value).toEqual({ kind: "good", code, worth });
    expect(asked).toEqual([code]);
    const again = make(undefined, kept).joining;
    expect(again.code).toBe(code);
    expect(await again.load()).toBe(true);
    expect(again.invited.value.kind).toBe("good");
    again.dropInvite();
    expect(make(undefined, kept).joining.invited.value).toEqual({ kind: "none" });
  });

  test.each(["", "#", "#top", "#joint=x", "?join=x"])("%j is none", (hash) => {
    expect(make().joining.takeLink(hash)).toBe(false);
  });

  test.each(["", "x", "%3Cscript%3E", "A".repeat(65)])(
    "a code %j that cannot be one is not sent",
    async (bad) => {
      const { joining, asked } = make();
      joining.takeLink(`#join=${bad}`);
      await settle();
      expect(joining.invited.value).toMatchObject({ kind: "bad", why: "invite_unknown" });
      expect(asked).toEqual([]);
    },
  );

  test.each([
    code,
    ` ${code}\n`,
    joinLink("https://10.0.0.1:8443", code),
    `Come: https://h/#join=${code} today`,
  ])("%j can be pasted", async (pasted) => {
    const { joining } = make();
    joining.take(pasted);
    await settle();
    expect(joining.invited.value).toMatchObject({ kind: "good", code });
  });

  test.each([
    "invite_unknown",
    "invite_expired",
    "invite_used_up",
    "invite_revoked",
    "rate_limited",
  ] as const)("%s is told, and the way without it stays", async (why) => {
    const { joining } = make(() => Promise.reject(new ApiError(why, "invite")));
    joining.takeLink(`#join=${code}`);
    await settle();
    expect(joining.invited.value).toMatchObject({ kind: "bad", why });
    joining.dropInvite();
    expect(joining.code).toBeUndefined();
  });

  test("is asked about again when the server was out of reach", async () => {
    let reach = false;
    const { joining } = make(() =>
      reach ? Promise.resolve(worth) : Promise.reject(new ApiError("unreachable")),
    );
    joining.takeLink(`#join=${code}`);
    expect(await joining.load()).toBe(false);
    reach = true;
    expect(await joining.load()).toBe(true);
    expect(joining.invited.value.kind).toBe("good");
  });

  test("a late answer does not speak for another invite", async () => {
    const other = "B".repeat(26);
    const answers = new Map<string, () => void>();
    const { joining } = make((given) => new Promise((done) => answers.set(given, () => done(worth))));
    joining.take(code);
    joining.take(other);
    answers.get(code)!();
    await settle();
    expect(joining.invited.value).toEqual({ kind: "checking", code: other });
  });

  test("that is refused at joining is bad from then on", () => {
    const { joining } = make();
    expect(joining.refused(new ApiError("invite_required", "invite"))).toBe(false);
    joining.take(code);
    expect(joining.refused(new ApiError("invite_used_up", "invite"))).toBe(true);
    expect(joining.invited.value).toMatchObject({ kind: "bad", why: "invite_used_up" });
  });
});

test("the administrator's link is kept until it is dropped", () => {
  const { joining, kept } = make();
  expect(joining.takeLink(`#admin=${code}`)).toBe(true);
  expect(joining.adminCode.value).toBe(code);
  expect(joining.code).toBeUndefined();
  expect(make(undefined, kept).joining.adminCode.value).toBe(code);
  joining.dropAdminCode();
  expect(make(undefined, kept).joining.adminCode.value).toBeUndefined();
});

describe("who may invite", () => {
  const user = { id: "maria", name: "Maria", admin: false };
  test.each([
    [undefined, user, false],
    [site, user, false],
    [site, { ...user, admin: true }, true],
    [{ ...site, users_may_invite: true }, user, true],
    [{ ...site, users_may_invite: true }, { ...user, guest: true }, false],
    [{ ...site, policy: "closed" as const }, { ...user, admin: true }, false],
  ])("%j, %j: %s", (rules, who, want) => {
    expect(mayInvite(rules, who)).toBe(want);
  });

  test("the open invites are listed first", async () => {
    const states = ["revoked", "open", "expired", "open"] as const;
    const all = states.map((state, i) => ({ id: String(i), state }) as Invite);
    const api = { invites: () => Promise.resolve(all) } as unknown as Api;
    expect((await new Invites(api).list()).map((i) => i.id)).toEqual(["1", "3", "0", "2"]);
  });
});

test("what is sent to the server", async () => {
  const seen: [string, string, string][] = [];
  const api = new Api((path, init) => {
    seen.push([init.method ?? "", path, (init.body as string | undefined) ?? ""]);
    return Promise.resolve(
      new Response(init.method === "DELETE" ? null : "{}", { status: init.method === "DELETE" ? 204 : 200 }),
    );
  });
  await api.register("a", "A", "p");
  await api.register("a", "A", "p", code);
  await api.guest("A", code);
  await api.invite(5, 3600);
  await api.revokeInvite("../me");
  expect(seen).toEqual([
    ["POST", "/api/v1/register", '{"id":"a","name":"A","password":"p"}'],
    ["POST", "/api/v1/register", `{"id":"a","name":"A","password":"p","invite":"${code}"}`],
    ["POST", "/api/v1/guest", `{"name":"A","invite":"${code}"}`],
    ["POST", "/api/v1/invites", '{"uses":5,"expires_in":3600}'],
    ["DELETE", "/api/v1/invites/..%2Fme", ""],
  ]);
});

test("every code has words", () => {
  for (const each of apiCodes) expect(messages.en[apiWord(each)]).toBeTruthy();
});

describe("names that look alike", () => {
  test.each([
    ["Maria", "maria"],
    ["Maria", "Мaria"],
    ["Maria", "Mаria"],
    ["Maria", "Ｍａｒｉａ"],
    ["Maria", "Maria "],
    ["Maria", "Ma\u200bria"],
    ["Maria", "María"],
    ["Maria", "Ma-ria".replace("-", "")],
    ["Iris", "lris"],
    ["Nina", "Νina"],
    ["Carrn", "Carm"],
    ["Anna", "АΝΝА"],
    ["Dr. Li", "Dr Li"],
    ["李雷", "李雷"],
    ["㈱", "(株)"],
    ["ΝΙΚΟΣ", "νικοσ"],
  ])("%s and %s", (one, other) => {
    expect([
      ...alike([
        { id: "1", name: one },
        { id: "2", name: other },
      ]),
    ]).toEqual(["1", "2"]);
  });

  test.each([
    ["Maria", "Mario"],
    ["李雷", "李磊"],
    ["Anna", "Hanna"],
    ["Nina", "Mina"],
    ["علي", "عمر"],
    ["Иван", "Игорь"],
  ])("%s and %s do not", (one, other) => {
    expect(
      alike([
        { id: "1", name: one },
        { id: "2", name: other },
      ]).size,
    ).toBe(0);
  });

  test("one person is not like themselves", () => {
    expect(alike([{ id: "1", name: "Maria" }]).size).toBe(0);
    expect(looks("")).toHaveLength(2);
  });

  test("the roster follows people who come and rename themselves", () => {
    const people = new People();
    people.setAccounts([
      { id: "maria", name: "Maria" },
      { id: "bob", name: "Bob" },
    ]);
    expect(people.alike.value.size).toBe(0);
    const guest = { id: "guest-ab2cd", name: "Мaria", status: "free" as const };
    people.update([guest]);
    expect([...people.alike.value].sort()).toEqual(["guest-ab2cd", "maria"]);
    const before = people.alike.value;
    people.update([{ ...guest, status: "busy" }]);
    expect(people.alike.value).toBe(before);
    people.update([{ ...guest, name: "Zoe" }]);
    expect(people.alike.value.size).toBe(0);
    expect([isGuest(guest), isGuest({ id: "maria" })]).toEqual([true, false]);
  });
});

test("a join link fits a QR code that phones read from a screen", () => {
  const { size } = encode(joinLink("https://[fd00:1234:5678:9abc::1]:8443", code), { ecc: "M", border: 4 });
  expect(size).toBeLessThan(50);
});
