import type { ComponentType, JSX } from "preact";
import type { Call } from "../call/types";
import type { Key } from "../i18n";
import { useApp } from "./context";
import { Icon } from "./icons";
import { Lazy } from "./Lazy";

/** What a dialog about the running call is given. */
export interface PartProps {
  call: Call;
  onClose: () => void;
}

const loadDevices = (): Promise<ComponentType<{ onClose: () => void }>> =>
  import("./DevicesDialog").then(({ DevicesDialog }) => DevicesDialog);
const loadQuality = (): Promise<ComponentType<PartProps>> =>
  import("./QualityDialog").then(({ QualityDialog }) => QualityDialog);
const loadSafety = (): Promise<ComponentType<PartProps>> =>
  import("./SafetyDialog").then(({ SafetyDialog }) => SafetyDialog);

const ofCall = {
  quality: { load: loadQuality, title: "quality.title" },
  safety: { load: loadSafety, title: "safety.title" },
} as const satisfies Record<string, { load: () => Promise<ComponentType<PartProps>>; title: Key }>;

/** The place of the dialogs about sound and picture, above everything else on the page. */
export function MediaDialogs(): JSX.Element | null {
  const { view, settings, calls } = useApp();
  const { t } = settings;
  const open = view.mediaDialog.value;
  const call = calls.current.value;
  if (open === undefined) return null;
  const onClose = () => (view.mediaDialog.value = undefined);
  if (open === "devices") return <Lazy load={loadDevices} label={t("media.title")} with={{ onClose }} />;
  // What is about a call goes away with it.
  if (!call || call.stage === "ended") return null;
  const { load, title } = ofCall[open];
  return <Lazy key={open} load={load} label={t(title)} with={{ call, onClose }} />;
}

/** Opens the dialog for microphone, camera and speaker. */
export function DevicesButton(): JSX.Element {
  const { view, settings } = useApp();
  const open = () => {
    view.account.value = false;
    view.mediaDialog.value = "devices";
  };
  return (
    <button type="button" class="button wide" onClick={open}>
      <Icon name="mic" size={20} />
      <span>{settings.t("media.open")}</span>
    </button>
  );
}
