import type { JSX } from "preact";
import { useId } from "preact/hooks";
import {
  draftOf,
  newSegment,
  overlay,
  segmentKey,
  segmentsOf,
  type Json,
  type Problem,
  type SegmentDraft,
} from "../state/settings";
import { useAdmin, useWords } from "./context";
import { Nothing, Panel } from "./parts";
import { FixedNote, isFixed, problemText } from "./SettingField";

const transports = ["udp", "tcp", "https", "tls"] as const;

const nameIn = (segment: Json): string => (typeof segment.name === "string" ? segment.name : "");

/** Segments that are written down: they add to what the interfaces say, and win over it. */
export function SegmentEditor(): JSX.Element {
  const { editor } = useAdmin();
  const { t } = useWords();
  const { value: loaded } = editor.loaded;
  const { value: edits } = editor.edits;
  if (!loaded) return <></>;
  const known = segmentsOf(loaded.settings).map(nameIn);
  const added = [...edits.keys()]
    .filter((key) => key.startsWith("segment:"))
    .map((key) => key.slice("segment:".length))
    .filter((name) => !known.includes(name) && edits.get(segmentKey(name)) !== null);
  const fixed = isFixed(loaded.fixed, "segments");
  const add = () => {
    let n = 1;
    while (known.includes(`+${n}`) || edits.has(segmentKey(`+${n}`))) n++;
    editor.set(segmentKey(`+${n}`), newSegment);
  };
  return (
    <Panel
      title={t("segments.edit")}
      note={t("segments.edit_note")}
      tools={
        <button type="button" class="button small" disabled={fixed} onClick={add}>
          {t("segments.add")}
        </button>
      }
    >
      {fixed && <FixedNote />}
      {known.length + added.length === 0 && <Nothing>{t("segments.none_written")}</Nothing>}
      {segmentsOf(loaded.settings).map((segment) => (
        <One key={nameIn(segment)} id={nameIn(segment)} before={segment} fixed={fixed} />
      ))}
      {added.map((name) => (
        <One key={name} id={name} before={undefined} fixed={fixed} />
      ))}
    </Panel>
  );
}

/** What the server says of the segment that is at a place in the list that was sent. */
function problemsAt(problems: readonly Problem[], after: Json, id: string, name: string): Problem[] {
  const index = segmentsOf(after).findIndex((segment) => nameIn(segment) === name);
  const here = `segments[${index}]`;
  return problems
    .filter(({ key }) => key === here || key.startsWith(`${here}.`) || key.startsWith(`${segmentKey(id)}.`))
    .map((problem) => ({ ...problem, key: problem.key.replace(/^(segments\[\d+\]|segment:[^.]*)\.?/, "") }));
}

function One({ id, before, fixed }: { id: string; before: Json | undefined; fixed: boolean }): JSX.Element {
  const { editor } = useAdmin();
  const { t } = useWords();
  const key = segmentKey(id);
  const edit = editor.edits.value.get(key);
  const draft = typeof edit === "object" && edit ? edit : draftOf(before ?? {});
  const title = before ? id : draft.name || t("segments.new");
  const after = overlay(editor.loaded.value!.settings, editor.edits.value);
  const problems = problemsAt(editor.problems.value, after, id, draft.name.trim());
  if (edit === null) {
    return (
      <p class="removed">
        <span>{t("segments.removed", { name: title })}</span>
        <button type="button" class="link small" onClick={() => editor.forget(key)}>
          {t("set.back")}
        </button>
      </p>
    );
  }
  const set = (change: Partial<SegmentDraft>) => editor.set(key, { ...draft, ...change });
  const pick = (transport: string, on: boolean) =>
    set({
      transports: transports.filter((each) => (each === transport ? on : draft.transports.includes(each))),
    });
  const of = (name: string) => problems.filter((p) => p.key === name || p.key.startsWith(`${name}[`));
  return (
    <details class="segment-edit" open={edit !== undefined || problems.length > 0}>
      <summary>
        <b>{title}</b> <span class="muted">{draft.clients.split("\n").join(", ")}</span>
      </summary>
      <div class="segment-fields">
        <Box
          label={t("col.segment")}
          text={draft.name}
          fixed={fixed}
          problems={of("name")}
          onInput={(name) => set({ name })}
        />
        <Box
          label={t("col.clients")}
          hint={t("segments.clients_hint")}
          lines
          text={draft.clients}
          fixed={fixed}
          problems={of("clients")}
          onInput={(clients) => set({ clients })}
        />
        <Box
          label={t("col.server_addresses")}
          hint={t("segments.server_hint")}
          lines
          text={draft.server_addresses}
          fixed={fixed}
          problems={of("server_addresses")}
          onInput={(server_addresses) => set({ server_addresses })}
        />
        <Box
          label={t("col.turn_addresses")}
          hint={t("segments.turn_hint")}
          lines
          text={draft.turn_addresses}
          fixed={fixed}
          problems={of("turn_addresses")}
          onInput={(turn_addresses) => set({ turn_addresses })}
        />
        <fieldset class="transports">
          <legend>{t("col.transports")}</legend>
          {transports.map((transport) => (
            <label key={transport} class="pick bare">
              <input
                type="checkbox"
                checked={draft.transports.includes(transport)}
                disabled={fixed}
                onChange={(event) => pick(transport, event.currentTarget.checked)}
              />
              <span>{transport.toUpperCase()}</span>
            </label>
          ))}
          <p class="hint">{t("segments.transports_hint")}</p>
          {of("transports").map((problem) => (
            <p key={problem.code} class="field-error">
              {problemText(problem, t)}
            </p>
          ))}
        </fieldset>
        {of("").map((problem) => (
          <p key={problem.code} class="field-error">
            {problemText(problem, t)}
          </p>
        ))}
        <button
          type="button"
          class="button small quiet danger"
          disabled={fixed}
          onClick={() => (before ? editor.set(key, null) : editor.forget(key))}
        >
          {t("segments.remove", { name: title })}
        </button>
      </div>
    </details>
  );
}

interface BoxProps {
  label: string;
  hint?: string;
  lines?: boolean;
  text: string;
  fixed: boolean;
  problems: readonly Problem[];
  onInput: (text: string) => void;
}

function Box({ label, hint, lines, text, fixed, problems, onInput }: BoxProps): JSX.Element {
  const { t } = useWords();
  const id = useId();
  const shared = {
    id,
    value: text,
    disabled: fixed,
    spellcheck: false,
    autoComplete: "off",
    "aria-invalid": problems.length > 0,
    "aria-describedby": `${id}-notes`,
  } as const;
  return (
    <div class={`setting ${problems.length > 0 ? "wrong" : ""}`}>
      <label for={id}>{label}</label>
      <span class="setting-box">
        {lines ? (
          <textarea
            {...shared}
            rows={Math.min(Math.max(text.split("\n").length, 2), 6)}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
        ) : (
          <input {...shared} type="text" onInput={(event) => onInput(event.currentTarget.value)} />
        )}
      </span>
      <div id={`${id}-notes`}>
        {problems.map((problem) => (
          <p key={problem.key + problem.code} class="field-error">
            {problemText(problem, t)}
          </p>
        ))}
        {hint !== undefined && <p class="hint">{hint}</p>}
      </div>
    </div>
  );
}
