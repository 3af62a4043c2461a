import { en, type Messages } from "./en";
import { zhCN } from "./zh-CN";

export type Language = "en" | "zh-CN";
export type Key = keyof Messages;
export type Values = Record<string, string>;

export const messages: Record<Language, Messages> = { en, "zh-CN": zhCN };

export const languages: readonly { id: Language; name: string }[] = [
  { id: "en", name: "English" },
  { id: "zh-CN", name: "简体中文" },
];

export const isLanguage = (id: string): id is Language => languages.some((language) => language.id === id);

/** The first of the wishes that there are texts for; any Chinese gets the Chinese ones. */
export function chooseLanguage(wishes: readonly (string | null | undefined)[]): Language {
  for (const wish of wishes) {
    const tag = wish?.toLowerCase() ?? "";
    if (tag === "zh" || tag.startsWith("zh-")) return "zh-CN";
    if (tag === "en" || tag.startsWith("en-")) return "en";
  }
  return "en";
}

/** The text of a key with its {values} filled in. */
export function translate(language: Language, key: Key, values: Values = {}): string {
  return messages[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
