// The browser's history beside what is on the screen, with a browser by hand.
import { beforeEach, describe, expect, test } from "vitest";
import { View } from "../src/state/view";
import { followHistory, sectionAt, type Browser } from "../src/ui/history";

class FakeBrowser implements Browser {
  entries: { url: string; state: unknown }[];
  at = 0;
  left = false;
  private listener: () => void = () => undefined;

  constructor(url: string, state: unknown = null) {
    this.entries = [{ url, state }];
  }

  readonly history = ((browser: FakeBrowser) => ({
    get state(): unknown {
      return browser.entries[browser.at]!.state;
    },
    pushState: (state: unknown, _: string, url?: string | URL | null) => {
      const here = browser.entries[browser.at]!.url;
      browser.entries = [...browser.entries.slice(0, browser.at + 1), { url: String(url ?? here), state }];
      browser.at++;
    },
    replaceState: (state: unknown) => void (browser.entries[browser.at]!.state = state),
    go: (steps = 0) => browser.travel(steps),
  }))(this);

  readonly location = ((browser: FakeBrowser) => ({
    get pathname() {
      return browser.entries[browser.at]!.url.split("?")[0]!;
    },
    get search() {
      const [, query] = browser.entries[browser.at]!.url.split("?");
      return query === undefined ? "" : `?${query}`;
    },
  }))(this);

  addEventListener(_: string, listener: () => void): void {
    this.listener = listener;
  }

  /** What the browser's buttons do; real ones do it a moment later. */
  travel(steps: number): void {
    this.pending.push(() => {
      if (this.at + steps < 0) this.left = true;
      else if (this.at + steps < this.entries.length) {
        this.at += steps;
        this.listener();
      }
    });
  }

  private readonly pending: (() => void)[] = [];

  run(): void {
    for (let next = this.pending.shift(); next; next = this.pending.shift()) next();
  }

  get url(): string {
    return this.entries[this.at]!.url;
  }
}

let view: View;
let browser: FakeBrowser;

function open(url: string, state?: unknown): void {
  view = new View();
  browser = new FakeBrowser(url, state);
  followHistory({ view, closeConversation: () => (view.openWith.value = undefined) }, browser);
}

const back = () => {
  browser.travel(-1);
  browser.run();
};

describe("the dashboard", () => {
  beforeEach(() => open("/?lang=en"));

  test("has addresses that keep the query, and back leads through them", () => {
    view.admin.value = "overview";
    view.admin.value = "relay";
    expect(browser.entries.map(({ url }) => url)).toEqual([
      "/?lang=en",
      "/admin?lang=en",
      "/admin/relay?lang=en",
    ]);
    back();
    expect(view.admin.value).toBe("overview");
    back();
    expect([view.admin.value, browser.left]).toEqual([undefined, false]);
  });

  test("is left in one step from any section, and back then leaves the page", () => {
    for (const section of ["overview", "calls", "log"]) view.admin.value = section;
    view.admin.value = undefined;
    browser.run();
    expect([browser.url, browser.at]).toEqual(["/?lang=en", 0]);
    back();
    expect(browser.left).toBe(true);
  });

  test("keeps the conversation that was open beneath it", () => {
    view.openWith.value = "ben";
    view.admin.value = "overview";
    back();
    expect([view.admin.value, view.openWith.value]).toEqual([undefined, "ben"]);
    back();
    expect([view.openWith.value, browser.at]).toEqual([undefined, 0]);
  });

  test("a conversation that closes beneath it takes its entry along when the dashboard is left", () => {
    view.openWith.value = "ben";
    view.admin.value = "overview";
    view.openWith.value = undefined; // a call was answered there
    view.admin.value = undefined;
    browser.run();
    expect([browser.url, browser.at, view.admin.value]).toEqual(["/?lang=en", 0, undefined]);
  });
});

test("what opens while the browser is on its way back waits for it", () => {
  open("/");
  view.admin.value = "overview";
  view.admin.value = undefined;
  view.openWith.value = "eva";
  expect(browser.entries).toHaveLength(2);
  browser.run();
  expect([browser.url, browser.at, browser.history.state]).toEqual(["/", 1, { fieldphone: "conversation" }]);
});

describe("an address of the dashboard that is opened itself", () => {
  test("shows its section, and leaving it leads to the calls", () => {
    open("/admin/path-test?lang=en");
    expect(view.admin.value).toBe("path-test");
    view.admin.value = "log";
    view.admin.value = undefined;
    browser.run();
    expect([browser.url, view.admin.value]).toEqual(["/?lang=en", undefined]);
    view.openWith.value = "ben";
    back();
    expect([browser.url, view.openWith.value]).toEqual(["/?lang=en", undefined]);
  });

  test("after a reload the way out is still one step", () => {
    open("/admin/log", { fieldphone: "admin", depth: 1 });
    browser.entries.unshift({ url: "/", state: null });
    browser.at = 1;
    view.admin.value = undefined;
    browser.run();
    expect(browser.at).toBe(0);
  });
});

test("a conversation keeps one entry, which back takes away", () => {
  open("/");
  view.openWith.value = "ben";
  view.openWith.value = "eva";
  expect(browser.entries).toHaveLength(2);
  back();
  expect([view.openWith.value, browser.at]).toEqual([undefined, 0]);
  view.openWith.value = "ben";
  view.openWith.value = undefined;
  browser.run();
  expect(browser.at).toBe(0);
});

test("a reload on a conversation's entry forgets it", () => {
  open("/", { fieldphone: "conversation" });
  browser.run();
  expect([browser.history.state, browser.left]).toEqual([null, false]);
});

test.each([
  ["/", undefined],
  ["/administrator", undefined],
  ["/admin", "overview"],
  ["/admin/", "overview"],
  ["/admin/relay", "relay"],
])("the section at %s is %s", (path, want) => {
  expect(sectionAt(path)).toBe(want);
});
