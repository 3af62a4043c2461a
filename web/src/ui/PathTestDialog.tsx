import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Tester } from "../diagnose";
import type { Row } from "../diagnose/self";
import { reportText, verdict, type Verdict } from "../diagnose/verdict";
import { say, type PathKey, type Say } from "../i18n/path";
import "../style/path-test.css";
import { useApp } from "./context";
import { Dialog } from "./Dialog";
import { Icon, type IconName } from "./icons";
import { explain, legTitle } from "./PathTestWords";

/** Tests the ways to the server, shows each as it is done, and what to do about it. */
export function PathTestDialog(): JSX.Element {
  const app = useApp();
  const words = say(app.settings.language.value);
  const [tester, setTester] = useState<Tester>();
  const close = () => (app.testing.open.value = false);
  useEffect(() => {
    void app.testing.tester().then((each) => {
      setTester(each);
      void each.start();
    }, close);
  }, []);
  const test = tester?.test.value;
  const rows = test?.rows.value ?? [];
  const running = tester?.running.value ?? true;
  const { start_port: port } = test?.plan ?? {};
  const start = port === undefined ? "" : `http://${location.hostname}${port === 80 ? "" : `:${port}`}/`;
  const text = () =>
    reportText(rows, test?.plan, {
      user: app.me?.id ?? "",
      browser: navigator.userAgent,
      page: location.origin,
      at: new Date(app.clock.now()),
    });
  return (
    <Dialog label={words("title")} class="account path-test" onEscape={close}>
      <header class="dialog-head">
        <h2>{words("title")}</h2>
        <button type="button" class="round ghost" aria-label={words("close")} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <Summary rows={rows} running={running} words={words} />
      <ul class="legs" role="list">
        {rows.map((row, i) => (
          <LegRow key={i} row={row} rows={rows} words={words} start={start} />
        ))}
      </ul>
      <div class="dialog-buttons">
        <CopyButton text={text} disabled={running} words={words} />
        <button
          type="button"
          class="button primary"
          data-first
          disabled={running}
          onClick={() => void tester?.start()}
        >
          {words("again")}
        </button>
      </div>
    </Dialog>
  );
}

const noteOf: Record<Verdict, string> = {
  fine: "good",
  some: "warn",
  tcp: "warn",
  none: "bad",
  away: "bad",
  refused: "bad",
};

function Summary({ rows, running, words }: { rows: Row[]; running: boolean; words: Say }): JSX.Element {
  const done = rows.filter(({ result }) => result).length;
  const found = verdict(rows);
  return (
    <>
      <div role="status">
        {!running && <p class={`note ${noteOf[found]}`}>{words(`verdict.${found}`)}</p>}
      </div>
      {running && (
        <p class="note legs-running">
          <span class="spinner" aria-hidden="true" />
          {words("running", { done, all: rows.length })}
        </p>
      )}
      {running && <p class="hint">{words("what")}</p>}
    </>
  );
}

type Look = "ok" | "slow" | "failed" | "skipped" | "running" | "waiting";

const icons: Partial<Record<Look, IconName>> = {
  ok: "check",
  slow: "warning",
  failed: "close",
  skipped: "dash",
};

interface RowProps {
  row: Row;
  rows: Row[];
  words: Say;
  start: string;
}

function LegRow({ row, rows, words, start }: RowProps): JSX.Element {
  const { leg, target, result, running } = row;
  const look: Look = result?.state ?? (running ? "running" : "waiting");
  const title = legTitle(leg, words);
  const twin = rows.some((each) => each.leg === leg && each.target !== target);
  const name = twin && target ? `${title} (${target})` : title;
  const icon = icons[look];
  const state: PathKey = look === "waiting" ? "waiting" : `state.${look}`;
  const told = result && explain(result, words, start);
  return (
    <li class={`leg ${look}`} aria-label={name}>
      <span class="leg-mark">
        {icon && <Icon name={icon} size={18} />}
        {look === "running" && <span class="spinner" aria-hidden="true" />}
      </span>
      <span class="leg-name">{title}</span>
      <span class="leg-time">
        <span class="sr-only">{words(state)} </span>
        {result?.ms !== undefined && result.state !== "failed" ? words("ms", { ms: result.ms }) : ""}
      </span>
      {told && <span class="leg-told">{told}</span>}
    </li>
  );
}

const copiedMs = 3_000;

function CopyButton({
  text,
  disabled,
  words,
}: {
  text: () => string;
  disabled: boolean;
  words: Say;
}): JSX.Element {
  const [copied, setCopied] = useState(false);
  const [shown, setShown] = useState<string>();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      setCopied(true);
      setTimeout(() => setCopied(false), copiedMs);
    } catch {
      // Not allowed: selectable text instead.
      setShown(text());
    }
  };
  return (
    <>
      {shown !== undefined && (
        <textarea class="leg-report" readOnly value={shown} aria-label={words("copy")} rows={6} />
      )}
      <button type="button" class="button" disabled={disabled} onClick={() => void copy()}>
        <Icon name="copy" size={20} />
        <span>{copied ? words("copied") : words("copy")}</span>
      </button>
      <span class="sr-only" role="status">
        {copied ? words("copied") : ""}
      </span>
    </>
  );
}
