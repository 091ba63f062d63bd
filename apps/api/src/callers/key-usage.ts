import { type Database } from '#libs/database';
import { type Clock } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { markApiKeysUsed } from './api-key.store.js';

/** People ask whether a key is still in use, not in which second. */
const WRITE_EVERY_MS = 10_000;

/** Remembers which keys are used and writes it down now and then, in one statement for all of them. */
export class KeyUsage {
  readonly #used = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  note(keyId: string): void {
    this.#used.add(keyId);
    this.#timer ??= setTimeout(() => void this.#write(), WRITE_EVERY_MS);
  }

  /** Writes down what is left. */
  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    await this.#write();
  }

  async #write(): Promise<void> {
    this.#timer = null;
    const ids = [...this.#used];
    this.#used.clear();
    if (ids.length === 0) return;
    await markApiKeysUsed(this.database.autocommit, ids, this.clock.now()).catch((error: unknown) =>
      this.logger.debug({ error }, 'the use of keys could not be noted'),
    );
  }
}
