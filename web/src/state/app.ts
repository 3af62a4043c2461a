// The whole page without its pixels: session, connection, people, calls, texts.
import { computed, effect, signal, untracked } from "@preact/signals";
import { Attention, type AttentionDeps } from "../call/attention";
import { Calls } from "../call/calls";
import type { DeviceChoice } from "../call/devices";
import { EchoTest } from "../call/echo";
import { IceCache } from "../call/iceCache";
import { probe, type Account } from "../protocol/api";
import type { Files } from "../files/files";
import { ChatApi } from "../protocol/chats";
import { ServerClock } from "../protocol/clock";
import { Connection, type ConnectionDeps, type ConnectionState } from "../protocol/connection";
import {
  echoID,
  type CallIncoming,
  type ElsewhereCall,
  type Media,
  type ServerMessage,
  type User,
  type Welcome,
} from "../protocol/messages";
import { PeopleApi, type ProfileChange } from "../protocol/peopleApi";
import { RequestError } from "../protocol/pending";
import { Chats } from "./chat/chats";
import { Announcements } from "./announcements";
import { attentionOf } from "./attentionOf";
import { CallLog } from "./callLog";
import { filesOf } from "./filesOf";
import { Identity } from "./identity";
import { Invites, Joining } from "./joining";
import { ContactBook } from "./contacts";
import { People } from "./people";
import type { Settings } from "./settings";
import { Testing } from "./testing";
import { Thrift } from "./thrift";
import type { AppDeps } from "./appDeps";
import { View } from "./view";

export type { AppDeps };

export class App {
  readonly identity: Identity;
  readonly connection = signal<ConnectionState>({ kind: "idle" });
  readonly settings: Settings;
  readonly people = new People();
  readonly contacts: ContactBook;
  readonly joining: Joining;
  readonly invites: Invites;
  readonly clock: ServerClock;
  readonly calls: Calls;
  readonly devices: DeviceChoice;
  readonly callLog: CallLog;
  readonly echo: EchoTest;
  readonly chats: Chats;
  readonly files: Files;
  readonly testing: Testing;
  readonly announcements: Announcements;
  readonly attentionDeps: AttentionDeps;
  readonly attention: Attention;
  readonly view = new View();
  readonly thrift: Thrift;
  /** The chat that can be read on the screen now. */
  readonly reading = computed(() => {
    if (this.view.admin.value !== undefined) return undefined;
    const call = this.calls.current.value;
    const open = this.view.openWith.value;
    if (!call) return open;
    if (call.stage === "ended") return undefined;
    return this.view.wide.value || this.view.textsInCall.value ? (open ?? call.peer.id) : undefined;
  });
  readonly deps: AppDeps;
  private readonly ice: IceCache;
  private line: Connection | undefined;

  constructor(deps: AppDeps) {
    this.deps = deps;
    this.settings = deps.settings;
    this.contacts = new ContactBook(new PeopleApi(deps.api), this.people, deps.onProblem);
    this.devices = deps.devices;
    this.joining = new Joining({ api: deps.api, kept: deps.tab });
    this.invites = new Invites(deps.api);
    this.announcements = new Announcements({ ...deps, kept: deps.local });
    this.clock = new ServerClock(deps.wallClock);
    this.ice = new IceCache({
      fetch: () => deps.api.ice(),
      serverNow: () => this.clock.now(),
      onProblem: deps.onProblem,
    });
    this.thrift = new Thrift(deps.local);
    this.calls = new Calls({
      thrift: () => this.thrift.wanted,
      ...deps.call,
      request: (type, data, timeoutMs) => this.request((line) => line.request(type, data, timeoutMs)),
      report: (report) => this.line?.tell("call.report", report),
      fetchIce: () => this.ice.get(),
      signalling: () => this.connection.value.kind === "online",
      relayOnly: deps.settings.relayOnly,
      timers: deps.timers,
      serverNow: () => this.clock.now(),
      kept: deps.tab,
      onOver: (over) => {
        this.callLog.changed();
        this.chats.addCall(over);
      },
      onProblem: deps.onProblem,
    });
    this.callLog = new CallLog({
      api: deps.api,
      kept: deps.local,
      timers: deps.timers,
      lookedAt: () => this.view.pastCalls.value && this.view.visible.value && !this.calls.busy,
      onProblem: deps.onProblem,
    });
    this.echo = new EchoTest({
      call: this.calls.current,
      peer: () => this.calls.session.link?.pc,
      relink: (relayOnly) => this.calls.relink(relayOnly),
      hangUp: () => this.calls.hangUp(),
      relayOnly: deps.settings.relayOnly,
      brightest: () => deps.brightestOf(this.calls.session.preview.value),
      timers: deps.timers,
      now: deps.call.now,
    });
    this.chats = new Chats({
      api: new ChatApi(deps.api),
      request: (type, data) => this.request((line) => line.request(type, data)),
      tell: (type, data) => this.line?.tell(type, data),
      online: () => this.connection.value.kind === "online",
      timers: deps.timers,
      random: deps.call.random,
      serverNow: () => this.clock.now(),
      kept: deps.local,
      onProblem: deps.onProblem,
    });
    this.attentionDeps = attentionOf(
      this,
      (type, data) => this.request((line) => line.request(type, data)),
      this.ice,
    );
    this.attention = new Attention(this.attentionDeps);
    this.files = filesOf(this, (type, data) => this.request((line) => line.request(type, data)), this.ice);
    this.identity = new Identity({
      api: deps.api,
      joining: this.joining,
      timers: deps.timers,
      serverNow: () => this.clock.now(),
      local: deps.local,
      onIn: (user) => this.enter(user),
      onOut: () => this.leave(),
      onLeaving: () => this.calls.hangUpAll(),
      onLeft: () => [this.chats, this.files].forEach((each) => each.close(true)),
      onNewSession: (done) => {
        this.ice.clear();
        if (!done || this.connection.value.kind === "stopped") this.line?.start();
      },
      onProblem: deps.onProblem,
    });
    this.testing = new Testing({
      load: deps.tester,
      api: deps.api,
      request: (type, data) => this.request((line) => line.request(type, data)),
      busy: () => this.calls.busy,
      timers: deps.timers,
      onProblem: deps.onProblem,
    });
    effect(() => {
      const { wanted } = this.thrift;
      untracked(() => this.calls.session.thriftChanged(wanted));
    });
  }

