import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Told } from "../../ui/action";
import {
  findingsOf,
  type Finding,
  type GridCell,
  type PathTest as Result,
  type Rule,
  type TestDevice,
} from "../state/path";
import type { Asked } from "../state/tests";
import { keyFor } from "../words";
import { useAdmin, useWords, type Translate } from "./context";
import { useAct } from "./errors";
import { codeWord, deviceWord, legName, ms, span, when } from "./format";
import { Choice, Nothing, Panel, Paste, Table, Tag, type Tone } from "./parts";

/** Asks clients what gets through from where they are. */
export function PathTest(): JSX.Element {
  const { tests } = useAdmin();
  const { t } = useWords();
  const { value: result } = tests.result;
  return (
    <>
      <div class="section-head">
        <h2>{t("nav.path-test")}</h2>
        <p class="muted">{t("test.note")}</p>
      </div>
      <Start />
      <section class="panel" aria-label={t("test.result")} aria-busy={tests.running.value}>
        <header class="panel-head">
          <h3>{t("test.result")}</h3>
        </header>
        {result ? (
          <Shown result={result} />
        ) : (
          <Nothing>{t(tests.running.value ? "test.starting" : "test.none")}</Nothing>
        )}
      </section>
    </>
  );
}

function Start(): JSX.Element {
  const { tests, live } = useAdmin();
  const { t } = useWords();
  const { outcome, run } = useAct();
  const [some, setSome] = useState<ReadonlySet<string>>(new Set());
  const people = live.value.value?.people.filter((person) => person.devices.length > 0) ?? [];
  const chosen = people.filter((person) => some.has(person.id)).map((person) => person.id);
  const start = (asked: Asked) => void run(() => tests.start(asked));
  const toggle = (id: string, on: boolean) => {
    const next = new Set(some);
    if (on) next.add(id);
    else next.delete(id);
    setSome(next);
  };
  const { value: asked } = tests.asked;
  const busy = tests.running.value;
  return (
    <Panel>
      <div class="test-start">
        <button
          type="button"
          class="button primary"
          disabled={busy || people.length === 0}
          onClick={() => start({ kind: "self", people: chosen })}
        >
          {chosen.length > 0 ? t("test.ask_some", { n: chosen.length }) : t("test.ask_all")}
        </button>
        <button
          type="button"
          class="button"
          disabled={busy || people.length < 2 || chosen.length === 1}
          onClick={() => start({ kind: "pairs", people: chosen })}
        >
          {chosen.length > 1 ? t("test.pairs_some", { n: chosen.length }) : t("test.pairs_all")}
        </button>
        {asked && (
          <button type="button" class="button" disabled={busy} onClick={() => start(asked)}>
            {t("test.again")}
          </button>
        )}
      </div>
      <p class="hint">{t(people.length === 0 ? "test.nobody" : "test.what")}</p>
      {people.length > 1 && (
        <details class="test-people" open={some.size > 0}>
          <summary>{t("test.choose")}</summary>
          <div class="test-picks">
            {people.map((person) => (
              <label key={person.id} class="pick bare">
                <input
                  type="checkbox"
                  checked={some.has(person.id)}
                  onChange={(event) => toggle(person.id, event.currentTarget.checked)}
                />
                <span>
                  {person.name} <span class="muted">{person.devices[0]?.segment}</span>
                </span>
              </label>
            ))}
          </div>
        </details>
      )}
      <Told outcome={outcome} />
    </Panel>
  );
}

