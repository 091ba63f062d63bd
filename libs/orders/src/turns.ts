import { setTimeout as delay } from 'node:timers/promises';

/** As long as a request waits for a connection: a client has then long heard from us, and a command takes a hundredth of it. */
const WAIT_MS = 5_000;

/**
 * Lets those who want the same thing have it one after another, in the order they came. They wait in memory: whoever waits for a row
 * lock holds a connection meanwhile, and a crowd around one order would leave none for all others.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  constructor(private readonly waitMs = WAIT_MS) {}

  /** Runs `work` when its turn comes; returns `late`, without running it, when that takes too long. Throws what `work` throws. */
  async take<T>(name: string, work: () => Promise<T>): Promise<T | 'late'> {
    const before = this.#last.get(name);
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const mine = before === undefined ? ended : before.then(() => ended);
    this.#last.set(name, mine);
    // Also after a late one has gone: who comes then still waits for those before it.
    void mine.then(() => this.#last.get(name) === mine && this.#last.delete(name));
    try {
      if (before !== undefined && (await Promise.race([before, delay(this.waitMs, 'late' as const, { ref: false })])) === 'late')
        return 'late';
      return await work();
    } finally {
      end();
    }
  }
}
