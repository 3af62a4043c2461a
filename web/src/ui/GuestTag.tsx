import type { JSX } from "preact";
import type { User } from "../protocol/messages";
import { isGuest } from "../state/joining";
import { useApp } from "./context";

/** Beside the name of somebody who gave only that. */
export function GuestTag({ user }: { user: User }): JSX.Element | null {
  const { t } = useApp().settings;
  return isGuest(user) ? <span class="tag">{t("guest.tag")}</span> : null;
}
