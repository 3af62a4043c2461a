import type { AttentionDeps } from "../call/attention";
import type { IceCache } from "../call/iceCache";
import type { App } from "./app";

/** What listening and speaking to many need of the page. */
export const attentionOf = (app: App, request: AttentionDeps["request"], ice: IceCache): AttentionDeps => ({
  ...app.deps.call,
  request,
  fetchIce: () => ice.get(),
  signalling: () => app.connection.value.kind === "online",
  relayOnly: app.settings.relayOnly,
  timers: app.deps.timers,
  serverNow: () => app.clock.now(),
  pause: () => app.calls.pause(),
  onPeer: app.deps.onAttentionPeer,
  onProblem: app.deps.onProblem,
});
