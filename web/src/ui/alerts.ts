// What makes a call noticed: sound, vibration, the title, a notification.
import { effect } from "@preact/signals";
import type { Ringer } from "../call/ringer";
import type { Call } from "../call/types";
import type { App } from "../state/app";

const blinkMs = 1_000;

type Sounding = "in" | "waiting" | "out" | "held" | "ended" | undefined;

/** What is to be heard besides the other side. */
export function sounding(call: Call | undefined, rings: boolean, busy: boolean): Sounding {
  if (rings) return busy ? "waiting" : "in";
  if (call?.stage === "ringing") return "out";
  if (call?.stage === "ended") return "ended";
  return call?.peerMedia?.held && !call.held ? "held" : undefined;
}

/** Rings while somebody calls, and sounds the tones that a caller hears. */
export function soundCalls(app: App, ringer: Ringer): void {
  let before: Sounding;
  effect(() => {
    const call = app.calls.current.value;
    const now = sounding(call, app.calls.incoming.value.length > 0, app.calls.busy);
    if (now === before) return;
    before = now;
    if (now === "in") ringer.ring();
    else if (now === "waiting") ringer.waiting();
    else if (now === "out") ringer.ringBack();
    else if (now === "held") ringer.held();
    else if (now === "ended" && !call?.endedBySelf) ringer.ended();
    else ringer.stop();
  });
}

/** The title tells of a call (blinking) and of unread texts. */
export function titleTells(app: App): void {
  let blink: number | undefined;
  effect(() => {
    const { t } = app.settings;
    const ringing = app.calls.incoming.value[0];
    const unread = app.chats.book.unread.value;
    const waiting = app.announcements.pending.value[0];
    const place = app.view.admin.value === undefined ? "Fieldphone" : `${t("admin.open")} · Fieldphone`;
    const plain = unread > 0 ? `(${unread}) ${place}` : place;
    window.clearInterval(blink);
    document.title = plain;
    if (!waiting && !ringing) return;
    const alarm = waiting
      ? `⚠ ${t("announce.notify", { name: waiting.from.name })}`
      : `☎ ${t("notify.call", { name: ringing!.from.name })}`;
    document.title = alarm;
    blink = window.setInterval(() => (document.title = document.title === alarm ? plain : alarm), blinkMs);
  });
}

/** Notifies of a call while the page is not looked at, where the person has allowed it. */
export function notifyCalls(app: App): void {
  let close = () => {};
  let shownFor: string | undefined;
  effect(() => {
    const ringing = app.calls.incoming.value[0];
    const wanted = ringing && !app.view.visible.value ? ringing : undefined;
    if (wanted?.call === shownFor) return;
    shownFor = wanted?.call;
    close();
    close = () => {};
    if (!wanted || typeof Notification === "undefined" || Notification.permission !== "granted") return;
    const { t } = app.settings;
    const what = t(wanted.media === "video" ? "incoming.video" : "incoming.audio");
    const title = t("notify.call", { name: wanted.from.name });
    const notice = notify(title, {
      body: what,
      tag: wanted.call,
      icon: "/icon-192.png",
      requireInteraction: true,
    });
    close = () => void notice.then((n) => n?.close());
  });
}

/** Through the service worker where there is one: Android's browsers know no other way. */
export async function notify(
  title: string,
  options: NotificationOptions & { tag: string },
): Promise<Notification | undefined> {
  try {
    const worker = await navigator.serviceWorker?.getRegistration();
    if (worker) {
      await worker.showNotification(title, options);
      return (await worker.getNotifications({ tag: options.tag }))[0];
    }
    const notice = new Notification(title, options);
    notice.onclick = () => window.focus();
    return notice;
  } catch {
    return undefined; // refused by the browser: sound and title must do
  }
}

/** Shows on the installed app's icon how many texts and missed calls wait. */
export function badgeTells(app: App): void {
  effect(() => {
    const unread = app.chats.book.unread.value;
    const badge = navigator as Partial<Pick<Navigator, "setAppBadge" | "clearAppBadge">>;
    void (unread > 0 ? badge.setAppBadge?.(unread) : badge.clearAppBadge?.())?.catch(() => undefined);
  });
}

/** Keeps the screen on during a call. */
export function keepAwake(app: App): void {
  let lock: WakeLockSentinel | undefined;
  effect(() => {
    const wanted = app.calls.busy && app.view.visible.value;
    if (!wanted) {
      void lock?.release().catch(() => undefined);
      lock = undefined;
      return;
    }
    if (lock && !lock.released) return;
    navigator.wakeLock?.request("screen").then(
      (held) => (lock = held),
      () => undefined,
    );
  });
}
