// The HTTP side (httpapi/openapi.yaml). The session is a cookie that this code never sees.
import type { User } from "./messages";

export interface Account extends User {
  admin: boolean;
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
  "too_many_connections",
  "internal",
] as const;

/** The server's codes, and "unreachable" for a server that did not answer. */
export type ApiCode = (typeof apiCodes)[number] | "unreachable";

export class ApiError extends Error {
  readonly code: ApiCode;
  readonly field: string | undefined;
  /** Seconds to wait, where waiting helps. */
  readonly retryAfter: number | undefined;

  constructor(code: ApiCode, field?: string, retryAfter?: number) {
    super(code);
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
  }

  /** Whether signing in again is the cure. */
  get signedOut(): boolean {
    return ["unauthenticated", "session_expired", "session_revoked", "user_disabled"].includes(this.code);
  }
}

export type Fetch = (path: string, init: RequestInit) => Promise<Response>;

const timeoutMs = 15_000;

export class Api {
  private readonly fetch: Fetch;

  constructor(fetch: Fetch) {
    this.fetch = fetch;
  }

  async register(id: string, name: string, password: string): Promise<Account> {
    const answer = await this.call<{ user: Account }>("POST", "register", { id, name, password });
    return answer.user;
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

  rename(name: string): Promise<Account> {
    return this.call("PATCH", "me", { name });
  }

  changePassword(current: string, fresh: string): Promise<Grant> {
    return this.call("POST", "me/password", { current, new: fresh });
  }

  async users(): Promise<Account[]> {
    const answer = await this.call<{ users: Account[] | null }>("GET", "users");
    return answer.users ?? [];
  }

  ice(): Promise<IceServers> {
    return this.call("GET", "ice");
  }

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      const response = await this.fetch(`/api/v1/${path}`, {
        method,
        credentials: "same-origin",
        cache: "no-store",
        signal: abort.signal,
        ...(body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {}),
      });
      if (!response.ok) throw await refusal(response);
      return (response.status === 204 ? undefined : await response.json()) as T;
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError("unreachable");
    } finally {
      clearTimeout(timer);
    }
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const wait = Number(response.headers.get("Retry-After"));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : undefined;
  try {
    const { error } = (await response.json()) as { error: { code: ApiCode; field?: string } };
    const known = (apiCodes as readonly string[]).includes(error.code);
    return new ApiError(known ? error.code : "internal", error.field, retryAfter);
  } catch {
    // A proxy's or a dying server's answer, not ours.
    return new ApiError(response.status === 401 ? "unauthenticated" : "internal", undefined, retryAfter);
  }
}

/** The WebSocket's address on the page's own server. */
export function socketURL(page: { protocol: string; host: string }): string {
  return `${page.protocol === "http:" ? "ws" : "wss"}://${page.host}/api/v1/ws`;
}
