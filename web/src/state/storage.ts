/** What is kept on the device. A browser may refuse storage; then nothing is kept. */
export class Kept {
  private readonly area: () => Storage;

  constructor(area: () => Storage) {
    this.area = area;
  }

  get(key: string): string | undefined {
    try {
      return this.area().getItem(`fieldphone.${key}`) ?? undefined;
    } catch {
      return undefined;
    }
  }

  set(key: string, value: string | undefined): void {
    try {
      if (value === undefined) this.area().removeItem(`fieldphone.${key}`);
      else this.area().setItem(`fieldphone.${key}`, value);
    } catch {
      // Full or refused.
    }
  }
}
