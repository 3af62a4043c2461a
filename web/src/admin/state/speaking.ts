// An administrator speaks to many: the call to the endpoint that passes the voice on.
import { signal } from "@preact/signals";
import type { Attention, AttentionDeps } from "../../call/attention";
import { Link } from "../../call/link";
import type { MediaSource } from "../../call/media";
import type { DeviceProblem } from "../../call/types";
import type { ApiError, Api } from "../../protocol/api";
import { attentionID, type ServerMessage } from "../../protocol/messages";
import { asApiError } from "./editor";
import { Loose } from "./loose";

export interface SpeakingDeps extends AttentionDeps {
  api: Pick<Api, "call">;
  source: MediaSource;
  attention: Pick<Attention, "speak">;
}

/** Of whoever speaks now, as the server tells. */
export interface OnAir {
  call: string;
  from: string;
  tag: string;
  since: number;
  listening: number;
}

const lookMs = 1_500;

export class Speaking {
  /** asking: for the microphone and a way to the server. */
  readonly stage = signal<"off" | "asking" | "live">("off");
  readonly muted = signal(false);
  readonly onAir = signal<OnAir | undefined>(undefined);
  readonly problem = signal<ApiError | undefined>(undefined);
  readonly device = signal<DeviceProblem | undefined>(undefined);
  private readonly deps: SpeakingDeps;
  private call: string | undefined;
  private mic: MediaStreamTrack | undefined;
  private link: Link | undefined;
  private gen = 0;
  private timer: number | undefined;
  private looking = false;
  private unfollow = () => {};
  private resume = () => {};

  constructor(deps: SpeakingDeps) {
    this.deps = deps;
  }

  async start(tag: string): Promise<void> {
    if (this.stage.value !== "off") return;
    this.stage.value = "asking";
    this.problem.value = this.device.value = undefined;
    this.muted.value = false;
    this.gen = 0;
    try {
      // The microphone first: the permission to speak is short.
      const { audio, problems } = await this.deps.source.capture({ audio: true, video: false });
      if (!audio) {
        this.device.value = problems.audio ?? "unknown";
        this.stop();
        return;
      }
      this.mic = audio;
      const ticket = new Loose(await this.deps.api.call("POST", "attention", tag === "" ? {} : { tag }));
      const call = ticket.text("call");
      this.call = call;
      this.unfollow = this.deps.attention.speak(call, (message) => this.take(message));
      this.resume = this.deps.pause();
      await this.deps.request("call.invite", { call, to: ticket.text("to") || attentionID, media: "audio" });
    } catch (error) {
      this.problem.value = asApiError(error);
      this.stop();
    }
  }

  mute(muted: boolean): void {
    this.muted.value = muted;
    if (this.mic) this.mic.enabled = !muted;
  }

  hangUp(): void {
    const { call } = this;
    this.stop();
    if (call === undefined) return;
    this.deps.request("call.hangup", { call }).catch(() => {
      // It may not have been answered yet.
      this.deps
        .request("call.cancel", { call })
        .catch((error: unknown) => this.deps.onProblem(String(error)));
    });
  }

  /** Looks who speaks and how many listen, as long as somebody watches. */
  follow(): void {
    this.looking = true;
    void this.look();
  }

  rest(): void {
    this.looking = false;
    this.deps.timers.clear(this.timer);
  }

  private async look(): Promise<void> {
    this.deps.timers.clear(this.timer);
    try {
      const answer = new Loose(await this.deps.api.call("GET", "attention"));
      const from = answer.object("from");
      this.onAir.value = answer.flag("on")
        ? {
            call: answer.text("call"),
            from: from.text("name") || from.text("id"),
            tag: answer.text("tag"),
            since: answer.number("since"),
            listening: answer.number("listening"),
          }
        : undefined;
    } catch {
      // It is asked again; what was shown stays.
    }
    if (this.looking) this.timer = this.deps.timers.set(() => void this.look(), lookMs);
  }

  private take(message: ServerMessage): void {
    switch (message.type) {
      case "call.started":
        this.connect(message.data.call, message.data.gen);
        break;
      case "call.signal":
        if (message.data.gen === this.gen) this.link?.receive(message.data.payload);
        break;
      case "call.ended":
        this.stop();
        break;
      default:
    }
  }

  private connect(call: string, gen: number): void {
    if (gen <= this.gen) return;
    this.gen = gen;
    this.link?.close();
    const { deps } = this;
    const link: Link = new Link({
      ...deps,
      role: "offerer",
      thrift: () => ({ soundOnly: true, saveData: false }),
      tracks: () => (this.mic ? { audio: this.mic } : {}),
      newPeer: (config) => {
        const pc = deps.newPeer(config);
        deps.onPeer?.(pc);
        return pc;
      },
      send: (payload) => deps.request("call.signal", { call, gen, payload }),
      onTrack: () => undefined,
      onChange: () => {
        if (link !== this.link || link.state !== "connected" || this.stage.value === "live") return;
        this.stage.value = "live";
        if (this.looking) void this.look();
      },
    });
    this.link = link;
    link.start(Promise.resolve());
  }

  private stop(): void {
    this.link?.close();
    this.link = undefined;
    this.mic?.stop();
    this.mic = undefined;
    this.call = undefined;
    this.unfollow();
    this.unfollow = () => {};
    this.deps.onPeer?.(undefined);
    this.stage.value = "off";
    const { resume } = this;
    this.resume = () => {};
    resume();
  }
}
