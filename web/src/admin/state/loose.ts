// Reads what the server says without insisting: the dashboard of a page that is older or
// newer than its server shows what it can.

/** The fields of one JSON object; what is missing or of another type is its empty value. */
export class Loose {
  readonly raw: Record<string, unknown>;

  constructor(value: unknown) {
    const fits = typeof value === "object" && value !== null && !Array.isArray(value);
    this.raw = fits ? (value as Record<string, unknown>) : {};
  }

  has(key: string): boolean {
    const value = this.raw[key];
    return value !== undefined && value !== null;
  }

  text(key: string, otherwise = ""): string {
    const value = this.raw[key];
    return typeof value === "string" ? value : typeof value === "number" ? String(value) : otherwise;
  }

  number(key: string, otherwise = 0): number {
    const value = this.raw[key];
    return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
  }

  maybeNumber(key: string): number | undefined {
    const value = this.raw[key];
    return typeof value === "number" && Number.isFinite(value) ? value : undefined;
  }

  maybeText(key: string): string | undefined {
    const value = this.text(key);
    return value === "" ? undefined : value;
  }

  flag(key: string): boolean {
    return this.raw[key] === true;
  }

  object(key: string): Loose {
    return new Loose(this.raw[key]);
  }

  /** The items that read makes something of. */
  list<T>(key: string, read: (item: Loose) => T | undefined): T[] {
    const value = this.raw[key];
    if (!Array.isArray(value)) return [];
    return value.map((item) => read(new Loose(item))).filter((item): item is T => item !== undefined);
  }

  texts(key: string): string[] {
    const value = this.raw[key];
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
  }

  numbers(key: string): number[] {
    const value = this.raw[key];
    return Array.isArray(value) ? value.filter((item): item is number => typeof item === "number") : [];
  }

  /** Every field that is text, a number or a flag, as text. */
  plain(): Record<string, string> {
    const out: Record<string, string> = {};
    for (const [key, value] of Object.entries(this.raw)) {
      if (["string", "number", "boolean"].includes(typeof value)) out[key] = String(value);
      else if (Array.isArray(value)) out[key] = value.map(String).join(", ");
    }
    return out;
  }
}
