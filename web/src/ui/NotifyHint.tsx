import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "./context";
import { Icon } from "./icons";

const supported = typeof Notification !== "undefined";

/** Offers notifications while the browser has not been asked; a browser asks only after a click. */
export function NotifyHint(): JSX.Element | null {
  const { t } = useApp().settings;
  const [permission, setPermission] = useState(supported ? Notification.permission : "denied");
  if (permission !== "default") return null;
  return (
    <button
      type="button"
      class="notify"
      onClick={() => void Notification.requestPermission().then(setPermission, () => setPermission("denied"))}
    >
      <Icon name="bell" size={20} />
      <span>{t("notify.ask")}</span>
    </button>
  );
}
