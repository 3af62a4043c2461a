import type { ComponentType, JSX } from "preact";
import { useApp } from "./context";
import { Lazy } from "./Lazy";

const load = (): Promise<ComponentType<{ onClose: () => void }>> =>
  import("./InviteDialog").then(({ InviteDialog }) => InviteDialog);

/** The place of the dialog that makes invites, which brings the drawing of QR codes along. */
export function Inviting(): JSX.Element {
  const { view, settings } = useApp();
  const onClose = () => (view.inviting.value = false);
  return <Lazy load={load} label={settings.t("inviting.title")} with={{ onClose }} />;
}
