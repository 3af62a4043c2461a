import type { JSX } from "preact";
import { languages } from "../i18n";
import type { Theme } from "../state/settings";
import { useApp } from "./context";

/** Language and theme. */
export function Preferences(): JSX.Element {
  const { settings } = useApp();
  const { t } = settings;
  return (
    <div class="preferences">
      <label class="choice">
        <span>{t("pref.language")}</span>
        <select value={settings.language.value} onChange={(e) => settings.setLanguage(e.currentTarget.value)}>
          {languages.map(({ id, name }) => (
            <option key={id} value={id} lang={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="choice">
        <span>{t("pref.theme")}</span>
        <select
          value={settings.theme.value}
          onChange={(e) => settings.setTheme(e.currentTarget.value as Theme)}
        >
          <option value="auto">{t("pref.auto")}</option>
          <option value="light">{t("pref.light")}</option>
          <option value="dark">{t("pref.dark")}</option>
        </select>
      </label>
    </div>
  );
}
