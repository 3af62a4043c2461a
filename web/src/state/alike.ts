// Names that look alike, so that the id can be shown beside them.

/** Characters that are drawn like a Latin small letter in common fonts; "I" is drawn like "l". */
const lookalikes: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ["а α", "a"],
    ["А Α", "a"],
    ["в В Β β", "b"],
    ["с С ϲ", "c"],
    ["ԁ", "d"],
    ["е Е Ε ε", "e"],
    ["һ н Н Η", "h"],
    ["і ι ı", "i"],
    ["ј Ј", "j"],
    ["к К Κ κ", "k"],
    ["І Ι I 1 | ӏ Ӏ", "l"],
    ["м М Μ", "m"],
    ["Ν η п П", "n"],
    ["о О Ο ο 0", "o"],
    ["р Р Ρ ρ", "p"],
    ["ԛ", "q"],
    ["г", "r"],
    ["ѕ Ѕ", "s"],
    ["т Т Τ τ", "t"],
    ["υ µ μ", "u"],
    ["ν", "v"],
    ["ԝ ω", "w"],
    ["х Х Χ χ", "x"],
    ["у У Υ ү γ", "y"],
    ["Ζ", "z"],
  ].flatMap(([like, latin]) => like!.split(" ").map((char) => [char, latin!])),
);

/** A name without accents, invisible characters and differences of width; case is kept. */
function plain(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/[\p{M}\p{Cf}]/gu, "")
    .replace(/[\s\p{P}]+/gu, " ")
    .trim();
}

/** Names with one of these in common look alike: as it is written, and as it is drawn. */
export function looks(name: string): [written: string, drawn: string] {
  const kept = plain(name);
  const drawn = [...kept]
    .map((char) => lookalikes[char] ?? char)
    .join("")
    .toLowerCase()
    .replace(/rn/g, "m")
    .replace(/vv/g, "w");
  return [`w ${kept.toLowerCase().replace(/ς/g, "σ")}`, `d ${drawn}`];
}

/** The ids of those whose name looks like another's. */
export function alike(people: Iterable<{ id: string; name: string }>): ReadonlySet<string> {
  const seen = new Map<string, Set<string>>();
  for (const { id, name } of people) {
    for (const look of looks(name)) {
      const ids = seen.get(look);
      if (ids) ids.add(id);
      else seen.set(look, new Set([id]));
    }
  }
  const found = new Set<string>();
  for (const ids of seen.values()) if (ids.size > 1) for (const id of ids) found.add(id);
  return found;
}
