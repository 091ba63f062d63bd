import { Prisma, type Tx } from './database.js';

/** How long the oldest of each kind has been overdue, in seconds; 0 when none is. */
interface Backlog {
  readonly operationSeconds: number;
  readonly outboxSeconds: number;
  readonly eventSeconds: number;
}

/** What is counted for operators at one moment. Ages in seconds. */
export interface Signs {
  readonly ordersByState: Readonly<Record<string, number>>;
  readonly eventsByStatus: Readonly<Record<string, number>>;
  /** 0 closed, 1 half open, 2 open. */
  readonly breakers: Readonly<Record<string, number>>;
  readonly oldestOperationSeconds: number;
  readonly overdueOperationSeconds: number;
  readonly outboxSeconds: number;
  readonly inboxSeconds: number;
  readonly oldestEventSeconds: number;
  readonly parkedOperations: number;
  readonly openDiscrepancies: number;
}

/** What is counted where nothing is: an alarm on a sample that is missing says nothing. */
const NO_ORDERS = { pending: 0, processing: 0, requires_payment: 0, requires_action: 0, authorized: 0 };
const NO_EVENTS = { received: 0, held: 0, parked: 0 };

/** Counting stops here: a scrape costs milliseconds whatever has happened, and nobody acts otherwise on more. */
const COUNTED_MAX = 50_000;

const ageOf = (instant: Prisma.Sql): Prisma.Sql => Prisma.sql`greatest(0, coalesce(extract(epoch FROM now() - (${instant})), 0))::float8`;
const countOf = (rows: Prisma.Sql): Prisma.Sql => Prisma.sql`(SELECT count(*)::int FROM (${rows} LIMIT ${COUNTED_MAX}) AS counted)`;
const countsBy = (rows: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`(SELECT coalesce(jsonb_object_agg(label, n), '{}') FROM (SELECT label, count(*) AS n FROM (${rows} LIMIT ${COUNTED_MAX}) AS counted GROUP BY label) AS counts)`;

const RUNNABLE = Prisma.sql`op.status IN ('queued', 'in_flight', 'unknown')`;
/** What waits behind a parked operation waits for a person, and is told of as parked. */
const OVERDUE_SINCE = Prisma.sql`SELECT op.next_attempt_at FROM payment_operations op WHERE ${RUNNABLE} AND NOT EXISTS (
    SELECT 1 FROM payment_operations parked WHERE parked.status = 'parked' AND parked.payment_id = op.payment_id AND parked.kind <> 'refund'
      AND op.kind <> 'refund' AND parked.sequence < op.sequence)
  ORDER BY op.next_attempt_at LIMIT 1`;
const OUTBOX_SINCE = Prisma.sql`SELECT min(created_at) FROM outbox`;
const EVENT_SINCE = Prisma.sql`SELECT min(next_attempt_at) FROM webhook_events WHERE status IN ('received', 'held')`;

/** Overdue for longer than this, something does not move: the sweeper finds lost work within three seconds. */
const BACKLOG_THRESHOLD_SECONDS = { operation: 60, outbox: 30, event: 60 };

/** The ages of what should have happened by now, with how much is too much, and whether one of them is. */
export async function readBacklog(
  tx: Tx,
): Promise<{ readonly isLate: boolean; readonly facts: Backlog & { readonly thresholdSeconds: typeof BACKLOG_THRESHOLD_SECONDS } }> {
  const rows = await tx.$queryRaw<Backlog[]>`
    SELECT ${ageOf(OVERDUE_SINCE)} AS "operationSeconds", ${ageOf(OUTBOX_SINCE)} AS "outboxSeconds", ${ageOf(EVENT_SINCE)} AS "eventSeconds"`;
  const [backlog] = rows;
  if (backlog === undefined) throw new Error('bug: a statement without FROM gave no row');
  const thresholdSeconds = BACKLOG_THRESHOLD_SECONDS;
  const { operationSeconds, outboxSeconds, eventSeconds } = backlog;
  const isLate =
    operationSeconds > thresholdSeconds.operation || outboxSeconds > thresholdSeconds.outbox || eventSeconds > thresholdSeconds.event;
  return { isLate, facts: { ...backlog, thresholdSeconds } };
}

/**
 * What a scrape tells of the database, in one statement that reads partial indexes of what is open, and no more than a bounded part
 * of them. `breakers`: the names of all there are, as one that never opened has no row.
 */
export async function readVitalSigns(tx: Tx, breakers: readonly string[]): Promise<Signs> {
  const rows = await tx.$queryRaw<Signs[]>`
    SELECT
      ${countsBy(Prisma.sql`SELECT status AS label FROM orders WHERE status IN ('pending', 'processing', 'requires_payment', 'requires_action', 'authorized')`)} AS "ordersByState",
      ${countsBy(Prisma.sql`(SELECT status AS label FROM webhook_events WHERE status IN ('received', 'held') LIMIT ${COUNTED_MAX})
        UNION ALL (SELECT status FROM webhook_events WHERE status = 'parked' LIMIT ${COUNTED_MAX})`)} AS "eventsByStatus",
      (SELECT coalesce(jsonb_object_agg(name, CASE WHEN b.state IS DISTINCT FROM 'open' THEN 0 WHEN b.open_until > now() THEN 2 ELSE 1 END), '{}')
        FROM unnest(${breakers}::text[]) AS known (name) LEFT JOIN breakers b USING (name)) AS "breakers",
      ${ageOf(Prisma.sql`SELECT min(created_at) FROM (SELECT op.created_at FROM payment_operations op WHERE ${RUNNABLE} LIMIT ${COUNTED_MAX}) AS runnable`)} AS "oldestOperationSeconds",
      ${ageOf(OVERDUE_SINCE)} AS "overdueOperationSeconds",
      ${ageOf(OUTBOX_SINCE)} AS "outboxSeconds",
      ${ageOf(EVENT_SINCE)} AS "inboxSeconds",
      ${ageOf(Prisma.sql`SELECT min(received_at) FROM (SELECT received_at FROM webhook_events WHERE status IN ('received', 'held') LIMIT ${COUNTED_MAX}) AS open`)} AS "oldestEventSeconds",
      ${countOf(Prisma.sql`SELECT 1 FROM payment_operations WHERE status = 'parked'`)} AS "parkedOperations",
      ${countOf(Prisma.sql`SELECT 1 FROM discrepancies WHERE resolved_at IS NULL`)} AS "openDiscrepancies"`;
  const [signs] = rows;
  if (signs === undefined) throw new Error('bug: a statement without FROM gave no row');
  return {
    ...signs,
    ordersByState: { ...NO_ORDERS, ...signs.ordersByState },
    eventsByStatus: { ...NO_EVENTS, ...signs.eventsByStatus },
  };
}
