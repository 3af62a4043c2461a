import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../protocol/api";
import { useApp } from "../context";
import { Icon } from "../icons";
import { apiWord } from "../words";

/** What one can do about a person: mark as favourite, block. */
export function PersonMenu({ person }: { person: { id: string; name: string } }): JSX.Element | null {
  const app = useApp();
  const { t } = app.settings;
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState<string>();
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const { id, name } = person;
  const favourite = app.contacts.favourites.value.has(id);
  const blocked = app.contacts.blocked.value.has(id);

  useEffect(() => {
    if (!open) return undefined;
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  useEffect(() => setOpen(false), [id]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const mark = async (change: { favourite?: boolean; blocked?: boolean }) => {
    close();
    setFailed(undefined);
    try {
      await app.contacts.mark(id, change);
    } catch (error) {
      const { code, retryAfter } = error instanceof ApiError ? error : new ApiError("internal");
      setFailed(t(apiWord(code), { seconds: String(retryAfter ?? 30) }));
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape" && open) close();
    else if (open && event.key === "ArrowDown") items[(at + 1) % items.length]?.focus();
    else if (open && event.key === "ArrowUp") items[(at - 1 + items.length) % items.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  if (id === app.me?.id || app.people.find(id)?.gone) return null;
  return (
    <div class="person-menu" ref={box} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        class="round ghost"
        aria-label={t("people.more", { name })}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      {open && (
        <div class="menu" role="menu" aria-label={t("people.more", { name })}>
          <button type="button" role="menuitem" onClick={() => void mark({ favourite: !favourite })}>
            <Icon name="star" size={20} />
            {favourite ? t("people.unfavour") : t("people.favour")}
          </button>
          <button type="button" role="menuitem" onClick={() => void mark({ blocked: !blocked })}>
            <Icon name="block" size={20} />
            <span>
              {blocked ? t("people.unblock", { name }) : t("people.block", { name })}
              {!blocked && <small>{t("people.block_hint")}</small>}
            </span>
          </button>
        </div>
      )}
      {failed && (
        <p class="note bad menu-note" role="alert">
          {failed}
        </p>
      )}
    </div>
  );
}
