// The dashboard's own words, loaded with it.
import type { Language } from "../../i18n";
import { en, type Messages } from "./en";
import { zhCN } from "./zh-CN";

export type Key = keyof Messages;
export type Values = Record<string, string | number>;

export const messages: Record<Language, Messages> = { en, "zh-CN": zhCN };

/** The text of a key with its {values} filled in; {n|one|many} chooses by the value of n. */
export function translate(language: Language, key: Key, values: Values = {}): string {
  return messages[language][key].replace(
    /\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g,
    (whole, name: string, one, many) => {
      const value = values[name];
      if (value === undefined) return whole;
      if (one === undefined) return String(value);
      return String(value) === "1" ? (one as string) : (many as string);
    },
  );
}

export const isKey = (key: string): key is Key => Object.prototype.hasOwnProperty.call(en, key);

/** The key of a code under a prefix, where there are words for it. */
export function keyFor(prefix: string, code: string): Key | undefined {
  const key = `${prefix}.${code}`;
  return isKey(key) ? key : undefined;
}
