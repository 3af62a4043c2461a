// The words of chats, files, profiles and announcements.
import type { EndReason, ErrorCode, Media, Payload, User } from "./messages";

/** Begins the name of a chat that is a group's; any other name is a person's. */
export const groupPrefix = "#";
export const isGroup = (chat: string): boolean => chat.startsWith(groupPrefix);

export const textKinds = ["text", "call", "note"] as const;
export type TextKind = (typeof textKinds)[number];

export const fileKinds = ["file", "picture", "voice"] as const;
export type FileKind = (typeof fileKinds)[number];

/** A file that goes with a text; type is a media type as the sender says, size in bytes. */
export interface FileInfo {
  file: string;
  kind: FileKind;
  name: string;
  type: string;
  size: number;
  width?: number;
  height?: number;
  seconds?: number;
}

/** A call that is over, as the chat tells of it; who called is the message's from. */
export interface PastCall {
  media: Media;
  reason: EndReason;
  by?: string;
  /** Seconds talked; absent when it was not answered. */
  seconds?: number;
  path?: string;
}

export const noteKinds = ["created", "named", "added", "removed", "left", "promoted", "demoted"] as const;
export type NoteKind = (typeof noteKinds)[number];

/** What the message's from did to the group. */
export interface Note {
  what: NoteKind;
  who?: User[];
  name?: string;
}

/** A message of a chat as it now is; times are Unix milliseconds. */
export interface TextMessage {
  message: string;
  chat: string;
  from: User;
  kind: TextKind;
  body: string;
  /** Orders the messages of a chat, from 1. */
  pos: number;
  /** Grows with every change in the chat. */
  rev: number;
  server_time: number;
  edited?: number;
  deleted?: number;
  file?: FileInfo;
  call?: PastCall;
  note?: Note;
}

export interface TextMarks {
  chat: string;
  user: string;
  delivered: number;
  read: number;
}

/** What a person says of themselves. */
export interface Profile extends User {
  line?: string;
  tags?: string[];
  /** The version of their picture, where they have one. */
  picture?: string;
  /** Do not disturb: calls do not ring. */
  quiet?: boolean;
  /** The account was deleted. */
  gone?: boolean;
}

export interface Announcement {
  announcement: string;
  from: User;
  body: string;
  /** For whom; absent: for all. */
  tag?: string;
  server_time: number;
}

export interface ClientTextData {
  "text.send": { message: string; chat: string; body: string; file?: FileInfo };
  "text.edit": { message: string; chat: string; body: string };
  "text.delete": { message: string; chat: string };
  "text.mark": { chat: string; delivered?: number; read?: number };
  "text.typing": { chat: string };
  "file.ask": { link: string; file: string; from: string };
  "file.take": { link: string };
  "file.signal": { link: string; payload: Payload };
  "file.drop": { link: string };
}

export interface ServerTextData {
  "text.sent": { message: string; pos: number; rev: number; server_time: number };
  "text.message": TextMessage;
  "text.marks": TextMarks;
  "text.typing": { chat: string; user: string };
  "file.asked": { link: string; file: string; by: User };
  "file.taken": { link: string };
  "file.signal": { link: string; payload: Payload };
  "file.drop": { link: string; code?: ErrorCode };
  "profile.update": { people: Profile[] };
  "calls.seen": { at: number };
  announcement: Announcement;
  "announcement.seen": { announcement: string; by: string; seen: number; of: number };
}
