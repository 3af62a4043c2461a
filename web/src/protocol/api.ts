// The HTTP side (httpapi/openapi.yaml). The session is a cookie that this code never sees.
import type { User } from "./messages";

export interface Account extends User {
  admin: boolean;
  /** Gave only a name. */
  guest?: boolean;
}

/** What this site offers to newcomers. */
export interface Site {
  name: string;
  policy: "open" | "invite" | "closed";
  guests: boolean;
  users_may_invite: boolean;
}

export interface InviteWorth {
  /** A name; empty if the invite was made at the server's console. */
  invited_by: string;
  /** Unix seconds. */
  expires_at: number;
  uses_left: number;
}

export interface Invite {
  id: string;
  /** A user's id; absent for the server's console. */
  created_by?: string;
  expires_at: number;
  uses: number;
  used: number;
  state: "open" | "used_up" | "expired" | "revoked";
}

export interface Grant {
  /** Unix seconds by the server's clock. */
  expires_at: number;
  user: Account;
}

export interface IceServers {
  iceServers: { urls: string[]; username?: string; credential?: string }[];
  expires_at: number;
}

export const apiCodes = [
  "bad_request",
  "body_too_large",
  "invalid_id",
  "invalid_name",
  "password_too_short",
  "password_too_long",
  "id_taken",
  "wrong_credentials",
  "user_disabled",
  "unauthenticated",
  "session_expired",
  "session_revoked",
  "forbidden_origin",
  "not_found",
  "method_not_allowed",
  "rate_limited",
  "busy",
  "registration_closed",
  "guests_off",
  "too_many_guests",
  "invite_required",
  "invite_unknown",
  "invite_expired",
  "invite_used_up",
  "invite_revoked",
  "invalid_invite",
  "too_many_invites",
  "not_allowed",
  "admin_exists",
  "admin_code_wrong",
  "too_many_connections",
  "bad_data",
  "no_such_chat",
  "blocked",
  "not_stored",
  "invalid_text",
  "no_audience",
  "attention_busy",
  "invalid_line",
  "invalid_tags",
  "invalid_picture",
  "picture_too_large",
  "too_many_contacts",
  "not_yourself",
  "last_admin",
  "file_too_large",
  "quota_full",
  "disk_full",
  "file_gone",
  "no_such_file",
  "wrong_checksum",
  "wrong_offset",
  "invalid_file",
  "file_taken",
  "store_unavailable",
  "internal",
] as const;

/** The server's codes, and "unreachable" for a server that did not answer. */
export type ApiCode = (typeof apiCodes)[number] | "unreachable";

export class ApiError extends Error {
  readonly code: ApiCode;
  readonly field: string | undefined;
  /** Seconds to wait, where waiting helps. */
  readonly retryAfter: number | undefined;
  /** The server's answer as it came, for those who know more of it. */
  readonly answer: unknown;

  constructor(code: ApiCode, field?: string, retryAfter?: number, answer?: unknown) {
    super(code);
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
    this.answer = answer;
  }

  /** Whether signing in again is the cure. */
  get signedOut(): boolean {
    return ["unauthenticated", "session_expired", "session_revoked", "user_disabled"].includes(this.code);
  }
}

export type Fetch = (path: string, init: RequestInit) => Promise<Response>;

const timeoutMs = 15_000;

export class Api {
  readonly fetch: Fetch;

  constructor(fetch: Fetch) {
    this.fetch = fetch;
  }

  site(): Promise<Site> {
    return this.call("GET", "site");
  }

  async register(id: string, name: string, password: string, invite?: string): Promise<Account> {
    const body = { id, name, password, invite };
    const answer = await this.call<{ user: Account }>("POST", "register", body);
    return answer.user;
  }

  guest(name: string, invite?: string): Promise<Grant> {
    return this.call("POST", "guest", { name, invite });
  }

  checkInvite(invite: string): Promise<InviteWorth> {
    return this.call("POST", "invites/check", { invite });
  }

  /** The code is told only here. */
  invite(uses: number, expiresIn: number): Promise<{ invite: Invite; code: string }> {
    return this.call("POST", "invites", { uses, expires_in: expiresIn });
  }

  async invites(): Promise<Invite[]> {
    const answer = await this.call<{ invites: Invite[] }>("GET", "invites");
    return answer.invites;
  }

  async revokeInvite(id: string): Promise<void> {
    await this.call("DELETE", `invites/${encodeURIComponent(id)}`);
  }

  claimAdmin(code: string): Promise<Account> {
    return this.call("POST", "admin/claim", { code });
  }

  login(id: string, password: string): Promise<Grant> {
    return this.call("POST", "login", { id, password });
  }

  renew(): Promise<Grant> {
    return this.call("POST", "renew", {});
  }

  async logout(): Promise<void> {
    await this.call("POST", "logout", {});
  }

  me(): Promise<Account> {
    return this.call("GET", "me");
  }

  changePassword(current: string, fresh: string): Promise<Grant> {
    return this.call("POST", "me/password", { current, new: fresh });
  }

  ice(): Promise<IceServers> {
    return this.call("GET", "ice");
  }

  /** Sends one request; path is relative to the API's root. Throws nothing but an ApiError. */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.raw(
      method,
      path,
      body && JSON.stringify(body),
      body ? { "Content-Type": "application/json" } : {},
    );
    try {
      return (response.status === 204 ? undefined : await response.json()) as T;
    } catch {
      throw new ApiError("unreachable");
    }
  }

  /** call for bodies that are no JSON; 304 is an answer as well. */
  async raw(
    method: string,
    path: string,
    body?: BodyInit,
    headers: Record<string, string> = {},
    ms = timeoutMs,
  ): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), ms);
    try {
      const response = await this.fetch(`/api/v1/${path}`, {
        method,
        credentials: "same-origin",
        cache: "no-store",
        signal: abort.signal,
        headers,
        ...(body === undefined ? {} : { body }),
      });
      if (!response.ok && response.status !== 304) throw await refusal(response);
      return response;
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError("unreachable");
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Finds out why a connection does not come about. */
export async function probe(api: Pick<Api, "me">): Promise<"ok" | "unauthenticated" | "unreachable"> {
  try {
    await api.me();
    return "ok";
  } catch (error) {
    if (error instanceof ApiError && error.signedOut) return "unauthenticated";
    return error instanceof ApiError && error.code === "unreachable" ? "unreachable" : "ok";
  }
}

/** What a refused request was told. */
export async function refusal(response: Response): Promise<ApiError> {
  const wait = Number(response.headers.get("Retry-After"));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : undefined;
  try {
    const answer = (await response.json()) as { error: { code: ApiCode; field?: string } };
    const { error } = answer;
    const known = (apiCodes as readonly string[]).includes(error.code);
    return new ApiError(known ? error.code : "internal", error.field, retryAfter, answer);
  } catch {
    // A proxy's or a dying server's answer, not ours.
    return new ApiError(response.status === 401 ? "unauthenticated" : "internal", undefined, retryAfter);
  }
}

/** The WebSocket's address on the page's own server. */
export function socketURL(page: { protocol: string; host: string }): string {
  return `${page.protocol === "http:" ? "ws" : "wss"}://${page.host}/api/v1/ws`;
}
