import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../../ui/context";
import { Avatar } from "../../ui/Avatar";
import type { Status } from "../../protocol/messages";
import type { User } from "../state/admin";
import type { Device, LivePerson } from "../state/live";
import { useAdmin, useWords } from "./context";
import { deviceWord, legName, span, transportWord } from "./format";
import { Nothing, Panel, Tag, type Tone } from "./parts";
import { SiteSettings } from "./SiteSettings";
import { TagsButton } from "./TagsDialog";
import { Waiting } from "./Waiting";

interface Row extends User {
  status: Status;
  devices: Device[];
}

/** Every account with what is online of it; those who are there come first. */
export function rowsOf(users: readonly User[] | undefined, people: readonly LivePerson[]): Row[] {
  const live = new Map(people.map((person) => [person.id, person]));
  const known = users ?? people.map((person) => ({ ...person, disabled: false, tags: [] }));
  const rows = known.map((user): Row => {
    const person = live.get(user.id);
    live.delete(user.id);
    return { ...user, status: person?.status ?? "offline", devices: person?.devices ?? [] };
  });
  // Somebody who came since the accounts were asked for.
  for (const person of live.values()) rows.push({ ...person, disabled: false, tags: [] });
  const order = (row: Row) => (row.status !== "offline" ? 0 : row.disabled ? 2 : 1);
  return rows.sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name));
}

const searchFrom = 8;

export function People(): JSX.Element {
  const admin = useAdmin();
  const { t } = useWords();
  const [query, setQuery] = useState("");
  const { value: live } = admin.live.value;
  const rows = rowsOf(admin.users.value.value, live?.people ?? []);
  const wanted = query.trim().toLowerCase();
  const shown = rows.filter((row) =>
    [row.name, row.id, ...row.tags, ...row.devices.map((d) => `${d.address} ${d.segment} ${d.device}`)].some(
      (text) => text.toLowerCase().includes(wanted),
    ),
  );
  const online = rows.filter((row) => row.status !== "offline").length;
  return (
    <>
      <div class="section-head">
        <h2>{t("nav.people")}</h2>
        {live && <p class="muted">{t("people.count", { online, n: rows.length })}</p>}
        {rows.length > searchFrom && (
          <input
            class="filter"
            type="search"
            aria-label={t("people.search")}
            placeholder={t("people.search")}
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        )}
      </div>
      {!live && <Waiting />}
      {live && (
        <Panel>
          <ul class="accounts" role="list">
            {shown.map((row) => (
              <Account key={row.id} row={row} />
            ))}
          </ul>
          {shown.length === 0 && <Nothing>{t("people.none")}</Nothing>}
        </Panel>
      )}
      <SiteSettings />
    </>
  );
}

function Account({ row }: { row: Row }): JSX.Element {
  const { t } = useWords();
  const app = useApp();
  return (
    <li class={`account-row ${row.status} ${row.disabled ? "disabled" : ""}`} aria-label={row.name}>
      <Avatar of={row} size="small" status={row.status} />
      <div class="account-who">
        <p>
          <b>{row.name}</b> <span class="muted">{row.id}</span>
        </p>
        <p class="account-tags">
          <span class="sr-only">{app.settings.t(`status.${row.status}`)}</span>
          {row.admin && <Tag tone="accent">{t("people.admin")}</Tag>}
          {row.guest && <Tag>{t("people.guest")}</Tag>}
          {row.disabled && <Tag tone="bad">{t("people.disabled")}</Tag>}
          {row.status === "busy" && <Tag tone="warn">{t("people.in_call")}</Tag>}
          {row.status === "offline" && !row.disabled && <span class="muted">{t("people.offline")}</span>}
          {row.tags.map((tag) => (
            <Tag key={tag}>
              <bdi>{tag}</bdi>
            </Tag>
          ))}
        </p>
      </div>
      <Devices devices={row.devices} />
      <Actions row={row} />
    </li>
  );
}

function Devices({ devices }: { devices: readonly Device[] }): JSX.Element {
  const { t } = useWords();
  const { serverNow } = useAdmin();
  return (
    <ul class="devices" role="list">
      {devices.map((device) => (
        <li key={`${device.session} ${device.device}`}>
          <span class="two">
            <span>{device.segment || t("segment.none")}</span>
            <span class="muted">{device.address}</span>
          </span>
          <span class="two">
            <span>
              {transportWord(device.transport, t)}
              {device.away && <Tag tone="warn">{t("people.away")}</Tag>}
            </span>
            <span class="muted" title={device.device}>
              {deviceWord(device.device)} ·{" "}
              {t("people.since", { span: span((serverNow.value - device.since) / 1000, t) })}
            </span>
          </span>
          <PathVerdict device={device} />
        </li>
      ))}
    </ul>
  );
}

/** What the device's last path test came to. */
function PathVerdict({ device }: { device: Device }): JSX.Element {
  const { t } = useWords();
  const { serverNow } = useAdmin();
  if (!device.path) return <span class="muted">{t("people.no_path")}</span>;
  const { legs, at } = device.path;
  const failed = legs.filter((leg) => leg.state === "failed");
  const slow = legs.filter((leg) => leg.state === "slow");
  const tone: Tone = failed.length > 0 ? "bad" : slow.length > 0 ? "warn" : "good";
  const first = failed[0] ?? slow[0];
  return (
    <span class="two">
      <span>
        <Tag tone={tone}>{first ? legName(first.leg, t) : t("people.path_ok")}</Tag>
      </span>
      <span class="muted">{t("people.path_ago", { span: span((serverNow.value - at) / 1000, t) })}</span>
    </span>
  );
}

function Actions({ row }: { row: Row }): JSX.Element {
  const admin = useAdmin();
  const me = useApp().me?.id;
  const { t } = useWords();
  const { name, id } = row;
  const self = id === me;
  const ask = (
    what: "disable" | "enable" | "sign_out" | "promote" | "demote",
    run: () => Promise<void>,
    danger = false,
  ) =>
    (admin.question.value = {
      title: t(`${what}.title`, { name }),
      text: t(`${what}.text`, { name }),
      action: t(`${what}.action`),
      danger,
      run,
    });
  return (
    <div class="account-actions">
      <TagsButton id={id} name={name} tags={row.tags} />
      {!row.guest && !self && !row.disabled && (
        <button
          type="button"
          class="button small quiet"
          aria-label={t(row.admin ? "demote.label" : "promote.label", { name })}
          onClick={() =>
            row.admin
              ? ask("demote", () => admin.setUser(id, { admin: false }), true)
              : ask("promote", () => admin.setUser(id, { admin: true }))
          }
        >
          {t(row.admin ? "demote.short" : "promote.short")}
        </button>
      )}
      {!row.disabled && (
        <button
          type="button"
          class="button small quiet"
          aria-label={t("sign_out.label", { name })}
          onClick={() => ask("sign_out", () => admin.signOutUser(id))}
        >
          {t("sign_out.action")}
        </button>
      )}
      {!self && (
        <button
          type="button"
          class={`button small ${row.disabled ? "" : "quiet danger"}`}
          aria-label={t(row.disabled ? "enable.label" : "disable.label", { name })}
          onClick={() =>
            row.disabled
              ? ask("enable", () => admin.setUser(id, { disabled: false }))
              : ask("disable", () => admin.setUser(id, { disabled: true }), true)
          }
        >
          {t(row.disabled ? "enable.action" : "disable.action")}
        </button>
      )}
    </div>
  );
}
