// Reads what the server sends of chats, files, profiles and announcements.
import { Fields } from "./fields";
import { endReasons, errorCodes, type User } from "./messages";
import {
  fileKinds,
  noteKinds,
  textKinds,
  type Announcement,
  type FileInfo,
  type Note,
  type PastCall,
  type Profile,
  type ServerTextData,
  type TextMarks,
  type TextMessage,
} from "./texts";

export const user = (f: Fields): User => ({ id: f.name("id"), name: f.text("name") });

const text = (f: Fields, key: string) => f.maybe(key, (k) => f.text(k));
const number = (f: Fields, key: string) => f.maybe(key, (k) => f.number(k));
const flag = (f: Fields, key: string) => f.maybe(key, (k) => f.flag(k));

const file = (f: Fields): FileInfo => ({
  file: f.name("file"),
  kind: f.oneOf("kind", fileKinds, "file"),
  name: f.name("name"),
  type: f.text("type"),
  size: f.number("size"),
  width: number(f, "width"),
  height: number(f, "height"),
  seconds: number(f, "seconds"),
});

const pastCall = (f: Fields): PastCall => ({
  media: f.oneOf("media", ["video", "audio"]),
  reason: f.oneOf("reason", [...endReasons, "other" as const], "other"),
  by: text(f, "by"),
  seconds: number(f, "seconds"),
  path: text(f, "path"),
});

const note = (f: Fields): Note => ({
  what: f.oneOf("what", noteKinds),
  who: f.maybe("who", (key) => f.list(key, user)),
  name: text(f, "name"),
});

export const textMessage = (f: Fields): TextMessage => ({
  message: f.name("message"),
  chat: f.name("chat"),
  from: user(f.object("from")),
  kind: f.oneOf("kind", textKinds),
  body: f.text("body"),
  pos: f.number("pos"),
  rev: f.number("rev"),
  server_time: f.number("server_time"),
  edited: number(f, "edited"),
  deleted: number(f, "deleted"),
  file: f.maybe("file", (key) => file(f.object(key))),
  call: f.maybe("call", (key) => pastCall(f.object(key))),
  note: f.maybe("note", (key) => note(f.object(key))),
});

export const textMarks = (f: Fields): TextMarks => ({
  chat: f.name("chat"),
  user: f.name("user"),
  delivered: f.number("delivered"),
  read: f.number("read"),
});

export const profile = (f: Fields): Profile => ({
  ...user(f),
  line: text(f, "line"),
  tags: f.maybe("tags", (key) => f.texts(key)),
  picture: text(f, "picture"),
  quiet: flag(f, "quiet"),
  gone: flag(f, "gone"),
});

export const announcement = (f: Fields): Announcement => ({
  announcement: f.name("announcement"),
  from: user(f.object("from")),
  body: f.text("body"),
  tag: text(f, "tag"),
  server_time: f.number("server_time"),
});

type Readers = { [T in Exclude<keyof ServerTextData, "file.signal">]: (f: Fields) => ServerTextData[T] };

export const textReaders: Readers = {
  "text.sent": (f) => ({
    message: f.name("message"),
    pos: f.number("pos"),
    rev: f.number("rev"),
    server_time: f.number("server_time"),
  }),
  "text.message": textMessage,
  "text.marks": textMarks,
  "text.typing": (f) => ({ chat: f.name("chat"), user: f.name("user") }),
  "file.asked": (f) => ({ link: f.name("link"), file: f.name("file"), by: user(f.object("by")) }),
  "file.taken": (f) => ({ link: f.name("link") }),
  "file.drop": (f) => ({
    link: f.name("link"),
    code: f.maybe("code", (key) => f.oneOf(key, errorCodes, "internal")),
  }),
  "profile.update": (f) => ({ people: f.list("people", profile) }),
  announcement,
  "calls.seen": (f) => ({ at: f.number("at") }),
  "announcement.seen": (f) => ({
    announcement: f.name("announcement"),
    by: f.name("by"),
    seen: f.number("seen"),
    of: f.number("of"),
  }),
};
