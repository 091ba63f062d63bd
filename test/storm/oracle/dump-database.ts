import { type PostgresServer } from '../postgres-server.js';
import { type Dump, type EventRow, type KeyRow, type OperationRow, type OrderRow, type RefundRow, type TimelineRow } from './evidence.js';
import { publicIdOf } from './public-id.js';

/** Reads the tables of the database as they are. */
export async function dumpDatabase(postgres: PostgresServer): Promise<Dump> {
  const orders = await postgres.query<OrderRow>(
    `SELECT o.id, o.account_id AS account, o.status, o.amount::float8 AS amount, o.currency, o.amount_captured::float8 AS captured,
       o.amount_refunded::float8 AS refunded, o.amount_refund_pending::float8 AS "refundPending", o.checkout, p.status AS payment,
       p.stripe_payment_intent_id AS intent, p.checkout_session_id AS session, o.stripe_customer_id AS customer,
       o.stripe_dispute_id AS dispute, o.dispute_status AS "disputeStatus", o.dispute_amount::float8 AS "disputeAmount", o.dispute_reason AS "disputeReason"
     FROM orders o JOIN payments p ON p.order_id = o.id`,
  );
  const operations = await postgres.query<OperationRow>(
    'SELECT id, order_id AS order, kind, ordered_by AS "orderedBy", status, generation FROM payment_operations',
  );
  const refunds = await postgres.query<RefundRow>(
    'SELECT id, order_id AS order, amount::float8 AS amount, currency, status, stripe_refund_id AS "stripeId" FROM refunds',
  );
  const timeline = await postgres.query<TimelineRow>(
    `SELECT order_id AS order, type, cause, data ->> 'from' AS from, data ->> 'to' AS to, extract(epoch FROM at)::float8 * 1000 AS at,
       data ->> 'refund' AS refund, (data ->> 'amount')::float8 AS amount
     FROM order_events ORDER BY position`,
  );
  const keys = await postgres.query<KeyRow>(
    `SELECT account_id AS account, audience, key, status::int AS status, location, encode(sha256(convert_to(body, 'UTF8')), 'hex') AS digest FROM idempotency_keys`,
  );
  const events = await postgres.query<EventRow>('SELECT id, type, status, livemode FROM webhook_events');
  const outbox = await postgres.query<{ id: string; text: string }>('SELECT id, row_to_json(m)::text AS text FROM outbox m');
  const discrepancies = await postgres.query<{ text: string }>('SELECT row_to_json(d)::text AS text FROM discrepancies d');
  const ofOrder = <R extends { readonly order: string }>(row: R): R => ({ ...row, order: publicIdOf('ord', row.order) });
  return {
    orders: orders.map((row) => ({ ...row, id: publicIdOf('ord', row.id) })),
    operations: operations.map((row) => ({ ...ofOrder(row), id: publicIdOf('op', row.id) })),
    refunds: refunds.map((row) => ({ ...ofOrder(row), id: publicIdOf('ref', row.id) })),
    timeline: timeline.map(ofOrder),
    keys,
    events,
    outbox,
    discrepancies: discrepancies.map(({ text }) => text),
  };
}
