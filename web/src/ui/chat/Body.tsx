import type { JSX } from "preact";
import type { TextMessage } from "../../protocol/texts";
import { parts } from "../../state/chat/words";
import { useApp } from "../context";

/** What somebody wrote. An address can be opened by hand; the page itself never asks it for anything. */
export function Body({ message }: { message: TextMessage; mine: boolean }): JSX.Element {
  const { t } = useApp().settings;
  return (
    <>
      {parts(message.body).map((part, i) =>
        part.href === undefined ? (
          part.text
        ) : (
          <a
            key={i}
            href={part.href}
            target="_blank"
            rel="noreferrer noopener"
            title={t("chat.link_hint")}
            dir="ltr"
          >
            {part.text}
          </a>
        ),
      )}
    </>
  );
}
