import { Prisma, type Tx } from '#libs/database';
import { CLAIM_KEYS, type KeyClaim } from '#libs/idempotency';
import { INSERT_OUTBOX, type OutboxMessage } from '#libs/jobs';
import { type NewOperation, type TimelineEntry } from '#libs/payments';
import { countOrderMove } from '#libs/telemetry';
import { type Order, type Orderer, type OrderItem } from './order.js';
import { type Refund } from './refund-view.js';

/** Everything one new order writes. */
export interface NewOrder {
  readonly key: KeyClaim;
  readonly orderer: Orderer;
  readonly order: Order;
  readonly operations: readonly NewOperation[];
  readonly events: readonly TimelineEntry[];
  readonly outbox: readonly OutboxMessage[];
}

/**
 * Inserts any number of orders with all that belongs to them in one statement, those whose idempotency key was free.
 * Returns the positions of the orders that were. Nothing of the others is written.
 */
export async function insertOrders(tx: Tx, batch: readonly NewOrder[]): Promise<ReadonlySet<number>> {
  const rows = await tx.$queryRaw<{ ordinal: number }[]>`
    WITH input AS MATERIALIZED (
      SELECT (row.ordinality - 1)::int AS ordinal, row.value AS doc FROM jsonb_array_elements(${JSON.stringify(batch)}::jsonb) WITH ORDINALITY AS row
    ),
    ${CLAIM_KEYS},
    ordered AS (
      INSERT INTO orders (id, account_id, mode, status, version, amount, currency, customer_email, customer_name, stripe_customer_id, reference, metadata,
        client_secret, capture_method, checkout, return_url, save_card, off_session, created_at, updated_at, expires_at)
      SELECT o.id, (a.doc -> 'orderer' ->> 'accountId')::uuid, a.doc -> 'orderer' ->> 'mode', o.status, 1, o.amount, o.currency, o."customerEmail",
        o."customerName", o."stripeCustomerId", o.reference, o.metadata, o."clientSecret", o."captureMethod", o.checkout, o."returnUrl",
        o."saveCard", o."offSession", o."createdAt", o."updatedAt", o."expiresAt"
      FROM accepted a, jsonb_to_record(a.doc -> 'order') AS o (id uuid, status text, amount bigint, currency text, "customerEmail" text, "customerName" text,
        "stripeCustomerId" text, reference text, metadata jsonb, "clientSecret" text, "captureMethod" text, checkout text, "returnUrl" text, "saveCard" boolean, "offSession" boolean, "createdAt" timestamptz,
        "updatedAt" timestamptz, "expiresAt" timestamptz)
    ),
    itemized AS (
      INSERT INTO order_items (order_id, position, price_id, name, unit_amount, quantity)
      SELECT (a.doc -> 'order' ->> 'id')::uuid, item.ordinality, item.value ->> 'price', item.value ->> 'name', (item.value ->> 'unitAmount')::bigint,
        (item.value ->> 'quantity')::int
      FROM accepted a, jsonb_array_elements(a.doc -> 'order' -> 'items') WITH ORDINALITY AS item
    ),
    paid AS (
      INSERT INTO payments (id, order_id, status, payment_method, created_at, updated_at)
      SELECT p.id, (a.doc -> 'order' ->> 'id')::uuid, p.status, p."paymentMethod", (a.doc -> 'order' ->> 'createdAt')::timestamptz,
        (a.doc -> 'order' ->> 'createdAt')::timestamptz
      FROM accepted a, jsonb_to_record(a.doc -> 'order' -> 'payment') AS p (id uuid, status text, "paymentMethod" text)
    ),
    operated AS (
      INSERT INTO payment_operations (id, order_id, payment_id, kind, ordered_by, sequence, status, stripe_idempotency_key, params, request_id, next_attempt_at, created_at)
      SELECT op.id, (a.doc -> 'order' ->> 'id')::uuid, (a.doc -> 'order' -> 'payment' ->> 'id')::uuid, op.kind, op."orderedBy", op.sequence, op.status,
        op."stripeIdempotencyKey", op.params, op."requestId", now(), (a.doc -> 'order' ->> 'createdAt')::timestamptz
      FROM accepted a, jsonb_to_recordset(a.doc -> 'operations') AS op (id uuid, kind text, "orderedBy" text, sequence int, status text, "stripeIdempotencyKey" text, params jsonb, "requestId" text)
    ),
    told AS (
      INSERT INTO order_events (id, order_id, type, cause, data, at)
      SELECT e.id, (a.doc -> 'order' ->> 'id')::uuid, e.type, e.cause, e.data, (a.doc -> 'order' ->> 'createdAt')::timestamptz
      FROM accepted a, jsonb_to_recordset(a.doc -> 'events') AS e (id uuid, type text, cause text, data jsonb)
    ),
    ${INSERT_OUTBOX}
    SELECT ordinal FROM accepted`;
  for (const { ordinal } of rows) countOrderMove(batch[ordinal]?.order.status ?? 'pending');
  return new Set(rows.map(({ ordinal }) => ordinal));
}

