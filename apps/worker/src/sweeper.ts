import { type Database } from '#libs/database';
import { type JobQueues, type QueueName, type Sweep } from '#libs/jobs';
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
/** In one look, or an endless backlog would let nothing else have its turn. */
const BATCHES_MAX = 25;

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
export function startSweeper(parts: SweeperParts, queues: Pick<JobQueues, 'hasLine'>, relay: Loop): Loop {
  const { database, clock, entropy, logger } = parts;
  const sweep = async (): Promise<boolean> => {
    const count = await effect('worker.sweep.commit', () => requeueOverdue(parts, queues));
    if (count > 0) logger.info({ count }, 'queued overdue work again');
    await clock.refresh();
    const expired = await expireOrders({ database, clock, entropy }, BATCH_SIZE);
    if (expired > 0) logger.info({ count: expired }, 'ordered the cancellation of expired orders');
    if (count + expired > 0) relay.wake();
    return expired === BATCH_SIZE;
  };
  return new Loop(SWEEP_EVERY_MS, sweep, (error) => logger.warn({ error }, 'the sweeper could not look'));
}

async function requeueOverdue({ database, entropy }: SweeperParts, queues: Pick<JobQueues, 'hasLine'>): Promise<number> {
  const { autocommit } = database;
  const hasLine = async (...names: readonly QueueName[]): Promise<boolean> =>
    (await Promise.all(names.map((name) => queues.hasLine(name)))).includes(true);
  // Asked once for all batches: the first of them becomes a line by itself, and what else was lost stands in none.
  const inBatches = async (isLine: boolean, requeue: (sweep: Sweep) => Promise<number>): Promise<number> => {
    let total = 0;
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const count = await requeue({ hasLine: isLine, newId: () => entropy.uuid(), limit: BATCH_SIZE });
      total += count;
      if (count < BATCH_SIZE) break;
    }
    return total;
  };
  const operations = await inBatches(await hasLine('payments', 'refunds'), (sweep) => requeueOverdueOperations(autocommit, sweep));
  const events = await inBatches(await hasLine('webhook-events'), (sweep) => requeueOverdueEvents(autocommit, sweep));
  const stranded = await releaseStranded({ database, entropy });
  const reconciliations = await inBatches(await hasLine('maintenance'), (sweep) => requeueOverdueReconciliations(autocommit, sweep));
  return operations + events + stranded + reconciliations;
}
