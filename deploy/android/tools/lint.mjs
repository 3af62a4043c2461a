// Reads the compiled app and checks every use of Android's and Java's API:
//   node lint.mjs TYPES_DIR CALLS CLASSES_DIR MIN_SDK
// - a member that came after MIN_SDK is used only behind `if (Build.VERSION.SDK_INT >= n)`;
// - every member of Android's is in the list of calls, and everything in the list is used.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { Api } from "./api.mjs";
import { key, readCalls } from "./calls.mjs";

const [typesDir, callsPath, classesDir, minSdkText] = process.argv.slice(2);
const minSdk = Number(minSdkText);
const api = new Api(typesDir);
const listed = new Map(readCalls(callsPath).map((c) => [c.name ? key(c.owner, c.name, c.descriptor) : c.owner, c]));
const used = new Set();
const problems = new Set();

const files = readdirSync(classesDir, { recursive: true }).filter((f) => f.endsWith(".class")).map((f) => `${classesDir}/${f}`);
const text = execFileSync("javap", ["-c", "-p", "-s", "-constants", ...files], { encoding: "utf8", maxBuffer: 1 << 28 });

/** The app's own classes: parents, members, and the instructions of each method. */
const own = new Map();
let current;
let method;
for (const line of text.split("\n")) {
  const declared = line.match(/^(?:\w+ )*?(class|interface|enum) ([\w.$]+)(?:<.*?>)?(?: extends ([\w.$, ]+?))?(?:<.*?>)?(?: implements ([^{]+?))? \{$/);
  if (declared) {
    const above = [declared[3], declared[4]].filter(Boolean).join(",").replace(/<[^>]*>/g, "");
    current = { name: declared[2].replaceAll(".", "/"), above: above.split(",").map((s) => s.trim().replaceAll(".", "/")).filter(Boolean), members: new Set(), methods: [] };
    own.set(current.name, current);
    continue;
  }
  const member = line.match(/^ {2}\S.*?([\w.$<>]+)(?:\(.*\))?(?: throws .*)?( = .*)?;$/);
  if (member && current) {
    const name = line.includes("(") ? line.replace(/\(.*/, "").trim().split(" ").at(-1) : member[1];
    method = { name: name.replaceAll(".", "/") === current.name || line.includes(` ${current.name.replaceAll("/", ".")}(`) ? "<init>" : name, code: [] };
    continue;
  }
  const descriptor = line.match(/^ {4}descriptor: (\S+)$/);
  if (descriptor && method) {
    method.descriptor = descriptor[1];
    current.members.add(key(current.name, method.name, descriptor[1]));
    current.methods.push(method);
    continue;
  }
  const code = line.match(/^ +(\d+): (\w+) *(?:#?(-?\d+))?[^/]*(?:\/\/ (.*))?$/);
  if (code && method) method.code.push({ at: Number(code[1]), op: code[2], arg: Number(code[3]), comment: code[4] });
}

/** The level that is certain at an instruction, by the comparisons around it. */
function guards(code) {
  const ranges = [];
  code.forEach((step, i) => {
    const [constant, jump] = [code[i + 1], code[i + 2]];
    if (step.comment !== "Field android/os/Build$VERSION.SDK_INT:I" || jump?.op !== "if_icmplt") return;
    ranges.push({ from: jump.at, to: jump.arg, level: constant.arg });
  });
  return (at) => Math.max(minSdk, ...ranges.filter((r) => at > r.from && at < r.to).map((r) => r.level));
}

/** Where the app inherits a member: the first class above that is not the app's own. */
function outside(owner, name, descriptor) {
  const mine = own.get(owner);
  if (!mine) return owner;
  if (mine.members.has(key(owner, name, descriptor))) return undefined;
  const above = mine.above.map((a) => ({ a, owner: outside(a, name, descriptor) }));
  if (above.some((x) => x.owner === undefined)) return undefined;
  const found = above.map((x) => x.owner).find((o) => api.memberSince(o, name, descriptor));
  return found ?? (name === "<init>" || above.length > 0 ? above[0].owner : "java/lang/Object");
}

function checkMember(where, owner, name, descriptor, level) {
  if (owner.startsWith("[")) return; // arrays have only clone
  const at = outside(owner, name, descriptor);
  if (!at) return;
  const since = api.memberSince(at, name, descriptor);
  const what = key(at, name, descriptor);
  if (at.startsWith("android/")) {
    const inherited = [...listed.keys()].find((k) => k === what);
    if (inherited) used.add(inherited);
    else problems.add(`${where}: ${what} is not in api/calls.txt`);
  }
  if (since === undefined) problems.add(`${where}: Android has no ${what}`);
  else if (since > level) problems.add(`${where}: ${what} came with API ${since}; here it may be ${level}`);
}

function checkClass(where, name, level) {
  const plain = name.replace(/^"?\[*L?|;?"?$/g, "");
  if (plain.length < 2 || own.has(plain)) return;
  used.add(plain);
  const since = api.classSince(plain);
  if (since === undefined) problems.add(`${where}: Android has no class ${plain}`);
  else if (since > level) problems.add(`${where}: class ${plain} came with API ${since}; here it may be ${level}`);
}

for (const type of own.values()) {
  for (const above of type.above) checkClass(type.name, above, minSdk);
  for (const { name, descriptor, code } of type.methods) {
    const where = `${type.name}.${name}`;
    const levelAt = guards(code);
    for (const above of type.above) {
      const from = own.has(above) ? undefined : key(above, name, descriptor);
      if (from && listed.has(from)) used.add(from); // an override
    }
    for (const { at, op, comment } of code) {
      const ref = comment?.match(/^(?:Method|InterfaceMethod|Field) (?:("?\[?[\w/$;]+"?)\.)?"?(<init>|\w+)"?:(\S+)$/);
      if (ref) checkMember(where, (ref[1] ?? type.name).replace(/"/g, ""), ref[2], ref[3], levelAt(at));
      const named = comment?.match(/^class (\S+)$/);
      if (named) checkClass(where, named[1], levelAt(at));
      if (op === "invokedynamic") problems.add(`${where}: a lambda or string template, which the dex tool cannot translate`);
    }
  }
}

// Constants leave no trace in the compiled code: a class alone is listed for them.
for (const [entry, call] of listed) {
  if (call.name && !used.has(entry)) problems.add(`api/calls.txt:${call.line}: nobody uses ${entry}`);
}
const total = [...own.values()].reduce((n, t) => n + t.methods.filter((m) => m.code.length > 0).length, 0);
if (total < 50) problems.add(`only ${total} methods were found in ${classesDir}`);
for (const problem of problems) console.error(problem);
console.log(`API lint: ${own.size} classes, ${total} methods, ${used.size} uses of the API, ${problems.size} problems`);
process.exit(problems.size === 0 ? 0 : 1);
