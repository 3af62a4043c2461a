// The calls that are over, over HTTP (httpapi/openapi.yaml).
import type { Api } from "./api";
import { Fields } from "./fields";
import { endReasons, type EndReason, type Media, type User } from "./messages";

export interface LoggedCall {
  call: string;
  from: User;
  to: User;
  media: Media;
  reason: EndReason;
  /** User id of who ended it. */
  by: string | undefined;
  /** Seconds talked; undefined when it was not answered. */
  seconds: number | undefined;
  path: "direct" | "relay" | undefined;
  /** When it ended, in Unix milliseconds. */
  server_time: number;
}

export interface CallPage {
  calls: LoggedCall[];
  more: boolean;
  /** Up to when this person has looked at the list, on any device; Unix milliseconds. */
  seen: number;
}

const user = (f: Fields): User => ({ id: f.name("id"), name: f.text("name") });

export async function pastCalls(api: Pick<Api, "call">, limit: number, before?: number): Promise<CallPage> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (before !== undefined) query.set("before", String(before));
  return readCalls(await api.call("GET", `calls?${query.toString()}`));
}

/** The person has looked at the calls up to then (Unix milliseconds). */
export const seeCalls = (api: Pick<Api, "call">, at: number): Promise<unknown> =>
  api.call("PUT", "calls/seen", { at });

export function readCalls(answer: unknown): CallPage {
  const page = new Fields(answer);
  const calls = page.list("calls", (f) => ({
    call: f.name("call"),
    from: user(f.object("from")),
    to: user(f.object("to")),
    media: f.oneOf<Media>("media", ["video", "audio"]),
    reason: f.oneOf("reason", endReasons, "other"),
    by: f.maybe("by", (key) => f.text(key)),
    seconds: f.maybe("seconds", (key) => f.number(key)),
    path: pathOf(f.maybe("path", (key) => f.text(key))),
    server_time: f.number("server_time"),
  }));
  return { calls, more: page.flag("more"), seen: page.maybe("seen", (key) => page.number(key)) ?? 0 };
}

const pathOf = (path: string | undefined): LoggedCall["path"] =>
  path === "direct" || path === "relay" ? path : undefined;
