// What makes a call noticed: sound, vibration, the title, a notification.
import { effect } from "@preact/signals";
import type { Ringer } from "../call/ringer";
import type { App } from "../state/app";

const blinkMs = 1_000;

/** Rings while somebody calls, and sounds the tones that a caller hears. */
export function soundCalls(app: App, ringer: Ringer): void {
  let before = "";
  effect(() => {
    const call = app.calls.current.value;
    const rings = app.calls.incoming.value.length > 0 && !app.calls.busy;
    const now = rings ? "in" : call?.stage === "ringing" ? "out" : call?.stage === "ended" ? "ended" : "";
    if (now === before) return;
    before = now;
    if (now === "in") ringer.ring();
    else if (now === "out") ringer.ringBack();
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
    const unread = app.texts.unread.value;
    const plain = unread > 0 ? `(${unread}) Fieldphone` : "Fieldphone";
    window.clearInterval(blink);
    document.title = plain;
    if (!ringing) return;
    const alarm = `☎ ${t("notify.call", { name: ringing.from.name })}`;
    document.title = alarm;
    blink = window.setInterval(() => (document.title = document.title === alarm ? plain : alarm), blinkMs);
  });
}

/** Notifies of a call while the page is not looked at, where the person has allowed it. */
export function notifyCalls(app: App): void {
  let shown: Notification | undefined;
  let shownFor: string | undefined;
  effect(() => {
    const ringing = app.calls.incoming.value[0];
    const wanted = ringing && !app.view.visible.value ? ringing : undefined;
    if (wanted?.call === shownFor) return;
    shown?.close();
    shown = undefined;
    shownFor = wanted?.call;
    if (!wanted || typeof Notification === "undefined" || Notification.permission !== "granted") return;
    try {
      const { t } = app.settings;
      const what = t(wanted.media === "video" ? "incoming.video" : "incoming.audio");
      shown = new Notification(t("notify.call", { name: wanted.from.name }), {
        body: what,
        tag: wanted.call,
      });
      shown.onclick = () => window.focus();
    } catch {
      // Android's browsers notify only through a service worker; ringing must do.
    }
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
