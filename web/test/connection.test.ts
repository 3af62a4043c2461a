import { beforeEach, describe, expect, test } from "vitest";
import { Connection, stopReason, type ConnectionState } from "../src/protocol/connection";
import type { RunningCall, ServerMessage, Welcome } from "../src/protocol/messages";
import { RequestError } from "../src/protocol/pending";
import { FakeSocket, FakeTime, settle } from "./fakes";

const welcomeData = {
  user: { id: "alice", name: "Alice" },
  device: "web-12345678",
  stream: "stream-1",
  resumed: false,
  server_time: 1_790_000_000_000,
  heartbeat_ms: 5_000,
  resume_ms: 30_000,
  calls: [],
};

let time: FakeTime;
let sockets: FakeSocket[];
let states: ConnectionState[];
let messages: ServerMessage[];
let welcomes: Welcome[];
let problems: string[];
let probe: "ok" | "unauthenticated" | "unreachable";
let running: RunningCall[];
let line: Connection;

beforeEach(() => {
  time = new FakeTime();
  [sockets, states, messages, welcomes, problems, running] = [[], [], [], [], [], []];
  probe = "ok";
  line = new Connection({
    device: "web-12345678",
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    probe: () => Promise.resolve(probe),
    timers: time,
    now: () => time.now,
    random: () => 1,
    runningCalls: () => running,
    onState: (state) => states.push(state),
    onWelcome: (welcome) => welcomes.push(welcome),
    onMessage: (message) => messages.push(message),
    onProblem: (problem) => problems.push(problem),
  });
});

const last = () => sockets[sockets.length - 1]!;
const state = () => states[states.length - 1]!;

function connect(change: object = {}): FakeSocket {
  line.start();
  return welcome(change);
}

function welcome(change: object = {}): FakeSocket {
  const socket = last();
  socket.onOpen?.();
  socket.say("welcome", { ...welcomeData, ...change }, { re: "1" });
  return socket;
}

describe("hello", () => {
  test("names the device and nothing to resume at first", () => {
    const socket = connect();
    expect(socket.sent[0]).toMatchObject({ type: "hello", data: { device: "web-12345678" } });
    expect(socket.sent[0]!.data).not.toHaveProperty("stream");
    expect(socket.sent[0]!.data).not.toHaveProperty("calls");
    expect(state()).toEqual({ kind: "online" });
    expect(welcomes).toHaveLength(1);
  });

  test("resumes the stream from the last number seen and names the running calls", async () => {
    const socket = connect();
    socket.say("call.ringing", { call: "c-12345678" }, { seq: 3 });
    running = [{ call: "c-12345678", peer: "bob", role: "offerer", gen: 1, media: "video" }];
    socket.onClose?.(1006);
    await time.pass(300);
    const second = last();
    expect(second).not.toBe(socket);
    second.onOpen?.();
    expect(second.sent[0]!.data).toEqual({
      device: "web-12345678",
      stream: "stream-1",
      last_seq: 3,
      calls: running,
    });
  });
});

describe("the stream", () => {
  test("delivers each number once", () => {
    const socket = connect();
    const say = (seq: number) => socket.say("call.ringing", { call: `c-0000000${seq}` }, { seq });
    for (const seq of [1, 2, 2, 1, 3]) say(seq);
    expect(messages.map((message) => message.seq)).toEqual([1, 2, 3]);
  });

  test("goes on after a resume and begins anew without", async () => {
    connect().say("call.ringing", { call: "c-12345678" }, { seq: 5 });
    last().onClose?.(1006);
    await time.pass(300);
    welcome({ resumed: true }).say("call.ringing", { call: "c-12345678" }, { seq: 5 });
    expect(messages).toHaveLength(1);
    last().onClose?.(1006);
    await time.pass(300);
    welcome({ resumed: false, stream: "stream-2" }).say("call.ringing", { call: "c-12345678" }, { seq: 1 });
    expect(messages).toHaveLength(2);
  });

  test("goes past what it does not understand", () => {
    const socket = connect();
    socket.say("call.teleport", {}, { seq: 1 });
    socket.say("ping", { server_time: 1 });
    expect(problems).toHaveLength(1);
    expect(socket.of("pong")[0]!.data).toEqual({ seq: 1 });
  });
});

