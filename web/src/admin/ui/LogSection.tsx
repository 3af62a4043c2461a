import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Told } from "../../ui/action";
import type { Entry } from "../state/log";
import { Loose } from "../state/loose";
import { valueOf, written } from "../state/settings";
import { keyFor } from "../words";
import { nameOf, valueWord } from "./Changes";
import { useAdmin, useWords, type Translate } from "./context";
import { useAct } from "./errors";
import { when } from "./format";
import { Glyph } from "./glyphs";
import { Nothing, Panel, Tag } from "./parts";
import { SettingChoice } from "./SettingField";

/** Who changed what, and the way back. */
export function LogSection(): JSX.Element {
  const { log, editor } = useAdmin();
  const { t } = useWords();
  const { outcome, busy, run } = useAct();
  useEffect(() => void log.load(), []);
  const { value: entries } = log.entries;
  const level = valueOf(editor.loaded.value?.settings ?? {}, "log.level") !== undefined;
  return (
    <>
      <div class="section-head">
        <h2>{t("nav.log")}</h2>
        <p class="muted">{t("log.note")}</p>
      </div>
      <Told outcome={outcome} />
      <Panel>
        {entries === undefined && (
          <Nothing>{t(log.problem.value ? "settings.unreachable" : "fresh.waiting")}</Nothing>
        )}
        {entries?.length === 0 && <Nothing>{t("log.none")}</Nothing>}
        <Entries entries={entries ?? []} busy={busy} run={run} />
        {log.more.value && (
          <button type="button" class="button small" onClick={() => void log.older()}>
            {t("log.older")}
          </button>
        )}
      </Panel>
      {level && (
        <Panel title={t("set.log.level")} note={t("log.level_note")}>
          <SettingChoice
            name="log.level"
            choices={[
              { value: "error", title: "level.error" },
              { value: "warn", title: "level.warn" },
              { value: "info", title: "level.info" },
              { value: "debug", title: "level.debug" },
            ]}
          />
        </Panel>
      )}
    </>
  );
}

interface ListProps {
  entries: readonly Entry[];
  busy: boolean;
  run: (action: () => Promise<void>, done?: string) => Promise<boolean>;
}

function Entries({ entries, busy, run }: ListProps): JSX.Element {
  const admin = useAdmin();
  const { t, language } = useWords();
  return (
    <ol class="entries" role="list">
      {entries.map((entry) => (
        <li key={entry.id} class={entry.undoneBy === undefined ? "" : "undone"}>
          <time dateTime={new Date(entry.at).toISOString()}>
            {when(entry.at, admin.serverNow.value || entry.at, language)}
          </time>
          <div id={`entry-${entry.id}`}>
            <p>
              <b>{entry.admin.name || t("log.console")}</b> {actionText(entry, t)}{" "}
              {entry.undoneBy !== undefined && <Tag>{t("log.undone")}</Tag>}
            </p>
            <Differences entry={entry} />
          </div>
          {entry.canUndo && (
            <button
              type="button"
              class="button small"
              disabled={busy}
              aria-describedby={`entry-${entry.id}`}
              onClick={() => void run(() => admin.undo(entry.id), t("log.undo_done"))}
            >
              <Glyph name="undo" />
              <span>{t("log.undo")}</span>
            </button>
          )}
        </li>
      ))}
    </ol>
  );
}

function actionText(entry: Entry, t: Translate): string {
  const key = keyFor("action", entry.action);
  const what = key ? t(key, { target: entry.target }) : `${entry.action} ${entry.target}`;
  return entry.undoes === undefined ? what : `${what} ${t("log.undoes")}`;
}

/** A value of the log as people read it: 49160–49359, a list, the names of segments. */
export function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(", ");
  if (typeof value !== "object" || value === null) return written(value);
  const f = new Loose(value);
  if (f.has("min") && f.has("max")) return `${f.text("min")}–${f.text("max")}`;
  return f.has("name") ? `${f.text("name")} (${f.texts("clients").join(" ")})` : JSON.stringify(value);
}

function Differences({ entry }: { entry: Entry }): JSX.Element | null {
  const { t } = useWords();
  const [before, after] = [new Loose(entry.before).raw, new Loose(entry.after).raw];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  // Of users the sentence says it all, but for a name.
  const shown = names.filter((name) => name.includes(".") || !["admin", "disabled"].includes(name));
  if (shown.length === 0) return null;
  return (
    <ul class="diffs" role="list">
      {shown.map((name) => (
        <li key={name}>
          <span>{nameOf(name, t)}</span>{" "}
          <del>
            <span class="sr-only">{t("changes.before")}</span> {valueWord(name, plain(before[name]), t)}
          </del>{" "}
          <span aria-hidden="true">→</span>{" "}
          <ins>
            <span class="sr-only">{t("changes.after")}</span> {valueWord(name, plain(after[name]), t)}
          </ins>
        </li>
      ))}
    </ul>
  );
}
