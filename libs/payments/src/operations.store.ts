import { INSERT_OUTBOX, isOverdue, type Sweep } from '#libs/jobs';
import { Prisma, type Tx } from '#libs/database';
import { type BreakerName } from './gate/breaker.js';
import { type OperationKind, type OperationStatus, type PaymentError } from './payment.js';

/**
 * How long a claim holds without renewal. A worker that dies is followed after at most this; one that is frozen for
 * longer finds its fence outdated. Always on the database's clock, which all workers share.
 */
const LEASE_SECONDS = 3;

/** An operation in the hands of one worker: only the holder of `fence` may record what becomes of it. */
export interface ClaimedOperation {
  readonly id: string;
  readonly orderId: string;
  readonly kind: OperationKind;
  readonly fence: number;
  readonly generation: number;
  readonly attempts: number;
  readonly inDoubt: boolean;
  readonly stripeIdempotencyKey: string;
  readonly params: Prisma.JsonObject;
  readonly firstSentAt: Date | null;
  readonly absentSince: Date | null;
  /** When a person asked to take it up again after it was parked. */
  readonly retriedAt: Date | null;
  /** The X-Request-Id of the command that ordered it. */
  readonly requestId: string | null;
  readonly createdAt: Date;
}

/** Why an operation could not be claimed. */
export type NotClaimed =
  | { readonly reason: 'held' | 'behind another' | 'gone' }
  /** It is over; `nextId` is the operation of its payment that has come to its turn, if any. */
  | { readonly reason: 'settled'; readonly nextId: string | null }
  | { readonly reason: 'early'; readonly dueAt: Date };

interface ClaimRow {
  id: string;
  order_id: string;
  kind: OperationKind;
  fence: bigint;
  generation: number;
  attempts: number;
  in_doubt: boolean;
  stripe_idempotency_key: string;
  params: Prisma.JsonObject;
  first_sent_at: Date | null;
  absent_since: Date | null;
  retried_at: Date | null;
  request_id: string | null;
  created_at: Date;
}

const RUNNABLE = Prisma.sql`op.status IN ('queued', 'in_flight', 'unknown')`;
/** Operations of one payment are carried out one after another; refunds, which come when all else is done, and orphans beside them. */
const IS_NEXT = Prisma.sql`NOT EXISTS (SELECT 1 FROM payment_operations earlier
  WHERE op.kind NOT IN ('refund', 'cancel_orphan') AND earlier.kind NOT IN ('refund', 'cancel_orphan') AND earlier.payment_id = op.payment_id AND earlier.sequence < op.sequence AND earlier.finished_at IS NULL)`;

/**
 * Takes the lease of an operation that is due, unless another worker holds it. One whose sender died in flight becomes
 * doubtful here: its request may have reached Stripe. Should the claimer die too, the sweeper may look again at once.
 */
export async function claimOperation(tx: Tx, id: string): Promise<ClaimedOperation | null> {
  const rows = await tx.$queryRaw<ClaimRow[]>`
    UPDATE payment_operations op SET fence = fence + 1, attempts = attempts + 1, lease_until = now() + make_interval(secs => ${LEASE_SECONDS}),
      swept_at = NULL, delayed_by = NULL, in_doubt = in_doubt OR status = 'in_flight'
    WHERE op.id = ${id}::uuid AND ${RUNNABLE} AND (op.lease_until IS NULL OR op.lease_until < now()) AND op.next_attempt_at <= now() AND ${IS_NEXT}
    RETURNING id, order_id, kind, fence, generation, attempts, in_doubt, stripe_idempotency_key, params, first_sent_at, absent_since,
      retried_at, request_id, created_at`;
  const row = rows[0];
  if (row === undefined) return null;
  return {
    id: row.id,
    orderId: row.order_id,
    kind: row.kind,
    fence: Number(row.fence),
    generation: row.generation,
    attempts: row.attempts,
    inDoubt: row.in_doubt,
    stripeIdempotencyKey: row.stripe_idempotency_key,
    params: row.params,
    firstSentAt: row.first_sent_at,
    absentSince: row.absent_since,
    retriedAt: row.retried_at,
    requestId: row.request_id,
    createdAt: row.created_at,
  };
}

