import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet } from './fleet.js';
import { type History } from './history.js';
import { dumpDatabase } from './oracle/dump-database.js';
import { type Dump, type StripeRecord } from './oracle/evidence.js';
import { eventsTakeEffectOnce } from './oracle/inbox.js';
import { recordEqualsStripes } from './oracle/mirror.js';
import { readStripe } from './oracle/read-stripe.js';

/** R7: within 30 s of Stripe, database and webhook route being reachable. */
const BOUND_MS = 30_000;
/** An order without any fault is paid within this on a machine that has nothing else to do; on a busy one everything takes longer. */
const USUAL_ORDER_MS = 1_500;
/** However slow the machine. */
const STRETCH_MAX = 10;
const LOOK_EVERY_MS = 500;

/** How what was open at the healing ended. */
export interface Convergence {
  readonly dump: Dump;
  readonly stripe: StripeRecord;
  readonly failures: readonly string[];
  readonly boundMs: number;
  /** From the healing until each order, operation or event that was open then had its last change. */
  readonly timesMs: readonly number[];
  /** From the healing until this was seen to be so. */
  readonly seenAfterMs: number;
}

/** The bound of R7 on this machine at this moment: `orderMs` is what an order takes that nothing disturbs. */
export function boundFor(orderMs: number): number {
  return Math.round(BOUND_MS * Math.min(STRETCH_MAX, Math.max(1, orderMs / USUAL_ORDER_MS)));
}

/**
 * Waits until our record equals Stripe's and nothing is left to do, at most as long as R7 allows after `calmAt`, when
 * the last fault was over and the last command acknowledged.
 */
export async function converge(
  fleet: Fleet,
  history: History,
  healedAt: number,
  calmAt: number,
  bound: () => number,
): Promise<Convergence> {
  for (;;) {
    const left = await leftToDo(fleet);
    const isLate = Date.now() - calmAt > bound();
    if (left > 0 && !isLate) {
      await sleep(LOOK_EVERY_MS);
      continue;
    }
    const askedAt = Date.now();
    const stripe = await readStripe(fleet.simulatorUrl);
    const dump = await dumpDatabase(fleet.postgres);
    const evidence = { history, dump, stripe, journal: [], scans: [], failures: [] };
    const differences = [...recordEqualsStripes(evidence).violations, ...eventsTakeEffectOnce(evidence).violations];
    const isTooLate = askedAt - calmAt > bound();
    if (differences.length === 0 || isTooLate) {
      const failures =
        differences.length === 0
          ? []
          : [`after ${Math.round((askedAt - calmAt) / 1_000)} s of calm ${differences.length} differences are left`];
      return { dump, stripe, failures, boundMs: bound(), timesMs: await lastChanges(fleet, healedAt), seenAfterMs: Date.now() - healedAt };
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** How many messages, operations and events are not done with. */
export async function leftToDo({ postgres }: Fleet): Promise<number> {
  const [row] = await postgres.query<{ left: number }>(
    `SELECT ((SELECT count(*) FROM outbox) + (SELECT count(*) FROM payment_operations WHERE status IN ('queued', 'in_flight', 'unknown'))
       + (SELECT count(*) FROM webhook_events WHERE status IN ('received', 'held')))::int AS left`,
  );
  return row?.left ?? 0;
}

/** Of everything that existed at the healing and changed afterwards: how long after. */
async function lastChanges({ postgres }: Fleet, healedAt: number): Promise<readonly number[]> {
  const rows = await postgres.query<{ ms: number }>(
    `SELECT (extract(epoch FROM changed_at) * 1000 - $1)::float8 AS ms FROM (
       SELECT created_at, updated_at AS changed_at FROM orders UNION ALL SELECT created_at, finished_at FROM payment_operations
       UNION ALL SELECT received_at, processed_at FROM webhook_events) AS changes
     WHERE created_at < to_timestamp($1::float8 / 1000) AND changed_at > to_timestamp($1::float8 / 1000)`,
    [healedAt],
  );
  return rows.map(({ ms }) => ms);
}
