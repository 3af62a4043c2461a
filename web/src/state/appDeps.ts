// What the page is made of, handed in so that tests can hand in their own.
import type { CallsDeps } from "../call/calls";
import type { DeviceChoice } from "../call/devices";
import type { EchoDeps } from "../call/echo";
import type { Tester } from "../diagnose";
import type { FilesDeps } from "../files/deps";
import type { Api } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import type { Socket } from "../protocol/connection";
import type { Settings } from "./settings";
import type { Kept } from "./storage";
import type { TesterNeeds } from "./testing";

export interface AppDeps {
  api: Api;
  settings: Settings;
  openSocket: (refusals: number) => Socket;
  device: () => Promise<string>;
  timers: Timers;
  /** Unix milliseconds by the device's clock. */
  wallClock: () => number;
  random: () => number;
  /** Kept for this device, and for this tab. */
  local: Kept;
  tab: Kept;
  call: Pick<CallsDeps, "source" | "newPeer" | "newStream" | "random" | "now" | "onPeer" | "tools">;
  /** The devices for calls. */
  devices: DeviceChoice;
  files: Pick<FilesDeps, "store" | "room" | "newPeer">;
  /** The brightest spot of a picture, 0 to 255; undefined where it cannot be told. */
  brightestOf: (stream: MediaStream | undefined) => ReturnType<EchoDeps["brightest"]>;
  /** Loads what runs the path tests. */
  tester: (needs: TesterNeeds) => Promise<Tester>;
  /** The connection of an attention call, for support and tests. */
  onAttentionPeer?: (pc: RTCPeerConnection | undefined) => void;
  onProblem: (problem: string) => void;
}
