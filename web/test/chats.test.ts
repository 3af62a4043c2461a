import { beforeEach, describe, expect, test } from "vitest";
import { RequestError } from "../src/protocol/pending";
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
