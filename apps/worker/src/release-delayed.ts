import { type Database } from '#libs/database';
import { type BreakerName, releaseDelayedOperations } from '#libs/payments';
import { effect, type Entropy } from '#libs/primitives';
import { releaseDelayedEvents } from '#libs/webhooks';

/** Some ten milliseconds a statement, so that a crash in the middle loses little: what is left comes by itself, later. */
const BATCH_SIZE = 500;

/** Makes everything that a breaker has held back due at once and queues it; the limiter spreads it. Safe to repeat. */
export async function releaseDelayed(
  { database: { autocommit }, entropy, wake }: { readonly database: Database; readonly entropy: Entropy; readonly wake: () => void },
  closed: BreakerName,
): Promise<void> {
  const newId = (): string => entropy.uuid();
  for (;;) {
    const count = await effect('worker.sweep.commit', async () => {
      const operations = await releaseDelayedOperations(autocommit, closed, newId, BATCH_SIZE);
      return operations + (await releaseDelayedEvents(autocommit, closed, newId, BATCH_SIZE));
    });
    if (count > 0) wake();
    if (count < BATCH_SIZE) return;
  }
}
