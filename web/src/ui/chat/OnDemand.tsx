import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "../context";

interface Props<P> {
  /** Fetches the component; the same function every time. */
  load: () => Promise<ComponentType<P>>;
  props: P;
}

/** A part of the page that is fetched when it is first needed. */
export function OnDemand<P extends object>({ load, props }: Props<P>): JSX.Element | null {
  const { t } = useApp().settings;
  const [loaded, setLoaded] = useState<{ Part: ComponentType<P> }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let wanted = true;
    load().then(
      (Part) => wanted && setLoaded({ Part }),
      () => wanted && setFailed(true),
    );
    return () => void (wanted = false);
  }, [load]);
  if (failed) {
    return (
      <p class="note bad" role="alert">
        {t("chat.not_loaded")}
      </p>
    );
  }
  return loaded ? <loaded.Part {...props} /> : null;
}
