import { type Database } from '#libs/database';
import { requeueOverdueOperations } from '#libs/payments';
import { effect, type Entropy } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { requeueOverdueEvents } from '#libs/webhooks';
import { Loop } from './loop.js';

/** With two seconds of grace, lost work is found within three. */
const SWEEP_EVERY_MS = 1_000;
const BATCH_SIZE = 200;

/**
 * Finds in the database what is overdue, whatever the queue thinks, and writes new outbox rows for it: losing every job
 * loses nothing. Any number of sweepers may run.
 */
export function startSweeper({ autocommit }: Database, entropy: Entropy, relay: Loop, logger: Logger): Loop {
  const sweep = async (): Promise<boolean> => {
    const newId = (): string => entropy.uuid();
    const count = await effect('worker.sweep.commit', async () => {
      const operations = await requeueOverdueOperations(autocommit, newId, BATCH_SIZE);
      return operations + (await requeueOverdueEvents(autocommit, newId, BATCH_SIZE));
    });
    if (count > 0) {
      logger.info({ count }, 'queued overdue work again');
      relay.wake();
    }
    return false;
  };
  return new Loop(SWEEP_EVERY_MS, sweep, (error) => logger.warn({ error }, 'the sweeper could not look'));
}
