import { beforeEach, describe, expect, test } from "vitest";
import { ApiError } from "../src/protocol/api";
import { RequestError } from "../src/protocol/pending";
import { tooLong } from "../src/state/chat/chats";
import { pageSize } from "../src/state/chat/window";
import { bob, ChatServer, Page } from "./chatServer";
import { settle } from "./fakes";

let server: ChatServer;
let page: Page;

beforeEach(() => {
  server = new ChatServer();
  page = new Page(server);
});

const many = (count: number, chat = "bob") => {
  for (let i = 1; i <= count; i += 1) server.store(chat, bob, `text ${i}`);
};

describe("pages", () => {
  test("10,000 texts are walked through in a window of bounded size, to and fro", async () => {
    many(10_000);
    server.mark("bob", "alice", { read: 10_000 });
    await page.reconnect();
    await page.chats.show("bob", "Bob");
    const chat = page.chats.find("bob")!;
    chat.following = false;
    const first = () => chat.window.value!.messages[0]!.pos;
    const last = () => chat.window.value!.messages[chat.window.value!.messages.length - 1]!.pos;
    for (let i = 0; i < 30; i += 1) {
      await page.chats.older("bob");
      const { messages } = chat.window.value!;
      expect(messages.length).toBeLessThanOrEqual(200);
      expect(last() - first()).toBe(messages.length - 1);
    }
    expect(first()).toBe(10_000 - 31 * pageSize + 1);
    expect(chat.window.value).toMatchObject({ older: true, newer: true });
    // What arrives at the end is told of, and not put after a hole.
    page.deliver(server.write("bob", bob, "new"));
    expect(last()).toBeLessThan(10_000);
    expect(chat.head.value).toMatchObject({ pos: 10_001, unread: 1 });
    for (let i = 0; i < 100 && chat.window.value!.newer; i += 1) await page.chats.newer("bob");
    expect([last(), chat.window.value!.newer]).toEqual([10_001, false]);
    expect(last() - first()).toBe(chat.window.value!.messages.length - 1);
  });

  test("with much unread the screen begins where reading stopped", async () => {
    many(400);
    server.mark("bob", "alice", { read: 100 });
    await page.reconnect();
    await page.chats.show("bob", "Bob");
    const positions = page.chats.find("bob")!.window.value!.messages.map((each) => each.pos);
    expect(positions).toContain(100);
    expect(positions).toContain(101);
    expect(page.chats.unreadIn("bob")).toBe(300);
  });

  test("a message that was found is shown among those around it", async () => {
    many(400);
    await page.reconnect();
    await page.chats.show("bob", "Bob");
    await page.chats.goTo(server.of("bob").messages[99]!, "Bob");
    const chat = page.chats.find("bob")!;
    expect(chat.target.value).toBe(server.of("bob").messages[99]!.message);
    expect(chat.window.value!.messages.map((each) => each.pos)).toContain(100);
  });

  test("only the chats looked at last are held", async () => {
    for (let i = 0; i < 12; i += 1) many(3, `person${i}`);
    await page.reconnect();
    for (let i = 0; i < 12; i += 1) await page.chats.show(`person${i}`, "x");
    const held = [...page.chats.book.all.value.values()].filter((chat) => chat.window.value);
    expect(held.map((chat) => chat.id).sort()).toEqual(
      [4, 5, 6, 7, 8, 9, 10, 11].map((i) => `person${i}`).sort(),
    );
  });

  test("an end that is followed keeps the end, however much comes", async () => {
    await page.reconnect();
    await page.chats.show("bob", "Bob");
    for (let i = 0; i < 1_000; i += 1) page.deliver(server.write("bob", bob, `${i}`));
    const { messages, older } = page.chats.find("bob")!.window.value!;
    expect(messages.length).toBeLessThanOrEqual(250);
    expect([messages[messages.length - 1]!.body, older]).toEqual(["999", true]);
  });

  test("a chat that the server does not know yet begins empty", async () => {
    await page.reconnect();
    const { page: known } = server.api;
    server.api.page = () => Promise.reject(new ApiError("no_such_chat"));
    await page.chats.show("bob", "Bob");
    expect(page.chats.find("bob")!.failed.value).toBe(false);
    server.api.page = known;
    page.chats.send("bob", "the first");
    await settle();
    expect(page.bodies("bob")).toEqual(["the first"]);
  });

  test("what could not be fetched is, when something arrives", async () => {
    await page.reconnect();
    server.down = true;
    await page.chats.show("bob", "Bob");
    server.down = false;
    page.deliver(server.write("bob", bob, "hello"));
    await page.time.pass(2_000);
    expect(page.bodies("bob")).toEqual(["hello"]);
  });

  test("a server that is away is told, and asked again when it is back", async () => {
    many(3);
    await page.reconnect();
    server.down = true;
    await page.chats.show("bob", "Bob");
    expect(page.chats.find("bob")!.failed.value).toBe(true);
    server.down = false;
    await page.reconnect();
    expect(page.bodies("bob")).toHaveLength(3);
    expect(page.chats.find("bob")!.failed.value).toBe(false);
  });
});