describe("heartbeats", () => {
  test("a ping is answered with the last number seen", () => {
    const socket = connect();
    socket.say("call.ringing", { call: "c-12345678" }, { seq: 7 });
    socket.say("ping", { server_time: 1 });
    expect(socket.of("pong")).toEqual([{ type: "pong", data: { seq: 7 } }]);
  });

  test("silence of two and a half heartbeats brings a new socket", async () => {
    const socket = connect();
    await time.pass(12_000);
    expect(sockets).toHaveLength(1);
    socket.say("ping", { server_time: 1 });
    await time.pass(12_400);
    expect(sockets).toHaveLength(1);
    await time.pass(600);
    expect(socket.closed).toBe(true);
    expect(sockets).toHaveLength(2);
  });

  test("a server that accepts but never welcomes is given up", async () => {
    line.start();
    last().onOpen?.();
    await time.pass(9_000);
    expect(sockets).toHaveLength(2);
  });
});

describe("requests", () => {
  test("get their answer, or the code of the error", async () => {
    const socket = connect();
    const good = line.request("call.cancel", { call: "c-12345678" });
    const bad = line.request("call.cancel", { call: "c-87654321" });
    const [first, second] = socket.of("call.cancel");
    socket.say("error", { code: "no_such_call", message: "" }, { re: second!.id });
    socket.say("ack", {}, { re: first!.id });
    await expect(good).resolves.toMatchObject({ type: "ack" });
    await expect(bad).rejects.toMatchObject({ code: "no_such_call" });
  });

  test("wait while away and are sent again after the welcome, in order", async () => {
    const socket = connect();
    const one = line.request("text.send", { message: "m-00000001", chat: "bob", body: "1" });
    socket.onClose?.(1006);
    const two = line.request("text.send", { message: "m-00000002", chat: "bob", body: "2" });
    await time.pass(300);
    last().onOpen?.();
    expect(last().of("text.send")).toHaveLength(0);
    last().say("welcome", { ...welcomeData, resumed: true }, { re: "9" });
    const sent = last().of("text.send");
    expect(sent.map((frame) => frame.data!.message)).toEqual(["m-00000001", "m-00000002"]);
    expect(sent[0]!.id).toBe(socket.of("text.send")[0]!.id);
    for (const frame of sent) {
      last().say(
        "text.sent",
        { message: frame.data!.message, pos: 1, rev: 1, server_time: 5 },
        { re: frame.id },
      );
    }
    await expect(one).resolves.toMatchObject({ type: "text.sent" });
    await expect(two).resolves.toMatchObject({ data: { message: "m-00000002" } });
  });

  test("that were answered are not sent again", async () => {
    const socket = connect();
    const request = line.request("call.cancel", { call: "c-12345678" });
    socket.say("ack", {}, { re: socket.of("call.cancel")[0]!.id });
    await request;
    socket.onClose?.(1006);
    await time.pass(300);
    welcome({ resumed: true });
    expect(last().of("call.cancel")).toEqual([]);
  });

  test("are given up after their time; a late answer hurts nobody", async () => {
    const socket = connect();
    const request = line.request("call.cancel", { call: "c-12345678" }, 4_000);
    const outcome = expect(request).rejects.toMatchObject({ code: "no_answer" });
    await time.pass(4_001);
    await outcome;
    socket.say("ack", {}, { re: socket.of("call.cancel")[0]!.id });
    expect(state()).toEqual({ kind: "online" });
  });

  test("are bounded", async () => {
    connect();
    const all = Array.from({ length: 501 }, () => line.request("call.cancel", { call: "c-12345678" }));
    await expect(all[500]).rejects.toEqual(new RequestError("too_many"));
    line.stop("signed_out");
    await expect(Promise.allSettled(all)).resolves.toHaveLength(501);
  });
});

