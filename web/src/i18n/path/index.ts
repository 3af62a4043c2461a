// The texts of the connection test, loaded with it.
import type { Language } from "..";
import { en, type PathTexts } from "./en";
import { zhCN } from "./zh-CN";

export type PathKey = keyof PathTexts;
export type Say = (key: PathKey, values?: Record<string, string | number>) => string;

export const pathTexts: Record<Language, PathTexts> = { en, "zh-CN": zhCN };

export const say =
  (language: Language): Say =>
  (key, values = {}) =>
    pathTexts[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
