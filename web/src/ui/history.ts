// The browser's back button closes what is open rather than leave the page.
import { effect } from "@preact/signals";
import type { App } from "../state/app";

/** Keeps one history entry while a conversation is open. */
export function backCloses(app: App): void {
  const { view } = app;
  let pushed = false;
  effect(() => {
    const open = view.openWith.value !== undefined;
    if (open && !pushed) {
      pushed = true;
      history.pushState({ fieldphone: "conversation" }, "");
    } else if (!open && pushed) {
      pushed = false;
      history.back();
    }
  });
  window.addEventListener("popstate", () => {
    if (!pushed) return;
    pushed = false;
    app.closeConversation();
  });
}
