import { beforeEach, describe, expect, test } from "vitest";
import { Editor } from "../src/admin/state/editor";
import {
  newSegment,
  numberFrom,
  overlay,
  segmentKey,
  segmentsOf,
  type Json,
} from "../src/admin/state/settings";
import { ApiError } from "../src/protocol/api";
import { settings as loaded } from "./adminAnswers";
import { FakeTime, settle } from "./fakes";

type Body = Record<string, Record<string, unknown>>;

let time: FakeTime;
let server: typeof loaded & { settings: Body };
let previewed: Body[];
let saved: { revision: string | number; settings: Body }[];
let preview: () => Promise<unknown>;
let refuse: ApiError | undefined;
let done: number;
let editor: Editor;

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

beforeEach(async () => {
  time = new FakeTime();
  server = copy(loaded) as unknown as typeof server;
  previewed = [];
  saved = [];
  refuse = undefined;
  done = 0;
  preview = () => Promise.resolve({ problems: [], effects: [{ code: "ports_kept", params: { calls: 12 } }] });
  editor = new Editor({
    load: () => Promise.resolve(copy(server)),
    preview: (body) => {
      previewed.push(body as Body);
      return preview();
    },
    save: (revision, body) => {
      saved.push({ revision, settings: body as Body });
      if (refuse) return Promise.reject(refuse);
      if (revision !== server.revision) {
        const error = { code: "settings_changed", by: { id: "farid", name: "Farid" }, at: 1_795_426_180_000 };
        return Promise.reject(new ApiError("internal", undefined, undefined, { error }));
      }
      server = { ...server, revision: "r9", settings: body as typeof server.settings };
      return Promise.resolve(copy(server));
    },
    timers: time,
    onSaved: () => done++,
  });
  await editor.load();
});

/** Farid changes one setting meanwhile. */
function another(section: string, name: string, value: unknown): void {
  server = copy(server);
  server.revision = "r8";
  (server.settings as Body)[section]![name] = value;
}

describe("a preview", () => {
  test("is asked for once, when the typing pauses", async () => {
    for (const text of ["5", "50", "500", "5000", "50000"]) {
      editor.set("relay_ports.min", text);
      editor.set("relay_ports.max", "50199");
      await time.pass(200);
    }
    expect(previewed).toHaveLength(0);
    await time.pass(500);
    expect(previewed.map((body) => body.relay_ports)).toEqual([{ min: 50_000, max: 50_199 }]);
    expect(editor.preview.value).toMatchObject({
      kind: "known",
      effects: [{ code: "ports_kept", params: { calls: "12" } }],
    });
  });

  test("about what is not there any more is not shown", async () => {
    let late: (value: unknown) => void = () => undefined;
    preview = () => new Promise((resolve) => (late = resolve));
    editor.set("relay_ports.max", "49999");
    await time.pass(600);
    editor.set("relay_ports.max", "49998");
    late({ problems: [{ key: "relay_ports", code: "range_taken", message: "" }], effects: [] });
    await settle();
    expect([editor.preview.value.kind, editor.problems.value]).toEqual(["none", []]);
  });

  test("is not asked for what can be seen to be wrong", async () => {
    editor.set("relay_ports.min", "many");
    await time.pass(1_000);
    await editor.look();
    expect(editor.problems.value).toEqual([{ key: "relay_ports.min", code: "no_number", message: "" }]);
    editor.set("relay_ports.min", "60000");
    expect(editor.problems.value.map((p) => p.code)).toEqual(["reversed"]);
    expect([previewed.length, editor.mayApply.value]).toEqual([0, false]);
  });

  test("that fails says so and can be asked for again", async () => {
    preview = () => Promise.reject(new ApiError("unreachable"));
    editor.set("limits.kbps", "1000");
    await time.pass(600);
    expect(editor.preview.value).toMatchObject({ kind: "failed", error: { code: "unreachable" } });
    preview = () => Promise.resolve({ effects: [] });
    await editor.look();
    expect(editor.preview.value.kind).toBe("known");
  });

  test("with problems keeps from applying", async () => {
    preview = () =>
      Promise.resolve({ problems: [{ key: "relay_ports", code: "range_own_port", message: "3478" }] });
    editor.set("relay_ports.min", "3000");
    await time.pass(600);
    expect(editor.mayApply.value).toBe(false);
    await editor.apply();
    expect(saved).toHaveLength(0);
  });
});

