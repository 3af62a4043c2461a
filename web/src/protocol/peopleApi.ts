// Profiles and contacts over HTTP (httpapi/openapi.yaml).
import { ApiError, type Account, type Api } from "./api";
import type { Profile } from "./texts";

export interface Contacts {
  favourites: string[];
  blocked: string[];
}

/** What one changes of oneself; what is absent stays. */
export interface ProfileChange {
  name?: string;
  line?: string;
  tags?: string[];
  quiet?: boolean;
}

export type Me = Account & Profile;

export class PeopleApi {
  private readonly api: Api;
  private etag: string | undefined;

  constructor(api: Api) {
    this.api = api;
  }

  /** Everybody; undefined if nobody has changed since this asked last. */
  async users(): Promise<Profile[] | undefined> {
    const headers: Record<string, string> = this.etag === undefined ? {} : { "If-None-Match": this.etag };
    const response = await this.api.raw("GET", "users", undefined, headers);
    if (response.status === 304) return undefined;
    const answer = (await response.json()) as { users: Profile[] | null };
    this.etag = response.headers.get("ETag") ?? undefined;
    return answer.users ?? [];
  }

  /** The next users() is to bring everybody. */
  forget(): void {
    this.etag = undefined;
  }

  change(change: ProfileChange): Promise<Me> {
    return this.api.call("PATCH", "me", change);
  }

  async setPicture(picture: Blob): Promise<Me> {
    const response = await this.api.raw("PUT", "me/picture", picture, { "Content-Type": picture.type });
    return (await response.json()) as Me;
  }

  removePicture(): Promise<Me> {
    return this.api.call("DELETE", "me/picture");
  }

  contacts(): Promise<Contacts> {
    return this.api.call("GET", "me/contacts");
  }

  mark(id: string, change: { favourite?: boolean; blocked?: boolean }): Promise<Contacts> {
    return this.api.call("PUT", `me/contacts/${encodeURIComponent(id)}`, change);
  }

  /** A guest has no password. */
  async deleteAccount(password: string | undefined): Promise<void> {
    await this.api.call("DELETE", "me", password === undefined ? undefined : { password });
  }

  /** Everything that the server keeps of oneself, as a zip. */
  async exportAll(): Promise<Blob> {
    const response = await this.api.raw("GET", "me/export", undefined, {}, exportMs);
    try {
      return await response.blob();
    } catch {
      throw new ApiError("unreachable");
    }
  }
}

const exportMs = 600_000;

/** Where somebody's picture is. */
export const pictureURL = (id: string, version: string): string =>
  `/api/v1/users/${encodeURIComponent(id)}/picture?v=${encodeURIComponent(version)}`;
