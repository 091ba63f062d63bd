/** What was made of BullMQ, and when it can be used. */
export interface Opened<T> {
  readonly made: T;
  readonly ready: Promise<unknown>;
}

/**
 * Something of BullMQ with its connection. BullMQ remembers a first connection that failed for ever: such a worker would spin
 * without pause, such a queue refuse every job. So what could not connect is thrown away and made anew.
 */
export class Connected<T extends { close(): Promise<void> }> {
  #current: Promise<T> | null = null;

  constructor(
    private readonly reach: () => Promise<void>,
    private readonly open: () => Opened<T>,
  ) {}

  /** It, connected. Rejects when it cannot connect; the next call tries anew. */
  get(): Promise<T> {
    this.#current ??= this.#connect();
    return this.#current;
  }

  async close(): Promise<void> {
    await (await this.#current?.catch(() => null))?.close();
  }

  async #connect(): Promise<T> {
    let made: T | null = null;
    try {
      await this.reach();
      const opened = this.open();
      made = opened.made;
      await opened.ready;
      return made;
    } catch (error) {
      this.#current = null;
      made?.close().catch(() => undefined);
      throw error;
    }
  }
}