function Shown({ result }: { result: Result }): JSX.Element {
  const admin = useAdmin();
  const { t, language } = useWords();
  const ready = result.devices.filter((device) => ["done", "gone", "expired"].includes(device.state)).length;
  const findings = findingsOf(result);
  return (
    <>
      <p class="test-state" role="status">
        {result.done ? (
          <Verdict findings={findings.map(({ finding }) => finding)} />
        ) : (
          <>
            <span class="spinner" aria-hidden="true" />
            <span>{t("test.progress", { ready, n: result.devices.length })}</span>
          </>
        )}
        <span class="muted">{when(result.started, admin.serverNow.value, language)}</span>
      </p>
      {!result.done && result.devices.length > 0 && (
        <progress max={result.devices.length} value={ready} aria-label={t("test.progress_label")} />
      )}
      {findings.map(({ finding, who }) => (
        <Found
          key={`${finding.leg} ${finding.code} ${finding.target} ${finding.segment}`}
          finding={finding}
          who={who}
        />
      ))}
      {result.grid.length > 0 && <Grid cells={result.grid} />}
      {result.devices.length > 0 && <Devices devices={result.devices} />}
    </>
  );
}

function Verdict({ findings }: { findings: readonly Finding[] }): JSX.Element {
  const { t } = useWords();
  const count = (level: Finding["level"]) => findings.filter((each) => each.level === level).length;
  const [failures, warnings] = [count("failure"), count("warning")];
  if (failures > 0) return <Tag tone="bad">{t("test.failures", { n: failures })}</Tag>;
  if (warnings > 0) return <Tag tone="warn">{t("test.warnings", { n: warnings })}</Tag>;
  return <Tag tone="good">{t("test.clear")}</Tag>;
}

const levelTone: Record<Finding["level"], Tone> = { failure: "bad", warning: "warn", info: "plain" };

/** What was found, in a sentence. */
export function findingText(finding: Finding, t: Translate): string {
  const { code, params, leg, target } = finding;
  const values: Record<string, string> = { ...params, target: target || legName(leg, t) };
  const off = Number(params.offset_ms);
  if (Number.isFinite(off)) {
    const time = span(Math.abs(off) / 1000, t);
    values.offset = t(off < 0 ? "offset.behind" : "offset.ahead", { time });
  }
  const key = keyFor("found", code);
  return key ? t(key, values) : [legName(leg, t), target, codeWord(code, t)].filter(Boolean).join(": ");
}

/** One thing that does not get through, why, and the rule that mends it. */
function Found({ finding, who }: { finding: Finding; who: readonly string[] }): JSX.Element {
  const { t } = useWords();
  const how = keyFor("found_how", finding.code);
  return (
    <article class={`found found-${finding.level}`}>
      <p class="found-what">
        <Tag tone={levelTone[finding.level]}>{legName(finding.leg, t)}</Tag>{" "}
        {finding.segment !== "" && <Tag>{finding.segment}</Tag>} <b>{findingText(finding, t)}</b>
      </p>
      <p>
        {finding.because !== "" && <>{codeWord(finding.because, t)} </>}
        {how && <>{t(how, finding.params)} </>}
        {who.length > 0 && <span class="muted">{t("finding.who", { names: who.join(", ") })}</span>}
      </p>
      {finding.rules.length > 0 && <Mend rules={finding.rules} />}
    </article>
  );
}

/** The rule that lets it through, for the firewall at hand. */
function Mend({ rules }: { rules: readonly Rule[] }): JSX.Element | null {
  const { firewall } = useAdmin();
  const { t } = useWords();
  const places = [...new Set(rules.map((rule) => rule.at).filter(Boolean))];
  const [at, setAt] = useState("");
  const rule = firewall.chosen(rules, at || places[0]);
  if (!rule) return null;
  const flavours = [...new Map(rules.map((each) => [each.flavour, each])).values()];
  return (
    <>
      <div class="found-rule">
        <p>{t("finding.mend")}</p>
        <div class="found-choices">
          {places.length > 1 && (
            <Choice
              label={t("firewall.at")}
              value={rule.at}
              choices={places.map((place) => {
                const key = keyFor("at", place);
                return { value: place, label: key ? t(key) : place };
              })}
              onChoose={setAt}
            />
          )}
          <Choice
            label={t("firewall.flavour")}
            value={rule.flavour}
            choices={flavours.map(({ flavour, label }) => ({ value: flavour, label }))}
            onChoose={(flavour) => firewall.choose(flavour)}
          />
        </div>
      </div>
      <Paste text={rule.text} label={t("finding.copy")} about={t("firewall.text", { name: rule.label })} />
    </>
  );
}