describe("applying", () => {
  test("sends what is typed over what came, with what this page does not know", async () => {
    (server.settings as Body).limits!.from_tomorrow = 5;
    await editor.load();
    editor.set("peers.deny", "10.0.0.0/8, 192.168.7.0/24\n");
    editor.set("registration.guests", false);
    await editor.apply();
    const { limits, peers, registration } = saved[0]!.settings;
    expect(saved[0]!.revision).toBe("r7");
    expect(limits).toMatchObject({ from_tomorrow: 5, allocations_per_session: 12 });
    expect(peers).toEqual({ mode: "clients", allow: [], deny: ["10.0.0.0/8", "192.168.7.0/24"] });
    expect(registration).toMatchObject({ guests: false, policy: "invite" });
    expect([editor.edits.value.size, editor.saving.value, done]).toEqual([0, { kind: "saved", count: 2 }, 1]);
  });

  test("keeps what is typed while it is under way", async () => {
    editor.set("limits.allocations", "500");
    const apply = editor.apply();
    editor.set("limits.allocations_per_session", "7");
    await apply;
    expect([...editor.edits.value]).toEqual([["limits.allocations_per_session", "7"]]);
  });

  test("that the server refuses shows each problem and keeps what is typed", async () => {
    const error = {
      code: "settings_invalid",
      problems: [{ key: "limits.kbps", code: "below_other", message: "it is less" }],
    };
    refuse = new ApiError("internal", undefined, undefined, { error });
    editor.set("limits.kbps", "5");
    await editor.apply();
    expect(editor.problems.value).toEqual([
      { key: "limits.kbps", code: "below_other", message: "it is less" },
    ]);
    expect([editor.text("limits.kbps"), done]).toEqual(["5", 0]);
  });

  test("that does not get through keeps what is typed and can be tried again", async () => {
    refuse = new ApiError("unreachable");
    editor.set("limits.allocations", "500");
    await editor.apply();
    expect(editor.saving.value).toMatchObject({ kind: "failed", error: { code: "unreachable" } });
    refuse = undefined;
    await editor.apply();
    expect([saved.length, editor.saving.value.kind]).toEqual([2, "saved"]);
  });

  test("is said for a while", async () => {
    editor.set("limits.allocations", "500");
    await editor.apply();
    await time.pass(9_000);
    expect(editor.saving.value.kind).toBe("saved");
    await time.pass(2_000);
    expect(editor.saving.value.kind).toBe("no");
  });

  test("nothing sends nothing", async () => {
    editor.set("limits.allocations", "0");
    await editor.apply();
    expect([editor.edits.value.size, saved.length]).toEqual([0, 0]);
  });
});

describe("another administrator who is quicker", () => {
  test("is named with what they changed, and nothing typed is lost", async () => {
    another("limits", "allocations_per_session", 8);
    editor.set("relay_ports.max", "49999");
    await editor.apply();
    expect(editor.conflict.value).toEqual({
      who: "Farid",
      at: 1_795_426_180_000,
      changes: [{ name: "limits.allocations_per_session", before: "12", after: "8" }],
    });
    expect(editor.text("relay_ports.max")).toBe("49999");
    expect(editor.text("limits.allocations_per_session")).toBe("8");
    await time.pass(600);
    expect(previewed[0]!.limits).toMatchObject({ allocations_per_session: 8 });
    await editor.apply();
    expect(saved.map((each) => each.revision)).toEqual(["r7", "r8"]);
    expect(saved[1]!.settings).toMatchObject({
      relay_ports: { max: 49_999 },
      limits: { allocations_per_session: 8 },
    });
    expect([editor.conflict.value, editor.saving.value.kind]).toEqual([undefined, "saved"]);
  });

  test("who did the same leaves nothing to apply", async () => {
    another("limits", "allocations_per_session", 8);
    editor.set("limits.allocations_per_session", "8");
    await editor.apply();
    expect([editor.edits.value.size, editor.changes.value.length]).toEqual([0, 0]);
    expect(editor.conflict.value?.who).toBe("Farid");
  });

  test("is noticed when the settings are fetched anew while something is typed", async () => {
    editor.set("relay_ports.max", "49999");
    another("peers", "mode", "any");
    await editor.load();
    expect(editor.conflict.value?.changes).toEqual([{ name: "peers.mode", before: "clients", after: "any" }]);
    expect(editor.text("relay_ports.max")).toBe("49999");
  });

  test("is no matter while nothing is typed", async () => {
    another("peers", "mode", "any");
    await editor.load();
    expect([editor.conflict.value, editor.text("peers.mode")]).toEqual([undefined, "any"]);
  });
});

describe("segments", () => {
  const settings = copy(loaded.settings) as unknown as Json;
  const south = {
    name: "south",
    clients: "10.77.2.0/24",
    server_addresses: "10.77.2.2",
    turn_addresses: "",
    transports: ["tcp"],
  };
  const names = (edits: [string, typeof south | null][], of = settings) =>
    segmentsOf(overlay(of, new Map(edits))).map((segment) => [segment.name, segment.clients]);

  test("are changed, removed and added by name", () => {
    expect(names([[segmentKey("south"), { ...south, clients: "10.1.0.0/16 10.2.0.0/16" }]])).toEqual([
      ["south", ["10.1.0.0/16", "10.2.0.0/16"]],
    ]);
    expect(names([[segmentKey("south"), null]])).toEqual([]);
    expect(names([[segmentKey("+1"), { ...south, name: " east " }]])).toEqual([
      ["south", ["10.77.2.0/24", "10.77.3.0/24"]],
      ["east", ["10.77.2.0/24"]],
    ]);
  });

  test("that another removed meanwhile come back with what is typed", () => {
    expect(names([[segmentKey("south"), south]], { ...settings, segments: [] })).toEqual([
      ["south", ["10.77.2.0/24"]],
    ]);
  });

  test("without a name or clients are not sent", () => {
    editor.set(segmentKey("+1"), newSegment);
    expect(editor.problems.value.map((p) => [p.key, p.code])).toEqual([
      ["segment:+1.name", "no_name"],
      ["segment:+1.clients", "empty"],
    ]);
  });
});

test.each([
  ["49160", 49_160],
  [" 49 160 ", 49_160],
  ["0", 0],
  ["", undefined],
  ["-1", undefined],
  ["4.5", undefined],
  ["1e5", undefined],
  ["9".repeat(20), undefined],
])("the number in %j is %j", (text, want) => {
  expect(numberFrom(text)).toBe(want);
});
