import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Key } from "../i18n";
import { mayInvite } from "../state/joining";
import { useApp } from "./context";
import { Icon } from "./icons";

/** How others get here: the page's own address, large enough to read out, and to copy. */
export function Invite({ small = false }: { small?: boolean }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const site = app.joining.site.value;
  const byInvite = site?.policy === "invite";
  return (
    <div class={`invite ${small ? "small" : ""}`}>
      {!small && <p class="empty-title">{t("invite.title")}</p>}
      <p class="muted">{t(byInvite ? "invite.how_invite" : "invite.how")}</p>
      {!byInvite && <Address address={location.origin} word="invite.copy" />}
      {byInvite && app.me && mayInvite(site, app.me) && (
        <button type="button" class="button" onClick={() => (app.view.inviting.value = true)}>
          <Icon name="invite" size={20} />
          <span>{t("invite.make")}</span>
        </button>
      )}
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
