import { type Database, type Tx } from '#libs/database';
import { type JobQueues, type QueueName, type Sweep } from '#libs/jobs';
import { expireOrders } from '#libs/orders';
import { hasOverdueOperations, hasOverdueReconciliations, requeueOverdueOperations, requeueOverdueReconciliations } from '#libs/payments';
import { type Clock, effect, type Entropy } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { hasOverdueEvents, requeueOverdueEvents } from '#libs/webhooks';
import { Loop } from './loop.js';
import { releaseStranded } from './release-delayed.js';

/** With two seconds of grace, lost work is found within three. */
const SWEEP_EVERY_MS = 1_000;
const BATCH_SIZE = 200;
/** In one look, or an endless backlog would let nothing else have its turn. */
const BATCHES_MAX = 25;

/** What is swept, and the queues in which its jobs wait. */
const SWEPT: readonly {
  readonly hasOverdue: (tx: Tx) => Promise<boolean>;
  readonly requeue: (tx: Tx, sweep: Sweep) => Promise<number>;
  readonly queues: readonly QueueName[];
}[] = [
  { hasOverdue: hasOverdueOperations, requeue: requeueOverdueOperations, queues: ['payments', 'refunds'] },
  { hasOverdue: hasOverdueEvents, requeue: requeueOverdueEvents, queues: ['webhook-events'] },
  { hasOverdue: hasOverdueReconciliations, requeue: requeueOverdueReconciliations, queues: ['maintenance'] },
];

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
    const count = await effect(
      'worker.sweep.commit',
      async () => (await requeueOverdue(parts, queues)) + (await releaseStranded({ database, entropy })),
    );
    if (count > 0) logger.info({ count }, 'queued overdue work again');
    await clock.refresh();
    const expired = await expireOrders({ database, clock, entropy }, BATCH_SIZE);
    if (expired > 0) logger.info({ count: expired }, 'ordered the cancellation of expired orders');
    if (count + expired > 0) relay.wake();
    return expired === BATCH_SIZE;
  };
  return new Loop(SWEEP_EVERY_MS, sweep, (error) => logger.warn({ error }, 'the sweeper could not look'));
}

async function requeueOverdue({ database: { autocommit }, entropy }: SweeperParts, queues: Pick<JobQueues, 'hasLine'>): Promise<number> {
  let total = 0;
  for (const { hasOverdue, requeue, queues: names } of SWEPT) {
    if (!(await hasOverdue(autocommit))) continue;
    // Asked once for all batches: the first of them makes a line by itself, and what else was lost stands in none.
    const hasLine = (await Promise.all(names.map((name) => queues.hasLine(name)))).includes(true);
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const count = await requeue(autocommit, { hasLine, newId: () => entropy.uuid(), limit: BATCH_SIZE });
      total += count;
      if (count < BATCH_SIZE) break;
    }
  }
  return total;
}
