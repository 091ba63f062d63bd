import { type Tx } from '#libs/database';
import { effect } from '#libs/primitives';
import { notifyOutbox } from './outbox.store.js';

/** At most one NOTIFY in this time and process: each takes a lock that all notifying commits share. */
const QUIET_MS = 5;

/**
 * Wakes the relay after a commit. Calls that come together become one NOTIFY; a failed one costs nothing but the time
 * until the relay's next poll, so nobody waits for it.
 */
export class OutboxBell {
  #timer: NodeJS.Timeout | null = null;
  #ringing: Promise<void> = Promise.resolve();

  constructor(
    private readonly tx: Tx,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Announces that rows were committed. Returns at once. */
  ring(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#ringing = effect('api.outbox.notify', () => notifyOutbox(this.tx)).catch(this.onError);
    }, QUIET_MS);
  }

  /** Rings what is pending and waits for it, before the database is closed. */
  async close(): Promise<void> {
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = null;
      await notifyOutbox(this.tx).catch(this.onError);
    }
    await this.#ringing;
  }
}
