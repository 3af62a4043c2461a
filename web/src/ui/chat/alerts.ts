// What makes a text noticed while the page is not looked at.
import { effect } from "@preact/signals";
import { isGroup } from "../../protocol/texts";
import type { App } from "../../state/app";
import { notify } from "../alerts";
import { preview } from "./words";

/** Notifies of texts and missed calls, one notice for each chat; not of those who wish not to be disturbed. */
export function notifyTexts(app: App): void {
  let shown: string | undefined;
  effect(() => {
    const news = app.chats.book.news.value;
    if (!news || news.message.message === shown) return;
    shown = news.message.message;
    const { visible } = app.view;
    if (visible.peek() || quiet(app)) return;
    if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
    const { t, language } = app.settings;
    const { message, chat } = news;
    const group = isGroup(chat) ? app.personNamed(chat).name : undefined;
    const line = preview(message, app.me?.id ?? "", t, language.peek());
    void notify(group ?? message.from.name, {
      body: group === undefined ? line : `${message.from.name}: ${line}`,
      tag: `chat ${chat}`,
      icon: "/icon-192.png",
    });
  });
}

/** Do not disturb: counts go on, notices do not come. */
function quiet(app: App): boolean {
  const me = app.me?.id;
  const profile = me === undefined ? undefined : app.people.find(me);
  return (profile as { quiet?: boolean } | undefined)?.quiet === true;
}
