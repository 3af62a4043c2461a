// What makes an announcement noticed, whatever the person does: sound, vibration, a notification.
import { effect } from "@preact/signals";
import type { Ringer } from "../call/ringer";
import type { Timers } from "../protocol/clock";
import type { App } from "../state/app";
import { notify } from "./alerts";

/** When the signal sounds after one has come, unless it is acknowledged before. */
const againMs = [0, 6_000, 12_000, 24_000, 48_000, 96_000];
const vibration = [500, 150, 500, 150, 500];
/** Three rising tones, twice: unlike any tone of calls. */
const tones = [523.25, 659.25, 880, 523.25, 659.25, 880];
const toneSeconds = 0.22;

export function alarmForAnnouncements(app: App, ringer: Ringer, timers: Timers): void {
  const running = new Set<number>();
  let before = app.announcements.alarm.peek();
  let close = () => {};
  const stop = () => {
    for (const timer of running) timers.clear(timer);
    running.clear();
    close();
    close = () => {};
  };
  effect(() => {
    const [first] = app.announcements.pending.value;
    const alarm = app.announcements.alarm.value;
    if (!first) {
      stop();
    } else if (alarm !== before) {
      stop();
      for (const ms of againMs) running.add(timers.set(() => sound(ringer), ms));
      close = show(app, first.announcement, first.from.name, first.body);
    }
    before = alarm;
  });
}

function show(app: App, tag: string, name: string, body: string): () => void {
  if (app.view.visible.peek() || typeof Notification === "undefined" || Notification.permission !== "granted")
    return () => {};
  const title = `⚠ ${app.settings.t("announce.notify", { name })}`;
  const notice = notify(title, { body, tag, icon: "/icon-192.png", requireInteraction: true });
  return () => void notice.then((n) => n?.close());
}

function sound(ringer: Ringer): void {
  try {
    navigator.vibrate?.(vibration);
  } catch {
    // Before the first touch some browsers refuse.
  }
  ringer.unlock();
  const { context } = ringer;
  if (!context || context.state !== "running") return;
  tones.forEach((hz, i) => {
    const start = context.currentTime + i * toneSeconds + (i >= tones.length / 2 ? 0.25 : 0);
    const oscillator = context.createOscillator();
    const envelope = context.createGain();
    oscillator.type = "triangle";
    oscillator.frequency.value = hz;
    envelope.gain.setValueAtTime(0, start);
    envelope.gain.linearRampToValueAtTime(0.25, start + 0.02);
    envelope.gain.linearRampToValueAtTime(0, start + toneSeconds);
    oscillator.connect(envelope).connect(context.destination);
    oscillator.start(start);
    oscillator.stop(start + toneSeconds);
  });
}
