import { type Database } from '#libs/database';
import { expireOrders } from '#libs/orders';
import { requeueOverdueOperations, requeueOverdueReconciliations } from '#libs/payments';
import { type Clock, effect, type Entropy } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { requeueOverdueEvents } from '#libs/webhooks';
import { Loop } from './loop.js';
import { releaseStranded } from './release-delayed.js';

/** With two seconds of grace, lost work is found within three. */
const SWEEP_EVERY_MS = 1_000;
const BATCH_SIZE = 200;

interface SweeperParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
}

/**
 * Finds in the database what is overdue, whatever the queue thinks, and writes new outbox rows for it: losing every job
 * loses nothing. Lets orders expire whose time to pay is over. Any number of sweepers may run.
 */
export function startSweeper({ database, clock, entropy, logger }: SweeperParts, relay: Loop): Loop {
  const { autocommit } = database;
  const sweep = async (): Promise<boolean> => {
    const newId = (): string => entropy.uuid();
    const count = await effect('worker.sweep.commit', async () => {
      const operations = await requeueOverdueOperations(autocommit, newId, BATCH_SIZE);
      const events = await requeueOverdueEvents(autocommit, newId, BATCH_SIZE);
      const stranded = await releaseStranded({ database, entropy });
      return operations + events + stranded + (await requeueOverdueReconciliations(autocommit, newId, BATCH_SIZE));
    });
    if (count > 0) logger.info({ count }, 'queued overdue work again');
    await clock.refresh();
    const expired = await expireOrders({ database, clock, entropy }, BATCH_SIZE);
    if (expired > 0) logger.info({ count: expired }, 'ordered the cancellation of expired orders');
    if (count + expired > 0) relay.wake();
    return expired === BATCH_SIZE;
  };
  return new Loop(SWEEP_EVERY_MS, sweep, (error) => logger.warn({ error }, 'the sweeper could not look'));
}
