// Keeps the page's own files, so that it opens when the server is out of reach and can
// say so. Nothing of the API is kept.
const kept = "fieldphone-shell";
const asset = /\/assets\/[\w.-]+/g;
// How a script names those that it loads on demand.
const part = /["'`](?:\.\/|assets\/)([\w.-]+\.(?:js|css))["'`]/g;
// Of no use without the server, and larger than the rest together.
const neverKept = /^\/assets\/Dashboard-/;

async function keepShell() {
  const cache = await caches.open(kept);
  const response = await fetch("/", { cache: "no-cache" });
  if (!response.ok) throw new Error(`the page answers ${response.status}`);
  const html = await response.clone().text();
  const files = [...new Set(html.match(asset) ?? []), "/favicon.svg", "/manifest.webmanifest"];
  // Names of assets say what is in them: what is there is right.
  await cache.addAll(await missing(cache, files));
  await cache.put("/", response);
  const parts = await keepParts(cache, files);
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname;
    if (path !== "/" && !files.includes(path) && !parts.has(path)) await cache.delete(request);
  }
}

async function missing(cache, files) {
  const there = await Promise.all(files.map((path) => path.startsWith("/assets/") && cache.match(path)));
  return files.filter((_, i) => !there[i]);
}

// Keeps what the page loads on demand, as dialogs, so that they open offline too. One that does
// not come now comes with the next visit.
async function keepParts(cache, files) {
  const parts = new Set();
  const look = files.filter((path) => path.endsWith(".js"));
  for (let path = look.pop(); path; path = look.pop()) {
    const script = await cache.match(path);
    for (const [, name] of (await script?.text())?.matchAll(part) ?? []) {
      const found = `/assets/${name}`;
      if (parts.has(found) || files.includes(found) || neverKept.test(found)) continue;
      parts.add(found);
      try {
        await cache.addAll(await missing(cache, [found]));
        if (found.endsWith(".js")) look.push(found);
      } catch {
        parts.delete(found);
      }
    }
  }
  return parts;
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
