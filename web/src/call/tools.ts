// The browser's part of the instruments. One AudioContext serves all of them, and is made
// when it is first needed: on some phones it changes how the page sounds.
import type { Tools } from "./instruments";
import { TrackMeter } from "./meter";
import { Mixer } from "./mixer";
import { canRecord } from "./recordTypes";
import { Recordings } from "./tape";

/** wake: browsers let a page use sound only after it was touched; call it then. */
export function browserTools(): { tools: Tools; wake: () => void } {
  let made: AudioContext | undefined;
  const resume = () => {
    if (made?.state === "suspended") made.resume().catch(() => undefined);
  };
  const audio = (): AudioContext | undefined => {
    if (typeof AudioContext === "undefined") return undefined;
    made ??= new AudioContext();
    resume();
    return made;
  };
  // A browser that will not measure or mix must not spoil the call.
  const attempt = <T>(make: (audio: AudioContext) => T): T | undefined => {
    const context = audio();
    try {
      return context && make(context);
    } catch {
      return undefined;
    }
  };
  // Undefined on a page that is not secure, whatever the types say.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  const tools: Tools = {
    gauge: (track) => attempt((context) => new TrackMeter(context, track)),
    mix: (screen) => attempt((context) => new Mixer(context, screen)),
    digest:
      subtle &&
      (async (text) => new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(text)))),
    record: canRecord()
      ? async (scene, onFull) => (await import("./recorder")).Recorder.start(scene, onFull)
      : undefined,
    recordings: new Recordings(download),
    random: (bytes) => crypto.getRandomValues(bytes),
  };
  return { tools, wake: resume };
}

/** How long the browser may take to read what it saves. */
const readMs = 600_000;

function download(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), readMs);
}
