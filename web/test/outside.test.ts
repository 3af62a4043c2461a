import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { socketURL } from "../src/protocol/api";

const root = fileURLToPath(new URL("..", import.meta.url));

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

/** Names of XML vocabularies look like addresses and are never fetched; so are links in error texts of libraries. */
const vocabularies = [
  "http://www.w3.org/2000/svg",
  "http://www.w3.org/1998/Math/MathML",
  "http://www.w3.org/1999/xhtml",
];

/** Every address with a host in a text. */
function addresses(text: string): string[] {
  const found =
    text.match(
      /\b(?:https?|wss?|stun|stuns|turn|turns|ftp):(?:\/\/)?[\w.-]*[\w-]+\.[a-z]{2,}[^\s"'`)<>\\]*/gi,
    ) ?? [];
  return found.filter((address) => !vocabularies.includes(address));
}

/** Addresses without a scheme load from outside as well. */
const schemeless = (text: string): string[] =>
  text.match(/(?:src|href|url)\s*[=(]\s*["']?\/\/[^"')\s]+/gi) ?? [];

describe("nothing leaves the page's own server", () => {
  const shipped = ["src", "public", "dist", "index.html"].map((name) => join(root, name)).filter(existsSync);
  const all = shipped.flatMap((path) => (statSync(path).isDirectory() ? files(path) : [path]));

  test("there is something to look at", () => {
    expect(all.length).toBeGreaterThan(40);
    expect(addresses('fetch("https://cdn.example.com/x.js")')).toHaveLength(1);
    expect(addresses('{urls:"stun:stun.l.example.com:19302"}')).toHaveLength(1);
    expect(schemeless('<script src="//cdn.example.com/x.js">')).toHaveLength(1);
  });

  test.each(all.map((path) => path.slice(root.length)))("%s names no outside host", (path) => {
    const text = readFileSync(join(root, path), "utf8");
    expect(addresses(text)).toEqual([]);
    expect(schemeless(text)).toEqual([]);
  });

  test("rows are not moved with moveBefore, as Preact 11 does", () => {
    // Chromium 156 keeps the old style of an element whose class changes while it is so
    // moved: people who left the roster looked as if they were there.
    for (const path of files(join(root, "dist")))
      expect(readFileSync(path, "latin1"), path).not.toContain("moveBefore");
  });

  test("the page has no inline script or style, which its policy forbids", () => {
    const html = readFileSync(join(root, "index.html"), "utf8");
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/i);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/i);
  });

  test("no source makes HTML or code out of text", () => {
    for (const path of files(join(root, "src"))) {
      const text = readFileSync(path, "utf8");
      expect(text, path).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write/,
      );
      expect(text, path).not.toMatch(/\beval\(|new Function\(/);
      expect(text, path).not.toMatch(/window\.open\(|location\.(href|assign|replace)/);
      // What somebody wrote becomes a link in one place alone, which nothing but a hand follows.
      if (path.endsWith("ui/chat/Body.tsx")) {
        expect(text.match(/<a\s/g)).toHaveLength(1);
        expect(text).toMatch(/<a\s[^>]*target="_blank"\s+rel="noreferrer noopener"/);
      } else {
        expect(text, path).not.toMatch(/<a\s/);
      }
    }
  });

  test("the lock file holds no registry's host", () => {
    expect(readFileSync(join(root, "package-lock.json"), "utf8")).not.toMatch(/"resolved"/);
  });
});

test.each([
  [{ protocol: "https:", host: "10.0.0.1:8443" }, "wss://10.0.0.1:8443/api/v1/ws"],
  [{ protocol: "https:", host: "[fd00::1]:8443" }, "wss://[fd00::1]:8443/api/v1/ws"],
  [{ protocol: "http:", host: "localhost:8080" }, "ws://localhost:8080/api/v1/ws"],
])("the socket of %j is on the same server", (page, want) => {
  expect(socketURL(page)).toBe(want);
});
