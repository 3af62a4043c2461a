import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { App } from "../state/app";

const AppContext = createContext<App | undefined>(undefined);

export const Provide = AppContext.Provider;

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("no App provided");
  return app;
}
