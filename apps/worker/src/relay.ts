import { type Database, listen } from '#libs/database';
import { claimOutbox, deleteOutbox, type JobQueues, OUTBOX_CHANNEL } from '#libs/jobs';
import { effect } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { Loop } from './loop.js';

/** To add a few hundred at once costs a fifteenth of as many single adds; more gains nothing and delays the first of them. */
const BATCH_SIZE = 200;
/** How long a row lies when its wake-up call was lost. */
const POLL_MS = 250;

/**
 * Moves committed outbox rows into the queue: claim, add, delete. A crash between the steps brings the rows again, and
 * the queue knows their ids. Any number of relays may run.
 */
export function startRelay(database: Database, queues: JobQueues, listenUrl: string, logger: Logger): Loop {
  const loop = new Loop(
    POLL_MS,
    () => moveBatch(database, queues),
    (error) => logger.warn({ error }, 'the relay could not move a batch; the rows stay'),
  );
  const channel = listen(
    listenUrl,
    OUTBOX_CHANNEL,
    () => loop.wake(),
    (error) => logger.warn({ error }, 'the relay is not notified and polls'),
  );
  loop.onStop(() => channel.close());
  return loop;
}

/** Moves one batch; says whether there may be more. */
async function moveBatch({ autocommit }: Database, queues: JobQueues): Promise<boolean> {
  const messages = await effect('worker.relay.claim', () => claimOutbox(autocommit, BATCH_SIZE));
  if (messages.length === 0) return false;
  await effect('worker.relay.add', () => queues.add(messages));
  await effect('worker.relay.delete', () =>
    deleteOutbox(
      autocommit,
      messages.map(({ id }) => id),
    ),
  );
  return messages.length === BATCH_SIZE;
}