interface OrderRow extends Omit<Order, 'amount' | 'amountCaptured' | 'amountRefunded' | 'amountRefundPending' | 'dispute'> {
  readonly amount: bigint;
  readonly amountCaptured: bigint;
  readonly amountRefunded: bigint;
  readonly amountRefundPending: bigint;
  readonly disputeStatus: string | null;
  readonly disputeAmount: bigint | null;
  readonly disputeReason: string | null;
  readonly items: readonly OrderItem[];
}

const ORDER = Prisma.sql`
  SELECT o.id, o.version, o.status, o.amount, o.currency, o.amount_captured AS "amountCaptured", o.amount_refunded AS "amountRefunded",
    o.amount_refund_pending AS "amountRefundPending", o.customer_email AS "customerEmail", o.customer_name AS "customerName",
    o.stripe_customer_id AS "stripeCustomerId", o.reference, o.metadata, o.client_secret AS "clientSecret", o.capture_method AS "captureMethod",
    o.checkout, o.return_url AS "returnUrl", o.save_card AS "saveCard", o.off_session AS "offSession", o.dispute_status AS "disputeStatus", o.dispute_amount AS "disputeAmount", o.dispute_reason AS "disputeReason",
    o.created_at AS "createdAt", o.updated_at AS "updatedAt", o.expires_at AS "expiresAt",
    (SELECT jsonb_agg(jsonb_build_object('price', i.price_id, 'name', i.name, 'unitAmount', i.unit_amount, 'quantity', i.quantity) ORDER BY i.position)
     FROM order_items i WHERE i.order_id = o.id) AS items,
    jsonb_build_object('id', p.id, 'status', p.status, 'stripePaymentIntentId', p.stripe_payment_intent_id, 'stripeClientSecret', p.stripe_client_secret,
      'url', p.url, 'paymentMethod', p.payment_method, 'nextAction', p.next_action, 'lastError', p.last_error, 'operations',
      (SELECT coalesce(jsonb_agg(jsonb_build_object('id', op.id, 'kind', op.kind, 'orderedBy', op.ordered_by, 'sequence', op.sequence, 'status', op.status,
        'refundId', op.refund_id)), '[]')
       FROM payment_operations op WHERE op.payment_id = p.id)) AS payment
  FROM orders o JOIN payments p ON p.order_id = o.id`;

type Owner = Pick<Orderer, 'accountId' | 'mode'>;

/** An order of this account, or null: another account's order does not exist (R13). */
export async function findOrder(tx: Tx, { accountId, mode }: Owner, id: string): Promise<Order | null> {
  const rows = await tx.$queryRaw<OrderRow[]>`${ORDER} WHERE o.id = ${id}::uuid AND o.account_id = ${accountId}::uuid AND o.mode = ${mode}`;
  return rows[0] === undefined ? null : orderOf(rows[0]);
}

