import { Inject, Injectable } from '@nestjs/common';
import { type Orders, readVersions } from '#libs/orders';
import { type Logger } from '#libs/telemetry';
import { Draining } from '../health/draining.js';
import { LOGGER, ORDERS } from '../tokens.js';

/** An order as somebody has seen it. Ids are database ids. */
export interface SeenOrder {
  readonly orderId: string;
  readonly version: number;
}

interface Watcher extends SeenOrder {
  readonly wake: (version: number) => void;
}

/** Orders settle within a few hundred milliseconds. */
const LOOK_EVERY_MS = 100;
/** However many orders are watched, looking takes no more than this part of one connection. */
const LOOKING_SHARE = 0.2;

/**
 * Tells whoever waits that an order has changed. All watched orders of the process are looked at in one statement, so that a
 * thousand waiters cost the database as much as one. It looks rather than listens, since every NOTIFY would make commits queue.
 */
@Injectable()
export class OrderWatch {
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    @Inject(ORDERS) private readonly orders: Orders,
    private readonly draining: Draining,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    void draining.begun.then(() => this.#wakeAll());
  }

  /**
   * Waits until the order has another version than the one seen, `ms` have passed, `signal` aborts or the process drains.
   * Returns the version it last saw. Never throws: without a database nothing changes.
   */
  async changed(seen: SeenOrder, ms: number, signal?: AbortSignal): Promise<number> {
    if (this.draining.hasBegun || signal?.aborted) return seen.version;
    return new Promise((resolve) => {
      const wake = (version: number): void => {
        clearTimeout(late);
        signal?.removeEventListener('abort', giveUp);
        this.#watchers.delete(watcher);
        resolve(version);
      };
      const giveUp = (): void => wake(seen.version);
      const watcher: Watcher = { ...seen, wake };
      const late = setTimeout(giveUp, ms);
      signal?.addEventListener('abort', giveUp);
      this.#watchers.add(watcher);
      this.#timer ??= setTimeout(() => void this.#look(), LOOK_EVERY_MS);
    });
  }

  async #look(): Promise<void> {
    const begunAt = performance.now();
    const ids = new Set(Array.from(this.#watchers, ({ orderId }) => orderId));
    try {
      const versions = ids.size === 0 ? new Map<string, number>() : await readVersions(this.orders.database.autocommit, [...ids]);
      for (const { orderId, version, wake } of this.#watchers) {
        const current = versions.get(orderId) ?? version;
        if (current !== version) wake(current);
      }
    } catch (error) {
      this.logger.debug({ error }, 'watched orders could not be looked at');
    }
    const restMs = Math.max(LOOK_EVERY_MS, (performance.now() - begunAt) / LOOKING_SHARE);
    this.#timer = this.#watchers.size === 0 ? null : setTimeout(() => void this.#look(), restMs);
  }

  #wakeAll(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const { version, wake } of this.#watchers) wake(version);
  }
}
