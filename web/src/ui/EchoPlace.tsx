import type { ComponentType, JSX } from "preact";
import type { Call } from "../call/types";
import { OnDemand } from "./chat/OnDemand";

const loadCall = (): Promise<ComponentType<object>> => import("./EchoCall").then((m) => m.EchoCall);
const loadEnded = (): Promise<ComponentType<{ call: Call }>> =>
  import("./EchoEnded").then((m) => m.EchoEnded);

/** What the echo test shows during its call, and after it; few need it, and its words are many. */
export function EchoPlace({ call }: { call: Call }): JSX.Element {
  return call.stage === "ended" ? (
    <OnDemand load={loadEnded} props={{ call }} />
  ) : (
    <OnDemand load={loadCall} props={{}} />
  );
}
