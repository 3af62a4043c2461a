import { beforeEach, describe, expect, test } from "vitest";
import { RequestError } from "../src/protocol/pending";
import { tooLong } from "../src/state/chat/chats";
import { pageSize } from "../src/state/chat/window";
import { alice, bob, ChatServer, FakeStorage, Page } from "./chatServer";
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

/** Numbers that look random and are the same every time (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

describe("whatever is lost, repeated, late or out of order", () => {
  test.each(Array.from({ length: 60 }, (_, i) => i + 1))(
    "each text is there once, as it is now (%i)",
    async (seed) => {
      const roll = dice(seed);
      const { pushes } = server;
      const mine: string[] = [];
      await page.reconnect();
      await page.chats.show("bob", "Bob");
      page.fate = () => (["ok", "ok", "lost", "unstored"] as const)[roll(4)]!;
      const steps: (() => void | Promise<void>)[] = [
        () => void server.write("bob", bob, `from bob ${mine.length} ${server.of("bob").rev}`),
        () => void server.write("bob", alice, `from her phone ${server.of("bob").rev}`),
        () => {
          const body = `mine ${mine.length}`;
          mine.push(body);
          page.chats.send("bob", body);
        },
        () => {
          const { length } = server.of("bob").messages;
          if (length > 0) server.change("bob", roll(length), { body: `changed ${roll(99)}`, edited: 1 });
        },
        () => {
          const { length } = server.of("bob").messages;
          if (length > 0) server.change("bob", roll(length), { body: "", deleted: 1 });
        },
        () => {
          if (pushes.length > 0) page.deliver(pushes.splice(roll(pushes.length), 1)[0]!);
        },
        () => {
          if (pushes.length > 0) page.deliver(pushes[roll(pushes.length)]!);
        },
        () => void pushes.splice(roll(pushes.length + 1), 1),
        () => void page.chats.older("bob"),
        () => void page.chats.seen("bob", roll(server.of("bob").messages.length + 1)),
        () => page.time.pass(roll(400)),
        () => {
          page.online = false;
        },
        () => page.reconnect(),
        () => {
          server.down = roll(3) === 0;
        },
      ];
      for (let i = 0; i < 150; i += 1) await steps[roll(steps.length)]!();

      page.fate = undefined;
      server.down = false;
      await page.reconnect();
      for (const push of pushes.splice(0)) page.deliver(push);
      await page.reconnect();
      const stored = server.of("bob").messages;
      const held = page.chats.find("bob")!.window.value!.messages;
      expect(held).toEqual(stored.slice(-held.length));
      expect(held.length).toBe(stored.length);
      expect(page.chats.outbox.all.value).toEqual([]);
      const own = stored.filter((each) => each.message.startsWith("m-") && !each.message.startsWith("m-bob"));
      expect(own.length).toBe(mine.length);
      const { unread, last, pos, rev } = page.chats.find("bob")!.head.value;
      expect({ unread, last, pos, rev }).toMatchObject({
        unread: server.head("bob").unread,
        last: stored[stored.length - 1],
        pos: stored.length,
        rev: server.of("bob").rev,
      });
      // Who had to wait sent in the order of writing.
      const order = own
        .filter((each) => !each.edited && !each.deleted)
        .map((each) => Number(each.body.slice(5)));
      expect(order).toEqual([...order].sort((a, b) => a - b));
    },
  );

  test("a hole is noticed and filled, and what was only late asks for nothing", async () => {
    many(3);
    await page.reconnect();
    await page.chats.show("bob", "Bob");
    const [four, five, six] = ["4", "5", "6"].map((body) => server.store("bob", bob, body));
    server.asked = [];
    page.deliver(five!);
    page.deliver(four!);
    await page.time.pass(2_000);
    expect(server.asked).toEqual([]);
    const seven = server.store("bob", bob, "7");
    page.deliver(seven);
    expect(page.bodies("bob")).toEqual(["text 1", "text 2", "text 3", "4", "5", "7"]);
    await page.time.pass(2_000);
    expect(page.bodies("bob")).toEqual(["text 1", "text 2", "text 3", "4", "5", "6", "7"]);
    expect(six!.body).toBe("6");
    expect(page.chats.unreadIn("bob")).toBe(7);
  });

  test("a push while the first page is on its way is not lost to an older answer", async () => {
    many(2);
    await page.reconnect();
    const showing = page.chats.show("bob", "Bob");
    page.deliver(server.store("bob", bob, "meanwhile"));
    await showing;
    expect(page.bodies("bob")).toEqual(["text 1", "text 2", "meanwhile"]);
  });

  test("a chat that is new here gets its name and its count from the list", async () => {
    await page.reconnect();
    many(5, "#tent4");
    page.deliver({ ...server.store("#tent4", bob, "six"), chat: "#tent4" });
    expect(page.chats.book.unread.value).toBe(1);
    await page.time.pass(2_000);
    expect(page.chats.find("#tent4")!.head.value).toMatchObject({ name: "#tent4", unread: 6 });
    expect(server.asked.filter((what) => what.startsWith("changes"))).toEqual([]);
  });
});

describe("the outbox", () => {
  test("keeps what is written while the server is away, across a reload, and sends it in order", async () => {
    page.online = false;
    expect(page.chats.send("bob", " one ")).toBe(true);
    page.chats.send("bob", "two");
    await settle();
    expect(page.sent).toEqual([]);
    const again = new Page(server, page.storage, 50);
    expect(again.chats.outbox.all.value.map((each) => each.body)).toEqual(["one", "two"]);
    again.chats.send("bob", "three");
    await again.reconnect();
    expect(server.of("bob").messages.map((each) => each.body)).toEqual(["one", "two", "three"]);
    expect(again.chats.outbox.all.value).toEqual([]);
    expect([...page.storage.items.keys()]).toEqual([]);
  });

  test("a text whose answer was lost is sent again under its name, and stored once", async () => {
    await page.reconnect();
    await page.chats.show("bob", "Bob");
    const fates = ["lost", "ok"] as const;
    let at = 0;
    page.fate = () => fates[at++] ?? "ok";
    page.chats.send("bob", "Water?");
    await page.time.pass(10_000);
    expect(page.sent).toEqual(["text.send Water?", "text.send Water?"]);
    expect(page.bodies("bob")).toEqual(["Water?"]);
  });

  test("a text that arrives by another way first is not shown twice, and not sent again", async () => {
    await page.reconnect();
    await page.chats.show("bob", "Bob");
    page.fate = () => "lost";
    page.chats.send("bob", "Water?");
    await settle();
    page.deliver(server.of("bob").messages[0]!);
    await page.time.pass(60_000);
    expect(page.sent).toHaveLength(1);
    expect(page.chats.outbox.all.value).toEqual([]);
    expect(page.bodies("bob")).toEqual(["Water?"]);
  });

  test("two tabs keep each other's texts", async () => {
    page.online = false;
    const other = new Page(server, page.storage, 50);
    other.online = false;
    page.chats.send("bob", "from one tab");
    other.chats.send("bob", "from the other");
    const third = new Page(server, page.storage, 99);
    await third.reconnect();
    await page.reconnect();
    await other.reconnect();
    expect(server.of("bob").messages.map((each) => each.body)).toEqual(["from one tab", "from the other"]);
    expect(page.storage.items.size).toBe(0);
  });

  test("what is refused for good waits for the person; what is not, is tried again", async () => {
    await page.reconnect();
    page.fate = () => new RequestError("blocked");
    page.chats.send("bob", "one");
    await page.time.pass(120_000);
    expect(page.chats.outbox.all.value).toMatchObject([{ failed: true, problem: "blocked" }]);
    expect(page.sent).toHaveLength(1);
    page.fate = undefined;
    page.chats.retry(page.chats.outbox.all.value[0]!.message);
    await settle();
    expect(page.chats.outbox.all.value).toEqual([]);

    page.fate = () => new RequestError("not_stored");
    page.chats.send("bob", "two");
    page.chats.send("bob", "three");
    await page.time.pass(10_000);
    expect(page.chats.outbox.all.value).toMatchObject([{ problem: "not_stored" }, { body: "three" }]);
    expect(page.chats.outbox.all.value[0]!.failed).toBeUndefined();
    page.fate = undefined;
    await page.time.pass(60_000);
    expect(server.of("bob").messages.map((each) => each.body)).toEqual(["one", "two", "three"]);
  });

  test("one chat that refuses holds up no other", async () => {
    await page.reconnect();
    page.fate = () =>
      page.sent[page.sent.length - 1]!.includes("stuck") ? new RequestError("not_stored") : "ok";
    page.chats.send("bob", "stuck");
    page.chats.send("carol", "goes");
    await settle();
    expect(server.of("carol").messages).toHaveLength(1);
  });

  test("has bounds, and signing out on purpose empties it", () => {
    page.online = false;
    for (let i = 0; i < 199; i += 1) page.chats.send("bob", "x");
    expect(page.chats.send("bob", "the last")).toBe(true);
    expect(page.chats.send("bob", "one too many")).toBe(false);
    page.chats.close();
    expect(page.storage.items.size).toBe(1);
    page.chats.open(alice, "Echo test");
    expect(page.chats.outbox.all.value).toHaveLength(200);
    page.chats.close(true);
    expect(page.storage.items.size).toBe(0);
  });

  test("garbage on the device, or a device that keeps nothing, does no harm", async () => {
    const storage = new FakeStorage();
    storage.setItem(
      "fieldphone.outbox.alice",
      '[{"message":5},null,{"message":"m-1","chat":"bob","body":"ok","at":1}]',
    );
    expect(new Page(server, storage).chats.outbox.all.value).toMatchObject([{ body: "ok" }]);
    storage.setItem("fieldphone.outbox.alice", "{[");
    expect(new Page(server, storage).chats.outbox.all.value).toEqual([]);
    const refusing = new FakeStorage();
    refusing.setItem = () => {
      throw new DOMException("", "QuotaExceededError");
    };
    const poor = new Page(server, refusing);
    poor.chats.send("bob", "all the same");
    await settle();
    expect(server.of("bob").messages).toHaveLength(1);
  });
});

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
