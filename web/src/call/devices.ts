// Which microphone, camera and speaker to use: what there is, and what the person chose on
// this device. A choice outlives the time that its device is unplugged.
import { computed, signal } from "@preact/signals";
import type { Keep } from "./types";

export type DeviceKind = "audioinput" | "videoinput" | "audiooutput";

export interface Device {
  id: string;
  /** Empty until the person has allowed this page a device of this kind. */
  label: string;
}

export type DeviceList = Record<DeviceKind, Device[]>;

/** What the person wants; undefined leaves it to the browser. */
export interface Choice {
  audioinput?: string;
  videoinput?: string;
  audiooutput?: string;
  /** Takes noise out of the own sound; off for music and for devices that it is too much for. */
  quiet: boolean;
}

export interface DevicesDeps {
  /** navigator.mediaDevices; undefined on a page that is not secure. */
  media: Pick<MediaDevices, "enumerateDevices"> | undefined;
  /** Kept for this device. */
  kept: Keep;
}

const key = "devices";
const none: DeviceList = { audioinput: [], videoinput: [], audiooutput: [] };
const kinds: readonly DeviceKind[] = ["audioinput", "videoinput", "audiooutput"];
/** An id is some 64 characters; what is kept may have been tampered with. */
const longest = 512;

/** What a chosen device came to: used, or away so that another one has to do. */
export const present = (list: readonly Device[], chosen: string | undefined): boolean =>
  chosen !== undefined && list.some(({ id }) => id === chosen);

export class DeviceChoice {
  readonly list = signal<DeviceList>(none);
  readonly choice;
  /** The speaker to play on; empty for the browser's own, also while the chosen one is unplugged. */
  readonly speaker = computed(() => {
    const chosen = this.choice.value.audiooutput;
    return present(this.list.value.audiooutput, chosen) ? chosen! : "";
  });
  private readonly deps: DevicesDeps;

  constructor(deps: DevicesDeps) {
    this.deps = deps;
    this.choice = signal<Choice>(readChoice(deps.kept.get(key)));
  }

  choose(kind: DeviceKind, id: string | undefined): void {
    this.save({ ...this.choice.value, [kind]: id === "" ? undefined : id });
  }

  setQuiet(quiet: boolean): void {
    this.save({ ...this.choice.value, quiet });
  }

  /** Looks what there is; a browser that does not tell leaves the list as it was. */
  async refresh(): Promise<DeviceList> {
    try {
      this.list.value = listOf((await this.deps.media?.enumerateDevices()) ?? []);
    } catch {
      // Not allowed here.
    }
    return this.list.value;
  }

  private save(choice: Choice): void {
    this.choice.value = choice;
    this.deps.kept.set(key, JSON.stringify(choice));
  }
}

/** Browsers list the one in use a second time under these names. */
const aliases = ["default", "communications"];

export function listOf(all: readonly Pick<MediaDeviceInfo, "kind" | "deviceId" | "label">[]): DeviceList {
  const list: DeviceList = { audioinput: [], videoinput: [], audiooutput: [] };
  for (const { kind, deviceId: id, label } of all) {
    // Without permission there is one of each kind with neither id nor name.
    if (id !== "" && !aliases.includes(id) && kinds.includes(kind)) list[kind].push({ id, label });
  }
  return list;
}

function readChoice(kept: string | undefined): Choice {
  try {
    const read = JSON.parse(kept ?? "{}") as Partial<Record<string, unknown>> | null;
    const choice: Choice = { quiet: read?.quiet !== false };
    for (const kind of kinds) {
      const id = read?.[kind];
      if (typeof id === "string" && id !== "" && id.length <= longest) choice[kind] = id;
    }
    return choice;
  } catch {
    return { quiet: true };
  }
}
