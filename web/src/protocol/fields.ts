// One JSON object read field by field.
export class Malformed extends Error {}

/** The fields of one JSON object, read with a type or refused. */
export class Fields {
  private readonly fields: Record<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Malformed("not an object");
    this.fields = value as Record<string, unknown>;
  }

  text(key: string): string {
    const value = this.fields[key];
    if (typeof value !== "string") throw new Malformed(key);
    return value;
  }

  name(key: string): string {
    const value = this.text(key);
    if (value === "") throw new Malformed(key);
    return value;
  }

  number(key: string): number {
    const value = this.fields[key];
    if (typeof value !== "number" || !Number.isFinite(value)) throw new Malformed(key);
    return value;
  }

  flag(key: string): boolean {
    const value = this.fields[key];
    if (typeof value !== "boolean") throw new Malformed(key);
    return value;
  }

  oneOf<T extends string>(key: string, choices: readonly T[], otherwise?: T): T {
    const value = this.text(key) as T;
    if (choices.includes(value)) return value;
    if (otherwise !== undefined) return otherwise;
    throw new Malformed(key);
  }

  object(key: string): Fields {
    return new Fields(this.fields[key]);
  }

  list<T>(key: string, read: (item: Fields) => T): T[] {
    const value = this.fields[key];
    if (value === null || value === undefined) return [];
    if (!Array.isArray(value)) throw new Malformed(key);
    return value.map((item) => read(new Fields(item)));
  }

  maybe<T>(key: string, read: (key: string) => T): T | undefined {
    const value = this.fields[key];
    return value === undefined || value === null ? undefined : read(key);
  }

  /** A list of texts; those that are none of the choices are left out. */
  among<T extends string>(key: string, choices: readonly T[]): T[] {
    return this.texts(key).filter((item): item is T => choices.includes(item as T));
  }

  texts(key: string): string[] {
    const value = this.fields[key];
    if (!Array.isArray(value) || value.some((item) => typeof item !== "string")) throw new Malformed(key);
    return value as string[];
  }

  raw(key: string): unknown {
    return this.fields[key];
  }
}
