import { describe, expect, test } from "vitest";
import { Api, ApiError } from "../src/protocol/api";
import { deviceName } from "../src/state/device";
import { People } from "../src/state/people";
import { Renewal } from "../src/state/renewal";
import { Settings } from "../src/state/settings";
import { Kept } from "../src/state/storage";
import { FakeTime } from "./fakes";

class FakeStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

const kept = (storage = new FakeStorage()) => new Kept(() => storage as unknown as Storage);
const bob = { id: "bob", name: "Bob" };

describe("people", () => {
  test("those who can be called come first, then by name; the absent stay listed", () => {
    const people = new People();
    people.setAccounts([bob, { id: "cy", name: "Cy" }, { id: "al", name: "Al" }, { id: "di", name: "Di" }]);
    people.snapshot([
      { id: "di", name: "Di", status: "free" },
      { id: "cy", name: "Cy", status: "busy" },
    ]);
    const listed = () => people.all.value.map((person) => `${person.id} ${person.status}`);
    expect(listed()).toEqual(["di free", "cy busy", "al offline", "bob offline"]);
    people.update([
      { id: "di", name: "Di", status: "offline" },
      { id: "eve", name: "Eve", status: "free" },
    ]);
    expect(listed()).toEqual(["eve free", "cy busy", "al offline", "bob offline", "di offline"]);
    people.snapshot([]);
    expect(people.find("eve")).toMatchObject({ name: "Eve", status: "offline" });
  });
});

describe("settings", () => {
  const make = (query: string, languages: string[], store = kept()) =>
    new Settings({ query, languages, kept: store });

  test("the address wins over the choice, the choice over the browser", () => {
    const store = kept();
    expect(make("", ["zh-CN"], store).language.value).toBe("zh-CN");
    make("", ["zh-CN"], store).setLanguage("en");
    expect(make("", ["zh-CN"], store).language.value).toBe("en");
    expect(make("?lang=zh-CN", ["en"], store).language.value).toBe("zh-CN");
    expect(make("?lang=<script>", ["en"], kept()).language.value).toBe("en");
  });

  test("the relay is forced by 1 alone", () => {
    expect(make("?relay=1", []).relayOnly).toBe(true);
    expect(make("?relay=0", []).relayOnly).toBe(false);
    expect(make("", []).relayOnly).toBe(false);
  });

  test("the theme follows the device unless chosen", () => {
    const settings = make("", []);
    settings.systemDark.value = true;
    expect(settings.dark.value).toBe(true);
    settings.setTheme("light");
    expect(settings.dark.value).toBe(false);
  });
});

describe("the device's name", () => {
  const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);

  test("stays across reloads, and a duplicated tab gets its own", async () => {
    const storage = new FakeStorage();
    const held = new Set<string>();
    const locks = {
      request: (name: string, options: { signal: AbortSignal }, run: () => Promise<void>) => {
        if (!held.has(name)) {
          held.add(name);
          return run();
        }
        return new Promise((_, reject) => {
          options.signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
        });
      },
    } as unknown as LockManager;
    const first = await deviceName(kept(storage), locks, random);
    held.clear(); // the page is reloaded
    expect(await deviceName(kept(storage), locks, random)).toBe(first);
    const copy = await deviceName(kept(storage), locks, random);
    expect(copy).not.toBe(first);
    expect(copy).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
  });

  test("works without locks", async () => {
    const storage = new FakeStorage();
    const first = await deviceName(kept(storage), undefined, random);
    expect(await deviceName(kept(storage), undefined, random)).toBe(first);
  });
});

describe("the API", () => {
  const answering = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    new Api(() =>
      Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status, headers })),
    );

  test("errors are codes, with field and wait", async () => {
    const error = { code: "rate_limited", message: "slow down", field: "password" };
    const api = answering(429, { error }, { "Retry-After": "17" });
    await expect(api.login("a", "b")).rejects.toMatchObject({
      ...{ code: "rate_limited" },
      field: "password",
      retryAfter: 17,
    });
  });

  test.each([
    [502, "bad gateway", "internal"],
    [401, undefined, "unauthenticated"],
    [500, { error: { code: "moonset" } }, "internal"],
  ])("an answer %i that is not ours is still a code", async (status, body, code) => {
    await expect(answering(status, body).me()).rejects.toMatchObject({ code });
  });

  test("no answer is unreachable", async () => {
    const api = new Api(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(api.me()).rejects.toMatchObject({ code: "unreachable", signedOut: false });
  });

  test("the cookie goes along and nothing is cached", async () => {
    const seen: [string, RequestInit][] = [];
    const api = new Api((path, init) => {
      seen.push([path, init]);
      return Promise.resolve(new Response(null, { status: 204 }));
    });
    await api.logout();
    expect(seen[0]).toMatchObject([
      "/api/v1/logout",
      { method: "POST", credentials: "same-origin", cache: "no-store" },
    ]);
  });
});

describe("renewal", () => {
  test("comes at half of the session's life and tells when it is over", async () => {
    const time = new FakeTime();
    const ended: string[] = [];
    let renewals = 0;
    let over = false;
    const grant = () => ({ expires_at: (time.now + 3_600_000) / 1000, user: { ...bob, admin: false } });
    const renewal = new Renewal({
      renew: () => {
        renewals += 1;
        return over ? Promise.reject(new ApiError("session_expired")) : Promise.resolve(grant());
      },
      serverNow: () => time.now,
      timers: time,
      onEnded: (code) => ended.push(code),
      onProblem: () => undefined,
    });
    renewal.granted(grant());
    renewal.schedule();
    await time.pass(1_790_000);
    expect(renewals).toBe(0);
    await time.pass(20_000);
    expect(renewals).toBe(1);
    over = true;
    await time.pass(1_900_000);
    expect(ended).toEqual(["session_expired"]);
    await time.pass(10_000_000);
    expect(renewals).toBe(2);
  });
});
