// Path tests: legs, what was found, and the tests that an administrator asks for.
import { Loose } from "./loose";

export interface Leg {
  leg: string;
  /** ok, slow, failed or skipped. */
  state: string;
  ms: number | undefined;
  code: string;
  target: string;
}

export interface Rule {
  flavour: string;
  /** Where it goes: router or server; empty where it does not matter. */
  at: string;
  label: string;
  text: string;
}

/** What a test came to, and the firewall rules that mend it. */
export interface Finding {
  level: "failure" | "warning" | "info";
  leg: string;
  code: string;
  target: string;
  segment: string;
  /** The code that the leg gave. */
  because: string;
  params: Record<string, string>;
  rules: Rule[];
}

export interface TestDevice {
  user: { id: string; name: string };
  device: string;
  segment: string;
  /** waiting, running, done, gone or expired. */
  state: string;
  legs: Leg[];
  findings: Finding[];
}

export interface GridCell {
  from: string;
  to: string;
  transport: string;
  state: string;
  leg: string;
  code: string;
  ms: number | undefined;
  users: string[];
  finding: Finding | undefined;
}

export interface PathTest {
  id: string;
  kind: string;
  started: number;
  done: boolean;
  devices: TestDevice[];
  grid: GridCell[];
}

export const readLegs = (f: Loose): Leg[] =>
  f.list("legs", (l) => ({
    leg: l.text("leg"),
    state: l.text("state"),
    ms: l.maybeNumber("ms"),
    code: l.text("code"),
    target: l.text("target"),
  }));

export const readRule = (f: Loose): Rule => ({
  flavour: f.text("flavour"),
  at: f.text("at"),
  label: f.text("label") || f.text("flavour"),
  text: f.text("text"),
});

const levels = ["failure", "warning", "info"] as const;

const finding = (f: Loose): Finding => ({
  level: levels.find((level) => level === f.text("level")) ?? "failure",
  leg: f.text("leg"),
  code: f.text("code"),
  target: f.text("target"),
  segment: f.text("segment"),
  because: f.text("because"),
  params: f.object("params").plain(),
  rules: f.list("rules", readRule),
});

export const readFindings = (f: Loose): Finding[] => f.list("findings", finding);

/** A user as an object with a name, or only the id. */
function userOf(f: Loose): { id: string; name: string } {
  if (typeof f.raw.user === "string") return { id: f.raw.user, name: f.raw.user };
  const user = f.object("user");
  return { id: user.text("id"), name: user.text("name") || user.text("id") };
}

/** Names, alone or in pairs. */
const usersIn = (value: unknown): string[] =>
  Array.isArray(value) ? [...new Set(value.flat().filter((name) => typeof name === "string"))] : [];

export function readPathTest(value: unknown): PathTest {
  const f = new Loose(value);
  return {
    id: f.text("id"),
    kind: f.text("kind"),
    started: f.number("started"),
    done: f.flag("done"),
    devices: f.list("devices", (d) => ({
      user: userOf(d),
      device: d.text("device"),
      segment: d.text("segment"),
      state: d.text("state"),
      legs: readLegs(d),
      findings: readFindings(d),
    })),
    grid: f.list("grid", (g) => ({
      from: g.text("from"),
      to: g.text("to"),
      transport: g.text("transport"),
      state: g.text("state"),
      leg: g.text("leg"),
      code: g.text("code"),
      ms: g.maybeNumber("ms"),
      users: usersIn(g.raw.users),
      finding: g.has("finding") ? finding(g.object("finding")) : undefined,
    })),
  };
}

/** The findings of a test, each once, with who met them. */
export function findingsOf(test: PathTest): { finding: Finding; who: string[] }[] {
  const found = new Map<string, { finding: Finding; who: string[] }>();
  const names = new Map(test.devices.map(({ user }) => [user.id, user.name]));
  const add = (each: Finding, who: string[]) => {
    const key = [each.leg, each.code, each.target, each.segment].join("\n");
    const known = found.get(key);
    if (!known) found.set(key, { finding: each, who: [...new Set(who)] });
    else {
      known.who = [...new Set([...known.who, ...who])];
      if (levels.indexOf(each.level) < levels.indexOf(known.finding.level)) known.finding = each;
    }
  };
  for (const device of test.devices) for (const each of device.findings) add(each, [device.user.name]);
  for (const cell of test.grid)
    if (cell.finding) {
      add(
        cell.finding,
        cell.users.map((id) => names.get(id) ?? id),
      );
    }
  const order = (each: { finding: Finding }) => levels.indexOf(each.finding.level);
  return [...found.values()].sort((a, b) => order(a) - order(b));
}
