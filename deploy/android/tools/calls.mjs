// Reads api/calls.txt: the members of Android's API that the app uses.
import { readFileSync } from "node:fs";

/** Returns entries {owner, name, descriptor, line}; name is undefined for a class alone. */
export function readCalls(path) {
  const entries = [];
  readFileSync(path, "utf8").split("\n").forEach((text, i) => {
    const line = text.trim();
    if (!line || line.startsWith("#")) return;
    const match = line.match(/^([\w/$]+)(?:\.(<init>|\w+)(?::(\S+)|(\(\S*\)\S+)))?$/);
    if (!match) throw new Error(`${path}:${i + 1}: cannot read ${line}`);
    entries.push({ owner: match[1], name: match[2], descriptor: match[3] ?? match[4], line: i + 1 });
  });
  return entries;
}

export const key = (owner, name, descriptor) => `${owner}.${name}${descriptor.startsWith("(") ? "" : ":"}${descriptor}`;
