import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Key } from "../i18n";
import type { Invite } from "../protocol/api";
import { joinLink } from "../state/joining";
import { Told, useAction } from "./action";
import { Address } from "./Invite";
import { useApp } from "./context";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";
import { QR } from "./QR";
import { until } from "./words";

const usesOffered = [1, 5, 20, 100, 500];
const hour = 3_600;
const timesOffered: readonly { seconds: number; key: Key }[] = [
  { seconds: hour, key: "inviting.hour" },
  { seconds: 24 * hour, key: "inviting.day" },
  { seconds: 7 * 24 * hour, key: "inviting.week" },
  { seconds: 30 * 24 * hour, key: "inviting.month" },
];
const stateWord: Record<Invite["state"], Key> = {
  open: "inviting.open",
  used_up: "inviting.used_up",
  expired: "inviting.expired",
  revoked: "inviting.revoked",
};

/** Makes invites, shows the one just made as link and QR code, and takes invites back. */
export function InviteDialog({ onClose: close }: { onClose: () => void }): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [made, setMade] = useState<{ invite: Invite; code: string }>();
  const [list, setList] = useState<Invite[]>();
  const { outcome, busy, run } = useAction();
  const load = async () => setList(await app.invites.list());
  useEffect(() => void run(load), []);
  const make = (uses: number, seconds: number) =>
    run(async () => {
      setMade(await app.invites.make(uses, seconds));
      await load();
    });
  const revoke = (invite: Invite) =>
    run(async () => {
      await app.invites.revoke(invite.id);
      if (made?.invite.id === invite.id) setMade(undefined);
      await load();
    }, t("inviting.taken_back"));
  const link = made && joinLink(location.origin, made.code);
  return (
    <Dialog label={t("inviting.title")} class="account" onEscape={close}>
      <header class="dialog-head">
        <h2>{t("inviting.title")}</h2>
        <button type="button" class="round ghost" aria-label={t("account.close")} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {link && made ? (
        <div class="stack invite-made">
          <QR text={link} label={t("inviting.qr")} />
          <Address address={link} word="inviting.copy" />
          <p class="hint">{t("inviting.once")}</p>
          <button type="button" class="link" onClick={() => setMade(undefined)}>
            {t("inviting.another")}
          </button>
        </div>
      ) : (
        <MakeForm busy={busy} onMake={make} />
      )}
      <Told outcome={outcome} />
      {list && list.length > 0 && <List invites={list} busy={busy} onRevoke={revoke} />}
    </Dialog>
  );
}

function MakeForm({
  busy,
  onMake,
}: {
  busy: boolean;
  onMake: (uses: number, seconds: number) => Promise<boolean>;
}): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const [uses, setUses] = useState(1);
  const [seconds, setSeconds] = useState(24 * hour);
  const submit = (event: Event) => {
    event.preventDefault();
    void onMake(uses, seconds);
  };
  return (
    <form class="stack" onSubmit={submit}>
      <p class="muted">
        {t(app.joining.site.value?.policy === "open" ? "inviting.how_open" : "inviting.how")}
      </p>
      <div class="preferences">
        <label class="choice">
          <span>{t("inviting.uses")}</span>
          <select value={uses} onChange={(event) => setUses(Number(event.currentTarget.value))}>
            {usesOffered.map((n) => (
              <option key={n} value={n}>
                {n === 1 ? t("inviting.person") : t("inviting.people", { count: String(n) })}
              </option>
            ))}
          </select>
        </label>
        <label class="choice">
          <span>{t("inviting.time")}</span>
          <select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {timesOffered.map((each) => (
              <option key={each.key} value={each.seconds}>
                {t(each.key)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <button type="submit" class="button primary wide" data-first disabled={busy}>
        {t("inviting.make")}
      </button>
    </form>
  );
}

interface ListProps {
  invites: Invite[];
  busy: boolean;
  onRevoke: (invite: Invite) => void;
}

function List({ invites, busy, onRevoke }: ListProps): JSX.Element {
  const app = useApp();
  const { t } = app.settings;
  const maker = ({ created_by: by }: Invite) =>
    by === undefined ? t("inviting.console") : app.personNamed(by).name;
  return (
    <section>
      <h3>{t("inviting.list")}</h3>
      <ul class="invites" role="list">
        {invites.map((invite) => {
          const when = until(invite.expires_at, app.settings.language.value);
          const used = t("inviting.used", { used: String(invite.used), uses: String(invite.uses) });
          return (
            <li key={invite.id} class={invite.state}>
              <span class="person-words">
                <span>{`${used} · ${t(stateWord[invite.state], { when })}`}</span>
                {invite.created_by !== app.me?.id && <span class="muted">{maker(invite)}</span>}
              </span>
              {invite.state === "open" && (
                <button type="button" class="button" disabled={busy} onClick={() => onRevoke(invite)}>
                  {t("inviting.revoke")}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
