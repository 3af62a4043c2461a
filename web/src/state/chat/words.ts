// What is in the words of a text: addresses that can be opened, and whether it is only emoji.

export type Part = { text: string; href?: undefined } | { text: string; href: string };

const address = /https?:\/\/[^\s<>"'`\u2066-\u2069\u202a-\u202e]+/gi;
/** Marks at the end of an address belong to the sentence. */
const trailing = /[.,;:!?)\]}，。；：！？）】」』]+$/;

/** Cuts a text into plain parts and addresses. Only http and https are addresses; none is ever fetched. */
export function parts(text: string): Part[] {
  const found: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(address)) {
    const raw = match[0].replace(trailing, "");
    const href = safe(raw);
    if (href === undefined) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: raw, href });
    end = match.index + raw.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

function safe(raw: string): string | undefined {
  try {
    const url = new URL(raw);
    // A name and password before the host make one address look like another.
    if (url.username !== "" || url.password !== "") return undefined;
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

const onlyEmoji =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|\s)+$/u;
const maxBig = 24;

/** Whether a text is a few emoji and nothing else, which are shown large. */
export const isEmoji = (text: string): boolean =>
  text.length <= maxBig &&
  onlyEmoji.test(text) &&
  /\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(text);
