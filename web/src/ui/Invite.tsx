import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Key } from "../i18n";
import { useApp } from "./context";
import { Icon } from "./icons";

/** How others get here: the page's own address, large enough to read out, and to copy. */
export function Invite({ small = false }: { small?: boolean }): JSX.Element {
  const { t } = useApp().settings;
  return (
    <div class={`invite ${small ? "small" : ""}`}>
      {!small && <p class="empty-title">{t("invite.title")}</p>}
      <p class="muted">{t("invite.how")}</p>
      <Address address={location.origin} word="invite.copy" />
    </div>
  );
}

/** An address to read or select, and a button that copies it. */
export function Address({ address, word }: { address: string; word: Key }): JSX.Element {
  const { t } = useApp().settings;
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
    } catch {
      // Not allowed: the address is selectable text.
    }
  };
  return (
    <>
      <p class="address">{address}</p>
      <button type="button" class="button" onClick={copy}>
        <Icon name="copy" size={20} />
        <span>{copied ? t("invite.copied") : t(word)}</span>
      </button>
      <span class="sr-only" role="status">
        {copied ? t("invite.copied") : ""}
      </span>
    </>
  );
}