const order = ["direct", "relay_udp", "relay_tcp", "relay_tls", "relay_https"];

const tones: Record<string, Tone> = { ok: "good", slow: "warn", failed: "bad" };

/** Transports in their usual order, those that are not known at the end. */
const transportsIn = (cells: readonly GridCell[]): string[] =>
  [...new Set(cells.map((cell) => cell.transport))].sort((a, b) => {
    const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
    return place(a) - place(b);
  });

function Grid({ cells }: { cells: readonly GridCell[] }): JSX.Element {
  const { t, language } = useWords();
  const transports = transportsIn(cells);
  const pairs = [...new Map(cells.map((cell) => [`${cell.from}\n${cell.to}`, cell])).values()];
  const at = (pair: GridCell, transport: string) =>
    cells.find((cell) => cell.from === pair.from && cell.to === pair.to && cell.transport === transport);
  const name = (transport: string) => {
    const key = keyFor("way", transport);
    return key ? t(key) : transport;
  };
  return (
    <div class="grid-place">
      <Table
        label={t("grid.label")}
        rows={pairs}
        id={(pair) => `${pair.from} ${pair.to}`}
        columns={[
          {
            key: "pair",
            title: t("grid.pair"),
            wide: true,
            cell: (pair) => (
              <>
                <b>{pair.from || t("segment.none")}</b> <span class="muted">→</span>{" "}
                <b>{pair.to || t("finding.server")}</b>
              </>
            ),
          },
          ...transports.map((transport) => ({
            key: transport,
            title: name(transport),
            cell: (pair: GridCell) => {
              const cell = at(pair, transport);
              if (!cell || cell.state === "skipped") return <span class="muted">{t("grid.not_tried")}</span>;
              return (
                <span class="two">
                  <span>
                    <Tag tone={tones[cell.state] ?? "plain"}>{stateWord(cell.state, t)}</Tag>
                  </span>
                  <span class="muted">
                    {cell.state === "failed"
                      ? [legName(cell.leg, t), codeWord(cell.code, t)].filter(Boolean).join(": ")
                      : cell.ms !== undefined && ms(cell.ms, language)}
                  </span>
                </span>
              );
            },
          })),
        ]}
      />
    </div>
  );
}

function stateWord(state: string, t: Translate): string {
  const key = keyFor("leg_state", state);
  return key ? t(key) : state;
}

function Devices({ devices }: { devices: readonly TestDevice[] }): JSX.Element {
  const { t, language } = useWords();
  return (
    <div class="test-devices">
      <h4>{t("test.devices")}</h4>
      <ul role="list">
        {devices.map((device) => {
          const state = keyFor("device_state", device.state);
          return (
            <li key={`${device.user.id} ${device.device}`} aria-label={device.user.name}>
              <span class="two">
                <b>{device.user.name}</b>
                <span class="muted">
                  {device.segment || t("segment.none")} · {deviceWord(device.device)}
                </span>
              </span>
              <span class="legs">
                {device.legs.length === 0 && <span class="muted">{state ? t(state) : device.state}</span>}
                {device.legs.map((leg) => (
                  <Tag key={`${leg.leg} ${leg.target}`} tone={tones[leg.state] ?? "plain"}>
                    {legName(leg.leg, t)}
                    {leg.state === "failed" && `: ${codeWord(leg.code, t)}`}
                    {leg.state !== "failed" && leg.ms !== undefined && ` ${ms(leg.ms, language)}`}
                    {leg.state === "skipped" && ` (${t("grid.not_tried")})`}
                  </Tag>
                ))}
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
