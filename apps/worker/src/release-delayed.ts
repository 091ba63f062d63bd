import { type Database } from '#libs/database';
import { type BreakerName, hasDelayedOperations, listBreakers, releaseDelayedOperations } from '#libs/payments';
import { effect, type Entropy } from '#libs/primitives';
import { hasDelayedEvents, releaseDelayedEvents } from '#libs/webhooks';

/** Some ten milliseconds a statement, so that a crash in the middle loses little: the sweeper releases what is left. */
const BATCH_SIZE = 500;
/** Longer than any wait of an attempt's own: only a breaker makes work wait for longer, in a line behind all the others. */
const IN_LINE_SECONDS = 10;

interface Held {
  readonly database: Database;
  readonly entropy: Entropy;
}

/** Makes everything that a breaker has held back due at once and queues it; the limiter spreads it. Safe to repeat. */
export async function releaseDelayed(held: Held & { readonly wake: () => void }, closed: BreakerName): Promise<void> {
  for (;;) {
    const count = await effect('worker.sweep.commit', () => releaseBatch(held, [closed], 0));
    if (count > 0) held.wake();
    if (count < BATCH_SIZE) return;
  }
}

/**
 * Releases what lines up for a breaker that has closed: the worker that closed it may have died before it released everything, and
 * for a moment the others did not know. Returns how many. Safe to repeat.
 */
export async function releaseStranded(held: Held): Promise<number> {
  const { autocommit } = held.database;
  // To release brings ids for whole batches, and mostly there is nothing.
  if (!(await hasDelayedOperations(autocommit)) && !(await hasDelayedEvents(autocommit))) return 0;
  const closed = (await listBreakers(autocommit)).filter(({ state }) => state === 'closed').map(({ name }) => name);
  return releaseBatch(held, closed, IN_LINE_SECONDS);
}

async function releaseBatch(
  { database: { autocommit }, entropy }: Held,
  closed: readonly BreakerName[],
  beyondSeconds: number,
): Promise<number> {
  const newId = (): string => entropy.uuid();
  const operations = await releaseDelayedOperations(autocommit, closed, beyondSeconds, newId, BATCH_SIZE);
  return operations + (await releaseDelayedEvents(autocommit, closed, beyondSeconds, newId, BATCH_SIZE));
}
