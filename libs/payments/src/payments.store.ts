import { Prisma, type Tx } from '#libs/database';
import { INSERT_OUTBOX } from '#libs/jobs';
import { countOrderMove } from '#libs/telemetry';
import {
  type Checkout,
  type DisputeFacts,
  type OperationFacts,
  type OrderStatus,
  type PaymentFacts,
  type PaymentState,
  type PaymentStatus,
  type RefundFacts,
} from './payment.js';
import { type PaymentChange } from './payment-change.js';

interface PaymentRow {
  order_id: string;
  payment_id: string;
  version: number;
  order_status: OrderStatus;
  amount: bigint;
  currency: string;
  checkout: Checkout;
  amount_captured: bigint;
  amount_refunded: bigint;
  amount_refund_pending: bigint;
  status: PaymentStatus;
  payment_method: string | null;
  stripe_payment_intent_id: string | null;
  stripe_client_secret: string | null;
  stripe_charge_id: string | null;
  next_action: PaymentFacts['nextAction'];
  last_error: PaymentFacts['lastError'];
  cancellation_reason: string | null;
  checkout_session_id: string | null;
  url: string | null;
  operations: readonly OperationFacts[];
  refunds: readonly RefundFacts[];
  stripe_dispute_id: string | null;
  dispute_status: string | null;
  dispute_amount: bigint | null;
  dispute_reason: string | null;
  dispute_opened_at: Date | null;
  stripe_customer_id: string | null;
}

const STATE = Prisma.sql`
  SELECT o.id AS order_id, p.id AS payment_id, o.version, o.status AS order_status, o.amount, o.currency, o.checkout, o.amount_captured, o.amount_refunded, o.amount_refund_pending,
    o.stripe_dispute_id, o.dispute_status, o.dispute_amount, o.dispute_reason, o.dispute_opened_at, o.stripe_customer_id,
    p.status, p.payment_method, p.stripe_payment_intent_id, p.stripe_client_secret, p.stripe_charge_id, p.next_action, p.last_error, p.cancellation_reason, p.checkout_session_id, p.url,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', op.id, 'kind', op.kind, 'orderedBy', op.ordered_by, 'sequence', op.sequence, 'status', op.status,
        'refundId', op.refund_id) ORDER BY op.sequence), '[]')
     FROM payment_operations op WHERE op.payment_id = p.id) AS operations,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'status', r.status, 'amount', r.amount, 'reason', r.reason, 'failureReason', r.failure_reason,
        'stripeRefundId', r.stripe_refund_id) ORDER BY r.id), '[]')
     FROM refunds r WHERE r.order_id = o.id) AS refunds
  FROM orders o JOIN payments p ON p.order_id = o.id`;

/** The payment of an order with its operations, at one version. */
export async function loadPayment(tx: Tx, orderId: string): Promise<PaymentState | null> {
  const rows = await tx.$queryRaw<PaymentRow[]>`${STATE} WHERE o.id = ${orderId}::uuid`;
  return rows[0] === undefined ? null : stateOf(rows[0]);
}

/** The same, with the order's row locked until the transaction ends: commands on one order come one after another. */
export async function lockPayment(tx: Tx, orderId: string): Promise<PaymentState | null> {
  // Two statements: one that waited for the lock would see operations and refunds as they were before it waited.
  await tx.$queryRaw`SELECT 1 FROM orders WHERE id = ${orderId}::uuid FOR UPDATE`;
  return loadPayment(tx, orderId);
}

/** The payment that a PaymentIntent belongs to, if we know the intent. */
export async function findPaymentByIntent(tx: Tx, paymentIntentId: string): Promise<PaymentState | null> {
  const rows = await tx.$queryRaw<PaymentRow[]>`${STATE} WHERE p.stripe_payment_intent_id = ${paymentIntentId}`;
  return rows[0] === undefined ? null : stateOf(rows[0]);
}

/** The payments that these PaymentIntents belong to, as far as we know the intents. */
export async function findPaymentsByIntents(tx: Tx, paymentIntentIds: readonly string[]): Promise<readonly PaymentState[]> {
  const rows = await tx.$queryRaw<PaymentRow[]>`${STATE} WHERE p.stripe_payment_intent_id = ANY (${paymentIntentIds}::text[])`;
  return rows.map(stateOf);
}

/** The payment that a Checkout Session belongs to, if we know the session. */
export async function findPaymentBySession(tx: Tx, sessionId: string): Promise<PaymentState | null> {
  const rows = await tx.$queryRaw<PaymentRow[]>`${STATE} WHERE p.checkout_session_id = ${sessionId}`;
  return rows[0] === undefined ? null : stateOf(rows[0]);
}

