import { type Config } from '#libs/config';
import { type JobQueues } from '#libs/jobs';
import { isReconciling, type Payments, requestReconciliation } from '#libs/payments';
import { backfillEvents } from './backfill-events.js';
import { type Loop } from './loop.js';
import { forgetOld } from './retention.js';
import { type ScheduledTask } from './schedule.js';

/** What the worker does at its times, as the settings ask for; a period of 0 leaves a task out. */
export function scheduledTasks(
  payments: Payments,
  config: Pick<Config, 'eventsBackfillEverySeconds' | 'reconcileEverySeconds' | 'idempotencyRetentionDays'>,
  { relay, queues }: { readonly relay: Loop; readonly queues: JobQueues },
): readonly ScheduledTask[] {
  const tasks: readonly ScheduledTask[] = [
    backfillEvents(payments, config.eventsBackfillEverySeconds, relay),
    reconcile(payments, config.reconcileEverySeconds, relay),
    forgetOld({ payments, queues, idempotencyRetentionDays: config.idempotencyRetentionDays }),
  ];
  return tasks.filter(({ everySeconds }) => everySeconds > 0);
}

/** The comparison itself is a job, as when an operator asks for it. */
function reconcile({ database, clock, entropy }: Payments, everySeconds: number, relay: Loop): ScheduledTask {
  return {
    name: 'reconcile',
    everySeconds,
    firstAfterSeconds: everySeconds,
    run: async () => {
      if (await isReconciling(database.autocommit)) return 'done';
      await clock.refresh();
      const now = clock.now();
      await requestReconciliation(database.autocommit, { dryRun: false, requestedBy: 'schedule', now, newId: () => entropy.uuid() });
      relay.wake();
      return 'done';
    },
  };
}
