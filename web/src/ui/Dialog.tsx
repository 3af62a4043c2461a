import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

const focusable = "button:not([disabled]), input:not([disabled]), select, textarea, [tabindex='0']";

interface Props {
  label: string;
  class?: string;
  /** What Escape does; nothing when it is not given. */
  onEscape?: () => void;
  /** For what must be answered before anything else. */
  alert?: boolean;
  scrim?: string;
  children: ComponentChildren;
}

/** A modal dialog: takes the focus, keeps it, and gives it back. */
export function Dialog({ label, onEscape, alert, scrim, children, ...rest }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const wanted = box.current?.querySelector<HTMLElement>("[data-first]");
    (wanted ?? box.current)?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const escape = useRef(onEscape);
  escape.current = onEscape;
  useEffect(() => {
    // What had the focus may be gone, as a button that was pressed; the keys are still this dialog's.
    const onLost = (event: KeyboardEvent) => {
      const { current } = box;
      if (!current || document.activeElement !== document.body) return;
      const dialogs = document.querySelectorAll(".dialog");
      if (dialogs[dialogs.length - 1] !== current) return;
      current.focus();
      if (event.key === "Escape") escape.current?.();
    };
    document.addEventListener("keydown", onLost);
    return () => document.removeEventListener("keydown", onLost);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && onEscape) {
      event.stopPropagation();
      onEscape();
    }
    if (event.key !== "Tab" || !box.current) return;
    const items = [...box.current.querySelectorAll<HTMLElement>(focusable)];
    const first = items[0];
    const last = items[items.length - 1];
    if (!first || !last) return;
    const active = document.activeElement;
    if (event.shiftKey && (active === first || active === box.current)) {
      event.preventDefault();
      last.focus();
    } else if (!event.shiftKey && active === last) {
      event.preventDefault();
      first.focus();
    }
  };
  return (
    <div class={`scrim ${scrim ?? ""}`}>
      <div
        ref={box}
        class={`dialog ${rest.class ?? ""}`}
        role={alert ? "alertdialog" : "dialog"}
        aria-modal="true"
        aria-label={label}
        tabIndex={-1}
        onKeyDown={onKeyDown}
      >
        {children}
      </div>
    </div>
  );
}
