import { INSERT_OUTBOX, isOverdue, type Sweep } from '#libs/jobs';
import { Prisma, type Tx } from '#libs/database';
import { countEventEnd } from '#libs/telemetry';

/** received: to be applied. held: ours, but its object is not known yet. The others are final: received = applied + ignored + held + parked. */
export type EventStatus = 'received' | 'held' | 'applied' | 'ignored' | 'parked';

/** An event on its way into the inbox. */
export interface IncomingEvent {
  readonly id: string;
  readonly type: string;
  readonly livemode: boolean;
  readonly apiVersion: string | null;
  readonly objectId: string | null;
  readonly paymentIntentId: string | null;
  /** The exact text that was signed. */
  readonly payload: string;
}

/** An event of the inbox that is to be applied. */
export interface InboxEvent {
  readonly id: string;
  readonly type: string;
  readonly status: EventStatus;
  readonly livemode: boolean;
  /** At Stripe, of the connected account that it comes from; null where it is of the account itself. */
  readonly account: string | null;
  readonly objectId: string | null;
  readonly object: unknown;
  readonly attempts: number;
  readonly receivedAt: Date;
  readonly nextAttemptAt: Date;
}

/**
 * Stores an event with its job in one statement; false when it is there already. An event without effect (`jobId` null)
 * is stored as ignored at once. Safe to repeat: Stripe delivers more than once.
 */
export async function receiveEvent(tx: Tx, event: IncomingEvent, jobId: string | null, now: Date): Promise<boolean> {
  const outbox = jobId === null ? [] : [{ id: jobId, kind: 'webhook-event', payload: { eventId: event.id } }];
  const status: EventStatus = jobId === null ? 'ignored' : 'received';
  const inserted = await tx.$queryRaw<unknown[]>`
    WITH stored AS (
      INSERT INTO webhook_events (id, type, status, livemode, api_version, object_id, payment_intent_id, payload, received_at, next_attempt_at, processed_at)
      VALUES (${event.id}, ${event.type}, ${status}, ${event.livemode}, ${event.apiVersion}, ${event.objectId}, ${event.paymentIntentId},
        ${event.payload}::jsonb, ${now}, now(), CASE WHEN ${jobId === null} THEN ${now}::timestamptz END)
      ON CONFLICT DO NOTHING RETURNING id
    ),
    accepted AS (SELECT jsonb_build_object('outbox', ${JSON.stringify(outbox)}::jsonb) AS doc FROM stored),
    ${INSERT_OUTBOX}
    SELECT 1 FROM stored`;
  if (inserted.length === 1 && jobId === null) countEventEnd('ignored');
  return inserted.length === 1;
}

/** Which of these events are in the inbox, whatever became of them. */
export async function knownEvents(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.webhookEvent.findMany({ where: { id: { in: [...ids] } }, select: { id: true } });
  return new Set(rows.map(({ id }) => id));
}

/** An event of the inbox; null when there is none. */
export async function loadEvent(tx: Tx, id: string): Promise<InboxEvent | null> {
  const event = await tx.webhookEvent.findUnique({ where: { id } });
  if (event === null) return null;
  const { type, livemode, objectId, payload, attempts, receivedAt, nextAttemptAt } = event;
  const [status, account, object] = [statusOf(event.status), accountOf(payload), objectOf(payload)];
  return { id, type, status, livemode, account, objectId, object, attempts, receivedAt, nextAttemptAt };
}

/** Writes the end of an event. Safe to repeat; a final status stays. */
export async function settleEvent(
  tx: Tx,
  id: string,
  status: Extract<EventStatus, 'applied' | 'ignored' | 'parked'>,
  note: string | null,
  now: Date,
): Promise<void> {
  const count = await tx.$executeRaw`
    UPDATE webhook_events SET status = ${status}, note = ${note}, attempts = attempts + 1, delayed_by = NULL, processed_at = ${now}
    WHERE id = ${id} AND status IN ('received', 'held')`;
  if (count === 1) countEventEnd(status);
}

/** What is written when an event could not be applied yet. */
export interface EventPostponement {
  readonly status: Extract<EventStatus, 'received' | 'held'>;
  readonly note: string;
  readonly delayMs: number;
  /** What holds it back until it is released by this name. */
  readonly delayedBy: string | null;
  /** It failed for a reason of its own. */
  readonly spendsAttempt: boolean;
}