/** The payments that these Checkout Sessions belong to, as far as we know the sessions. */
export async function findPaymentsBySessions(tx: Tx, sessionIds: readonly string[]): Promise<readonly PaymentState[]> {
  const rows = await tx.$queryRaw<PaymentRow[]>`${STATE} WHERE p.checkout_session_id = ANY (${sessionIds}::text[])`;
  return rows.map(stateOf);
}

/** The payment that an operation of ours, by its database id, was ordered for. */
export async function findPaymentByOperation(tx: Tx, operationId: string): Promise<PaymentState | null> {
  const rows = await tx.$queryRaw<
    PaymentRow[]
  >`${STATE} WHERE p.id = (SELECT payment_id FROM payment_operations WHERE id = ${operationId}::uuid)`;
  return rows[0] === undefined ? null : stateOf(rows[0]);
}

/**
 * Writes a change in one statement, if the order still is at the version it was computed from and the operation still
 * is its holder's; else writes nothing and returns false.
 */
export async function commitChange(tx: Tx, change: PaymentChange): Promise<boolean> {
  const moved = await tx.$queryRaw<unknown[]>`
    WITH input AS (SELECT ${JSON.stringify(change)}::jsonb AS doc),
    moved AS (
      UPDATE orders o SET status = i.doc ->> 'orderStatus', version = o.version + 1, amount_captured = (i.doc ->> 'amountCaptured')::bigint,
        amount_refunded = (i.doc ->> 'amountRefunded')::bigint, amount_refund_pending = (i.doc ->> 'amountRefundPending')::bigint,
        stripe_dispute_id = i.doc #>> '{dispute,stripeDisputeId}', dispute_status = i.doc #>> '{dispute,status}',
        dispute_amount = (i.doc #>> '{dispute,amount}')::bigint, dispute_reason = i.doc #>> '{dispute,reason}',
        dispute_opened_at = (i.doc #>> '{dispute,openedAt}')::timestamptz,
        stripe_customer_id = i.doc ->> 'stripeCustomerId', updated_at = (i.doc ->> 'at')::timestamptz
      FROM input i
      WHERE o.id = (i.doc ->> 'orderId')::uuid AND o.version = (i.doc ->> 'version')::int
        AND (i.doc -> 'settled' = '[]' OR EXISTS (
          SELECT 1 FROM payment_operations op
          WHERE op.id = (i.doc -> 'settled' -> 0 ->> 'id')::uuid AND op.fence = (i.doc -> 'settled' -> 0 ->> 'fence')::bigint))
      RETURNING o.id
    ),
    accepted AS (SELECT i.doc FROM input i CROSS JOIN moved),
    paid AS (
      UPDATE payments p SET status = f.status, payment_method = f."paymentMethod", stripe_payment_intent_id = f."stripePaymentIntentId",
        stripe_client_secret = f."stripeClientSecret", stripe_charge_id = f."stripeChargeId", next_action = nullif(f."nextAction", 'null'),
        last_error = nullif(f."lastError", 'null'),
        cancellation_reason = f."cancellationReason", checkout_session_id = f."checkoutSessionId", url = f.url, updated_at = (a.doc ->> 'at')::timestamptz
      FROM accepted a, jsonb_to_record(a.doc -> 'payment') AS f (status text, "paymentMethod" text, "stripePaymentIntentId" text,
        "stripeClientSecret" text, "stripeChargeId" text, "nextAction" jsonb, "lastError" jsonb, "cancellationReason" text,
        "checkoutSessionId" text, url text)
      WHERE p.order_id = (a.doc ->> 'orderId')::uuid
    ),
    settled AS (
      UPDATE payment_operations op SET status = s.status, last_error = nullif(s.error, 'null'), lease_until = NULL,
        finished_at = CASE WHEN s.status = 'parked' THEN NULL ELSE (a.doc ->> 'at')::timestamptz END
      FROM accepted a, jsonb_to_recordset(a.doc -> 'settled') AS s (id uuid, fence bigint, status text, error jsonb)
      WHERE op.id = s.id AND op.fence = s.fence
    ),
    returned AS (
      INSERT INTO refunds (id, order_id, amount, currency, status, reason, failure_reason, stripe_refund_id, created_at, updated_at)
      SELECT r.id, (a.doc ->> 'orderId')::uuid, r.amount, a.doc ->> 'currency', r.status, r.reason, r."failureReason", r."stripeRefundId",
        (a.doc ->> 'at')::timestamptz, (a.doc ->> 'at')::timestamptz
      FROM accepted a, jsonb_to_recordset(a.doc -> 'refunds') AS r (id uuid, amount bigint, status text, reason text, "failureReason" text, "stripeRefundId" text)
      ON CONFLICT (id) DO UPDATE SET status = excluded.status, failure_reason = excluded.failure_reason, stripe_refund_id = excluded.stripe_refund_id,
        updated_at = excluded.updated_at
    ),
    ordered AS (
      INSERT INTO payment_operations (id, order_id, payment_id, refund_id, kind, ordered_by, sequence, status, stripe_idempotency_key, params, request_id,
        next_attempt_at, created_at)
      SELECT op.id, (a.doc ->> 'orderId')::uuid, (a.doc ->> 'paymentId')::uuid, op."refundId", op.kind, op."orderedBy", op.sequence, op.status,
        op."stripeIdempotencyKey", op.params, op."requestId", now(), (a.doc ->> 'at')::timestamptz
      FROM accepted a, jsonb_to_recordset(a.doc -> 'ordered') AS op (id uuid, "refundId" uuid, kind text, "orderedBy" text, sequence int, status text,
        "stripeIdempotencyKey" text, params jsonb, "requestId" text)
    ),
    told AS (
      INSERT INTO order_events (id, order_id, type, cause, data, at)
      SELECT e.id, (a.doc ->> 'orderId')::uuid, e.type, e.cause, e.data, (a.doc ->> 'at')::timestamptz
      FROM accepted a, jsonb_to_recordset(a.doc -> 'events') AS e (id uuid, type text, cause text, data jsonb)
    ),
    ${INSERT_OUTBOX}
    SELECT 1 FROM moved`;
  if (moved.length === 1) countMoves(change);
  return moved.length === 1;
}

