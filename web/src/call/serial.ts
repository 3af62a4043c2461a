/** Runs one thing after the other. */
export class Serial {
  private waiting = 0;
  private last: Promise<void> = Promise.resolve();

  get busy(): boolean {
    return this.waiting > 0;
  }

  /** Runs it when everything before is done; rejects as it does. */
  async run(operation: () => Promise<void>): Promise<void> {
    const before = this.busy ? this.last : undefined;
    this.waiting += 1;
    const mine = (async () => {
      try {
        if (before) await before;
        await operation();
      } finally {
        this.waiting -= 1;
      }
    })();
    this.last = mine.catch(() => undefined);
    await mine;
  }
}