describe("marks", () => {
  const marks = () => page.told.filter((each) => each.type === "text.mark").map((each) => each.data);

  test("what has arrived is told as delivered, what was seen as read, in batches", async () => {
    many(2);
    await page.reconnect();
    expect(marks()).toEqual([{ chat: "bob", delivered: 2 }]);
    await page.chats.show("bob", "Bob");
    page.deliver(server.write("bob", bob, "3"));
    page.deliver(server.write("bob", bob, "4"));
    page.chats.seen("bob", 3);
    expect(page.chats.unreadIn("bob")).toBe(1);
    page.chats.seen("bob", 4);
    page.chats.seen("bob", 2);
    await page.time.pass(1_000);
    expect(marks().slice(1)).toEqual([{ chat: "bob", delivered: 4, read: 4 }]);
    expect(page.chats.book.unread.value).toBe(0);
  });

  test("what was read while the server was away is told when it is back", async () => {
    many(2);
    await page.reconnect();
    await page.chats.show("bob", "Bob");
    page.online = false;
    page.chats.seen("bob", 2);
    await page.time.pass(5_000);
    expect(server.head("bob").read).toBe(0);
    await page.reconnect();
    expect(server.head("bob").read).toBe(2);
    expect(page.chats.unreadIn("bob")).toBe(0);
  });

  test("what is read on another device is read here", async () => {
    many(5);
    await page.reconnect();
    server.mark("bob", "alice", { read: 3 });
    page.chats.take({ type: "text.marks", data: { chat: "bob", user: "alice", delivered: 5, read: 3 } });
    await page.time.pass(2_000);
    expect(page.chats.unreadIn("bob")).toBe(2);
    page.chats.take({ type: "text.marks", data: { chat: "bob", user: "alice", delivered: 5, read: 5 } });
    expect(page.chats.unreadIn("bob")).toBe(0);
  });

  test("a night's worth of chats is told a few at a time", async () => {
    for (let i = 0; i < 30; i += 1) many(1, `person${i}`);
    page.chats.welcome();
    await page.time.pass(310);
    expect(marks()).toHaveLength(10);
    await page.time.pass(1_000);
    expect(marks()).toHaveLength(30);
  });
});

describe("typing", () => {
  const typed = () => page.told.filter((each) => each.type === "text.typing").length;

  test("is told every three seconds, and at once after a text was sent", async () => {
    for (let i = 0; i < 10; i += 1) {
      page.chats.typing.typed("bob");
      await page.time.pass(500);
    }
    expect(typed()).toBe(2);
    page.chats.send("bob", "there");
    page.chats.typing.typed("bob");
    expect(typed()).toBe(3);
  });

  test("is shown for six seconds, or until the text is there", async () => {
    const writers = () => page.chats.typing.now.value.get("bob");
    const hear = () => page.chats.take({ type: "text.typing", data: { chat: "bob", user: "bob" } });
    hear();
    await page.time.pass(4_000);
    hear();
    await page.time.pass(4_000);
    expect(writers()).toEqual(["bob"]);
    await page.time.pass(2_100);
    expect(writers()).toBeUndefined();
    hear();
    page.deliver(server.write("bob", bob, "there"));
    expect(writers()).toBeUndefined();
    for (let i = 0; i < 500; i += 1)
      page.chats.take({ type: "text.typing", data: { chat: "#big", user: `user${i}` } });
    expect(page.chats.typing.now.value.get("#big")!.length).toBeLessThanOrEqual(100);
  });
});

describe("the echo contact", () => {
  test("is kept in memory only, and never unread", async () => {
    await page.reconnect();
    page.chats.send("_echo", "hello");
    await settle();
    page.deliver({ ...server.store("x", { id: "_echo", name: "Echo" }, "hello"), chat: "_echo" });
    expect(page.bodies("_echo")).toEqual(["hello", "hello"]);
    expect(page.chats.book.unread.value).toBe(0);
    expect(page.storage.items.size).toBe(0);
    page.fate = () => new RequestError("no_answer");
    page.chats.send("_echo", "lost");
    await settle();
    const [unsent] = page.chats.echo!.unsent.value;
    expect(unsent).toMatchObject({ body: "lost", problem: "no_answer" });
    page.fate = undefined;
    page.chats.retry(unsent!.message);
    await settle();
    expect(page.bodies("_echo")).toEqual(["hello", "hello", "lost"]);
  });

  test("only its calls are told of by this page", () => {
    const over = { call: "c-1", media: "video", outgoing: true, end: "hangup", seconds: 9, at: 1 } as const;
    page.chats.addCall({ ...over, peer: { id: "_echo", name: "Echo" } });
    page.chats.addCall({ ...over, peer: bob });
    expect(page.chats.find("_echo")!.window.value!.messages).toMatchObject([{ kind: "call" }]);
    expect(page.chats.find("bob")).toBeUndefined();
  });
});

test("length is counted in bytes", () => {
  expect(tooLong("x".repeat(8_000))).toBe(false);
  expect(tooLong("水".repeat(2_667))).toBe(true);
});