function countMoves({ events }: PaymentChange): void {
  for (const { type } of events) if (type.startsWith('order.')) countOrderMove(type.slice('order.'.length));
}

/**
 * Writes down a contradiction that no rule may repair, with the values of its last sight; found again after it was resolved, it is
 * open again. Safe to repeat: one row a kind and object.
 */
export async function recordDiscrepancy(
  tx: Tx,
  found: { id: string; kind: string; stripeObjectId: string; orderId: string | null; ours: unknown; stripes: unknown; at: Date },
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO discrepancies (id, kind, stripe_object_id, order_id, ours, stripes, found_at)
    VALUES (${found.id}::uuid, ${found.kind}, ${found.stripeObjectId}, ${found.orderId}::uuid, ${JSON.stringify(found.ours)}::jsonb,
      ${JSON.stringify(found.stripes)}::jsonb, ${found.at})
    ON CONFLICT (kind, stripe_object_id) DO UPDATE SET order_id = excluded.order_id, ours = excluded.ours, stripes = excluded.stripes,
      resolved_at = NULL, found_at = CASE WHEN discrepancies.resolved_at IS NULL THEN discrepancies.found_at ELSE excluded.found_at END
    WHERE discrepancies.resolved_at IS NOT NULL
      OR (discrepancies.order_id, discrepancies.ours, discrepancies.stripes) IS DISTINCT FROM (excluded.order_id, excluded.ours, excluded.stripes)`;
}

function stateOf(row: PaymentRow): PaymentState {
  return {
    orderId: row.order_id,
    paymentId: row.payment_id,
    version: row.version,
    orderStatus: row.order_status,
    amount: Number(row.amount),
    currency: row.currency,
    checkout: row.checkout,
    amountCaptured: Number(row.amount_captured),
    amountRefunded: Number(row.amount_refunded),
    amountRefundPending: Number(row.amount_refund_pending),
    status: row.status,
    paymentMethod: row.payment_method,
    stripePaymentIntentId: row.stripe_payment_intent_id,
    stripeClientSecret: row.stripe_client_secret,
    stripeChargeId: row.stripe_charge_id,
    nextAction: row.next_action,
    lastError: row.last_error,
    cancellationReason: row.cancellation_reason,
    checkoutSessionId: row.checkout_session_id,
    url: row.url,
    operations: row.operations,
    refunds: row.refunds,
    dispute: disputeOf(row),
    stripeCustomerId: row.stripe_customer_id,
  };
}

function disputeOf({
  stripe_dispute_id: stripeDisputeId,
  dispute_status: status,
  dispute_amount: amount,
  dispute_reason: reason,
  dispute_opened_at: openedAt,
}: PaymentRow): DisputeFacts | null {
  if (stripeDisputeId === null || status === null || amount === null || reason === null || openedAt === null) return null;
  return { stripeDisputeId, status, amount: Number(amount), reason, openedAt: openedAt.toISOString() };
}
