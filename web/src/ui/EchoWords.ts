// The words of what the echo test found.
import type { Facts, Way } from "../call/echo";
import type { Finding } from "../call/echoVerdict";
import type { Key } from "../i18n";
import type { EchoSay } from "../i18n/echo";
import { problemWord } from "./words";

/** What a finding means and what to do, in whole sentences. */
export function told(finding: Finding, facts: Facts, words: EchoSay, t: (key: Key) => string): string {
  const sentences = finding.codes.map((code) => {
    switch (code) {
      case "mic_problem":
        return t(problemWord.audio[facts.problems.audio ?? "unknown"]);
      case "camera_problem":
        return t(problemWord.video[facts.problems.video ?? "unknown"]);
      default:
        return words(`code.${code}`);
    }
  });
  return sentences.join(" ");
}

/** How a way did, in figures; what the browser does not tell is left out. */
export function figures({ rttMs, loss, upKbps, downKbps }: Way, words: EchoSay): string {
  const parts: string[] = [];
  if (rttMs !== undefined) parts.push(rttMs < 1 ? words("ms_less") : words("ms", { ms: Math.round(rttMs) }));
  if (loss !== undefined) parts.push(words("lost", { percent: percent(loss) }));
  if (upKbps !== undefined && downKbps !== undefined) {
    parts.push(rates(upKbps, downKbps, words));
  }
  return parts.map((part) => part.replace(/ /g, "\u00a0")).join(" · ");
}

/** Tenths below ten: half a percent is worth knowing, tenths of a third are not. */
const percent = (share: number): string => {
  const hundredths = share * 100;
  return hundredths >= 10 ? String(Math.round(hundredths)) : String(Math.round(hundredths * 10) / 10);
};

function rates(up: number, down: number, words: EchoSay): string {
  if (Math.max(up, down) < 1000) return words("kbps", { up, down });
  const mbps = (kbps: number) => (kbps / 1000).toFixed(1);
  return words("mbps", { up: mbps(up), down: mbps(down) });
}
