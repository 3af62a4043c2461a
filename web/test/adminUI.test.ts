// The dashboard as it is drawn, with a site as admins meet it.
import { h, type FunctionComponent } from "preact";
import { render } from "preact-render-to-string";
import { beforeEach, describe, expect, test } from "vitest";
import { Dashboard } from "../src/admin/Dashboard";
import { readLive } from "../src/admin/state/live";
import { findingsOf, readPathTest } from "../src/admin/state/path";
import { Calls } from "../src/admin/ui/Calls";
import { Changes } from "../src/admin/ui/Changes";
import { Confirm } from "../src/admin/ui/Confirm";
import { LogSection } from "../src/admin/ui/LogSection";
import { Overview } from "../src/admin/ui/Overview";
import { PathTest } from "../src/admin/ui/PathTest";
import { People, rowsOf } from "../src/admin/ui/People";
import { TagsDialog } from "../src/admin/ui/TagsDialog";
import { Relay } from "../src/admin/ui/Relay";
import { Segments } from "../src/admin/ui/Segments";
import { linePoints } from "../src/admin/ui/Spark";
import { AdminPlace } from "../src/ui/AdminPlace";
import { Provide } from "../src/ui/context";
import { Site } from "./admin";
import * as answers from "./adminAnswers";
import { live, users } from "./adminData";
import { settle } from "./fakes";

const views = { Overview, Calls, People, Relay, Segments, PathTest, LogSection };

let site: Site;

beforeEach(async () => {
  site = await new Site().open();
  await site.admin.log.load();
  await site.admin.firewall.load();
  await site.admin.tests.start({ kind: "pairs", people: [] });
  await site.time.pass(1_000);
});

/** What is read, without the markup. */
const read = (html: string) => html.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");

/** The accessible names of buttons. */
const buttons = (html: string) =>
  [...html.matchAll(/<button([^>]*)>(.*?)<\/button>/gs)].map(
    ([, attributes, inner]) => / aria-label="([^"]*)"/.exec(attributes!)?.[1] ?? read(inner!).trim(),
  );

