// Everything that the dashboard knows and does.
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { ApiError, type Api } from "../../protocol/api";
import type { Timers } from "../../protocol/clock";
import type { Keep } from "../../call/types";
import { Announcing } from "./announcing";
import { Speaking, type SpeakingDeps } from "./speaking";
import { Editor } from "./editor";
import { Firewall } from "./firewall";
import { History } from "./history";
import { readLive, type Live } from "./live";
import { Log } from "./log";
import { Loose } from "./loose";
import { Poll } from "./poll";
import { Tests } from "./tests";

export interface AdminDeps {
  api: Pick<Api, "call">;
  timers: Timers;
  /** Milliseconds that never go back. */
  now: () => number;
  visible: ReadonlySignal<boolean>;
  /** Kept for this device. */
  kept: Keep;
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  speaking: Omit<SpeakingDeps, "api">;
}

/** An account, whether it is online or not. */
export interface User {
  id: string;
  name: string;
  admin: boolean;
  guest: boolean;
  disabled: boolean;
  /** Groups of people that they belong to. */
  tags: string[];
}

/** Something that is asked before it is done. */
export interface Question {
  title: string;
  /** What happens, to whom. */
  text: string;
  action: string;
  danger?: boolean;
  run: () => Promise<void>;
}

const liveMs = 2_000;
const usersMs = 15_000;
/** After three missed answers what is shown is old. */
const staleMs = 3 * liveMs;

const encode = encodeURIComponent;

export class Admin {
  readonly live: Poll<Live>;
  readonly users: Poll<User[]>;
  readonly history = new History();
  readonly editor: Editor;
  readonly log: Log;
  readonly tests: Tests;
  readonly firewall: Firewall;
  readonly announcing: Announcing;
  readonly speaking: Speaking;
  /** The question that is open. */
  readonly question = signal<Question | undefined>(undefined);
  /** Ticks each second while the dashboard is in front. */
  readonly tick = signal(0);
  /** Milliseconds since the last answer where that is too long, or 0. */
  readonly staleFor = computed(() => {
    void this.tick.value;
    const { value: at } = this.live.at;
    if (at === undefined) return 0;
    const age = this.deps.now() - at;
    return age > staleMs ? age : 0;
  });
  /** Unix milliseconds by the server's clock. */
  readonly serverNow = computed(() => {
    void this.tick.value;
    const [{ value: live }, { value: at }] = [this.live.value, this.live.at];
    return live && at !== undefined ? live.serverTime + this.deps.now() - at : 0;
  });
  /** The server does not take this user for an administrator any more. */
  readonly refused = computed(() => {
    const code = new Loose(this.live.problem.value?.answer).object("error").text("code");
    return code === "admin_required";
  });
  private readonly deps: AdminDeps;
  private ticker: number | undefined;

  constructor(deps: AdminDeps) {
    this.deps = deps;
    const { api, timers, now, visible } = deps;
    const shared = { timers, now, visible };
    this.live = new Poll({
      ...shared,
      everyMs: liveMs,
      ask: async () => readLive(await api.call("GET", "admin/live")),
      onAnswer: (live) => this.history.add(live),
    });
    this.users = new Poll({
      ...shared,
      everyMs: usersMs,
      ask: async () => readUsers(await api.call("GET", "admin/users")),
    });
    this.editor = new Editor({
      load: () => api.call("GET", "admin/settings"),
      preview: (settings) => api.call("POST", "admin/settings/preview", { settings }),
      save: (revision, settings) => api.call("PUT", "admin/settings", { revision, settings }),
      timers,
      onSaved: () => this.changed(),
    });
    this.log = new Log(api);
    this.tests = new Tests({ ...shared, api });
    this.announcing = new Announcing(deps);
    this.speaking = new Speaking({ ...deps.speaking, api });
    this.firewall = new Firewall(api, deps.kept);
  }

  /** The dashboard comes to the front. */
  open(): void {
    this.live.start();
    this.users.start();
    this.tests.follow();
    void this.editor.load();
    this.beat();
  }

  /** Something else is in front. */
  close(): void {
    this.live.stop();
    this.users.stop();
    this.tests.pause();
    this.deps.timers.clear(this.ticker);
  }

  private beat(): void {
    this.deps.timers.clear(this.ticker);
    this.ticker = this.deps.timers.set(() => {
      this.tick.value++;
      this.beat();
    }, 1_000);
  }

  /** Something was changed: shows it without waiting for the next turn. */
  changed(): void {
    this.live.soon();
    this.users.soon();
    void this.log.load();
    this.firewall.forget();
  }

  endAllocation(id: string): Promise<void> {
    return this.act("DELETE", `admin/allocations/${encode(id)}`);
  }

  endCall(call: string): Promise<void> {
    return this.act("DELETE", `admin/calls/${encode(call)}`);
  }

  setUser(id: string, change: { disabled?: boolean; admin?: boolean; tags?: string[] }): Promise<void> {
    return this.act("PATCH", `admin/users/${encode(id)}`, change);
  }

  signOutUser(id: string): Promise<void> {
    return this.act("POST", `admin/users/${encode(id)}/sign-out`, {});
  }

  /** Takes back what an entry of the log did. */
  async undo(id: string): Promise<void> {
    await this.act("POST", `admin/log/${encode(id)}/undo`, {});
    await this.editor.load();
  }

  private async act(method: string, path: string, body?: object): Promise<void> {
    try {
      await this.deps.api.call(method, path, body);
    } catch (error) {
      // Somebody or time has done it already.
      if (!(method === "DELETE" && error instanceof ApiError && error.code === "not_found")) throw error;
    }
    this.changed();
  }
}

const readUsers = (value: unknown): User[] =>
  new Loose(value).list("users", (u) => {
    const id = u.text("id");
    if (id === "") return undefined;
    return {
      id,
      name: u.text("name") || id,
      admin: u.flag("admin"),
      guest: u.flag("guest"),
      disabled: u.flag("disabled"),
      tags: u.texts("tags"),
    };
  });