  /** The user of this page, while signed in. */
  get me(): Account | undefined {
    return this.identity.me;
  }

  /** A person by id, also one who is known from a chat alone; or a group. */
  personNamed(id: string): User {
    if (id === echoID) return { id, name: this.settings.t("echo.name") };
    const known = this.people.find(id);
    if (known?.gone) return { id, name: this.settings.t("people.gone") };
    return known ?? { id, name: this.chats.find(id)?.head.value.name || id };
  }

  /** Changes what one says of oneself. */
  async changeProfile(change: ProfileChange): Promise<void> {
    const me = await this.contacts.api.change(change);
    this.identity.became(me);
    this.people.setProfiles([me]);
  }

  openConversation(id: string): void {
    this.calls.dismiss();
    this.view.openWith.value = id;
    this.view.pastCalls.value = false;
    this.view.textsInCall.value = true;
  }

  closeConversation(): void {
    this.view.openWith.value = undefined;
    this.view.pastCalls.value = false;
  }

  showPastCalls(): void {
    this.calls.dismiss();
    this.view.openWith.value = undefined;
    this.view.pastCalls.value = true;
  }

  call(peer: User, media: Media): void {
    this.view.toCallWith(peer.id);
    void this.calls.invite(peer, media);
  }

  answer(ringing: CallIncoming, media: Media, present?: "hold" | "end"): void {
    this.view.toCallWith(ringing.from.id);
    void this.calls.accept(ringing, media, present);
  }

  takeHere(call: ElsewhereCall): void {
    this.view.toCallWith(call.peer.id);
    void this.calls.takeHere(call);
  }

  /** Ends the call; what one ended oneself needs no explanation, unless it was a test. */
  hangUp(): void {
    this.calls.hangUp();
    if (!this.echo.tells) this.calls.dismiss();
  }

  /** The network came back or changed, or the page became visible. */
  wake(networkChanged: boolean): void {
    this.line?.wake(networkChanged);
    if (networkChanged) this.calls.networkChanged();
  }

  /** Takes the device back from the other tab that took it. */
  takeBack(): void {
    this.line?.start();
  }

  private async enter(user: Account): Promise<void> {
    this.chats.open(user, this.settings.t("echo.name"));
    void this.files.open(user.id);
    this.announcements.open(user.id);
    this.callLog.open(user.id);
    const device = await this.deps.device();
    if (this.me?.id !== user.id) return;
    this.line?.stop("signed_out");
    this.line = new Connection(this.lineDeps(device));
    this.line.start();
  }

  private lineDeps(device: string): ConnectionDeps {
    return {
      device,
      open: this.deps.openSocket,
      probe: () => probe(this.deps.api),
      timers: this.deps.timers,
      now: this.deps.call.now,
      random: this.deps.random,
      runningCalls: () => this.calls.running(),
      onState: (state) => this.lineState(state),
      onWelcome: (welcome) => this.welcome(welcome),
      onMessage: (message) => this.take(message),
      onProblem: this.deps.onProblem,
    };
  }

  private lineState(state: ConnectionState): void {
    this.connection.value = state;
    if (state.kind === "stopped" && state.reason === "session_ended") this.identity.ended();
  }

  private welcome(welcome: Welcome): void {
    this.clock.learn(welcome.server_time);
    if (!welcome.resumed) this.ice.clear();
    this.identity.named(welcome.user.name);
    this.calls.welcome(this.attention.welcome(welcome));
    this.chats.welcome();
    this.files.welcome();
    this.announcements.welcome(welcome.resumed);
    this.identity.renewal.schedule();
    if (this.joining.site.value === undefined) void this.joining.load();
    void this.contacts.load();
    this.callLog.changed();
  }

  private take(message: ServerMessage): void {
    if (this.files.take(message) || this.callLog.take(message)) return;
    switch (message.type) {
      case "ping":
        this.clock.learn(message.data.server_time);
        break;
      case "presence.snapshot":
        this.people.snapshot(message.data.people);
        break;
      case "presence.update":
        this.people.update(message.data.people);
        break;
      case "profile.update":
        this.people.setProfiles(message.data.people);
        break;
      case "text.message":
      case "text.marks":
      case "text.typing":
        this.chats.take(message);
        break;
      case "path.run":
      case "path.signal":
        this.testing.take(message);
        break;
      default:
        if (!this.announcements.take(message) && !this.attention.take(message)) this.calls.take(message);
    }
  }

  private leave(): void {
    this.calls.reset();
    this.deps.call.tools?.recordings.clear();
    this.ice.clear();
    this.view.reset();
    this.announcements.reset();
    this.attention.reset();
    this.testing.reset();
    const { line } = this;
    this.line = undefined;
    if (this.connection.value.kind !== "stopped") line?.stop("signed_out");
    this.people.clear();
    this.contacts.clear();
    this.chats.close();
    this.files.close(false);
    this.callLog.close();
  }

  private request<T>(send: (line: Connection) => Promise<T>): Promise<T> {
    return this.line ? send(this.line) : Promise.reject(new RequestError("stopped"));
  }
}
