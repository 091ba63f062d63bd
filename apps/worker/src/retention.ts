import { type JobQueues } from '#libs/jobs';
import { type Payments } from '#libs/payments';
import { type Forget, forgetAnswers, forgetPayloads, forgetReconciliations, forgetRefusals } from './retention.store.js';
import { type ScheduledTask, type Turn } from './schedule.js';

/** How long something is kept, and what becomes of it then. docs/retention.md is made of this. */
interface Retention {
  readonly what: string;
  /** A number of days, or the setting that says how many. */
  readonly days: number | 'IDEMPOTENCY_RETENTION_DAYS';
  readonly becomes: string;
  readonly why: string;
  /** How rows are forgotten; finished jobs are BullMQ's to forget. */
  readonly forget: Forget | 'finished jobs';
}

/** What may be forgotten, and when: all of it. */
export const RETENTION: readonly Retention[] = [
  {
    what: 'stored answers of commands',
    days: 'IDEMPOTENCY_RETENTION_DAYS',
    becomes:
      'the body is emptied; key, fingerprint, status and Location stay for ever, and the same request is answered 409 `idempotency_key_expired`',
    why: 'a command must happen once for ever, its answer need not be repeated for ever',
    forget: forgetAnswers,
  },
  {
    what: 'stored refusals',
    days: 'IDEMPOTENCY_RETENTION_DAYS',
    becomes: 'deleted whole: the key is free again',
    why: 'nothing was carried out that could happen twice',
    forget: forgetRefusals,
  },
  {
    what: 'payloads of events that were applied or ignored',
    days: 30,
    becomes: 'the payload is emptied; the event stays, so that a late repetition has no effect, and cannot be replayed any more',
    why: 'Stripe itself lists events for 30 days; they hold what buyers are called and where they live',
    forget: forgetPayloads,
  },
  {
    what: 'jobs that failed for good',
    days: 7,
    becomes: 'deleted; what is open in the database is queued anew whatever becomes of its job',
    why: 'operators look at them; jobs that succeed are deleted at once',
    forget: 'finished jobs',
  },
  {
    what: 'reconciliations that are over',
    days: 90,
    becomes: 'deleted with their reports; the discrepancies they found stay',
    why: 'a quarter is what accountants ask about',
    forget: forgetReconciliations,
  },
];

/** What is kept until it has done its work, or for ever. */
export const KEPT: readonly { readonly what: string; readonly until: string }[] = [
  { what: 'orders, items, payments, refunds, operations, timelines', until: 'for ever: they are the record' },
  { what: 'idempotency keys of commands that changed something', until: 'for ever' },
  { what: 'ids, types and ends of events', until: 'for ever' },
  { what: 'payloads of events that are received, held or parked', until: 'they are applied or ignored' },
  { what: 'outbox rows', until: 'the queue has their job' },
  { what: 'counts of requests by key and address', until: 'no rate limit looks at their minute any more: the API forgets them' },
  { what: 'circuit breakers, token buckets, the places of scheduled tasks', until: 'they change: a row each, and no more' },
  { what: 'discrepancies, the audit trail, API keys', until: 'for ever' },
];

/** Old enough to be late by an hour. */
const EVERY_SECONDS = 3_600;
/** One statement holds its locks for milliseconds, and nobody waits behind it. */
const BATCH_SIZE = 1_000;
const DAY_MS = 86_400_000;

interface Forgetting {
  readonly payments: Pick<Payments, 'database' | 'clock' | 'logger'>;
  readonly queues: Pick<JobQueues, 'forgetFinished'>;
  readonly idempotencyRetentionDays: number;
}

/** Forgets what may be forgotten, in batches; an order that is open needs none of it. */
export function forgetOld({ payments, queues, idempotencyRetentionDays }: Forgetting): ScheduledTask {
  const { database, clock, logger } = payments;
  const run = async ({ isStopping }: Pick<Turn, 'isStopping'>): Promise<'done'> => {
    await clock.refresh();
    for (const { what, days, forget } of RETENTION) {
      const before = new Date(clock.now().getTime() - (typeof days === 'number' ? days : idempotencyRetentionDays) * DAY_MS);
      // BullMQ stamps its jobs with real time.
      const batch = (): Promise<number> =>
        forget === 'finished jobs'
          ? queues.forgetFinished(Math.max(0, Date.now() - before.getTime()), BATCH_SIZE)
          : forget(database.autocommit, before, BATCH_SIZE);
      const count = await inBatches(batch, isStopping);
      if (count > 0) logger.info({ what, count, before }, 'forgot what is kept no longer');
    }
    return 'done';
  };
  return { name: 'retention', everySeconds: EVERY_SECONDS, firstAfterSeconds: 0, run };
}

async function inBatches(batch: () => Promise<number>, isStopping: () => boolean): Promise<number> {
  let sum = 0;
  for (;;) {
    if (isStopping()) throw new Error('the process stops: the rest is forgotten elsewhere');
    const count = await batch();
    sum += count;
    if (count < BATCH_SIZE) return sum;
  }
}
