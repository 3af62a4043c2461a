// What files need of the rest of the page.
import type { IceCache } from "../call/iceCache";
import type { FilesDeps } from "../files/deps";
import { Files } from "../files/files";
import { FileApi } from "../protocol/fileApi";
import type { App } from "./app";

export function filesOf(app: App, request: FilesDeps["request"], ice: Pick<IceCache, "get">): Files {
  const { deps } = app;
  return new Files({
    ...deps.files,
    api: new FileApi(deps.api),
    request,
    fetchIce: () => ice.get(),
    relayOnly: deps.settings.relayOnly,
    timers: deps.timers,
    random: deps.call.random,
    now: deps.call.now,
    serverNow: () => app.clock.now(),
    present: (user) => user === app.me?.id || (app.people.find(user)?.status ?? "offline") !== "offline",
    announce: (chat, file) => app.chats.send(chat, "", file),
    onProblem: deps.onProblem,
  });
}