/** Why `claimOperation` gave nothing: for a job to decide whether it is done or comes again. */
export async function whyNotClaimed(tx: Tx, id: string): Promise<NotClaimed> {
  const rows = await tx.$queryRaw<{ runnable: boolean; held: boolean; early: boolean; due_at: Date; next_id: string | null }[]>`
    SELECT ${RUNNABLE} AS runnable, coalesce(op.lease_until >= now(), false) AS held, op.next_attempt_at > now() AS early, op.next_attempt_at AS due_at,
      (SELECT later.id FROM payment_operations later
       WHERE op.kind NOT IN ('refund', 'cancel_orphan') AND later.kind NOT IN ('refund', 'cancel_orphan') AND later.payment_id = op.payment_id
         AND later.sequence > op.sequence AND later.finished_at IS NULL
       ORDER BY later.sequence LIMIT 1) AS next_id
    FROM payment_operations op WHERE op.id = ${id}::uuid`;
  const row = rows[0];
  if (row === undefined) return { reason: 'gone' };
  if (!row.runnable) return { reason: 'settled', nextId: row.next_id };
  if (row.held) return { reason: 'held' };
  return row.early ? { reason: 'early', dueAt: row.due_at } : { reason: 'behind another' };
}

/** The X-Request-Id of the command that ordered an operation; null where nobody's request did. */
export async function requestOf(tx: Tx, id: string): Promise<string | null> {
  return (await tx.paymentOperation.findUnique({ where: { id }, select: { requestId: true } }))?.requestId ?? null;
}

/** Prolongs the lease; false when it was given back or another worker has it: a renewal may come late, and must not lock the next claimer out. */
export async function renewLease(tx: Tx, { id, fence }: ClaimedOperation): Promise<boolean> {
  const count = await tx.$executeRaw`
    UPDATE payment_operations SET lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
    WHERE id = ${id}::uuid AND fence = ${fence} AND lease_until IS NOT NULL AND finished_at IS NULL`;
  return count === 1;
}

/** Commits that the request is about to leave; false when the lease was lost, and nothing may be sent. */
export async function markSent(tx: Tx, { id, fence }: ClaimedOperation, now: Date): Promise<boolean> {
  const count = await tx.$executeRaw`
    UPDATE payment_operations SET status = 'in_flight', first_sent_at = coalesce(first_sent_at, ${now})
    WHERE id = ${id}::uuid AND fence = ${fence} AND lease_until > now()`;
  return count === 1;
}

/** What is written when an attempt settled nothing. */
export interface Postponement {
  readonly status: Extract<OperationStatus, 'queued' | 'unknown'>;
  readonly delayMs: number;
  readonly error: PaymentError;
  /** The breaker on whose closing it becomes due. */
  readonly delayedBy?: BreakerName | null;
  /** Nothing was sent: the attempt that the claim counted was none. */
  readonly isUntried?: boolean;
  /** When a complete list first lacked the operation's object. */
  readonly absentSince?: Date;
  /** A key that Stripe is known not to have acted under: the next attempt is a new request. */
  readonly newKey?: { readonly generation: number; readonly stripeIdempotencyKey: string };
}

/** Gives the lease back and says when the next attempt is due; null when the operation is no longer the caller's. */
export async function postpone(
  tx: Tx,
  { id, fence }: ClaimedOperation,
  { status, delayMs, error, delayedBy, isUntried, absentSince, newKey }: Postponement,
): Promise<Date | null> {
  const forget = status === 'queued';
  const rows = await tx.$queryRaw<{ due_at: Date }[]>`
    UPDATE payment_operations SET status = ${status}, in_doubt = ${!forget}, lease_until = NULL,
      first_sent_at = CASE WHEN ${forget} THEN NULL ELSE first_sent_at END, absent_since = ${absentSince ?? null}::timestamptz,
      retried_at = CASE WHEN ${newKey === undefined} THEN retried_at END,
      generation = coalesce(${newKey?.generation ?? null}::int, generation),
      stripe_idempotency_key = coalesce(${newKey?.stripeIdempotencyKey ?? null}, stripe_idempotency_key),
      attempts = attempts - ${isUntried === true ? 1 : 0}, delayed_by = ${delayedBy ?? null},
      next_attempt_at = now() + make_interval(secs => ${delayMs / 1_000}), last_error = ${JSON.stringify(error)}::jsonb
    WHERE id = ${id}::uuid AND fence = ${fence} AND finished_at IS NULL
    RETURNING next_attempt_at AS due_at`;
  return rows[0]?.due_at ?? null;
}

