import { Prisma, type Tx } from '#libs/database';
import { INSERT_OUTBOX } from '#libs/jobs';

/**
 * Who looks at the inbox. Stripe sends to the installation, not to an account: an event is its order's account's as soon
 * as its order is known, and until then everybody's who operates the installation.
 */
export interface EventViewer {
  readonly accountId: string;
  readonly mode: 'test' | 'live';
}

/** An event of the inbox as operators see it. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly livemode: boolean;
  readonly apiVersion: string | null;
  readonly objectId: string | null;
  /** The database id of the order it speaks of; null while none is known. */
  readonly orderId: string | null;
  readonly attempts: number;
  readonly note: string | null;
  readonly receivedAt: Date;
  readonly processedAt: Date | null;
  /** Its payload was not forgotten yet. */
  readonly isReplayable: boolean;
}

/** Which events a list shows. */
export interface EventFilter {
  readonly limit: number;
  /** The id of the last event of the page before. */
  readonly startingAfter: string | null;
  readonly status: string | null;
  readonly type: string | null;
}

const FROM = Prisma.sql`FROM webhook_events e LEFT JOIN orders o ON o.id = coalesce(
  (SELECT p.order_id FROM payments p WHERE p.stripe_payment_intent_id = e.payment_intent_id),
  (SELECT p.order_id FROM payments p WHERE p.checkout_session_id = e.object_id))`;
const FACTS = Prisma.sql`e.id, e.type, e.status, e.livemode, e.api_version AS "apiVersion", e.object_id AS "objectId", o.id AS "orderId",
  e.attempts, e.note, e.received_at AS "receivedAt", e.processed_at AS "processedAt", e.payload IS NOT NULL AS "isReplayable"`;

const isVisibleTo = ({ accountId, mode }: EventViewer): Prisma.Sql =>
  Prisma.sql`(o.id IS NULL OR (o.account_id = ${accountId}::uuid AND o.mode = ${mode}))`;

/** One page of the inbox, newest first. */
export async function listEvents(
  tx: Tx,
  viewer: EventViewer,
  { limit, startingAfter, status, type }: EventFilter,
): Promise<{ events: readonly LoggedEvent[]; hasMore: boolean }> {
  const conditions = [
    isVisibleTo(viewer),
    ...(startingAfter === null
      ? []
      : [Prisma.sql`(e.received_at, e.id) < (SELECT last.received_at, last.id FROM webhook_events last WHERE last.id = ${startingAfter})`]),
    ...(status === null ? [] : [Prisma.sql`e.status = ${status}`]),
    ...(type === null ? [] : [Prisma.sql`e.type = ${type}`]),
  ];
  const rows = await tx.$queryRaw<LoggedEvent[]>`
    SELECT ${FACTS} ${FROM} WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY e.received_at DESC, e.id DESC LIMIT ${limit + 1}`;
  return { events: rows.slice(0, limit), hasMore: rows.length > limit };
}

/**
 * One event with what Stripe sent; null when there is none for this viewer. `payload` is null when it was forgotten, and
 * for an event without a known order: it may speak of another account's buyer.
 */
export async function findLoggedEvent(tx: Tx, viewer: EventViewer, id: string): Promise<(LoggedEvent & { payload: unknown }) | null> {
  const rows = await tx.$queryRaw<(LoggedEvent & { payload: unknown })[]>`
    SELECT ${FACTS}, CASE WHEN o.id IS NOT NULL THEN e.payload END AS payload ${FROM} WHERE e.id = ${id} AND ${isVisibleTo(viewer)}`;
  return rows[0] ?? null;
}

/** Lets an event be applied once more, with a job of its own; false when it is not there for this viewer, or forgotten. Safe to repeat. */
export async function replayEvent(tx: Tx, viewer: EventViewer, id: string, newId: () => string): Promise<boolean> {
  const { count } = await replay(tx, viewer, Prisma.sql`e.id = ${id}`, 1, newId);
  return count === 1;
}

/** Which events are replayed together: all of a type that were received from `from` on and before `to`. */
export interface ReplayRange {
  readonly type: string;
  readonly from: Date;
  readonly to: Date;
}

/**
 * Lets the oldest `limit` events of a range be applied once more. `continueFrom`: where the next call begins; null when
 * nothing is left. Forgotten events are left out. Safe to repeat.
 */
export function replayEvents(
  tx: Tx,
  viewer: EventViewer,
  { type, from, to }: ReplayRange,
  limit: number,
  newId: () => string,
): Promise<{ count: number; continueFrom: Date | null }> {
  return replay(tx, viewer, Prisma.sql`e.type = ${type} AND e.received_at >= ${from} AND e.received_at < ${to}`, limit, newId);
}

/** Which of these events belong to another account's order. */
export async function eventsOfOthers(tx: Tx, viewer: EventViewer, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.$queryRaw<{ id: string }[]>`SELECT e.id ${FROM} WHERE e.id = ANY (${ids}) AND NOT ${isVisibleTo(viewer)}`;
  return new Set(rows.map(({ id }) => id));
}

async function replay(
  tx: Tx,
  viewer: EventViewer,
  condition: Prisma.Sql,
  limit: number,
  newId: () => string,
): Promise<{ count: number; continueFrom: Date | null }> {
  const ids = Array.from({ length: limit }, newId);
  const rows = await tx.$queryRaw<{ n: bigint; received_at: Date }[]>`
    WITH chosen AS MATERIALIZED (
      SELECT e.id, e.received_at ${FROM} WHERE ${condition} AND e.payload IS NOT NULL AND ${isVisibleTo(viewer)}
      ORDER BY e.received_at, e.id LIMIT ${limit + 1} FOR UPDATE OF e
    ),
    numbered AS (SELECT id, received_at, row_number() OVER (ORDER BY received_at, id) AS n FROM chosen),
    replayed AS (
      UPDATE webhook_events e SET status = 'received', attempts = 0, note = NULL, processed_at = NULL, next_attempt_at = now(), swept_at = now()
      FROM numbered WHERE e.id = numbered.id AND numbered.n <= ${limit}
    ),
    accepted AS (
      SELECT jsonb_build_object('outbox', jsonb_build_array(jsonb_build_object(
        'id', (${ids}::text[])[n], 'kind', 'webhook-event', 'payload', jsonb_build_object('eventId', id)))) AS doc
      FROM numbered WHERE n <= ${limit}
    ),
    ${INSERT_OUTBOX}
    SELECT n, received_at FROM numbered ORDER BY n`;
  return { count: Math.min(rows.length, limit), continueFrom: rows[limit]?.received_at ?? null };
}
