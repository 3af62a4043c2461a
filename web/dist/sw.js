// Keeps the page's own files, so that it opens when the server is out of reach and can
// say so. Nothing of the API is kept.
const kept = "fieldphone-shell";
const asset = /\/assets\/[\w.-]+/g;

async function keepShell() {
  const cache = await caches.open(kept);
  const response = await fetch("/", { cache: "no-cache" });
  if (!response.ok) throw new Error(`the page answers ${response.status}`);
  const html = await response.clone().text();
  const files = [...new Set(html.match(asset) ?? []), "/favicon.svg", "/manifest.webmanifest"];
  await cache.addAll(files);
  await cache.put("/", response);
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname;
    if (path !== "/" && !files.includes(path)) await cache.delete(request);
  }
}

async function page(event) {
  try {
    const response = await fetch(event.request);
    // A new build has other files: keep them with the page that names them.
    if (response.ok) event.waitUntil(keepShell().catch(() => undefined));
    return response;
  } catch (error) {
    const shell = await caches.match("/");
    if (shell) return shell;
    throw error;
  }
}

async function file(event) {
  return (await caches.match(event.request)) ?? fetch(event.request);
}

self.addEventListener("install", (event) => {
  event.waitUntil(keepShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && /^\/(admin(\/.*)?)?$/.test(url.pathname)) event.respondWith(page(event));
  else if (url.pathname.startsWith("/assets/") || url.pathname === "/favicon.svg")
    event.respondWith(file(event));
});

// A tap on "Maria is calling" brings the page that rings to the front.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((windows) => {
      const open = windows[0];
      return open ? open.focus() : self.clients.openWindow("/");
    }),
  );
});
