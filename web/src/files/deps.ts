import type { IceServers } from "../protocol/api";
import type { Timers } from "../protocol/clock";
import type { FileApi } from "../protocol/fileApi";
import type { ClientData } from "../protocol/messages";
import type { FileInfo } from "../protocol/texts";
import type { FileStore } from "./store";

type FileType = "file.ask" | "file.take" | "file.signal" | "file.drop";

export interface FilesDeps {
  api: Pick<FileApi, keyof FileApi>;
  store: Pick<FileStore, keyof FileStore>;
  request: <T extends FileType>(type: T, data: ClientData[T]) => Promise<unknown>;
  fetchIce: () => Promise<IceServers>;
  newPeer: (config: RTCConfiguration) => RTCPeerConnection;
  relayOnly: boolean;
  timers: Timers;
  random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
  /** Monotonic milliseconds. */
  now: () => number;
  serverNow: () => number;
  /** Whether a person is connected. */
  present: (user: string) => boolean;
  /** Writes the text that the file goes with; false when that may not be. */
  announce: (chat: string, file: FileInfo) => boolean;
  /** How many bytes this device can keep; undefined where it does not say. */
  room: () => Promise<number | undefined>;
  onProblem: (problem: string) => void;
}
