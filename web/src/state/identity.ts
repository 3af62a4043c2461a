// Who is signed in here: finding out, coming in, changing, leaving.
import { signal } from "@preact/signals";
import { ApiError, type Account, type Api, type ApiCode, type Grant } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import type { Joining } from "./joining";
import { Renewal } from "./renewal";
import type { Kept } from "./storage";

export type SignOutReason = "session_ended" | "session_expired" | "user_disabled";

export type Session =
  | { kind: "unknown" }
  | { kind: "unreachable" }
  | { kind: "out"; why?: SignOutReason }
  | { kind: "in"; user: Account };

export interface IdentityDeps {
  api: Api;
  joining: Joining;
  timers: Timers;
  serverNow: () => number;
  /** Kept for this device. */
  local: Kept;
  /** Somebody is in: their texts and their line open. */
  onIn: (user: Account) => Promise<void>;
  /** Nobody is in any more: everything of theirs closes. */
  onOut: () => void;
  /** About to sign out on purpose. */
  onLeaving: () => void;
  /** Signed out on purpose. */
  onLeft: () => void;
  /** The session is another one now; the line is to be opened anew. */
  onNewSession: (done: boolean) => void;
  onProblem: (problem: string) => void;
}

const retryMs = 3_000;

export class Identity {
  readonly session = signal<Session>({ kind: "unknown" });
  readonly renewal: Renewal;
  private readonly deps: IdentityDeps;
  /** The session is being ended or changed on purpose, so its end is no news. */
  private changing = false;

  constructor(deps: IdentityDeps) {
    this.deps = deps;
    this.renewal = new Renewal({
      renew: () => deps.api.renew(),
      serverNow: deps.serverNow,
      timers: deps.timers,
      onEnded: (code: ApiCode) =>
        this.leave({ kind: "out", why: code === "user_disabled" ? "user_disabled" : "session_expired" }),
      onProblem: deps.onProblem,
    });
  }

  get me(): Account | undefined {
    const session = this.session.value;
    return session.kind === "in" ? session.user : undefined;
  }

  /** The id that signed in here last, for the sign-in form. */
  get lastUser(): string | undefined {
    return this.deps.local.get("user");
  }

  /** Finds out whether a session goes on. */
  async boot(): Promise<void> {
    try {
      await this.enter(await this.deps.api.me());
    } catch (error) {
      if (error instanceof ApiError && error.signedOut) {
        const expired = error.code === "session_expired" || error.code === "session_revoked";
        this.session.value = { kind: "out", ...(expired ? { why: "session_expired" } : {}) };
        return;
      }
      this.session.value = { kind: "unreachable" };
      this.deps.timers.set(() => void this.boot(), retryMs);
    }
  }

  async signIn(id: string, password: string): Promise<void> {
    await this.granted(await this.deps.api.login(id, password));
  }

  async createAccount(id: string, name: string, password: string): Promise<void> {
    await this.deps.api.register(id, name, password, this.deps.joining.code);
    await this.signIn(id, password);
  }

  /** Comes in with only a name. */
  async joinAsGuest(name: string): Promise<void> {
    await this.granted(await this.deps.api.guest(name, this.deps.joining.code));
  }

  async claimAdmin(code: string): Promise<void> {
    this.session.value = { kind: "in", user: await this.deps.api.claimAdmin(code) };
    this.deps.joining.dropAdminCode();
  }

  /** Ends the session everywhere; throws when the server could not be told. */
  async signOut(): Promise<void> {
    this.changing = true;
    try {
      this.deps.onLeaving();
      await this.deps.api.logout();
    } catch (error) {
      if (!(error instanceof ApiError && error.signedOut)) throw error;
    } finally {
      this.changing = false;
    }
    this.deps.onLeft();
    this.leave({ kind: "out" });
  }

  /** What the server now has of the user. */
  became(user: Account): void {
    if (this.me?.id === user.id) this.session.value = { kind: "in", user };
  }

  /** Deletes the account; throws when the server refuses or was not reached. */
  async deleteAccount(remove: () => Promise<void>): Promise<void> {
    this.changing = true;
    try {
      await remove();
    } finally {
      this.changing = false;
    }
    this.deps.onLeaving();
    this.deps.onLeft();
    this.leave({ kind: "out" });
  }

  /** The server calls the user by this name. */
  named(name: string): void {
    const { me } = this;
    if (me && me.name !== name) this.session.value = { kind: "in", user: { ...me, name } };
  }

  /** Changes the password; the server ends the old session, so the line is opened anew. */
  async changePassword(current: string, fresh: string): Promise<void> {
    this.changing = true;
    try {
      this.renewal.granted(await this.deps.api.changePassword(current, fresh));
      // What the old socket has yet to say is about the old session.
      this.deps.onNewSession(false);
    } finally {
      this.changing = false;
      this.deps.onNewSession(true);
    }
  }

  /** The server ended the session, as the line says. */
  ended(): void {
    if (!this.changing) this.leave({ kind: "out", why: "session_ended" });
  }

  private granted(grant: Grant): Promise<void> {
    this.renewal.granted(grant);
    return this.enter(grant.user);
  }

  private async enter(user: Account): Promise<void> {
    if (!user.guest) this.deps.local.set("user", user.id);
    this.deps.joining.dropInvite();
    this.session.value = { kind: "in", user };
    await this.deps.onIn(user);
  }

  private leave(session: Session): void {
    this.renewal.stop();
    this.session.value = session;
    this.deps.onOut();
  }
}