describe.each(["en", "zh-CN"])("in %s", (language) => {
  test.each(Object.keys(views) as (keyof typeof views)[])("%s has words for everything", (name) => {
    site.app.settings.setLanguage(language);
    const text = read(site.draw(views[name])) + buttons(site.draw(views[name])).join(" ");
    expect(text).not.toMatch(/undefined|NaN|Infinity|\[object|\{\w+[|}]/);
    // No code shows through: those of the fixture all have words.
    expect(text).not.toMatch(
      /\b(udp_blocked|ports_tight|link_local|settings\.change|turn_udp|host_direct)\b/,
    );
  });
});

test("the names that the lab relies on", async () => {
  const names = (view: FunctionComponent) => buttons(site.draw(view));
  expect(names(Calls)).toContain("End call of Ada Lovelace and Ben Okri");
  expect(names(Relay)).toContain("End allocation of Ben Okri");
  expect(names(People)).toEqual(expect.arrayContaining(["Disable Ben Okri", "Enable Gus", "Sign out Dina"]));
  expect(names(PathTest)).toEqual(
    expect.arrayContaining(["Ask all clients", "Test all pairs", "Run again", "Copy rule"]),
  );
  expect(names(Segments)).toContain("Copy rules");
  expect(names(LogSection)).toContain("Undo");
  expect(site.draw(PathTest)).toMatch(/<section[^>]* aria-label="Result"/);
  expect(read(site.draw(Relay))).toMatch(/First relay port .*Last relay port/);
  site.admin.editor.set("relay_ports.max", "49999");
  await settle();
  expect(names(Changes)).toEqual(expect.arrayContaining(["Preview", "Apply"]));
});

test("calls say how both ends go, and how well", () => {
  const text = read(site.draw(Calls));
  expect(text).toContain("through the relay over TCP 10.77.2.2:49207 34 ms 2.1 %");
  expect(text).toContain("direct to the other's relay port");
  expect(text).toContain("no report yet");
  expect(text).toContain("12:29"); // 748 s and the second that passed
});

test("people come with their devices, those who are online first", () => {
  const rows = rowsOf(
    users.users.map((user) => ({ ...user, tags: [] })),
    readLive(live).people,
  );
  expect(rows.map((row) => row.id)).toEqual(["ada", "ben", "guest-7f3a", "eva", "chen", "farid", "gus"]);
  expect(rows[1]!.devices.map((device) => device.segment)).toEqual(["south", "north"]);
  expect(rowsOf(undefined, readLive(live).people)).toHaveLength(5);
  // One cannot lock oneself out by accident.
  expect(buttons(site.draw(People))).not.toContain("Disable Ada Lovelace");
});

test("tags are shown, and edited in a dialog that each person has", async () => {
  site.answers["GET admin/users"] = () => ({
    body: {
      users: users.users.map((user) => (user.id === "ben" ? { ...user, tags: ["medics", "night"] } : user)),
    },
  });
  await site.admin.setUser("ben", { tags: ["medics", "night"] });
  await site.time.pass(1_000);
  expect(site.to("PATCH", "admin/users/ben")[0]!.body).toEqual({ tags: ["medics", "night"] });
  const html = site.draw(People);
  expect(read(html)).toContain("medics night");
  expect(buttons(html)).toContain("Tags of Ben Okri");
  const dialog = site.draw(() =>
    h(TagsDialog, { id: "ben", name: "Ben Okri", tags: ["medics"], onClose: () => undefined }),
  );
  expect(dialog).toMatch(
    /role="dialog"[^>]*aria-label="Tags of Ben Okri"|aria-label="Tags of Ben Okri"[^>]*role="dialog"/,
  );
  expect(buttons(dialog)).toEqual(expect.arrayContaining(["Remove the tag medics", "Add", "Done"]));
});

test("what an administrator does is shown at once, not at the next turn", async () => {
  const before = site.to("GET", "admin/users").length;
  await site.admin.setUser("ben", { disabled: true });
  await settle();
  expect(site.to("PATCH", "admin/users/ben")[0]!.body).toEqual({ disabled: true });
  expect(site.to("GET", "admin/users")).toHaveLength(before + 1);
});

test("it is asked first, with what happens to whom", () => {
  site.admin.question.value = {
    title: "Disable Ben Okri?",
    text: "Ben Okri is signed out everywhere at once.",
    action: "Disable",
    danger: true,
    run: () => site.admin.setUser("ben", { disabled: true }),
  };
  const html = site.draw(Confirm);
  expect(html).toMatch(/role="dialog"[^>]*aria-label="Disable Ben Okri\?"/);
  // Cancel has the focus first: Enter by accident does nothing.
  expect(html).toMatch(/<button[^>]*data-first[^>]*>Cancel/);
  expect(site.to("PATCH", "admin/users/ben")).toHaveLength(0);
});

test("ending what is over already is no failure, other refusals are", async () => {
  const refusal = (code: string, status: number) => () => ({
    status,
    body: { error: { code, message: "" } },
  });
  site.answers["DELETE admin/allocations/18"] = refusal("not_found", 404);
  await expect(site.admin.endAllocation("18")).resolves.toBeUndefined();
  site.answers["PATCH admin/users/farid"] = refusal("last_admin", 409);
  await expect(site.admin.setUser("farid", { admin: false })).rejects.toMatchObject({ code: "last_admin" });
});

test("a setting that the environment decides is shown as fixed, with the reason", () => {
  const html = site.draw(Relay);
  const field = /<div class="setting[^"]*"[^>]*><label[^>]*>Rate of all, each way.*?<\/div><\/div>/s.exec(
    html,
  )![0];
  expect(field).toMatch(/<input[^>]* disabled/);
  expect(read(field)).toContain("Set by the environment or the command line");
});

