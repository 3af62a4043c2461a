import type { JSX } from "preact";
import { echoID, type Status, type User } from "../protocol/messages";
import { pictureURL } from "../protocol/peopleApi";
import { useApp } from "./context";
import { Icon } from "./icons";

const hues = 10;

/** One or two characters that stand for a name, in any script. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = [...(words[0] ?? "?")];
  // Chinese, Japanese and Korean names are known by their last characters.
  if (words.length === 1 && /^[\u3400-\u9fff\uac00-\ud7af\u3040-\u30ff]+$/.test(words[0]!)) {
    return first.slice(-2).join("");
  }
  const last = words.length > 1 ? [...words[words.length - 1]!][0]! : "";
  return (first[0]! + last).toUpperCase();
}

/** The same colour for the same id everywhere (FNV-1a). */
export function hueOf(id: string): number {
  let hash = 0x811c9dc5;
  for (const char of id) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash % hues;
}

export function Avatar({
  of,
  status,
  size,
}: {
  of: User;
  status?: Status;
  size?: "big" | "small";
}): JSX.Element {
  const app = useApp();
  if (of.id === echoID) {
    return (
      <span class={`avatar echo ${size ?? ""}`} aria-hidden="true">
        <Icon name="echo" size={size === "big" ? 56 : size === "small" ? 20 : 24} />
      </span>
    );
  }
  const { picture } = app.people.find(of.id) ?? {};
  return (
    <span class={`avatar hue-${hueOf(of.id)} ${size ?? ""}`} aria-hidden="true">
      <span class="avatar-text" data-initials={initials(of.name)} />
      {picture && (
        <img src={pictureURL(of.id, picture)} alt="" loading="lazy" decoding="async" draggable={false} />
      )}
      {status && <span class={`dot ${status}`} />}
    </span>
  );
}