describe("coming back", () => {
  test("pauses grow, with a limit", async () => {
    probe = "unreachable";
    line.start();
    const opened: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      opened.push(time.now);
      last().onClose?.(1006);
      const before = sockets.length;
      while (sockets.length === before) await time.pass(50);
    }
    const pauses = opened.slice(1).map((at, i) => at - opened[i]!);
    expect(pauses[0]).toBeLessThan(400);
    for (let i = 1; i < pauses.length; i += 1) expect(pauses[i]).toBeGreaterThanOrEqual(pauses[i - 1]!);
    expect(Math.max(...pauses)).toBeLessThan(8_200);
  });

  test("a changed network gets a new socket at once, becoming visible only where there is none", () => {
    const socket = connect();
    line.wake(false);
    expect(sockets).toHaveLength(1);
    line.wake(true);
    expect(sockets).toHaveLength(2);
    expect(socket.closed).toBe(true);
    welcome({ resumed: true });
    last().onClose?.(1006);
    line.wake(false);
    expect(sockets).toHaveLength(3);
  });

  test("a change that is told several times makes one socket, which is soon given up if it does not open", async () => {
    connect();
    for (let i = 0; i < 3; i += 1) line.wake(true);
    expect(sockets).toHaveLength(2);
    await time.pass(2_600);
    expect(last().closed).toBe(true);
    await time.pass(300);
    probe = "unauthenticated"; // No question over HTTP holds up the next try.
    last().onClose?.(1006);
    await time.pass(600);
    expect(sockets).toHaveLength(4);
    welcome({ resumed: true });
    expect(state().kind).toBe("online");
  });

  test("a signal that nobody answers shows that the socket is dead, and is sent again on the next", async () => {
    connect();
    void line.request("call.signal", { call: "c-12345678", gen: 1, payload: { restart: true } });
    await time.pass(3_300);
    expect(sockets).toHaveLength(2);
    welcome({ resumed: true });
    expect(last().of("call.signal")).toHaveLength(1);
    expect(state().kind).toBe("online");
  });

  test("what a dropped socket still says is not heard", () => {
    const socket = connect();
    line.wake(true);
    socket.say("call.ringing", { call: "c-12345678" }, { seq: 1 });
    socket.onClose?.(4501);
    expect(messages).toHaveLength(0);
    expect(state().kind).not.toBe("stopped");
  });

  test("a session that is over is found out over HTTP", async () => {
    probe = "unauthenticated";
    line.start();
    last().onClose?.(1006);
    await settle();
    expect(state()).toEqual({ kind: "stopped", reason: "session_ended" });
    await time.pass(60_000);
    expect(sockets).toHaveLength(1);
  });

  test("a page that loads with a socket that never opens is told apart", async () => {
    line.start();
    for (let i = 0; i < 3; i += 1) {
      last().onClose?.(1006);
      await settle();
      if (i < 2) await time.pass(1_100);
    }
    expect(state()).toMatchObject({ kind: "away", refused: true });
  });
});

describe("close codes", () => {
  test.each([
    [4500, "session_ended"],
    [4501, "replaced"],
    [4502, "broken"],
    [4503, "broken"],
    [4999, "broken"],
  ] as const)("%i stops with %s", async (code, reason) => {
    const socket = connect();
    const request = line.request("call.cancel", { call: "c-12345678" });
    socket.onClose?.(code);
    expect(state()).toEqual({ kind: "stopped", reason });
    await expect(request).rejects.toMatchObject({ code: "stopped" });
    await time.pass(60_000);
    expect(sockets).toHaveLength(1);
  });

  test.each([1000, 1001, 1006, 4000, 4001, 4002, 4003, 4004, 4499])("%i comes back", async (code) => {
    connect().onClose?.(code);
    expect(stopReason(code)).toBeUndefined();
    expect(state().kind).toBe("away");
    await time.pass(9_000);
    expect(sockets.length).toBeGreaterThan(1);
  });

  test("a page that was replaced can take its device back", () => {
    connect().onClose?.(4501);
    line.start();
    welcome();
    expect(state()).toEqual({ kind: "online" });
  });
});

test("leaving says bye and lets go", () => {
  const socket = connect();
  line.stop("signed_out");
  expect(socket.of("bye")).toHaveLength(1);
  expect(socket.closed).toBe(true);
});
