import { Prisma, type Tx } from '#libs/database';
import { INSERT_OUTBOX } from '#libs/jobs';
import { DomainError } from '#libs/primitives';
import { type OperationKind, type OperationStatus, type OrderedBy, type PaymentError } from './payment.js';

/** The statuses an operation can have while something of it is left to do. */
export const OPEN_STATUSES = ['queued', 'in_flight', 'unknown', 'parked'] as const satisfies readonly OperationStatus[];

/** Whose operations somebody may see: those of the orders of one account (R13). */
interface Owner {
  readonly accountId: string;
  readonly mode: 'test' | 'live';
}

/** An open operation as operators see it: neither its key at Stripe nor its parameters, which name the buyer. */
export interface LoggedOperation {
  readonly id: string;
  readonly orderId: string;
  readonly refundId: string | null;
  readonly kind: OperationKind;
  readonly orderedBy: OrderedBy;
  readonly status: OperationStatus;
  readonly inDoubt: boolean;
  readonly generation: number;
  readonly attempts: number;
  readonly lastError: PaymentError | null;
  readonly requestId: string | null;
  readonly firstSentAt: Date | null;
  readonly nextAttemptAt: Date;
  readonly retriedAt: Date | null;
  readonly createdAt: Date;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const OPERATION = Prisma.sql`
  SELECT op.id, op.order_id AS "orderId", op.refund_id AS "refundId", op.kind, op.ordered_by AS "orderedBy", op.status, op.in_doubt AS "inDoubt",
    op.generation, op.attempts, op.last_error AS "lastError", op.request_id AS "requestId", op.first_sent_at AS "firstSentAt",
    op.next_attempt_at AS "nextAttemptAt", op.retried_at AS "retriedAt", op.created_at AS "createdAt"
  FROM payment_operations op JOIN orders o ON o.id = op.order_id`;

/** One page of the operations of an account that have this open status, newest first. */
export async function listOpenOperations(
  tx: Tx,
  { accountId, mode }: Owner,
  { status, limit, startingAfter }: { status: (typeof OPEN_STATUSES)[number]; limit: number; startingAfter: string | null },
): Promise<{ operations: readonly LoggedOperation[]; hasMore: boolean }> {
  const before = startingAfter === null ? Prisma.empty : Prisma.sql`AND op.id < ${startingAfter}::uuid`;
  const rows = await tx.$queryRaw<LoggedOperation[]>`
    ${OPERATION} WHERE op.status = ${status} AND o.account_id = ${accountId}::uuid AND o.mode = ${mode} ${before}
    ORDER BY op.id DESC LIMIT ${limit + 1}`;
  return { operations: rows.slice(0, limit), hasMore: rows.length > limit };
}

/** What a retry writes besides the operation. */
interface Retry {
  readonly owner: Owner;
  readonly operationId: string;
  readonly outboxId: string;
  readonly timelineId: string;
  readonly now: Date;
}

/**
 * Takes a parked operation up again, inside a transaction. Whatever parked it, it counts as doubtful from here: its
 * outcome is read at Stripe first, and only if nothing happened is it sent, as a new generation under a new key. Whoever
 * held it before is fenced off. Throws DomainError not_found, or not_retryable when it is not parked.
 */
export async function retryParkedOperation(tx: Tx, { owner, operationId, outboxId, timelineId, now }: Retry): Promise<LoggedOperation> {
  const owned = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM orders o JOIN payment_operations op ON op.order_id = o.id
    WHERE op.id = ${operationId}::uuid AND o.account_id = ${owner.accountId}::uuid AND o.mode = ${owner.mode} FOR UPDATE OF o`;
  if (owned.length === 0) throw new DomainError('not_found', 'There is no operation with this id.');
  const retried = await tx.$queryRaw<unknown[]>`
    WITH retried AS (
      UPDATE payment_operations SET status = 'unknown', in_doubt = true, retried_at = ${now}, absent_since = NULL, lease_until = NULL,
        fence = fence + 1, next_attempt_at = now(), swept_at = now()
      WHERE id = ${operationId}::uuid AND status = 'parked' RETURNING id, order_id, kind
    ),
    moved AS (UPDATE orders o SET version = version + 1, updated_at = ${now} FROM retried r WHERE o.id = r.order_id),
    told AS (
      INSERT INTO order_events (id, order_id, type, cause, data, at)
      SELECT ${timelineId}::uuid, order_id, 'operation.retried', 'command:retry', jsonb_build_object('operation', kind), ${now} FROM retried
    ),
    accepted AS (
      SELECT jsonb_build_object('outbox', jsonb_build_array(jsonb_build_object(
        'id', ${outboxId}::text, 'kind', CASE kind WHEN 'refund' THEN 'refund-operation' ELSE 'payment-operation' END,
        'payload', jsonb_build_object('operationId', id)))) AS doc
      FROM retried
    ),
    ${INSERT_OUTBOX}
    SELECT 1 FROM retried`;
  if (retried.length === 0) throw new DomainError('not_retryable', 'The operation is not parked: it is under way, or over.');
  const [row] = await tx.$queryRaw<LoggedOperation[]>`${OPERATION} WHERE op.id = ${operationId}::uuid`;
  if (row === undefined) throw new Error(`bug: operation ${operationId} vanished under its lock`);
  return row;
}

/** Which of these operations belong to another account than `owner`. An id that names nothing belongs to nobody. */
export async function operationsOfOthers(tx: Tx, { accountId, mode }: Owner, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const uuids = ids.filter((id) => UUID.test(id));
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT op.id::text FROM payment_operations op JOIN orders o ON o.id = op.order_id
    WHERE op.id = ANY (${uuids}::uuid[]) AND NOT (o.account_id = ${accountId}::uuid AND o.mode = ${mode})`;
  return new Set(rows.map(({ id }) => id));
}
