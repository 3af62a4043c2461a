import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { At } from "../state/firewall";
import { keyFor } from "../words";
import { useAdmin, useWords } from "./context";
import { Choice, Nothing, Panel, Paste, Table } from "./parts";

/** What a firewall must let through, as a table and as text to paste into it. */
export function FirewallRules(): JSX.Element {
  const { firewall, live } = useAdmin();
  const { t } = useWords();
  const { value: rules } = firewall.rules;
  const names = live.value.value?.segments.map((segment) => segment.name) ?? [];
  useEffect(() => void firewall.load(), []);
  const chosen = rules && firewall.chosen(rules.flavours);
  return (
    <Panel title={t("firewall.title")} note={t("firewall.note")}>
      <div class="firewall-choices">
        <Choice
          label={t("firewall.flavour")}
          value={chosen?.flavour ?? firewall.flavour.value}
          choices={(rules?.flavours ?? []).map(({ flavour, label }) => ({ value: flavour, label }))}
          onChoose={(flavour) => firewall.choose(flavour)}
        />
        <Choice<At>
          label={t("firewall.at")}
          value={firewall.at.value}
          choices={[
            { value: "router", label: t("firewall.router") },
            { value: "server", label: t("firewall.server") },
          ]}
          onChoose={(at) => firewall.show(at, firewall.segment.value)}
        />
        <Choice
          label={t("col.segment")}
          value={firewall.segment.value}
          choices={[
            { value: "", label: t("firewall.all") },
            ...names.map((name) => ({ value: name, label: name })),
          ]}
          onChoose={(segment) => firewall.show(firewall.at.value, segment)}
        />
      </div>
      {chosen && chosen.text !== "" ? (
        <Paste
          text={chosen.text}
          label={t("firewall.copy")}
          about={t("firewall.text", { name: chosen.label })}
        />
      ) : (
        <Nothing>{t(firewall.problem.value ? "settings.unreachable" : "fresh.waiting")}</Nothing>
      )}
      {rules && rules.openings.length > 0 && (
        <details class="openings">
          <summary>{t("firewall.openings", { n: rules.openings.length })}</summary>
          <Table
            label={t("firewall.title")}
            rows={rules.openings}
            id={(o) => [o.segment, o.from, o.to, o.proto, o.ports].join(" ")}
            columns={[
              { key: "segment", title: t("col.segment"), wide: true, cell: (o) => <b>{o.segment}</b> },
              { key: "from", title: t("col.from"), cell: (o) => o.from },
              { key: "to", title: t("col.to"), cell: (o) => o.to },
              { key: "ports", title: t("col.ports"), cell: (o) => `${o.proto.toUpperCase()} ${o.ports}` },
              {
                key: "why",
                title: t("col.why"),
                cell: (o) => {
                  const key = keyFor("why", o.why);
                  return key ? t(key) : o.why;
                },
              },
            ]}
          />
        </details>
      )}
    </Panel>
  );
}
