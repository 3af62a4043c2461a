import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { useApp } from "./context";

interface Props {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  error?: string;
  autoComplete?: string;
  maxLength?: number;
  /** A password, with a button that shows it. */
  secret?: boolean;
  /** Not words: no capitals, no correction. */
  plain?: boolean;
}

export function Field(props: Props): JSX.Element {
  const { t } = useApp().settings;
  const id = useId();
  const [shown, setShown] = useState(false);
  const note = props.error ?? props.hint;
  return (
    <div class={`field ${props.error ? "wrong" : ""}`}>
      <label for={id}>{props.label}</label>
      <div class="field-box">
        <input
          id={id}
          // A password box has no role of its own; it is one more text box to those who navigate by role.
          role="textbox"
          type={props.secret && !shown ? "password" : "text"}
          value={props.value}
          onInput={(event) => props.onInput(event.currentTarget.value)}
          autoComplete={props.autoComplete}
          maxLength={props.maxLength ?? 128}
          aria-invalid={props.error !== undefined}
          aria-describedby={note ? `${id}-note` : undefined}
          {...(props.plain || props.secret
            ? { autoCapitalize: "none", autoCorrect: "off", spellcheck: false }
            : {})}
        />
        {props.secret && (
          <button
            type="button"
            class="field-show"
            onClick={() => setShown(!shown)}
            aria-label={shown ? t("field.hide") : t("field.show")}
          >
            {shown ? t("field.hide_short") : t("field.show_short")}
          </button>
        )}
      </div>
      {note && (
        <p
          id={`${id}-note`}
          class={props.error ? "field-error" : "hint"}
          role={props.error ? "alert" : undefined}
        >
          {note}
        </p>
      )}
    </div>
  );
}
