import type { JSX } from "preact";
import type { PortUse } from "../state/live";
import { useWords } from "./context";
import { count } from "./format";
import { Nothing } from "./parts";

/** How the relay's ports are used, a bar for each local address. */
export function PortBars({ ports }: { ports: readonly PortUse[] }): JSX.Element {
  const { t } = useWords();
  if (ports.length === 0) return <Nothing>{t("ports.none")}</Nothing>;
  return (
    <ul class="ports" role="list">
      {ports.map((port) => (
        <Bar key={port.address} port={port} />
      ))}
    </ul>
  );
}

function Bar({ port }: { port: PortUse }): JSX.Element {
  const { t, language } = useWords();
  const total = Math.max(port.max - port.min + 1, 1);
  const share = (n: number) => Math.min(Math.max((n / total) * 100, 0), 100);
  const inside = Math.max(port.used - port.outside, 0);
  const facts = [
    { key: "used", value: port.used },
    { key: "outside", value: port.outside },
    { key: "free", value: port.free },
    { key: "peak", value: port.peak },
    { key: "refused", value: port.refused },
    { key: "taken", value: port.taken },
  ] as const;
  return (
    <li class="port">
      <div class="port-head">
        <b>{port.address}</b>
        <span class="muted">
          {port.min}–{port.max} · {t("ports.total", { n: count(total, language) })}
        </span>
      </div>
      <svg
        class="port-bar"
        viewBox="0 0 100 10"
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        <rect class="bar-free" width="100" height="10" />
        <rect class="bar-used" width={share(inside)} height="10" />
        <rect class="bar-taken" x={100 - share(port.taken)} width={share(port.taken)} height="10" />
        <rect class="bar-peak" x={Math.min(share(port.peak), 99.6)} width="0.4" height="10" />
      </svg>
      <dl class="port-facts">
        {facts.map(({ key, value }) => (
          <div key={key} class={`${key} ${value > 0 ? "some" : ""}`}>
            <dt>{t(`ports.${key}`)}</dt>
            <dd>{count(value, language)}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}
