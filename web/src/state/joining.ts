// What this site offers to newcomers, and what a link brought along: #join=CODE, #admin=CODE.
import { signal } from "@preact/signals";
import {
  ApiError,
  type Account,
  type Api,
  type ApiCode,
  type Invite,
  type InviteWorth,
  type Site,
} from "../protocol/api";
import type { Kept } from "./storage";

/** What is known of the invite that somebody brings. */
export type Invited =
  | { kind: "none" }
  | { kind: "checking"; code: string }
  | { kind: "good"; code: string; worth: InviteWorth }
  | { kind: "bad"; code: string; why: ApiCode; wait: number | undefined };

export interface JoiningDeps {
  api: Pick<Api, "site" | "checkInvite">;
  /** Codes survive a reload of this tab, and nothing more. */
  kept: Kept;
}

const codeRule = /^[A-Za-z2-7]{16,64}$/;
const linkRule = /#(join|admin)=([^&#\s]*)/;

export class Joining {
  /** Undefined until the server has said so. */
  readonly site = signal<Site | undefined>(undefined);
  readonly invited = signal<Invited>({ kind: "none" });
  readonly adminCode = signal<string | undefined>(undefined);
  private readonly deps: JoiningDeps;

  constructor(deps: JoiningDeps) {
    this.deps = deps;
    this.adminCode.value = deps.kept.get("admin");
    const code = deps.kept.get("invite");
    if (code !== undefined) this.invited.value = { kind: "checking", code };
  }

  /** The code to join with, if there is one. */
  get code(): string | undefined {
    const invited = this.invited.value;
    return invited.kind === "none" ? undefined : invited.code;
  }

  /** Takes the code out of a page's fragment; false if there is none. */
  takeLink(hash: string): boolean {
    const [, kind, code] = linkRule.exec(hash) ?? [];
    if (kind === undefined) return false;
    if (kind === "admin") {
      this.adminCode.value = code;
      this.deps.kept.set("admin", code);
    } else this.bring(code ?? "");
    return true;
  }

  /** Takes what somebody pasted: a link, or only its code. */
  take(pasted: string): void {
    this.bring(linkRule.exec(pasted)?.[2] ?? pasted.trim());
  }

  private bring(code: string): void {
    this.deps.kept.set("invite", code);
    this.invited.value = { kind: "checking", code };
    void this.check();
  }

  /** The server refused to let somebody in because of the invite; false if none was brought. */
  refused(error: ApiError): boolean {
    const { code } = this;
    if (code === undefined) {
      void this.load(); // it wants one by now
      return false;
    }
    this.invited.value = { kind: "bad", code, why: error.code, wait: error.retryAfter };
    return true;
  }

  /** The invite has done its work, or is not wanted. */
  dropInvite(): void {
    this.deps.kept.set("invite", undefined);
    this.invited.value = { kind: "none" };
  }

  dropAdminCode(): void {
    this.deps.kept.set("admin", undefined);
    this.adminCode.value = undefined;
  }

  /** Asks what the site offers, and what the invite is worth; false when the server did not say. */
  async load(): Promise<boolean> {
    try {
      this.site.value = await this.deps.api.site();
    } catch {
      return false;
    }
    return this.invited.value.kind !== "checking" || (await this.check());
  }

  private async check(): Promise<boolean> {
    const invited = this.invited.value;
    if (invited.kind === "none") return true;
    const { code } = invited;
    const tell = (next: Invited) => {
      if (this.code === code) this.invited.value = next;
    };
    if (!codeRule.test(code)) {
      tell({ kind: "bad", code, why: "invite_unknown", wait: undefined });
      return true;
    }
    try {
      tell({ kind: "good", code, worth: await this.deps.api.checkInvite(code) });
      return true;
    } catch (error) {
      const refused = error instanceof ApiError ? error : new ApiError("internal");
      if (refused.code === "unreachable") return false;
      tell({ kind: "bad", code, why: refused.code, wait: refused.retryAfter });
      return true;
    }
  }
}

/** Making invites, and taking them back. */
export class Invites {
  private readonly api: Pick<Api, "invite" | "invites" | "revokeInvite">;

  constructor(api: Pick<Api, "invite" | "invites" | "revokeInvite">) {
    this.api = api;
  }

  /** For so many people and so long; the code is told only here. */
  make(uses: number, seconds: number): Promise<{ invite: Invite; code: string }> {
    return this.api.invite(uses, seconds);
  }

  /** One's own, everybody's for an administrator; those that are good first. */
  async list(): Promise<Invite[]> {
    const all = await this.api.invites();
    return [...all.filter((i) => i.state === "open"), ...all.filter((i) => i.state !== "open")];
  }

  revoke(id: string): Promise<void> {
    return this.api.revokeInvite(id);
  }
}

/** Whether the server lets this user invite. */
export const mayInvite = (site: Site | undefined, user: Account): boolean =>
  site !== undefined && site.policy !== "closed" && !user.guest && (user.admin || site.users_may_invite);

/** The server gives ids that start so to guests alone. */
export const isGuest = (user: { id: string }): boolean => user.id.startsWith("guest-");

/** The link that brings somebody here with an invite; a fragment is never sent to a server. */
export const joinLink = (origin: string, code: string): string => `${origin}/#join=${code}`;
