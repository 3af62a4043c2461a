// The browser's back button closes what is open rather than leave the page, and the
// dashboard has addresses of its own.
import { effect } from "@preact/signals";
import type { App } from "../state/app";

/** What this page needs of a window. */
export interface Browser {
  history: Pick<History, "state" | "pushState" | "replaceState" | "go">;
  location: Pick<Location, "pathname" | "search">;
  addEventListener(type: "popstate", listener: () => void): void;
}

/** How an entry of the browser's history is marked. */
interface Mark {
  fieldphone?: "conversation" | "admin";
  /** Entries of the dashboard since the one that the calls were on; 0 for none below. */
  depth?: number;
}

const root = "/admin";

/** The dashboard's section at an address; undefined for the calls' own address. */
export function sectionAt(path: string): string | undefined {
  if (path === root) return "overview";
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) || "overview" : undefined;
}

const pathOf = (section: string) => (section === "overview" ? root : `${root}/${section}`);

/** Keeps the browser's history and what is on the screen alike. */
export function followHistory(app: Pick<App, "view" | "closeConversation">, browser: Browser): void {
  const { view } = app;
  const { history, location } = browser;
  const mark = () => (history.state ?? {}) as Mark;
  const address = (path: string) => path + location.search;
  // A step back was asked for and has not happened yet.
  let moving = false;
  const back = (steps: number) => {
    moving = true;
    history.go(-steps);
  };
  const settle = () => {
    if (moving) return;
    const section = view.admin.value;
    const here = sectionAt(location.pathname);
    const { fieldphone, depth = 0 } = mark();
    if (section !== undefined && section !== here) {
      const next = here === undefined ? 1 : depth === 0 ? 0 : depth + 1;
      history.pushState({ fieldphone: "admin", depth: next } satisfies Mark, "", address(pathOf(section)));
    } else if (section === undefined && here !== undefined) {
      if (depth > 0) back(depth);
      else history.pushState(null, "", address("/"));
    }
    if (moving || section !== undefined) return;
    const open = view.openWith.value !== undefined || view.pastCalls.value;
    if (open && fieldphone !== "conversation") {
      history.pushState({ fieldphone: "conversation" } satisfies Mark, "");
    } else if (!open && fieldphone === "conversation") back(1);
  };
  if (mark().fieldphone === "conversation") history.replaceState(null, ""); // before a reload
  view.admin.value = sectionAt(location.pathname);
  effect(() => {
    void [view.admin.value, view.openWith.value, view.pastCalls.value];
    settle();
  });
  browser.addEventListener("popstate", () => {
    const asked = moving;
    moving = false;
    if (!asked) {
      const section = sectionAt(location.pathname);
      view.admin.value = section;
      if (section === undefined && mark().fieldphone !== "conversation") app.closeConversation();
    }
    settle();
  });
}
