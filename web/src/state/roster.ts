// The order of the roster, and what a search finds in it.
import type { Someone } from "./people";

/** A text for comparing: without accents, differences of case, width and space. */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[\p{M}\p{Cf}]/gu, "")
    .toLowerCase()
    .replace(/ß/g, "ss")
    .replace(/[^\S\n]+/g, " ");
}

export interface Wanted {
  /** Not listed: oneself. */
  me: string | undefined;
  favourites: ReadonlySet<string>;
  /** What is searched for; every word must be found. */
  query: string;
  /** Only people with this tag. */
  tag: string | undefined;
  /** What a search looks through. */
  text: (id: string) => string;
}

/** People by what one wants of them: favourites first, then in the order that they have. */
export function arrange(all: readonly Someone[], wanted: Wanted): Someone[] {
  const words = fold(wanted.query).split(" ").filter(Boolean);
  const first: Someone[] = [];
  const rest: Someone[] = [];
  for (const person of all) {
    if (person.id === wanted.me) continue;
    if (wanted.tag !== undefined && !person.tags?.includes(wanted.tag)) continue;
    if (words.length > 0) {
      const text = wanted.text(person.id);
      if (!words.every((word) => text.includes(word))) continue;
    }
    (wanted.favourites.has(person.id) ? first : rest).push(person);
  }
  return first.concat(rest);
}

/** How many are drawn beyond what can be seen, above and below. */
export const overscan = 6;

/** The part of a list of equal rows that is drawn: from, and up to but not including to. */
export function visibleRows(
  count: number,
  row: number,
  top: number,
  height: number,
): { from: number; to: number } {
  const from = Math.max(0, Math.floor(top / row) - overscan);
  const to = Math.min(count, Math.ceil((top + height) / row) + overscan);
  return { from: Math.min(from, Math.max(0, count - 1)), to: Math.max(to, Math.min(count, from + 1)) };
}
