// The whole page at the end of a session, with a server by hand.
import { beforeEach, describe, expect, test } from "vitest";
import { DeviceChoice } from "../src/call/devices";
import { MediaSource } from "../src/call/media";
import { Api } from "../src/protocol/api";
import { App } from "../src/state/app";
import { Settings } from "../src/state/settings";
import { Kept } from "../src/state/storage";
import { FakeSocket, FakeTime, settle, noFiles } from "./fakes";

const alice = { id: "alice", name: "Alice", admin: false, guest: false };
const grant = { user: alice, expires_at: 2_000_000_000 };

function storage(): Kept {
  const items = new Map<string, string>();
  const area = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  return new Kept(() => area as unknown as Storage);
}

let time: FakeTime;
let sockets: FakeSocket[];
let changed: () => void;
let refused: boolean;
let app: App;

const last = () => sockets[sockets.length - 1]!;

function welcome(): void {
  last().onOpen?.();
  last().say(
    "welcome",
    {
      user: { id: "alice", name: "Alice" },
      device: "web-12345678",
      stream: `stream-${sockets.length}`,
      resumed: false,
      server_time: 1_790_000_000_000,
      heartbeat_ms: 5_000,
      resume_ms: 30_000,
      calls: [],
    },
    { re: "1" },
  );
}

beforeEach(async () => {
  time = new FakeTime();
  sockets = [];
  refused = false;
  const answer = new Promise<void>((resolve) => (changed = resolve));
  const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
  app = new App({
    api: new Api(async (path) => {
      if (path === "/api/v1/me") return json(200, alice);
      if (path === "/api/v1/users") return json(200, { users: [] });
      if (!path.includes("password")) return json(404, { error: { code: "not_found" } });
      await answer;
      return refused ? json(403, { error: { code: "wrong_credentials" } }) : json(200, grant);
    }),
    settings: new Settings({ query: "", languages: ["en"], kept: storage() }),
    openSocket: () => {
      sockets.push(new FakeSocket());
      return last();
    },
    device: () => Promise.resolve("web-12345678"),
    timers: time,
    wallClock: () => 1_790_000_000_000 + time.now,
    random: () => 1,
    local: storage(),
    tab: storage(),
    files: noFiles,
    call: {
      source: new MediaSource(undefined),
      newPeer: () => {
        throw new Error("no calls here");
      },
      newStream: () => {
        throw new Error("no calls here");
      },
      random: (bytes) => bytes.fill(1),
      now: () => time.now,
      onPeer: () => undefined,
    },
    devices: new DeviceChoice({ media: undefined, kept: storage() }),
    brightestOf: () => Promise.resolve(undefined),
    tester: () => Promise.reject(new Error("no tests here")),
    onProblem: () => undefined,
  });
  await app.identity.boot();
  // Reading a Response takes more than a round of promises.
  await expect.poll(() => sockets.length).toBe(1);
  welcome();
});

async function changePassword(): Promise<void> {
  const change = app.identity.changePassword("old password", "new password");
  await settle();
  changed();
  await change;
}

describe("changing the password", () => {
  test("goes on with a new socket when the answer comes before the old one is closed", async () => {
    const old = last();
    await changePassword();
    expect(old.closed).toBe(true);
    expect(sockets).toHaveLength(2);
    welcome();
    old.onClose?.(4500); // as a real one does late; nobody listens
    await time.pass(60);
    expect(app.identity.session.value.kind).toBe("in");
    expect(app.connection.value).toEqual({ kind: "online" });
    expect(sockets).toHaveLength(2);
  });

  test("goes on with a new socket when the old one is closed before the answer comes", async () => {
    const change = app.identity.changePassword("old password", "new password");
    await settle();
    last().onClose?.(4500);
    expect(app.identity.session.value.kind).toBe("in");
    changed();
    await change;
    expect(sockets).toHaveLength(2);
    welcome();
    expect(app.identity.session.value.kind).toBe("in");
    expect(app.connection.value).toEqual({ kind: "online" });
  });

  test("leaves the connection alone when it is refused", async () => {
    refused = true;
    await expect(changePassword()).rejects.toMatchObject({ code: "wrong_credentials" });
    expect(sockets).toHaveLength(1);
    expect(app.connection.value).toEqual({ kind: "online" });
  });
});

test("a session that ends for another reason is told", () => {
  last().onClose?.(4500);
  expect(app.identity.session.value).toEqual({ kind: "out", why: "session_ended" });
});
