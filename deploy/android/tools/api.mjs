// Android's public API, read from the TypeScript declarations that npm's
// @nativescript/types-android has for every API level. They know classes, members and
// constants, but one `number` for all numeric types and one `string` for String,
// CharSequence and char: a descriptor can be matched against them, not made from them.
import { readFileSync } from "node:fs";

export const levels = { first: 23, last: 35 };

const file = (dir, level) => `${dir}/lib/android/android-platform-${level}.d.ts`;

/** Reads one level: class name (with $ for inner classes) to what is known of it. */
export function readLevel(dir, level) {
  const classes = new Map();
  const stack = [];
  let inComment = false;
  let inImplementation = false;
  for (const raw of readFileSync(file(dir, level), "utf8").split("\n")) {
    const line = raw.trim();
    const current = stack.at(-1)?.class;
    if (inComment || line.startsWith("/*")) {
      if (line.includes("interface with the provided implementation") && current) current.isInterface = true;
      inComment = !line.includes("*/");
      continue;
    }
    if (inImplementation) {
      if (line === "});") inImplementation = false;
      continue;
    }
    const module = line.match(/^(?:declare|export) module ([\w$.]+) \{/);
    if (module) {
      stack.push({ module: module[1] });
      continue;
    }
    const declared = line.match(/^export (abstract )?class (\w+)\s*(?:<[^{]*?>)?\s*(?:extends ([^{]*?))?\s*(?:implements ([^{]*?))?\s*\{/);
    if (declared) {
      const outer = stack.map((s) => s.module).join(".");
      const entry = {
        isInterface: false, isAbstract: Boolean(declared[1]), members: new Map(), constants: new Map(),
        parent: declared[3] && plain(declared[3]), interfaces: (declared[4] ? plain(declared[4]) : "").split(",").map((s) => s.trim()).filter(Boolean),
      };
      classes.set(`${outer}.${declared[2]}`, entry);
      stack.push({ class: entry });
      continue;
    }
    if (line === "}") {
      stack.pop();
      continue;
    }
    if (!current) continue;
    if (line.startsWith("public constructor(implementation: {")) {
      inImplementation = true;
      continue;
    }
    readMember(current, line);
  }
  return classes;
}

/** Types without their type arguments; arrays in Java's way. */
function plain(type) {
  let out = type;
  for (let before = ""; before !== out; ) {
    before = out;
    out = out.replace(/androidNative\.Array<([^<>]*)>/g, "$1[]").replace(/(?<!androidNative\.Array)<[^<>]*>/g, "");
  }
  return out.trim();
}

function readMember(entry, line) {
  const method = line.match(/^public (static )?(?:<[^(]*?>\s*)?(\w+)\s*(?:<[^(]*?>)?\((.*)\)(?:: (.*))?;$/);
  if (method) {
    const name = method[2] === "constructor" ? "<init>" : method[2];
    const params = plain(method[3]).split(",").filter((p) => p.trim()).map((p) => p.slice(p.indexOf(":") + 1).trim());
    const all = entry.members.get(name) ?? [];
    all.push({ isStatic: Boolean(method[1]), params, result: name === "<init>" ? "void" : plain(method[4] ?? "any") });
    entry.members.set(name, all);
    return;
  }
  const field = line.match(/^public (static )?(\w+): (.*);$/);
  if (!field || field[2] === "class") return;
  if (field[1] && /^(-?[\d.]+|"(?:[^"\\]|\\.)*"|true|false)$/.test(field[3])) entry.constants.set(field[2], field[3]);
  entry.members.set(field[2], [{ isField: true, isStatic: Boolean(field[1]), params: [], result: plain(field[3]) }]);
}

/** java/lang/Foo$Bar to the declarations' java.lang.Foo.Bar. */
export const dotted = (name) => name.replace(/[/$]/g, ".");

/** The types of a descriptor: parameters, then the result. A field has its type alone. */
export function typesOf(descriptor) {
  return descriptor.match(/\[*(?:[BCDFIJSVZ]|L[^;]+;)/g) ?? [];
}

/** Whether a declared type can be this type of a descriptor. */
function fits(declared, type) {
  const type_ = declared.replace(/ \| null$/, "").trim();
  if (type.startsWith("[")) return type_.endsWith("[]") ? fits(type_.slice(0, -2), type.slice(1)) : type_ === "any";
  if ("BDFIJS".includes(type)) return type_ === "number" || /^-?[\d.]+$/.test(type_);
  if (type === "C") return type_ === "string" || type_ === "number";
  if (type === "Z") return type_ === "boolean" || type_ === "true" || type_ === "false";
  if (type === "V") return type_ === "void";
  const name = dotted(type.slice(1, -1));
  if (type_ === "string" || type_.startsWith('"')) return name === "java.lang.String" || name === "java.lang.CharSequence";
  if (!type_.includes(".")) return true; // any, or a type parameter
  return type_ === name;
}

/** Finds a member of a class or of what it inherits from; undefined where this level has none. */
export function find(classes, owner, name, descriptor, depth = 0) {
  const entry = classes.get(dotted(owner));
  if (!entry || depth > 20) return undefined;
  const isMethod = descriptor.startsWith("(");
  const types = typesOf(descriptor);
  for (const member of entry.members.get(name) ?? []) {
    if (Boolean(member.isField) === isMethod || member.params.length !== types.length - 1) continue;
    if (member.params.every((p, i) => fits(p, types[i])) && fits(member.result, types.at(-1))) return member;
  }
  if (name === "<init>") return undefined;
  for (const parent of [entry.parent, ...entry.interfaces, entry.isInterface ? "java.lang.Object" : undefined]) {
    const found = parent && find(classes, parent, name, descriptor, depth + 1);
    if (found) return found;
  }
  return undefined;
}

/** The whole API: for a class or member, the first level that has it and keeps it. */
export class Api {
  constructor(dir) {
    this.levels = [];
    for (let level = levels.first; level <= levels.last; level++) this.levels.push({ level, classes: readLevel(dir, level) });
  }

  get newest() {
    return this.levels.at(-1).classes;
  }

  #since(has) {
    let since;
    for (const { level, classes } of this.levels) {
      if (!has(classes)) since = undefined;
      else since ??= level;
    }
    return since;
  }

  classSince(name) {
    return this.#since((classes) => classes.has(dotted(name)));
  }

  memberSince(owner, name, descriptor) {
    return this.#since((classes) => find(classes, owner, name, descriptor));
  }
}
