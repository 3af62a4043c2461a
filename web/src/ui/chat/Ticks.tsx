import type { JSX } from "preact";
import type { Key } from "../../i18n";
import type { Progress } from "../../state/chat/rows";
import { useApp } from "../context";

const words: Record<Progress, Key> = {
  waiting: "chat.waiting",
  failed: "chat.not_sent",
  sent: "text.sent",
  delivered: "chat.delivered",
  read: "chat.read",
};

const paths: Record<Progress, string> = {
  waiting: "M10 4a6 6 0 1 1 0 12a6 6 0 0 1 0-12ZM10 6.500v3.700l2.500 1.500",
  failed: "M10 4.500v7M10 15v.1",
  sent: "M4.500 10.500l3.700 3.500 7.300-8",
  delivered: "M1.500 10.500l3.700 3.500 7.300-8M9.500 13l1 1 7.500-8",
  read: "M1.500 10.500l3.700 3.500 7.300-8M9.500 13l1 1 7.500-8",
};

/** How far one's own text got, as a small picture and as a word. */
export function Ticks({ progress }: { progress: Progress }): JSX.Element {
  const { t } = useApp().settings;
  const word = t(words[progress]);
  return (
    <span class={`ticks ${progress}`} role="img" aria-label={word} title={word}>
      <svg width="17" height="17" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
        <path d={paths[progress]} />
      </svg>
    </span>
  );
}
