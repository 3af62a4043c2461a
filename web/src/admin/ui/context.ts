import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { useApp } from "../../ui/context";
import type { Admin } from "../state/admin";
import { translate, type Key, type Values } from "../words";

const AdminContext = createContext<Admin | undefined>(undefined);

export const ProvideAdmin = AdminContext.Provider;

export function useAdmin(): Admin {
  const admin = useContext(AdminContext);
  if (!admin) throw new Error("no Admin provided");
  return admin;
}

export type Translate = (key: Key, values?: Values) => string;

/** The dashboard's words in the chosen language. */
export function useWords(): { t: Translate; language: string } {
  const language = useApp().settings.language.value;
  return { t: (key, values) => translate(language, key, values), language };
}
