import type { JSX } from "preact";
import { useApp } from "../../ui/context";
import type { Allocation } from "../state/live";
import { useAdmin, useWords } from "./context";
import { bytes, rate, span, transportWord } from "./format";
import { ForecastLine } from "./Overview";
import { Nothing, Panel, Table, Tag } from "./parts";
import { PortBars } from "./PortBars";
import { RelaySettings } from "./RelaySettings";
import { Waiting } from "./Waiting";

/** The relay: who uses it, its ports, and what it may do. */
export function Relay(): JSX.Element {
  const { value: live } = useAdmin().live.value;
  const { t } = useWords();
  return (
    <>
      <div class="section-head">
        <h2>{t("nav.relay")}</h2>
        {live && <p class="muted">{t("relay.count", { n: live.allocations.length })}</p>}
      </div>
      {live ? (
        <>
          <Panel title={t("ports.title")} note={live.forecast && <ForecastLine forecast={live.forecast} />}>
            <PortBars ports={live.ports} />
          </Panel>
          <Panel title={t("relay.allocations")}>
            <Allocations allocations={live.allocations} />
          </Panel>
        </>
      ) : (
        <Waiting />
      )}
      <RelaySettings />
    </>
  );
}

/** The name of an account, or its id as long as that is all there is. */
function useNames(): (id: string) => string {
  const admin = useAdmin();
  const app = useApp();
  const names = new Map((admin.users.value.value ?? []).map((user) => [user.id, user.name]));
  for (const person of admin.live.value.value?.people ?? []) names.set(person.id, person.name);
  return (id) => names.get(id) ?? app.personNamed(id).name;
}

function Allocations({ allocations }: { allocations: readonly Allocation[] }): JSX.Element {
  const admin = useAdmin();
  const { t, language } = useWords();
  const nameOf = useNames();
  if (allocations.length === 0) return <Nothing>{t("relay.none")}</Nothing>;
  const end = (allocation: Allocation) => {
    const name = nameOf(allocation.user);
    admin.question.value = {
      title: t("end_allocation.title", { name }),
      text: t("end_allocation.text", { name, port: allocation.relayed }),
      action: t("end_allocation.action"),
      danger: true,
      run: () => admin.endAllocation(allocation.id),
    };
  };
  return (
    <Table
      label={t("relay.allocations")}
      rows={allocations}
      id={(allocation) => allocation.id}
      columns={[
        {
          key: "who",
          title: t("col.who"),
          wide: true,
          cell: (a) => (
            <span class="two">
              <b>{nameOf(a.user)}</b>
              <span class="muted">
                {t("relay.for", { span: span((admin.serverNow.value - a.created) / 1000, t) })}
              </span>
            </span>
          ),
        },
        {
          key: "from",
          title: t("col.from"),
          cell: (a) => (
            <span class="two">
              <span>{a.client}</span>
              <span class="muted">{t("relay.over", { transport: transportWord(a.transport, t) })}</span>
            </span>
          ),
        },
        {
          key: "port",
          title: t("col.port"),
          cell: (a) => (
            <span class="two">
              <span>{a.relayed}</span>
              {a.outside && <Tag tone="warn">{t("relay.outside")}</Tag>}
            </span>
          ),
        },
        {
          key: "peer",
          title: t("col.peer"),
          cell: (a) => (a.peers.length > 0 ? <Peers peers={a.peers} /> : <span class="muted">–</span>),
        },
        {
          key: "up",
          title: t("col.up"),
          number: true,
          cell: (a) => (
            <span class="two">
              <span>{rate(a.up, language)}</span>
              <span class="muted">{bytes(a.bytesUp, language)}</span>
            </span>
          ),
        },
        {
          key: "down",
          title: t("col.down"),
          number: true,
          cell: (a) => (
            <span class="two">
              <span>{rate(a.down, language)}</span>
              <span class="muted">{bytes(a.bytesDown, language)}</span>
            </span>
          ),
        },
        {
          key: "end",
          title: t("end"),
          silent: true,
          wide: true,
          cell: (a) => (
            <>
              {a.dropped > 0 && <Tag tone="warn">{t("relay.dropped", { n: a.dropped })}</Tag>}
              <button
                type="button"
                class="button small quiet danger"
                aria-label={t("end_allocation.label", { name: nameOf(a.user) })}
                onClick={() => end(a)}
              >
                {t("end")}
              </button>
            </>
          ),
        },
      ]}
    />
  );
}

const shownPeers = 2;

function Peers({ peers }: { peers: readonly string[] }): JSX.Element {
  const { t } = useWords();
  return (
    <span class="two" title={peers.join("\n")}>
      {peers.slice(0, shownPeers).map((peer) => (
        <span key={peer}>{peer}</span>
      ))}
      {peers.length > shownPeers && (
        <span class="muted">{t("relay.more", { n: peers.length - shownPeers })}</span>
      )}
    </span>
  );
}
