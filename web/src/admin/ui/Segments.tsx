import type { JSX } from "preact";
import type { LeftOut, LiveSegment } from "../state/live";
import { keyFor } from "../words";
import { useAdmin, useWords } from "./context";
import { FirewallRules } from "./FirewallRules";
import { count } from "./format";
import { Nothing, Panel, Table, Tag } from "./parts";
import { SegmentEditor } from "./SegmentEditor";
import { Waiting } from "./Waiting";

/** The parts of the network, what is left out and why, and what firewalls must let through. */
export function Segments(): JSX.Element {
  const { value: live } = useAdmin().live.value;
  const { t } = useWords();
  return (
    <>
      <div class="section-head">
        <h2>{t("nav.segments")}</h2>
        <p class="muted">{t("segments.note")}</p>
      </div>
      {live ? (
        <>
          <Panel>
            <List segments={live.segments} />
          </Panel>
          {live.leftOut.length > 0 && (
            <Panel title={t("segments.left_out")} note={t("segments.left_out_note")}>
              <LeftOutList items={live.leftOut} />
            </Panel>
          )}
        </>
      ) : (
        <Waiting />
      )}
      <SegmentEditor />
      <FirewallRules />
    </>
  );
}

const stack = (items: readonly string[]) =>
  items.length === 0 ? (
    <span class="muted">–</span>
  ) : (
    <span class="two">
      {items.map((item) => (
        <span key={item}>{item}</span>
      ))}
    </span>
  );

function List({ segments }: { segments: readonly LiveSegment[] }): JSX.Element {
  const { t, language } = useWords();
  if (segments.length === 0) return <Nothing>{t("segments.none")}</Nothing>;
  return (
    <Table
      label={t("nav.segments")}
      rows={segments}
      id={(segment) => segment.name}
      columns={[
        {
          key: "name",
          title: t("col.segment"),
          wide: true,
          cell: (s) => (
            <span class="two">
              <b>{s.name}</b>
              <span>
                <Tag>
                  {s.derived ? t("segments.derived", { name: s.interface }) : t("segments.configured")}
                </Tag>
              </span>
            </span>
          ),
        },
        { key: "clients", title: t("col.clients"), cell: (s) => stack(s.clients) },
        { key: "server", title: t("col.server_addresses"), cell: (s) => stack(s.serverAddresses) },
        {
          key: "turn",
          title: t("col.turn_addresses"),
          cell: (s) =>
            s.turnAddresses.length > 0 ? (
              stack(s.turnAddresses)
            ) : (
              <span class="muted">{t("segments.same")}</span>
            ),
        },
        {
          key: "transports",
          title: t("col.transports"),
          cell: (s) =>
            s.transports.length > 0 ? (
              s.transports.join(", ").toUpperCase()
            ) : (
              <span class="muted">{t("segments.all")}</span>
            ),
        },
        { key: "people", title: t("col.people"), number: true, cell: (s) => count(s.people, language) },
        { key: "calls", title: t("col.calls"), number: true, cell: (s) => count(s.calls, language) },
      ]}
    />
  );
}

function LeftOutList({ items }: { items: readonly LeftOut[] }): JSX.Element {
  const { t } = useWords();
  return (
    <Table
      label={t("segments.left_out")}
      rows={items}
      id={(item) => `${item.interface} ${item.segment} ${item.address}`}
      columns={[
        {
          key: "interface",
          title: t("col.interface"),
          cell: (item) => <b>{item.interface || item.segment}</b>,
        },
        { key: "address", title: t("col.address"), cell: (item) => item.address },
        {
          key: "reason",
          title: t("col.reason"),
          wide: true,
          cell: (item) => {
            const key = keyFor("reason", item.reason);
            return key ? t(key, { name: item.segment }) : item.reason;
          },
        },
      ]}
    />
  );
}
