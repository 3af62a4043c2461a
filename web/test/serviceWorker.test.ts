// What the service worker keeps for when the server is out of reach.
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { beforeEach, expect, test } from "vitest";

const origin = "https://10.77.1.2:8443";
const source = readFileSync(new URL("../public/sw.js", import.meta.url), "utf8");

let site: Record<string, string>;
let fetched: string[];
let cache: Map<string, Response>;
let install: () => Promise<void>;

const pathOf = (request: string | { url: string }) =>
  new URL(typeof request === "string" ? request : request.url, origin).pathname;

beforeEach(() => {
  fetched = [];
  cache = new Map();
  const load = async (request: string) => {
    await Promise.resolve();
    const path = pathOf(request);
    fetched.push(path);
    return new Response(site[path] ?? "none", { status: site[path] === undefined ? 404 : 200 });
  };
  const kept = {
    match: async (request: string) => Promise.resolve(cache.get(pathOf(request))?.clone()),
    put: async (request: string, response: Response) =>
      Promise.resolve(void cache.set(pathOf(request), response)),
    keys: async () => Promise.resolve([...cache.keys()].map((path) => ({ url: origin + path }))),
    delete: async (request: { url: string }) => Promise.resolve(cache.delete(pathOf(request))),
    addAll: async (paths: string[]) => {
      const responses = await Promise.all(paths.map(load));
      if (responses.some(({ ok }) => !ok)) throw new TypeError("not all are there");
      paths.forEach((path, i) => cache.set(path, responses[i]!));
    },
  };
  const listeners: Record<string, (event: { waitUntil: (done: Promise<void>) => void }) => void> = {};
  runInNewContext(source, {
    self: {
      addEventListener: (type: string, listener: (typeof listeners)[string]) => (listeners[type] = listener),
      skipWaiting: () => undefined,
      location: { origin },
    },
    caches: { open: () => Promise.resolve(kept) },
    fetch: load,
    URL,
  });
  install = async () => {
    let done = Promise.resolve();
    listeners["install"]!({ waitUntil: (promise) => (done = promise) });
    await done;
  };
  site = {
    "/": `<script src="/assets/index-1.js"></script><link href="/assets/index-1.css">`,
    "/favicon.svg": "icon",
    "/manifest.webmanifest": "{}",
    "/assets/index-1.js": `import("./Invite-1.js");import("./Dashboard-1.js");import("./Gone-1.js");f=["assets/Echo-1.css"]`,
    "/assets/index-1.css": "",
    "/assets/Invite-1.js": `import{a}from"./shared-1.js"`,
    "/assets/shared-1.js": "",
    "/assets/Echo-1.css": "",
    "/assets/Dashboard-1.js": `import("./Relay-1.js")`,
    "/assets/Relay-1.js": "",
  };
});

const usual = ["/", "/favicon.svg", "/manifest.webmanifest"];
const assets = (n: number) =>
  ["Echo-1.css", "Invite-1.js", `index-${n}.css`, `index-${n}.js`, "shared-1.js"].map(
    (name) => `/assets/${name}`,
  );
const keeps = () => [...cache.keys()].sort();

test("what the page loads on demand is kept with it, but not the dashboard", async () => {
  await install();
  expect(keeps()).toEqual([...usual, ...assets(1)].sort());
});

test("a new build brings only what is new, and takes away what is no more", async () => {
  await install();
  site["/"] = site["/"]!.replace(/index-1/g, "index-2");
  site["/assets/index-2.js"] = site["/assets/index-1.js"]!;
  site["/assets/index-2.css"] = "";
  fetched = [];
  await install();
  expect(keeps()).toEqual([...usual, ...assets(2)].sort());
  expect(fetched).not.toContain("/assets/Invite-1.js");
  expect(fetched).toContain("/assets/index-2.js");
});

test("a page whose own files do not come is not kept", async () => {
  delete site["/assets/index-1.css"];
  await expect(install()).rejects.toThrow();
  expect(cache.has("/")).toBe(false);
});
