// What messages say in a line.
import type { Key, Values } from "../../i18n";
import type { NoteKind, TextMessage } from "../../protocol/texts";
import { callEntryWord } from "../words";

type T = (key: Key, values?: Values) => string;

const noteKeys: Record<NoteKind, [byMe: Key, byOther: Key, toMe: Key]> = {
  created: ["chat.note.created_me", "chat.note.created", "chat.note.created"],
  named: ["chat.note.named_me", "chat.note.named", "chat.note.named"],
  added: ["chat.note.added_me", "chat.note.added", "chat.note.added_you"],
  removed: ["chat.note.removed_me", "chat.note.removed", "chat.note.removed_you"],
  left: ["chat.note.left_me", "chat.note.left", "chat.note.left"],
  promoted: ["chat.note.promoted_me", "chat.note.promoted", "chat.note.promoted_you"],
  demoted: ["chat.note.demoted_me", "chat.note.demoted", "chat.note.demoted_you"],
};

/** What happened to a group, in words; a name is kept from turning the words around it. */
export function noteWords(message: TextMessage, me: string, t: T, language: string): string {
  const { note, from } = message;
  if (!note) return "";
  const who = note.who ?? [];
  const [byMe, byOther, toMe] = noteKeys[note.what];
  const key = from.id === me ? byMe : who.some((user) => user.id === me) && who.length === 1 ? toMe : byOther;
  const names = who.map((user) => apart(user.id === me ? t("chat.you") : user.name));
  return t(key, { by: apart(from.name), who: listed(names, language), name: apart(note.name ?? "") });
}

const apart = (name: string) => `\u2068${name}\u2069`;

const listed = (names: string[], language: string) => names.join(language === "zh-CN" ? "、" : ", ");

/** The last message of a chat as its line in the list. */
export function preview(message: TextMessage, me: string, t: T, language: string): string {
  if (message.deleted !== undefined) return t("chat.deleted");
  if (message.kind === "note") return noteWords(message, me, t, language);
  if (message.call) return t(callEntryWord(message.call, message.from.id === me));
  if (message.body !== "") return message.body.slice(0, 200);
  const kind = message.file?.kind;
  return t(kind === "picture" ? "chat.picture" : kind === "voice" ? "chat.voice" : "chat.file");
}
