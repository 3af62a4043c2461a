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
  label: string;
  text: string;
}

/** A leg that fails, why, and the firewall rules that mend it. */
export interface Finding {
  leg: string;
  code: string;
  target: string;
  segment: string;
  rules: Rule[];
}

export interface TestDevice {
  user: { id: string; name: string };
  device: string;
  segment: string;
  /** waiting, running, done, gone. */
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

const rule = (f: Loose): Rule => ({
  flavour: f.text("flavour"),
  label: f.text("label") || f.text("flavour"),
  text: f.text("text"),
});

const finding = (f: Loose): Finding => ({
  leg: f.text("leg"),
  code: f.text("code"),
  target: f.text("target"),
  segment: f.text("segment"),
  rules: f.list("rules", rule),
});

export const readFindings = (f: Loose): Finding[] => f.list("findings", finding);

/** A user as an object with a name, or only the id. */
function userOf(f: Loose): { id: string; name: string } {
  if (typeof f.raw.user === "string") return { id: f.raw.user, name: f.raw.user };
  const user = f.object("user");
  return { id: user.text("id"), name: user.text("name") || user.text("id") };
}

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
      users: g.texts("users"),
      finding: g.has("finding") ? finding(g.object("finding")) : undefined,
    })),
  };
}

/** The findings of a test, each once, with who met them. */
export function findingsOf(test: PathTest): { finding: Finding; who: string[] }[] {
  const found = new Map<string, { finding: Finding; who: string[] }>();
  const add = (each: Finding, who: string[]) => {
    const key = [each.leg, each.code, each.target, each.segment].join("\n");
    const known = found.get(key);
    if (!known) found.set(key, { finding: each, who: [...new Set(who)] });
    else known.who = [...new Set([...known.who, ...who])];
  };
  for (const device of test.devices) for (const each of device.findings) add(each, [device.user.name]);
  for (const cell of test.grid) if (cell.finding) add(cell.finding, cell.users);
  return [...found.values()];
}