test("changes show what they would do before they are applied", async () => {
  site.admin.editor.set("relay_ports.min", "50000");
  site.admin.editor.set("relay_ports.max", "50199");
  await site.time.pass(600);
  const text = read(site.draw(Changes));
  expect(text).toMatch(/First relay port before: 49160 → after: 50000/);
  expect(text).toContain("12 calls use ports outside of it; they keep them until they end.");
  expect(site.draw(Relay)).toMatch(/200 ports, on each address/);
});

test("a problem stands at its field", async () => {
  const problems = [{ key: "peers.deny[0]", code: "bits_set", message: "bits are set after the prefix" }];
  site.answers["POST admin/settings/preview"] = () => ({ body: { problems, effects: [] } });
  site.admin.editor.set("peers.deny", "10.77.9.1/24");
  await site.time.pass(600);
  const html = site.draw(Relay);
  const field = /<label[^>]*>Deny<\/label>.*?field-error[^>]*>(.*?)<\/p>/s.exec(html)![1];
  expect(field).toBe(
    "This is an address in a network, not the network itself. (bits are set after the prefix)",
  );
  expect(html).toMatch(/<textarea[^>]* aria-invalid="?true/);
});

test("another administrator's change is told by name, with what they changed", async () => {
  const theirs = JSON.parse(JSON.stringify(answers.settings)) as typeof answers.settings;
  theirs.revision = "r8";
  theirs.settings.limits.allocations_per_session = 8;
  site.answers["PUT admin/settings"] = () => ({
    status: 409,
    body: {
      error: {
        code: "settings_changed",
        message: "",
        by: { id: "farid", name: "Farid" },
        at: live.server_time,
      },
    },
  });
  site.answers["GET admin/settings"] = () => ({ body: theirs });
  site.admin.editor.set("relay_ports.max", "49999");
  await site.admin.editor.apply();
  const text = read(site.draw(Changes));
  expect(text).toMatch(/Farid changed settings at \d\d:\d\d:\d\d; look at theirs, then apply yours again\./);
  expect(text).toMatch(/Allocations of one session before: 12 → after: 8/);
  expect(text).toMatch(/Last relay port before: 49259 → after: 49999/);
});

test("a path test shows each finding once, with who met it and the rule", () => {
  const found = findingsOf(readPathTest(answers.pathTest));
  expect(found.map(({ finding, who }) => [finding.code, finding.level, who])).toEqual([
    ["udp_blocked", "failure", ["Ben Okri", "Ada Lovelace"]],
  ]);
  const text = read(site.draw(PathTest));
  expect(text).toContain("UDP to port 3478 does not pass; calls go over TCP, with longer delays.");
  expect(text).toContain("nft insert rule inet filter forward ip saddr 10.77.2.0/24");
  site.admin.firewall.choose("ufw");
  expect(read(site.draw(PathTest))).toContain("ufw route allow proto udp");
  expect(site.local.get("firewall")).toBe("ufw");
});

test("a path test is followed until it is done, and can be run again", async () => {
  const asked = () => site.to("GET", "admin/path-tests/t1").length;
  const before = asked();
  await site.time.pass(5_000);
  expect(asked()).toBe(before); // it was done
  site.answers["GET admin/path-tests/t1"] = () => ({ body: answers.running });
  await site.admin.tests.start({ kind: "self", people: ["ben"] });
  expect(site.to("POST", "admin/path-tests")[1]!.body).toEqual({ kind: "self", people: ["ben"] });
  await site.time.pass(2_500);
  expect(asked()).toBe(before + 3);
  expect(read(site.draw(PathTest))).toContain("1 of 3 are ready");
  site.answers["GET admin/path-tests/t1"] = () => ({ body: answers.pathTest });
  await site.time.pass(5_000);
  expect([asked(), site.admin.tests.running.value]).toEqual([before + 4, false]);
});

test("the log tells who did what, undoes, and shows that it did", async () => {
  const text = read(site.draw(LogSection));
  expect(text).toContain("Farid changed settings Relay ports before: 49160–49671 → after: 49160–49259");
  expect(text).toContain("Whom the relay reaches before: Any address → after: Signed-in people");
  expect(text).toContain("The server's console loaded settings");
  await site.admin.undo("41");
  await settle();
  expect(site.to("POST", "admin/log/41/undo")).toHaveLength(1);
  expect(site.to("GET", "admin/log").length).toBeGreaterThan(1);
  expect(site.to("GET", "admin/settings")).toHaveLength(2);
});

describe("the whole page", () => {
  const page = () => render(h(Provide, { value: site.app }, h(Dashboard, null)));
  const place = () => render(h(Provide, { value: site.app }, h(AdminPlace, null)));

  test("is named and navigated by the names that people rely on", () => {
    const html = page();
    expect(html).toMatch(/<h1>Administration<\/h1>/);
    const nav = /<nav.*<\/nav>/s.exec(html)![0];
    expect(buttons(nav)).toEqual([
      "Overview",
      "Calls",
      "People",
      "Announcements",
      "Relay",
      "Segments",
      "Path test",
      "Log",
    ]);
    expect(nav).toMatch(/<button[^>]*aria-current="page"[^>]*>.*?Overview/s);
  });

  test("is not there while the calls are in front", () => {
    site.app.view.admin.value = undefined;
    expect([page(), place()]).toEqual(["", ""]);
  });

  test("leads back to one's own call, which goes on", () => {
    const since = live.server_time - 192_000;
    const call = { call: "c-12345678", peer: { id: "ben", name: "Ben Okri" }, since };
    site.app.calls.welcome({
      user: site.app.me!,
      device: "web-12345678",
      stream: "s-12345678",
      resumed: false,
      server_time: live.server_time,
      heartbeat_ms: 5_000,
      resume_ms: 30_000,
      calls: [{ ...call, role: "offerer", state: "active", gen: 1, media: "video" }],
    });
    const bar = /<section class="call-bar".*?<\/section>/s.exec(page())![0];
    expect(read(bar)).toContain("In a call with Ben Okri 3:12");
    expect(buttons(bar)).toEqual(["Hang up", "Show it"]);
  });

  test("makes room for a call that is taken there", () => {
    site.app.call({ id: "ben", name: "Ben Okri" }, "audio");
    expect(site.app.view.admin.value).toBeUndefined();
  });

  test("of somebody who is no administrator says whose it is", () => {
    site.app.identity.session.value = { kind: "in", user: { id: "eva", name: "Eva", admin: false } };
    expect(read(place())).toContain("This page is for administrators");
    expect(buttons(place())).toEqual(["Back to Fieldphone"]);
  });
});

test("what is old says so, stays, and is live again after a restart", async () => {
  site.down = true;
  await site.time.pass(7_000);
  expect(site.admin.staleFor.value).toBeGreaterThan(6_000);
  expect(read(site.draw(Calls))).toContain("Ada Lovelace");
  site.down = false;
  await site.time.pass(31_000);
  expect(site.admin.staleFor.value).toBe(0);
});

test("who is no administrator any more is told", async () => {
  site.answers["GET admin/live"] = () => ({
    status: 403,
    body: { error: { code: "admin_required", message: "" } },
  });
  await site.time.pass(3_000);
  expect(site.admin.refused.value).toBe(true);
});

test("nothing is asked while the dashboard is not in front", async () => {
  site.admin.close();
  const asked = () => site.asked.filter(({ path }) => path.startsWith("admin/")).length;
  const before = asked();
  await site.time.pass(120_000);
  expect(asked()).toBe(before);
});

test("a line through few values and through none", () => {
  expect(linePoints([], 1, 60)).toBe("");
  expect(linePoints([0, 50, 100], 100, 3)).toBe("0.0,23.0 50.0,12.5 100.0,2.0");
  expect(linePoints([-5, 0], 1, 2)).toBe("0.0,23.0 100.0,23.0");
});