/** Which of these orders belong to another account. */
export async function ordersOfOthers(tx: Tx, { accountId, mode }: Owner, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM orders WHERE id = ANY (${ids}::uuid[]) AND NOT (account_id = ${accountId}::uuid AND mode = ${mode})`;
  return new Set(rows.map(({ id }) => id));
}

/** Which orders a list shows, newest first. */
export interface OrderFilter {
  readonly limit: number;
  readonly startingAfter: string | null;
  readonly status: string | null;
  readonly reference: string | null;
  readonly createdFrom: Date | null;
  readonly createdTo: Date | null;
}

/** One page of an account's orders. Ids are time-ordered, so the page after an order is what lies below its id. */
export async function listOrders(
  tx: Tx,
  { accountId, mode }: Owner,
  filter: OrderFilter,
): Promise<{ orders: readonly Order[]; hasMore: boolean }> {
  const conditions = [
    Prisma.sql`o.account_id = ${accountId}::uuid`,
    Prisma.sql`o.mode = ${mode}`,
    ...(filter.startingAfter === null ? [] : [Prisma.sql`o.id < ${filter.startingAfter}::uuid`]),
    ...(filter.status === null ? [] : [Prisma.sql`o.status = ${filter.status}`]),
    ...(filter.reference === null ? [] : [Prisma.sql`o.reference = ${filter.reference}`]),
    ...(filter.createdFrom === null ? [] : [Prisma.sql`o.created_at >= ${filter.createdFrom}`]),
    ...(filter.createdTo === null ? [] : [Prisma.sql`o.created_at <= ${filter.createdTo}`]),
  ];
  const rows = await tx.$queryRaw<
    OrderRow[]
  >`${ORDER} WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY o.id DESC LIMIT ${filter.limit + 1}`;
  return { orders: rows.slice(0, filter.limit).map(orderOf), hasMore: rows.length > filter.limit };
}

/**
 * Orders whose time to pay is over, oldest first, with nothing of ours under way as far as their status tells. What a
 * completed Checkout Session left unpaid, Stripe lets nobody cancel: once refused, it is not asked for again.
 */
export async function findExpiredOrders(tx: Tx, now: Date, limit: number): Promise<readonly string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM orders o WHERE status IN ('requires_payment', 'requires_action') AND expires_at <= ${now}
      AND NOT EXISTS (SELECT 1 FROM payment_operations op WHERE op.order_id = o.id
        AND ((op.finished_at IS NULL AND op.kind <> 'cancel_orphan') OR (o.checkout = 'hosted' AND op.kind = 'cancel' AND op.ordered_by = 'expiry' AND op.status = 'rejected')))
    ORDER BY expires_at LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

/** When the first order was placed; null before that. Nothing that happened at Stripe earlier is ours. */
export async function firstOrderAt(tx: Tx): Promise<Date | null> {
  const first = await tx.order.findFirst({ orderBy: { id: 'asc' }, select: { createdAt: true } });
  return first?.createdAt ?? null;
}

/** A refund with the version of its order. */
export interface FoundRefund extends Refund {
  readonly orderVersion: number;
}

interface RefundRow extends Omit<FoundRefund, 'amount'> {
  readonly amount: bigint;
}

const REFUND = Prisma.sql`
  SELECT r.id, r.order_id AS "orderId", r.amount, r.currency, r.status, r.reason, r.failure_reason AS "failureReason", r.stripe_refund_id AS "stripeRefundId",
    r.created_at AS "createdAt", o.version AS "orderVersion"
  FROM refunds r JOIN orders o ON o.id = r.order_id`;

/** A refund of this account, or null. */
export async function findRefund(tx: Tx, { accountId, mode }: Owner, id: string): Promise<FoundRefund | null> {
  const rows = await tx.$queryRaw<
    RefundRow[]
  >`${REFUND} WHERE r.id = ${id}::uuid AND o.account_id = ${accountId}::uuid AND o.mode = ${mode}`;
  return rows[0] === undefined ? null : { ...rows[0], amount: Number(rows[0].amount) };
}

/** All refunds of an order, newest first. */
export async function listRefunds(tx: Tx, orderId: string): Promise<Refund[]> {
  const rows = await tx.$queryRaw<RefundRow[]>`${REFUND} WHERE r.order_id = ${orderId}::uuid ORDER BY r.id DESC`;
  return rows.map((row) => ({ ...row, amount: Number(row.amount) }));
}

/** One line of an order's timeline as it is read. */
export interface TimelineLine {
  readonly id: string;
  readonly type: string;
  readonly cause: string;
  readonly data: unknown;
  readonly at: Date;
}

/**
 * The timeline of an order, oldest first; with `after`, only what follows the line of that id, or all of it if the order has no
 * such line. Whoever writes a line holds the order's row, so that none ever appears before one that was read.
 */
export function loadTimeline(tx: Tx, orderId: string, after: string | null = null): Promise<TimelineLine[]> {
  return tx.$queryRaw<TimelineLine[]>`
    SELECT id, type, cause, data, at FROM order_events
    WHERE order_id = ${orderId}::uuid
      AND position > coalesce((SELECT position FROM order_events WHERE id = ${after}::uuid AND order_id = ${orderId}::uuid), 0)
    ORDER BY position`;
}

/** The versions of orders, whoever they belong to, in one statement. */
export async function readVersions(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.order.findMany({ where: { id: { in: [...ids] } }, select: { id: true, version: true } });
  return new Map(rows.map(({ id, version }) => [id, version]));
}

function orderOf({ disputeStatus, disputeAmount, disputeReason, ...row }: OrderRow): Order {
  return {
    ...row,
    items: row.items.map(({ price, name, unitAmount, quantity }) => ({ price, name, unitAmount, quantity })),
    amount: Number(row.amount),
    amountCaptured: Number(row.amountCaptured),
    amountRefunded: Number(row.amountRefunded),
    amountRefundPending: Number(row.amountRefundPending),
    dispute: disputeStatus === null ? null : { status: disputeStatus, amount: Number(disputeAmount ?? 0), reason: disputeReason ?? '' },
  };
}
