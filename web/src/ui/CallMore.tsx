import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "./context";
import { Icon, type IconName } from "./icons";

/** The rest of what a person can do in a call, behind one button. */
export function CallMore({ children }: { children: ComponentChildren }): JSX.Element {
  const { t } = useApp().settings;
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>(".more-item:not([disabled])")?.focus();
    const outside = (event: Event) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      class="more"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      {open && (
        <div class="more-items" id="call-more" role="group" aria-label={t("media.more")} onClick={close}>
          {children}
        </div>
      )}
      <button
        ref={button}
        type="button"
        class={`control ${open ? "on" : ""}`}
        aria-label={t("media.more")}
        aria-expanded={open}
        aria-controls={open ? "call-more" : undefined}
        title={t("media.more")}
        onClick={() => setOpen(!open)}
      >
        <span class="control-disc">
          <Icon name="more" size={26} />
        </span>
        <span class="control-label">{t("media.more")}</span>
      </button>
    </div>
  );
}

interface ItemProps {
  icon: IconName;
  label: string;
  /** For something that is on or off. */
  on?: boolean;
  disabled?: boolean;
  onClick: () => void;
}

export function MoreItem({ icon, label, on, disabled, onClick }: ItemProps): JSX.Element {
  return (
    <button
      type="button"
      class={`more-item ${on ? "on" : ""}`}
      aria-pressed={on}
      disabled={disabled}
      onClick={() => onClick()}
    >
      <Icon name={icon} size={22} />
      <span>{label}</span>
    </button>
  );
}
