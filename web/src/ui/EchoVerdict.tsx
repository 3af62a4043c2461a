import type { JSX } from "preact";
import type { EchoFound } from "../call/echo";
import { verdict, type Finding, type Mark } from "../call/echoVerdict";
import { echoSay, type EchoSay } from "../i18n/echo";
import { useApp } from "./context";
import { figures, told } from "./EchoWords";
import { Icon, type IconName } from "./icons";

const icons: Record<Mark, IconName> = { good: "check", warn: "warning", bad: "close", none: "dash" };

/** What the echo test found, each thing with what to do about it. */
export function EchoVerdict({ found, onHide }: { found: EchoFound; onHide?: () => void }): JSX.Element {
  const words = echoSay(useApp().settings.language.value);
  const { headline, mark, findings } = verdict(found);
  return (
    <section class="echo-card" aria-label={words("result")}>
      <header class="echo-card-head">
        <h3>{words("result")}</h3>
        {onHide && (
          <button type="button" class="round ghost small" aria-label={words("hide")} onClick={onHide}>
            <Icon name="close" size={20} />
          </button>
        )}
      </header>
      <p class={`note ${mark}`}>{words(`headline.${headline}`)}</p>
      <ul class="findings" role="list">
        {findings.map((finding) => (
          <Line key={finding.item} finding={finding} found={found} words={words} />
        ))}
      </ul>
    </section>
  );
}

interface LineProps {
  finding: Finding;
  found: EchoFound;
  words: EchoSay;
}

function Line({ finding, found, words }: LineProps): JSX.Element {
  const { t } = useApp().settings;
  const { item, mark, way } = finding;
  const name = words(`item.${item}`);
  const numbers = way && figures(way, words);
  return (
    <li class={`finding ${mark}`} aria-label={name}>
      <span class="finding-mark">
        <Icon name={icons[mark]} size={18} />
      </span>
      <p class="finding-words">
        <b>{name}</b>
        <span class="sr-only">: {words(`mark.${mark}`)}.</span>{" "}
        <span class="finding-told">{told(finding, found.facts, words, t)}</span>
        {numbers && <span class="finding-figures">{numbers}</span>}
      </p>
    </li>
  );
}
