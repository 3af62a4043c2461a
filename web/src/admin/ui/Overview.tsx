import type { JSX } from "preact";
import { useApp } from "../../ui/context";
import { momentOf, type Moment } from "../state/history";
import type { Forecast, Live, Warning } from "../state/live";
import { keyFor, type Key } from "../words";
import { useAdmin, useWords } from "./context";
import { count, pathWord, rate, span } from "./format";
import { Glyph } from "./glyphs";
import { Nothing, Panel, Table, Tag } from "./parts";
import { PortBars } from "./PortBars";
import type { SectionID } from "./sections";
import { Spark } from "./Spark";
import { Waiting } from "./Waiting";

/** Health at a glance, and what to do. */
export function Overview(): JSX.Element {
  const { value: live } = useAdmin().live.value;
  const { t } = useWords();
  return (
    <>
      <h2 class="sr-only">{t("nav.overview")}</h2>
      {live ? <Now live={live} /> : <Waiting />}
    </>
  );
}

function Now({ live }: { live: Live }): JSX.Element {
  const { t, language } = useWords();
  const relayed = live.calls.filter((call) =>
    call.ends.some(({ report }) => report && pathWord(report).startsWith("path.relay")),
  ).length;
  const now = momentOf(live);
  return (
    <>
      <Warnings warnings={live.warnings} />
      <div class="tiles">
        <Tile of="people" title={t("tile.people")} note={t("tile.devices", { n: now.devices })} />
        <Tile of="calls" title={t("tile.calls")} note={t("tile.relayed", { n: relayed })} />
        <Tile
          of="allocations"
          title={t("tile.allocations")}
          note={t("tile.ports", { n: count(now.ports, language) })}
        />
        <Tile
          of="relayed"
          title={t("tile.relayed_rate")}
          note={t("tile.both_ways")}
          write={(n) => rate(n, language)}
        />
      </div>
      <Panel title={t("ports.title")} note={live.forecast && <ForecastLine forecast={live.forecast} />}>
        <PortBars ports={live.ports} />
      </Panel>
      <div class="pair">
        <Panel title={t("overview.segments")}>
          {live.segments.length === 0 ? (
            <Nothing>{t("segments.none")}</Nothing>
          ) : (
            <Table
              label={t("overview.segments")}
              rows={live.segments.filter((segment) => !segment.leftOut)}
              id={(segment) => segment.name}
              columns={[
                { key: "name", title: t("col.segment"), wide: true, cell: (s) => <b>{s.name}</b> },
                { key: "clients", title: t("col.clients"), wide: true, cell: (s) => s.clients.join(", ") },
                {
                  key: "people",
                  title: t("col.people"),
                  number: true,
                  cell: (s) => count(s.people, language),
                },
                { key: "calls", title: t("col.calls"), number: true, cell: (s) => count(s.calls, language) },
              ]}
            />
          )}
        </Panel>
        <Panel title={t("overview.nodes")}>
          <Table
            label={t("overview.nodes")}
            rows={live.nodes}
            id={(node) => node.node}
            columns={[
              {
                key: "node",
                title: t("col.node"),
                wide: true,
                cell: (node) => (
                  <>
                    <b>{node.node}</b> {node.self && <Tag tone="accent">{t("overview.this_node")}</Tag>}
                  </>
                ),
              },
              {
                key: "people",
                title: t("col.people"),
                number: true,
                cell: (node) => count(node.people, language),
              },
            ]}
          />
        </Panel>
      </div>
    </>
  );
}

/** How far the ports will last. */
export function ForecastLine({ forecast }: { forecast: Forecast }): JSX.Element {
  const { t, language } = useWords();
  const { state, callsLeft, perCall, peak, fullInSeconds } = forecast;
  const values = {
    calls: count(callsLeft, language),
    n: callsLeft,
    ports: perCall.toLocaleString(language, { maximumFractionDigits: 1 }),
    peak: count(peak, language),
  };
  return (
    <span class={`forecast ${state}`}>
      {state !== "ok" && <Glyph name="warning" />}
      <span>{t(`forecast.${state}`, values)}</span>
      {state !== "ok" && fullInSeconds !== undefined && (
        <span> {t("forecast.full_in", { span: span(fullInSeconds, t) })}</span>
      )}
    </span>
  );
}

function Tile(props: {
  of: keyof Moment;
  title: string;
  note: string;
  write?: (n: number) => string;
}): JSX.Element {
  const { t, language } = useWords();
  const { value: moments } = useAdmin().history.moments;
  const values = moments.map((moment) => moment[props.of]);
  const last = values[values.length - 1] ?? 0;
  const write = props.write ?? ((n: number) => count(n, language));
  return (
    <section class="tile" aria-label={props.title}>
      <p class="tile-title">{props.title}</p>
      <p class="tile-number">{write(last)}</p>
      <p class="muted">{props.note}</p>
      <Spark
        values={values}
        label={t("tile.graph", {
          title: props.title,
          low: write(Math.min(last, ...values)),
          high: write(Math.max(last, ...values)),
        })}
      />
    </section>
  );
}

/** Where to look at what a warning is about. */
const places: readonly [prefix: string, section: SectionID][] = [
  ["ports", "relay"],
  ["relay", "relay"],
  ["peers", "relay"],
  ["allocations", "relay"],
  ["turn", "relay"],
  ["quota", "relay"],
  ["refused", "relay"],
  ["segment", "segments"],
  ["interface", "segments"],
  ["path", "path-test"],
  ["settings", "log"],
];

function Warnings({ warnings }: { warnings: readonly Warning[] }): JSX.Element {
  const { t } = useWords();
  return (
    <section class="warnings" aria-label={t("warnings.label")}>
      {warnings.length === 0 ? (
        <p class="all-well">
          <Glyph name="check" size={20} />
          <span>{t("warnings.none")}</span>
        </p>
      ) : (
        <ul role="list">
          {warnings.map((warning, i) => (
            <WarningLine key={`${warning.code} ${i}`} warning={warning} id={`warning-${i}`} />
          ))}
        </ul>
      )}
    </section>
  );
}

function WarningLine({ warning, id }: { warning: Warning; id: string }): JSX.Element {
  const app = useApp();
  const { t } = useWords();
  const { code, params } = warning;
  const what: Key | undefined =
    keyFor("warning", code) ?? keyFor("warning", [code, params.reason].filter(Boolean).join("_"));
  const how = keyFor("warning_how", code);
  const place = places.find(([prefix]) => code.startsWith(prefix))?.[1];
  const told = Object.entries(params).map(([name, value]) => `${name} ${value}`);
  return (
    <li class="warning">
      <Glyph name="warning" size={20} />
      <div id={id}>
        <p class="warning-what">
          {what ? t(what, params) : t("warning.other", { code: [code, ...told].join(", ") })}
        </p>
        {how && <p>{t(how, params)}</p>}
      </div>
      {place && (
        <button
          type="button"
          class="button small"
          aria-describedby={id}
          onClick={() => (app.view.admin.value = place)}
        >
          {t("warnings.look")}
        </button>
      )}
    </li>
  );
}
