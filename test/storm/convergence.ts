import { setTimeout as sleep } from 'node:timers/promises';
import { type Fleet } from './fleet.js';
import { dumpDatabase } from './oracle/dump-database.js';
import { type Dump, type StripeRecord } from './oracle/evidence.js';
import { eventsTakeEffectOnce } from './oracle/inbox.js';
import { recordEqualsStripes } from './oracle/mirror.js';
import { readStripe } from './oracle/read-stripe.js';
import { percentile, seconds } from './times.js';

/** R7: within 30 s of Stripe, database and webhook route being reachable; in 99 of 100 cases within 10 s. */
const BOUND_MS = 30_000;
const P99_BOUND_MS = 10_000;
/** Of fewer cases the p99 is the slowest alone. */
const CASES_MIN = 100;
/** An order without any fault is paid within this on a machine that has nothing else to do; on a busy one everything takes longer. */
const USUAL_ORDER_MS = 1_500;
/** However busy the machine. */
const STRETCH_MAX = 3;
const LOOK_EVERY_MS = 500;

/** How what was open at the healing ended. */
export interface Convergence {
  readonly dump: Dump;
  readonly stripe: StripeRecord;
  /** What was still different when no more time was left. */
  readonly differences: readonly string[];
  /** From the healing until each operation or event that was open then was over. */
  readonly timesMs: readonly number[];
  /** From the healing until nothing was different, and from when nothing new came any more. */
  readonly seenAfterMs: number;
  readonly calmMs: number;
}

/** What the contract allows, on this machine. */
export interface Bounds {
  readonly wholeMs: number;
  readonly p99Ms: number;
}

/**
 * The bounds of R7 on this machine: `orderMs` is what an order takes while nothing is broken and nothing else is to
 * do. Orders that wait behind what the storm has left would stretch them by the very slowness they are there to find.
 */
export function boundsFor(orderMs: number): Bounds {
  const stretch = Math.min(STRETCH_MAX, Math.max(1, orderMs / USUAL_ORDER_MS));
  return { wholeMs: BOUND_MS * stretch, p99Ms: P99_BOUND_MS * stretch };
}

/**
 * What took longer than allowed after the healing. Takeovers are told of, not judged: in a storm the machine has no time to spare, and
 * how busy it is then nobody measures. `storm:takeover` judges them.
 */
export function lateness(
  { differences, timesMs, calmMs }: Pick<Convergence, 'differences' | 'timesMs' | 'calmMs'>,
  { wholeMs, p99Ms }: Bounds,
): readonly string[] {
  const slowest = percentile(timesMs, 1);
  const usual = percentile(timesMs, 0.99);
  return [
    ...(differences.length === 0 ? [] : [`after ${seconds(calmMs)} of calm ${differences.length} differences are left`]),
    ...(calmMs > wholeMs ? [`our record equalled Stripe's only after ${seconds(calmMs)} of calm, ${seconds(wholeMs)} are allowed`] : []),
    ...(slowest > wholeMs ? [`what was open at the healing was over only after ${seconds(slowest)}, ${seconds(wholeMs)} are allowed`] : []),
    ...(timesMs.length >= CASES_MIN && usual > p99Ms
      ? [`of what was open at the healing the p99 was over only after ${seconds(usual)}, ${seconds(p99Ms)} are allowed`]
      : []),
  ];
}

/**
 * Waits until our record equals Stripe's and nothing is left to do, at most as long as R7 can allow after `calmAt`, when
 * the last fault was over and the last command acknowledged.
 */
export async function converge(fleet: Fleet, healedAt: number, calmAt: number): Promise<Convergence> {
  for (;;) {
    const isLate = Date.now() - calmAt > BOUND_MS * STRETCH_MAX;
    if (!isLate && (await leftToDo(fleet)) > 0) {
      await sleep(LOOK_EVERY_MS);
      continue;
    }
    const askedAt = Date.now();
    const stripe = await readStripe(fleet.simulatorUrl);
    const dump = await dumpDatabase(fleet.postgres);
    const evidence = { dump, stripe };
    const differences = [...recordEqualsStripes(evidence).violations, ...eventsTakeEffectOnce(evidence).violations];
    if (differences.length === 0 || isLate) {
      const timesMs = await endings(fleet, healedAt);
      return { dump, stripe, differences, timesMs, seenAfterMs: askedAt - healedAt, calmMs: askedAt - calmAt };
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** How many messages, operations and events are not done with. */
export const LEFT_TO_DO = `((SELECT count(*) FROM outbox) + (SELECT count(*) FROM payment_operations WHERE status IN ('queued', 'in_flight', 'unknown'))
  + (SELECT count(*) FROM webhook_events WHERE status IN ('received', 'held')))::int`;

async function leftToDo({ postgres }: Fleet): Promise<number> {
  const [row] = await postgres.query<{ left: number }>(`SELECT ${LEFT_TO_DO} AS left`);
  return row?.left ?? 0;
}

/** Of every operation and event that was open at the healing: how long after it it was over. Buyers move orders on meanwhile. */
async function endings({ postgres }: Fleet, healedAt: number): Promise<readonly number[]> {
  const rows = await postgres.query<{ ms: number }>(
    `SELECT (extract(epoch FROM ended_at) * 1000 - $1)::float8 AS ms FROM (
       SELECT created_at, finished_at AS ended_at FROM payment_operations UNION ALL SELECT received_at, processed_at FROM webhook_events) AS endings
     WHERE created_at < to_timestamp($1::float8 / 1000) AND ended_at > to_timestamp($1::float8 / 1000)`,
    [healedAt],
  );
  return rows.map(({ ms }) => ms);
}
