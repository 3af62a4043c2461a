import "webrtc-adapter";
import { effect } from "@preact/signals";
import { render } from "preact";
import { DeviceChoice } from "./call/devices";
import { brightestOf } from "./call/light";
import { MediaSource } from "./call/media";
import { FileStore } from "./files/store";
import { Ringer } from "./call/ringer";
import { browserTools } from "./call/tools";
import { Api, socketURL } from "./protocol/api";
import type { Timers } from "./protocol/clock";
import { App } from "./state/app";
import { Transport } from "./protocol/transport";
import { openEvents } from "./events";
import { keepPage } from "./install";
import { openSocket } from "./socket";
import { deviceName } from "./state/device";
import { Settings } from "./state/settings";
import { Kept } from "./state/storage";
import { badgeTells, keepAwake, notifyCalls, soundCalls, titleTells } from "./ui/alerts";
import { alarmForAnnouncements } from "./ui/announceAlerts";
import { notifyTexts } from "./ui/chat/alerts";
import { Provide } from "./ui/context";
import { followHistory } from "./ui/history";
import { Root } from "./ui/Root";
import "./style/index.css";

const timers: Timers = {
  set: (fn, ms) => window.setTimeout(fn, ms),
  clear: (timer) => window.clearTimeout(timer),
};
const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
const local = new Kept(() => localStorage);
const tab = new Kept(() => sessionStorage);

/** For support and tests: the running call's connection, and what went wrong lately. */
const support: {
  pc?: RTCPeerConnection;
  filePc?: RTCPeerConnection;
  attention?: RTCPeerConnection;
  problems: string[];
} = { problems: [] };
Object.defineProperty(window, "fieldphone", { value: support });

const settings = new Settings({ query: location.search, languages: navigator.languages, kept: local });
let device: Promise<string> | undefined;
// Undefined on a page that is not secure, whatever the types say.
const media = navigator.mediaDevices as MediaDevices | undefined;

const transport = new Transport({
  webSocket: () => openSocket(socketURL(location)),
  events: openEvents,
  now: () => Date.now(),
  kept: tab,
});

const onProblem = (problem: string) => {
  support.problems.push(`${new Date().toISOString()} ${problem}`);
  support.problems.splice(0, support.problems.length - 100);
};

const devices = new DeviceChoice({ media, kept: local });
const { tools, wake } = browserTools();

const app = new App({
  api: new Api((path, init) => fetch(path, init)),
  settings,
  openSocket: (refusals) => transport.open(refusals),
  device: () => (device ??= deviceName(tab, navigator.locks, random)),
  timers,
  wallClock: () => Date.now(),
  random: Math.random,
  local,
  tab,
  call: {
    source: new MediaSource(media, () => devices.choice.value),
    tools,
    newPeer: (config) => new RTCPeerConnection(config),
    newStream: () => new MediaStream(),
    random,
    now: () => performance.now(),
    onPeer: (pc) => (support.pc = pc),
  },
  devices,
  files: {
    store: new FileStore(
      () => (typeof indexedDB === "undefined" ? undefined : indexedDB),
      () => Date.now(),
    ),
    room: async () => {
      const { quota, usage } = await navigator.storage.estimate();
      return quota === undefined || usage === undefined ? undefined : quota - usage;
    },
    newPeer: (config) => (support.filePc = new RTCPeerConnection(config)),
  },
  brightestOf,
  onAttentionPeer: (pc) => (support.attention = pc),
  tester: async (needs) => {
    const { makeTester } = await import("./diagnose");
    return makeTester({
      ...needs,
      newPeer: (config) => new RTCPeerConnection(config),
      now: () => performance.now(),
      wallClock: () => Date.now(),
      fallback: () => transport.fallback,
    });
  },
  onProblem,
});

const ringer = new Ringer({
  newAudio: () => (typeof AudioContext === "undefined" ? undefined : new AudioContext()),
  vibrate: (pattern) => void navigator.vibrate?.(pattern),
  timers,
});

function follow(query: string, tell: (matches: boolean) => void): void {
  const list = window.matchMedia(query);
  tell(list.matches);
  list.addEventListener("change", () => tell(list.matches));
}

follow("(prefers-color-scheme: dark)", (dark) => (settings.systemDark.value = dark));
follow("(min-width: 1100px)", (wide) => (app.view.wide.value = wide));
effect(() => {
  document.documentElement.dataset.theme = settings.dark.value ? "dark" : "light";
  document.documentElement.lang = settings.language.value;
});
for (const event of ["pointerdown", "keydown"])
  window.addEventListener(event, () => {
    ringer.unlock();
    wake();
  });
window.addEventListener("online", () => app.wake(true));
const network = (navigator as { connection?: EventTarget }).connection;
network?.addEventListener("change", () => navigator.onLine && app.wake(true));
document.addEventListener("visibilitychange", () => {
  app.view.visible.value = document.visibilityState === "visible";
  if (app.view.visible.value) app.wake(false);
});
media?.addEventListener("devicechange", () => {
  void devices.refresh();
  void app.calls.session.own?.devicesChanged();
});

/** Takes the code of a link to here, and takes it out of the address, where others would see it. */
function takeLink(): void {
  if (!app.joining.takeLink(location.hash)) return;
  history.replaceState(history.state, "", location.pathname + location.search);
}

soundCalls(app, ringer);
titleTells(app);
notifyCalls(app);
notifyTexts(app);
badgeTells(app);
keepAwake(app);
alarmForAnnouncements(app, ringer, timers);
followHistory(app, window);
takeLink();
window.addEventListener("hashchange", takeLink);
keepPage(onProblem);
void app.identity.boot();

render(
  <Provide value={app}>
    <Root />
  </Provide>,
  document.getElementById("app")!,
);
