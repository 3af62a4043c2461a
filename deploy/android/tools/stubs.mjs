// Writes Java stubs of the part of Android's API that api/calls.txt names, to compile
// against: node stubs.mjs TYPES_DIR CALLS OUT_DIR. What the declarations do not know is an
// error, so that a wrong descriptor is found here and not on somebody's phone.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { dotted, find, levels, readLevel, typesOf } from "./api.mjs";
import { readCalls } from "./calls.mjs";

const [typesDir, callsPath, out] = process.argv.slice(2);
const api = readLevel(typesDir, levels.last);
const calls = readCalls(callsPath);
const stubs = new Map(); // binary name to member lines
const problems = [];

function binaryName(dottedName) {
  const parts = dottedName.split(".");
  const first = parts.findIndex((p) => /^[A-Z]/.test(p));
  return parts.slice(0, first + 1).join("/") + parts.slice(first + 1).map((p) => `$${p}`).join("");
}

const isAndroid = (name) => name.startsWith("android/");

/** A class, with those around it, above it and in front of it. */
function need(name) {
  if (!isAndroid(name) || stubs.has(name)) return;
  const entry = api.get(dotted(name));
  if (!entry) {
    problems.push(`no class ${name}`);
    return;
  }
  stubs.set(name, []);
  if (name.includes("$")) need(name.slice(0, name.lastIndexOf("$")));
  for (const above of [entry.parent, ...entry.interfaces]) if (above?.startsWith("android.")) need(binaryName(above));
}

const words = { B: "byte", C: "char", D: "double", F: "float", I: "int", J: "long", S: "short", V: "void", Z: "boolean" };
function java(type) {
  if (type.startsWith("[")) return `${java(type.slice(1))}[]`;
  return words[type] ?? type.slice(1, -1).replace(/[/$]/g, ".");
}

for (const { owner, name, descriptor, line } of calls) {
  need(owner);
  if (!name) continue;
  const types = typesOf(descriptor);
  for (const type of types) if (type.includes("L")) need(type.replace(/^\[*L|;$/g, ""));
  const member = find(api, owner, name, descriptor);
  if (!member) {
    problems.push(`${callsPath}:${line}: the API has no ${owner}.${name} ${descriptor}`);
    continue;
  }
  const entry = api.get(dotted(owner));
  const isStatic = member.isStatic ? "static " : "";
  // The declarations do not tell variable arguments; the descriptor is that of an array either way.
  const params = types.slice(0, -1).map((t, i) => `${java(t)} p${i}`).join(", ").replace(/(java\.lang\.Object)\[\]( p\d+)$/, "$1...$2");
  const simple = owner.split(/[/$]/).at(-1);
  let text;
  if (member.isField) text = `public ${isStatic}${java(types[0])} ${name};`;
  else if (name === "<init>") text = `public ${simple}(${params}) { throw new RuntimeException(); }`;
  else if (entry?.isInterface) text = `${java(types.at(-1))} ${name}(${params});`;
  else text = `public ${isStatic}${java(types.at(-1))} ${name}(${params}) { throw new RuntimeException(); }`;
  stubs.get(owner)?.push(text);
}

function body(name, indent) {
  const entry = api.get(dotted(name));
  const simple = name.split(/[/$]/).at(-1);
  const parent = entry.parent && entry.parent !== "java.lang.Object" ? ` extends ${entry.parent}` : "";
  const fronts = entry.interfaces.filter((i) => i.startsWith("android."));
  const kind = entry.isInterface ? "interface" : "class";
  const isInner = name.includes("$");
  const implemented = fronts.length ? ` ${entry.isInterface ? "extends" : "implements"} ${fronts.join(", ")}` : "";
  const lines = [`public ${isInner ? "static " : ""}${entry.isAbstract && !entry.isInterface ? "abstract " : ""}${kind} ${simple}${entry.isInterface ? "" : parent}${implemented} {`];
  for (const [constant, value] of entry.constants) {
    const type = value.startsWith('"') ? "String" : /^(true|false)$/.test(value) ? "boolean" : /^-?\d+$/.test(value) && Math.abs(Number(value)) < 2 ** 31 ? "int" : undefined;
    if (type) lines.push(`  public static final ${type} ${constant} = ${value};`);
  }
  const members = stubs.get(name);
  if (!entry.isInterface && !members.some((m) => m.startsWith(`public ${simple}()`))) lines.push(`  protected ${simple}() {}`);
  for (const member of new Set(members)) lines.push(`  ${member}`);
  const prefix = `${name}$`;
  for (const inner of stubs.keys()) if (inner.startsWith(prefix) && !inner.slice(prefix.length).includes("$")) lines.push(body(inner, "  "));
  lines.push("}");
  return lines.map((l) => indent + l).join("\n");
}

if (problems.length === 0) {
  for (const name of [...stubs.keys()].filter((n) => !n.includes("$"))) {
    const path = `${out}/${name}.java`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `package ${dirname(name).replaceAll("/", ".")};\n\n${body(name, "")}\n`);
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
