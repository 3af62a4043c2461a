import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useWords } from "./context";
import { Glyph } from "./glyphs";

/** A part of a section, with its heading. */
export function Panel(props: {
  title?: string;
  note?: ComponentChildren;
  tools?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class={`panel ${props.class ?? ""}`} aria-label={props.title}>
      {props.title !== undefined && (
        <header class="panel-head">
          <h3>{props.title}</h3>
          {props.tools !== undefined && <div class="panel-tools">{props.tools}</div>}
        </header>
      )}
      {props.note !== undefined && <p class="panel-note">{props.note}</p>}
      {props.children}
    </section>
  );
}

/** What is said where there is nothing to show. */
export function Nothing({ children }: { children: ComponentChildren }): JSX.Element {
  return <p class="nothing">{children}</p>;
}

export type Tone = "good" | "warn" | "bad" | "plain" | "accent";

/** One word on a thing's state. */
export function Tag({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }): JSX.Element {
  return <span class={`tag ${tone}`}>{children}</span>;
}

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  /** Numbers stand to the right. */
  number?: boolean;
  /** The title is only for those who hear it. */
  silent?: boolean;
  /** Takes a line of its own where there is little room. */
  wide?: boolean;
}

const cellClass = ({ number, silent, wide }: Column<never>): string =>
  [number && "number", silent && "act", wide && "wide"].filter(Boolean).join(" ");

interface TableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  id: (row: T) => string;
  tone?: (row: T) => string;
}

/**
 * A table that turns into a card for each row where there is little room. Its roles are
 * written out because the display of a card would take them away.
 */
export function Table<T>({ label, columns, rows, id, tone }: TableProps<T>): JSX.Element {
  return (
    <table class="table" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.key} role="columnheader" scope="col" class={column.number ? "number" : ""}>
              <span class={column.silent ? "sr-only" : ""}>{column.title}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={id(row)} role="row" class={tone?.(row) ?? ""}>
            {columns.map((column) => (
              <td
                key={column.key}
                role="cell"
                class={cellClass(column)}
                data-label={column.silent ? undefined : column.title}
              >
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const copiedMs = 2_500;

/** Copies a text, and says so. */
export function Copy({ text, label, about }: { text: string; label: string; about?: string }): JSX.Element {
  const { t } = useWords();
  const [state, setState] = useState<"" | "done" | "refused">("");
  useEffect(() => {
    if (state === "") return undefined;
    const timer = setTimeout(() => setState(""), copiedMs);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    const write = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    write.then(
      () => setState("done"),
      () => setState("refused"),
    );
  };
  return (
    <>
      <button type="button" class="button small" aria-describedby={about} onClick={copy}>
        <Glyph name={state === "done" ? "check" : "copy"} />
        <span>{label}</span>
      </button>
      <span class="copied" role="status">
        {state === "done" ? t("copy.done") : state === "refused" ? t("copy.refused") : ""}
      </span>
    </>
  );
}

/** Text to paste somewhere else, with its button. */
export function Paste({ text, label, about }: { text: string; label: string; about: string }): JSX.Element {
  return (
    <div class="paste">
      <pre tabIndex={0} aria-label={about}>
        {text}
      </pre>
      <div class="paste-tools">
        <Copy text={text} label={label} />
      </div>
    </div>
  );
}

/** A choice of one among a few, in a line. */
export function Choice<T extends string>(props: {
  label: string;
  value: T;
  choices: readonly { value: T; label: string }[];
  disabled?: boolean;
  onChoose: (value: T) => void;
}): JSX.Element {
  return (
    <label class="choice line">
      <span>{props.label}</span>
      <select
        value={props.value}
        disabled={props.disabled}
        onChange={(event) => props.onChoose(event.currentTarget.value as T)}
      >
        {props.choices.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
