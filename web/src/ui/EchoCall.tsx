import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { EchoFound, Step } from "../call/echo";
import { verdict } from "../call/echoVerdict";
import { echoSay, type EchoSay } from "../i18n/echo";
import { useApp } from "./context";
import { EchoVerdict } from "./EchoVerdict";
import { Icon } from "./icons";

/** What a call with the echo shows besides: what is being tested, and then what was found. */
export function EchoCall(): JSX.Element | null {
  const app = useApp();
  const words = echoSay(app.settings.language.value);
  const [hidden, setHidden] = useState(false);
  const found = app.echo.found.value;
  if (!found) return null;
  const { step } = found;
  const line = step ? words(`testing.${step}`) : words(`headline.${verdict(found).headline}`);
  return (
    <>
      <p class="sr-only" role="status">
        {line}
      </p>
      {step && <Strip found={found} line={line} words={words} />}
      {!step && hidden && (
        <button type="button" class="button echo-show" onClick={() => setHidden(false)}>
          {words("show")}
        </button>
      )}
      {!step && !hidden && <EchoVerdict found={found} onHide={() => setHidden(true)} />}
    </>
  );
}

function Strip({ found, line, words }: { found: EchoFound; line: string; words: EchoSay }): JSX.Element {
  return (
    <div class="echo-strip">
      <p class="echo-line" aria-hidden="true">
        {line}
      </p>
      <ol class="echo-steps" role="list">
        {found.steps.map((step) => (
          <StepMark key={step} step={step} found={found} words={words} />
        ))}
      </ol>
      <p class="echo-speak">{words("speak")}</p>
    </div>
  );
}

function StepMark({ step, found, words }: { step: Step; found: EchoFound; words: EchoSay }): JSX.Element {
  const way = found.ways[step];
  const look = way ? (way.works ? "good" : "bad") : found.step === step ? "running" : "waiting";
  return (
    <li class={`echo-step ${look}`} aria-current={look === "running" ? "step" : undefined}>
      {way && <Icon name={way.works ? "check" : "close"} size={16} />}
      {look === "running" && <span class="spinner" aria-hidden="true" />}
      <span>{words(`step.${step}`)}</span>
    </li>
  );
}
