import type { JSX } from "preact";
import type { Details, Reason } from "../call/quality";
import type { Key } from "../i18n";
import { useApp } from "./context";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";
import type { PartProps } from "./MediaDialogs";

const why: Record<Reason, Key> = {
  loss_in: "quality.why_loss_in",
  loss_out: "quality.why_loss_out",
  loss_both: "quality.why_loss_both",
  delay: "quality.why_delay",
  jitter: "quality.why_jitter",
  narrow: "quality.why_narrow",
  busy: "quality.why_busy",
  path: "quality.why_path",
};

const advice: Partial<Record<Reason, Key>> = {
  loss_in: "quality.do_loss",
  loss_out: "quality.do_loss",
  loss_both: "quality.do_loss",
  jitter: "quality.do_loss",
  narrow: "quality.do_loss",
  busy: "quality.do_busy",
};

/** How good the call is, why, and the figures behind it. */
export function QualityDialog({ call, onClose }: PartProps): JSX.Element {
  const { calls, settings } = useApp();
  const { t } = settings;
  const { quality } = calls.session.instruments;
  const verdict = quality.verdict.value;
  const details = quality.details.value;
  const name = call.peer.name;
  const reason = verdict?.reason;
  const todo = reason && advice[reason];
  return (
    <Dialog label={t("quality.title")} class="quality" onEscape={onClose}>
      <header class="dialog-head">
        <h2>{t("quality.title")}</h2>
        <button type="button" class="round ghost" aria-label={t("media.close")} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {verdict && (
        <div class={`quality-word ${verdict.grade}`}>
          <p class="quality-grade">{t(`quality.${verdict.grade}`)}</p>
          <p>{t(reason ? why[reason] : "quality.why_none", { name })}</p>
          {todo && <p class="hint">{t(todo)}</p>}
        </div>
      )}
      {details ? <Figures details={details} name={name} /> : <p class="hint">{t("quality.waiting")}</p>}
    </Dialog>
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
const picture = (size: string, fps: number): string => (size === "" ? "" : `${size}, ${fps} fps`);

function Figures({ details: d, name }: { details: Details; name: string }): JSX.Element {
  const { t } = useApp().settings;
  const none = t("quality.no_picture");
  const rows: [string, string, string][] = [
    [t("quality.row_lost"), percent(d.lossIn), percent(d.lossOut)],
    [t("quality.row_rate"), `${d.kbpsIn} kbit/s`, `${d.kbpsOut} kbit/s`],
    [t("quality.row_picture"), picture(d.sizeIn, d.fpsIn) || none, picture(d.sizeOut, d.fpsOut) || none],
  ];
  const single: [string, string][] = [
    [t("quality.row_rtt"), `${d.rttMs} ms`],
    [t("quality.row_jitter"), `${d.jitterMs} ms`],
    [t("quality.row_made_up"), percent(d.concealed)],
    [t("quality.row_codecs"), d.codecs],
    [t("quality.row_path"), way(d, name, t)],
  ];
  return (
    <div class="figures">
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">{t("quality.from", { name })}</th>
            <th scope="col">{t("quality.to", { name })}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([what, from, to]) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td>{from}</td>
              <td>{to}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <dl>
        {single.map(([what, value]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function way(d: Details, name: string, t: (key: Key, values?: Record<string, string>) => string): string {
  if (d.local === "relay")
    return t("quality.relay", { protocol: (d.relayProtocol ?? d.protocol).toUpperCase() });
  if (d.remote === "relay") return t("quality.relay_theirs", { name });
  return t("quality.direct", { protocol: d.protocol.toUpperCase() });
}
