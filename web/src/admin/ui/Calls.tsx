import type { JSX } from "preact";
import { duration } from "../../ui/words";
import type { CallEnd, LiveCall } from "../state/live";
import { keyFor } from "../words";
import { useAdmin, useWords } from "./context";
import { deviceWord, ms, pathWord, percent, rate } from "./format";
import { Nothing, Panel, Table, Tag, type Column, type Tone } from "./parts";
import { Spark } from "./Spark";
import { Waiting } from "./Waiting";

/** The calls that ring and run, with both ends. */
export function Calls(): JSX.Element {
  const { value: live } = useAdmin().live.value;
  const { t } = useWords();
  return (
    <>
      <div class="section-head">
        <h2>{t("nav.calls")}</h2>
        {live && <p class="muted">{t("calls.count", { n: live.calls.length })}</p>}
      </div>
      {!live && <Waiting />}
      {live?.calls.length === 0 && (
        <Panel>
          <Nothing>{t("calls.none")}</Nothing>
        </Panel>
      )}
      {live?.calls.map((call) => (
        <OneCall key={call.call} call={call} />
      ))}
    </>
  );
}

const names = (call: LiveCall): [string, string] => [
  call.ends[0]?.user.name ?? "?",
  call.ends[1]?.user.name ?? "?",
];

function OneCall({ call }: { call: LiveCall }): JSX.Element {
  const admin = useAdmin();
  const { t } = useWords();
  const [a, b] = names(call);
  const started = call.started ?? call.since;
  const state = keyFor("call_state", call.state);
  const end = () =>
    (admin.question.value = {
      title: t("end_call.title", { a, b }),
      text: t("end_call.text", { a, b }),
      action: t("end_call.action"),
      danger: true,
      run: () => admin.endCall(call.call),
    });
  return (
    <section class="panel call-panel" aria-label={t("calls.between", { a, b })}>
      <header class="panel-head">
        <h3>
          {a}{" "}
          <span class="muted" aria-hidden="true">
            ↔
          </span>{" "}
          <span class="sr-only">{t("calls.and")}</span> {b}
        </h3>
        <p class="call-facts">
          <Tag tone={call.state === "active" ? "good" : "warn"}>{state ? t(state) : call.state}</Tag>
          <span>{t(call.media === "video" ? "calls.video" : "calls.audio")}</span>
          <span class="digits">{duration((admin.serverNow.value - started) / 1000)}</span>
        </p>
        <button
          type="button"
          class="button small danger"
          aria-label={t("end_call.label", { a, b })}
          onClick={end}
        >
          {t("end")}
        </button>
      </header>
      <Ends call={call} />
      <p class="call-id">
        {t("calls.id")} <code>{call.call}</code>
      </p>
    </section>
  );
}

const lossTone = (loss: number): Tone => (loss >= 0.05 ? "bad" : loss >= 0.01 ? "warn" : "plain");
const rttTone = (rtt: number): Tone => (rtt >= 400 ? "bad" : rtt >= 150 ? "warn" : "plain");

function Ends({ call }: { call: LiveCall }): JSX.Element {
  const { t, language } = useWords();
  const dash = <span class="muted">–</span>;
  const columns: Column<CallEnd>[] = [
    {
      key: "who",
      title: t("col.who"),
      wide: true,
      cell: ({ user, device }) => (
        <span class="two">
          <b>{user.name}</b>
          <span class="muted" title={device}>
            {deviceWord(device)}
          </span>
        </span>
      ),
    },
    {
      key: "where",
      title: t("col.where"),
      cell: ({ segment, address }) => (
        <span class="two">
          <span>{segment || t("segment.none")}</span>
          <span class="muted">{address}</span>
        </span>
      ),
    },
    {
      key: "path",
      title: t("col.path"),
      cell: ({ report }) =>
        report ? (
          <span class="two">
            <span>{t(pathWord(report))}</span>
            {report.path.relay !== "" && <span class="muted">{report.path.relay}</span>}
          </span>
        ) : (
          <span class="muted">{t("calls.no_report")}</span>
        ),
    },
    {
      key: "rtt",
      title: t("col.rtt"),
      number: true,
      cell: ({ report }) =>
        report ? <span class={`tone-${rttTone(report.rtt)}`}>{ms(report.rtt, language)}</span> : dash,
    },
    {
      key: "loss",
      title: t("col.loss"),
      number: true,
      cell: ({ report }) =>
        report ? <span class={`tone-${lossTone(report.loss)}`}>{percent(report.loss, language)}</span> : dash,
    },
    {
      key: "up",
      title: t("col.up"),
      number: true,
      cell: ({ report }) => (report ? rate(report.up, language) : dash),
    },
    {
      key: "down",
      title: t("col.down"),
      number: true,
      cell: ({ report }) => (report ? rate(report.down, language) : dash),
    },
    {
      key: "graph",
      title: t("col.graph"),
      silent: true,
      wide: true,
      cell: ({ samples, user }) => (
        <Spark
          values={samples.map((sample) => sample.up + sample.down)}
          top={100}
          tone={samples.slice(-3).some(({ loss }) => loss >= 0.05) ? "bad" : "accent"}
          label={t("calls.graph", {
            name: user.name,
            low: rate(Math.min(...samples.map((s) => s.up + s.down), Infinity) || 0, language),
            high: rate(Math.max(0, ...samples.map((s) => s.up + s.down)), language),
          })}
        />
      ),
    },
  ];
  return (
    <Table
      label={t("calls.ends")}
      rows={call.ends}
      id={({ user, device }) => `${user.id} ${device}`}
      columns={columns}
    />
  );
}