/** Puts an event off; returns when it is due again. */
export async function postponeEvent(
  tx: Tx,
  id: string,
  { status, note, delayMs, delayedBy, spendsAttempt }: EventPostponement,
): Promise<Date | null> {
  const rows = await tx.$queryRaw<{ due_at: Date }[]>`
    UPDATE webhook_events SET status = ${status}, note = ${note}, attempts = attempts + ${spendsAttempt ? 1 : 0}, delayed_by = ${delayedBy},
      next_attempt_at = now() + make_interval(secs => ${delayMs / 1_000})
    WHERE id = ${id} AND status IN ('received', 'held')
    RETURNING next_attempt_at AS due_at`;
  return rows[0]?.due_at ?? null;
}

/** Whether there is an event that is overdue. */
export async function hasOverdueEvents(tx: Tx): Promise<boolean> {
  const rows = await tx.$queryRaw<
    unknown[]
  >`SELECT 1 FROM webhook_events WHERE status IN ('received', 'held') AND ${isOverdue(false)} LIMIT 1`;
  return rows.length > 0;
}

/** Writes an outbox row for every event that is overdue, whatever the queue believes. Returns how many. Safe to repeat. */
export function requeueOverdueEvents(tx: Tx, { hasLine, newId, limit }: Sweep): Promise<number> {
  return tx.$executeRaw`
    WITH due AS (
      SELECT id FROM webhook_events
      WHERE status IN ('received', 'held') AND ${isOverdue(hasLine)}
      ORDER BY next_attempt_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ),
    swept AS (UPDATE webhook_events e SET swept_at = now() FROM due WHERE e.id = due.id RETURNING e.id),
    ${queueSwept(newId, limit)}`;
}

/** Whether a breaker, open or closed by now, holds an event back. */
export async function hasDelayedEvents(tx: Tx): Promise<boolean> {
  const rows = await tx.$queryRaw<
    unknown[]
  >`SELECT 1 FROM webhook_events WHERE delayed_by IS NOT NULL AND status IN ('received', 'held') LIMIT 1`;
  return rows.length > 0;
}

/**
 * Makes the events due that one of `closed` held back for longer than `beyondSeconds` from now, and queues them, the oldest first.
 * Returns how many. Safe to repeat.
 */
export function releaseDelayedEvents(
  tx: Tx,
  closed: readonly string[],
  beyondSeconds: number,
  newId: () => string,
  limit: number,
): Promise<number> {
  return tx.$executeRaw`
    WITH due AS (
      SELECT id FROM webhook_events WHERE delayed_by = ANY (${closed}::text[]) AND status IN ('received', 'held')
        AND (${beyondSeconds} = 0 OR next_attempt_at > now() + make_interval(secs => ${beyondSeconds}))
      ORDER BY received_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ),
    swept AS (
      UPDATE webhook_events e SET swept_at = now(), delayed_by = NULL, next_attempt_at = least(e.next_attempt_at, now())
      FROM due WHERE e.id = due.id RETURNING e.id
    ),
    ${queueSwept(newId, limit)}`;
}

/** The end of a statement: an outbox row for each row of the CTE `swept(id)`. */
function queueSwept(newId: () => string, limit: number): Prisma.Sql {
  const ids = Array.from({ length: limit }, newId);
  return Prisma.sql`
    numbered AS (SELECT id, row_number() OVER () AS n FROM swept),
    accepted AS (
      SELECT jsonb_build_object('outbox', jsonb_build_array(jsonb_build_object(
        'id', (${ids}::text[])[n], 'kind', 'webhook-event', 'payload', jsonb_build_object('eventId', id)))) AS doc
      FROM numbered
    ),
    ${INSERT_OUTBOX}
    SELECT 1 FROM accepted`;
}

function statusOf(text: string): EventStatus {
  switch (text) {
    case 'received':
    case 'held':
    case 'applied':
    case 'ignored':
    case 'parked':
      return text;
    default:
      throw new Error(`bug: an event cannot be ${text}`);
  }
}

function accountOf(payload: unknown): string | null {
  if (typeof payload !== 'object' || payload === null || !('account' in payload)) return null;
  return typeof payload.account === 'string' ? payload.account : null;
}

function objectOf(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || !('data' in payload)) return null;
  const { data } = payload;
  return typeof data === 'object' && data !== null && 'object' in data ? data.object : null;
}
