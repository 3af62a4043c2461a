// Checks a built APK: what it asks of the phone, what others may start, whom it trusts, and
// that both languages say the same: node manifest.mjs APK RES_DIR
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [apk, resDir] = process.argv.slice(2);
const aapt = (...args) => execFileSync("aapt", args, { encoding: "utf8", maxBuffer: 1 << 26 });
const problems = [];
let checks = 0;
function same(what, got, want) {
  checks++;
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) problems.push(`${what}: got ${a}, want ${b}`);
}

/** The elements of a compiled XML file: {name, attributes, parent}. */
function tree(file) {
  const elements = [];
  const stack = [];
  for (const line of aapt("dump", "xmltree", apk, file).split("\n")) {
    const depth = line.search(/\S/);
    const element = line.match(/^ *E: ([\w-]+) /);
    if (element) {
      while (stack.length > 0 && stack.at(-1).depth >= depth) stack.pop();
      const entry = { name: element[1], attributes: {}, parent: stack.at(-1), depth };
      elements.push(entry);
      stack.push(entry);
      continue;
    }
    const attribute = line.match(/^ *A: (?:[\w:/.]*:)?(\w+)(?:\(0x\w+\))?=(?:"(.*?)"|\(type 0x(\w+)\)0x(\w+)|(@0x\w+))/);
    if (attribute) elements.at(-1).attributes[attribute[1]] = attribute[2] ?? attribute[5] ?? (attribute[3] === "12" ? attribute[4] !== "0" : Number(`0x${attribute[4]}`));
  }
  return elements;
}

const manifest = tree("AndroidManifest.xml");
const all = (name) => manifest.filter((e) => e.name === name);
const names = (name) => all(name).map((e) => e.attributes.name.replace("android.permission.", "")).sort();

same("package", all("manifest")[0].attributes.package, "org.fieldphone.app");
same("SDKs", all("uses-sdk")[0].attributes, { minSdkVersion: 23, targetSdkVersion: 33 });
same("permissions", names("uses-permission"), [
  "ACCESS_NETWORK_STATE", "CAMERA", "CHANGE_NETWORK_STATE", "FOREGROUND_SERVICE", "INTERNET", "MODIFY_AUDIO_SETTINGS", "POST_NOTIFICATIONS",
  "RECEIVE_BOOT_COMPLETED", "RECORD_AUDIO", "REQUEST_IGNORE_BATTERY_OPTIMIZATIONS", "USE_FULL_SCREEN_INTENT", "VIBRATE", "WAKE_LOCK",
]);
same("hardware that must be there", all("uses-feature").filter((e) => e.attributes.required !== false), []);
const app = all("application")[0].attributes;
same("backup", app.allowBackup, false);
same("clear text", app.usesCleartextTraffic, false);
same("debuggable", app.debuggable, undefined);
const components = manifest.filter((e) => ["activity", "service", "receiver", "provider", "activity-alias"].includes(e.name));
same("components, and whether others may start them", Object.fromEntries(components.map((e) => [e.attributes.name, e.attributes.exported])), {
  ".MainActivity": true, ".PairActivity": true, ".LineService": false, ".BootReceiver": false,
});
same("links", all("data").map((e) => e.attributes), [{ scheme: "fieldphone", host: "pair" }]);
same("actions", names("action"), ["android.intent.action.BOOT_COMPLETED", "android.intent.action.MAIN", "android.intent.action.MY_PACKAGE_REPLACED", "android.intent.action.VIEW"]);
same("WebView's reports", all("meta-data").map((e) => [e.attributes.name, e.attributes.value]), [
  ["android.webkit.WebView.EnableSafeBrowsing", false], ["android.webkit.WebView.MetricsOptOut", true],
]);

const resources = aapt("dump", "--values", "resources", apk);
/** A resource's name, and the line of its value. */
function resource(reference) {
  const at = resources.indexOf(`resource ${reference.slice(1)} `);
  const [line, value] = resources.slice(at).split("\n");
  return { name: line.replace(/^resource \S+ ([^:]+):([^:]+).*$/, "$2"), value };
}
const service = components.find((e) => e.name === "service").attributes;
const types = resources.match(/resource (0x\w+) org\.fieldphone\.app:integer\/service_types: t=0x10 d=(0x\w+)/);
same("the service's type", [service.foregroundServiceType, Number(types?.[2])], [`@${types?.[1]}`, 4 | 64 | 128]);
same("network security", resource(app.networkSecurityConfig).name, "xml/network_security_config");
same("whom it trusts", tree("res/xml/network_security_config.xml").map((e) => [e.name, e.attributes]), [
  ["network-security-config", {}], ["base-config", { cleartextTrafficPermitted: false }], ["trust-anchors", {}],
]);

const files = aapt("list", apk).trim().split("\n");
same("code in the package", files.filter((f) => !/^(AndroidManifest\.xml|resources\.arsc|classes\.dex|res\/.*\.xml|META-INF\/(MANIFEST\.MF|\w+\.(SF|RSA)))$/.test(f)), []);

const strings = (folder) => new Map([...readFileSync(`${resDir}/${folder}/strings.xml`, "utf8").matchAll(/<string name="(\w+)">(.*?)<\/string>/gs)].map((m) => [m[1], m[2]]));
const [english, chinese] = [strings("values"), strings("values-zh")];
same("texts in both languages", [...chinese.keys()].sort(), [...english.keys()].sort());
for (const [name, text] of english) {
  const holes = (s) => [...(s ?? "").matchAll(/%\d\$s/g)].map((m) => m[0]).sort();
  same(`what text ${name} inserts`, holes(chinese.get(name)), holes(text));
  if (name !== "app_name" && name !== "pair_address_hint") same(`text ${name} is translated`, /\p{Script=Han}/u.test(chinese.get(name) ?? ""), true);
}

for (const problem of problems) console.error(problem);
console.log(`manifest and resources: ${checks} checks, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
