import { Prisma } from '#libs/database';

/** How long past its time a row may be before its job counts as lost, and how long a new job has before the next. */
const OVERDUE_SECONDS = 2;
const SWEEP_AGAIN_SECONDS = 5;
/** A job that waits in a line is not lost: each new one for the same row only makes the line longer. */
const IN_LINE_SECONDS = 5;

/** One look for what is overdue. */
export interface Sweep {
  /** Jobs wait in the queue of the rows that are looked at. */
  readonly hasLine: boolean;
  /** Ids of the outbox rows. */
  readonly newId: () => string;
  readonly limit: number;
}

/**
 * SQL, true of a row with `next_attempt_at` and `swept_at` whose job counts as lost: by now it should have run. Where its queue has a
 * line, its job most likely stands in it, and is given longer, each time as long again as it has waited; both times imply the shorter ones.
 */
export function isOverdue(hasLine: boolean): Prisma.Sql {
  return hasLine
    ? Prisma.sql`(next_attempt_at < now() - make_interval(secs => ${IN_LINE_SECONDS})
        AND (swept_at IS NULL OR now() - swept_at > greatest(make_interval(secs => ${IN_LINE_SECONDS}), swept_at - next_attempt_at)))`
    : Prisma.sql`(next_attempt_at < now() - make_interval(secs => ${OVERDUE_SECONDS})
        AND (swept_at IS NULL OR swept_at < now() - make_interval(secs => ${SWEEP_AGAIN_SECONDS})))`;
}