/**
 * Locks the operations of an order that nobody ever claimed, so that they can be withdrawn: until the transaction ends no
 * worker can claim them. null when the create was claimed, and Stripe may know of an intent; a customer under way may stay.
 */
export async function lockUnclaimedOperations(tx: Tx, orderId: string): Promise<readonly string[] | null> {
  const rows = await tx.$queryRaw<{ id: string; kind: OperationKind }[]>`
    SELECT id, kind FROM payment_operations WHERE order_id = ${orderId}::uuid AND fence = 0 AND status = 'queued' FOR UPDATE`;
  return rows.some(({ kind }) => kind === 'create') ? rows.map(({ id }) => id) : null;
}

/** Whether there may be an operation that is overdue and that nobody holds. */
export async function hasOverdueOperations(tx: Tx): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM payment_operations op WHERE ${RUNNABLE} AND ${isOverdue(false)} AND (op.lease_until IS NULL OR op.lease_until < now()) LIMIT 1`;
  return rows.length > 0;
}

/**
 * Writes an outbox row for every operation that is overdue and that nobody holds, whatever the queue believes. What a dead
 * worker still held stands in no line, and goes ahead. Returns how many. Safe to repeat and to run in several processes at once.
 */
export function requeueOverdueOperations(tx: Tx, { hasLine, newId, limit }: Sweep): Promise<number> {
  return tx.$executeRaw`
    WITH due AS (
      SELECT op.id, op.kind FROM payment_operations op
      WHERE ${RUNNABLE} AND ${isOverdue(false)} AND ${IS_NEXT}
        AND (op.lease_until < now() OR (op.lease_until IS NULL AND ${isOverdue(hasLine)}))
      ORDER BY op.next_attempt_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ),
    swept AS (UPDATE payment_operations op SET swept_at = now() FROM due WHERE op.id = due.id RETURNING op.id, op.kind, op.lease_until IS NOT NULL AS ahead),
    ${queueSwept(newId, limit)}`;
}

/** Whether a breaker, open or closed by now, holds an operation back. */
export async function hasDelayedOperations(tx: Tx): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`SELECT 1 FROM payment_operations op WHERE op.delayed_by IS NOT NULL AND ${RUNNABLE} LIMIT 1`;
  return rows.length > 0;
}

/**
 * Makes the operations due that one of these breakers held back for longer than `beyondSeconds` from now, and queues them, the
 * oldest first. Returns how many. Safe to repeat.
 */
export function releaseDelayedOperations(
  tx: Tx,
  closed: readonly BreakerName[],
  beyondSeconds: number,
  newId: () => string,
  limit: number,
): Promise<number> {
  return tx.$executeRaw`
    WITH due AS (
      SELECT op.id FROM payment_operations op
      WHERE op.delayed_by = ANY (${closed}::text[]) AND ${RUNNABLE} AND (op.lease_until IS NULL OR op.lease_until < now())
        AND (${beyondSeconds} = 0 OR op.next_attempt_at > now() + make_interval(secs => ${beyondSeconds}))
      ORDER BY op.id LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ),
    swept AS (
      UPDATE payment_operations op SET swept_at = now(), delayed_by = NULL, next_attempt_at = least(op.next_attempt_at, now())
      FROM due WHERE op.id = due.id RETURNING op.id, op.kind, false AS ahead
    ),
    ${queueSwept(newId, limit)}`;
}

/** The end of a statement: an outbox row for each row of the CTE `swept(id, kind, ahead)`. */
function queueSwept(newId: () => string, limit: number): Prisma.Sql {
  const ids = Array.from({ length: limit }, newId);
  return Prisma.sql`
    numbered AS (SELECT id, kind, ahead, row_number() OVER () AS n FROM swept),
    accepted AS (
      SELECT jsonb_build_object('outbox', jsonb_build_array(jsonb_build_object(
        'id', (${ids}::text[])[n], 'kind', CASE kind WHEN 'refund' THEN 'refund-operation' ELSE 'payment-operation' END, 'payload', jsonb_build_object('operationId', id),
        'ahead', ahead))) AS doc
      FROM numbered
    ),
    ${INSERT_OUTBOX}
    SELECT 1 FROM accepted`;
}
