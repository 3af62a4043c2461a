// A dashboard under test: the real page and model, a server by hand.
import { h, type FunctionComponent } from "preact";
import { render } from "preact-render-to-string";
import { Admin } from "../src/admin/state/admin";
import { ProvideAdmin } from "../src/admin/ui/context";
import { DeviceChoice } from "../src/call/devices";
import { MediaSource } from "../src/call/media";
import { Api } from "../src/protocol/api";
import { App } from "../src/state/app";
import { Settings } from "../src/state/settings";
import { Kept } from "../src/state/storage";
import { Provide } from "../src/ui/context";
import * as answers from "./adminAnswers";
import { live, users } from "./adminData";
import { FakeSocket, FakeTime, settle, noFiles } from "./fakes";

export function storage(): Kept {
  const items = new Map<string, string>();
  const area = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  return new Kept(() => area as unknown as Storage);
}

export interface Asked {
  method: string;
  path: string;
  body: Record<string, unknown> | undefined;
}

type Answer = (asked: Asked) => { status?: number; body?: unknown };

const json = (body: unknown) => () => ({ body });

/** What the server answers, by method and path; the longest that fits. */
const usual: Record<string, Answer> = {
  "GET me": json({ id: "ada", name: "Ada Lovelace", admin: true, guest: false }),
  "GET site": json({ name: "Camp 3", policy: "invite", guests: true, users_may_invite: true }),
  "GET users": json(users),
  "GET admin/live": json(live),
  "GET admin/users": json(users),
  "GET admin/settings": json(answers.settings),
  "POST admin/settings/preview": json(answers.preview),
  "GET admin/log": json(answers.log),
  "GET admin/firewall": json(answers.firewall),
  "POST admin/path-tests": json({ id: "t1" }),
  "GET admin/path-tests/t1": json(answers.pathTest),
};

export class Site {
  readonly time = new FakeTime();
  readonly asked: Asked[] = [];
  readonly answers: Record<string, Answer> = { ...usual };
  /** The server is out of reach. */
  down = false;
  readonly local = storage();
  readonly app: App;
  readonly admin: Admin;

  constructor(query = "?lang=en") {
    const api = new Api((path, init) => this.answer(path, init));
    this.app = new App({
      api,
      settings: new Settings({ query, languages: ["en"], kept: storage() }),
      openSocket: () => new FakeSocket(),
      device: () => Promise.resolve("web-12345678"),
      timers: this.time,
      wallClock: () => live.server_time,
      random: () => 1,
      local: this.local,
      tab: storage(),
      files: noFiles,
      call: {
        source: new MediaSource(undefined),
        newPeer: () => {
          throw new Error("no calls here");
        },
        newStream: () => {
          throw new Error("no calls here");
        },
        random: (bytes) => bytes,
        now: () => this.time.now,
        onPeer: () => undefined,
      },
      onProblem: () => undefined,
      devices: new DeviceChoice({ media: undefined, kept: storage() }),
      brightestOf: () => Promise.resolve(undefined),
      tester: () => Promise.reject(new Error("no tests here")),
    });
    this.admin = new Admin({
      api,
      timers: this.time,
      now: () => this.time.now,
      visible: this.app.view.visible,
      kept: this.local,
      random: (bytes) => bytes,
      speaking: {
        ...this.app.attentionDeps,
        source: this.app.deps.call.source,
        attention: this.app.attention,
      },
    });
  }

  /** Signs in and opens the dashboard. */
  async open(): Promise<this> {
    await this.app.identity.boot();
    this.app.view.admin.value = "overview";
    this.admin.open();
    await settle();
    return this;
  }

  to(method: string, path: string): Asked[] {
    return this.asked.filter((each) => each.method === method && each.path === path);
  }

  /** The page's text as it would be drawn. */
  draw(component: FunctionComponent): string {
    return render(
      h(Provide, { value: this.app }, h(ProvideAdmin, { value: this.admin }, h(component, null))),
    );
  }

  private async answer(path: string, init: RequestInit): Promise<Response> {
    const asked: Asked = {
      method: init.method ?? "GET",
      path: path.replace("/api/v1/", ""),
      body: typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : undefined,
    };
    this.asked.push(asked);
    await Promise.resolve();
    if (this.down) throw new TypeError("Failed to fetch");
    const known = this.answers[`${asked.method} ${asked.path.split("?")[0]!}`];
    const { status = 200, body } = known?.(asked) ?? { status: 204 };
    return new Response(body === undefined ? null : JSON.stringify(body), { status });
  }
}
