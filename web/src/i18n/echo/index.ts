// The texts of the echo test.
import type { Language } from "..";
import { en, type EchoTexts } from "./en";
import { zhCN } from "./zh-CN";

export type EchoKey = keyof EchoTexts;
export type EchoSay = (key: EchoKey, values?: Record<string, string | number>) => string;

export const echoTexts: Record<Language, EchoTexts> = { en, "zh-CN": zhCN };

export const echoSay =
  (language: Language): EchoSay =>
  (key, values = {}) =>
    echoTexts[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
