import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "./context";
import { Dialog } from "./Dialog";

interface Props<P extends { onClose: () => void }> {
  /** Must be the same function each time. */
  load: () => Promise<ComponentType<P>>;
  label: string;
  with: P;
}

/** A dialog that is loaded when it is first opened, or says why it is not there. */
export function Lazy<P extends { onClose: () => void }>({
  load,
  label,
  with: props,
}: Props<P>): JSX.Element | null {
  const { t } = useApp().settings;
  const [loaded, setLoaded] = useState<{ Part: ComponentType<P> }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (Part) => setLoaded({ Part }),
      () => setFailed(true),
    );
  }, [load]);
  if (loaded) return <loaded.Part {...props} />;
  if (!failed) return null;
  return (
    <Dialog label={label} onEscape={props.onClose}>
      <p>{t("test.not_loaded")}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" data-first onClick={props.onClose}>
          {t("account.close")}
        </button>
      </div>
    </Dialog>
  );
}
