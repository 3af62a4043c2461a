import { computed, signal } from "@preact/signals";
import { chooseLanguage, isLanguage, translate, type Key, type Language, type Values } from "../i18n";
import type { Kept } from "./storage";

export type Theme = "auto" | "light" | "dark";

const themes: readonly Theme[] = ["auto", "light", "dark"];

export interface SettingsDeps {
  /** The page's query: ?lang= and ?relay=1. */
  query: string;
  /** The browser's languages, best first. */
  languages: readonly string[];
  kept: Kept;
}

export class Settings {
  readonly language;
  readonly theme;
  readonly systemDark = signal(false);
  readonly dark = computed(() =>
    this.theme.value === "auto" ? this.systemDark.value : this.theme.value === "dark",
  );
  readonly relayOnly: boolean;
  private readonly kept: Kept;

  constructor({ query, languages, kept }: SettingsDeps) {
    const parameters = new URLSearchParams(query);
    const asked = [parameters.get("lang"), kept.get("language"), ...languages];
    this.kept = kept;
    this.language = signal<Language>(chooseLanguage(asked));
    const theme = kept.get("theme") as Theme;
    this.theme = signal<Theme>(themes.includes(theme) ? theme : "auto");
    this.relayOnly = parameters.get("relay") === "1";
  }

  setLanguage(language: string): void {
    if (!isLanguage(language)) return;
    this.language.value = language;
    this.kept.set("language", language);
  }

  setTheme(theme: Theme): void {
    this.theme.value = theme;
    this.kept.set("theme", theme);
  }

  /** The text of a key in the chosen language. */
  t = (key: Key, values?: Values): string => translate(this.language.value, key, values);
}
