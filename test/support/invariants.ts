import assert from 'node:assert/strict';
import { ORDER_TRANSITIONS } from '#libs/payments';
import { type TestDatabase } from './database.js';
import { type Stack } from './stack.js';
import { waitFor } from './wait-for.js';

/** To where Stripe's word for a payment may move. Source: docs.stripe.com/payments/paymentintents/lifecycle. */
export const PAYMENT_MOVES: Readonly<Record<string, readonly string[]>> = {
  pending: [
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    'processing',
    'requires_capture',
    'succeeded',
    'canceled',
  ],
  requires_payment_method: ['requires_confirmation', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'canceled'],
  requires_confirmation: ['requires_payment_method', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'canceled'],
  requires_action: ['requires_payment_method', 'requires_confirmation', 'processing', 'requires_capture', 'succeeded', 'canceled'],
  processing: ['requires_payment_method', 'requires_action', 'requires_capture', 'succeeded', 'canceled'],
  requires_capture: ['succeeded', 'canceled'],
};

/** What a line of the timeline says of its cause. */
export const CAUSE = /^(command:[a-z]+|operation:op_[0-7][0-9a-hjkmnp-tv-z]{25}|webhook:evt_\w+|reconciliation:\w+|expiry)$/;

/** Writes down every outbox row that is ever inserted from now on; they live for milliseconds. */
export async function keepOutbox({ query }: TestDatabase): Promise<void> {
  await query('CREATE TABLE outbox_seen (kind text, payload jsonb)');
  await query(
    'CREATE FUNCTION see_outbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO outbox_seen VALUES (NEW.kind, NEW.payload); RETURN NEW; END $$',
  );
  await query('CREATE TRIGGER see AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION see_outbox()');
}

/** Waits until nothing is left to do, then asserts the rules of the contract that can be read from the database and the simulator. */
export async function assertRulesHold(stack: Stack): Promise<void> {
  await settled(stack);
  await assertOneChargeAnOrder(stack);
  await assertMirrored(stack);
  await assertTimelines(stack.database);
  await assertNoSecrets(stack.database);
}

/** R9, R10: the outbox drains, every event of Stripe arrives and ends, and no operation is left but those that wait for a person. */
async function settled({ database, stripe }: Stack): Promise<void> {
  await waitFor('the outbox to drain, every event to end and every operation to be finished', async () => {
    const [row] = await database.query<{ left: number }>(
      `SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM webhook_events WHERE status NOT IN ('applied', 'ignored', 'parked'))
         + (SELECT count(*) FROM payment_operations op WHERE status IN ('queued', 'in_flight', 'unknown') AND NOT EXISTS (
             SELECT 1 FROM payment_operations parked WHERE parked.payment_id = op.payment_id AND parked.status = 'parked' AND parked.sequence < op.sequence)) AS left`,
    );
    if (Number(row?.left) !== 0) throw new Error(`${row?.left} left`);
    // Hundreds, which take long to list: only once there is nothing else to wait for.
    const told = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 });
    const heard = new Set((await database.query<{ id: string }>('SELECT id FROM webhook_events')).map(({ id }) => id));
    const missing = told.filter(({ id }) => !heard.has(id));
    if (missing.length === 0) return true;
    throw new Error(`${missing.length} events not heard of`);
  });
}

/** R5: no order has two successful charges, and each is of the order's amount and currency. */
async function assertOneChargeAnOrder({ database, stripe }: Stack): Promise<void> {
  const charges = await stripe.charges.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 });
  const orders = await database.query<{ intent: string; amount: number; currency: string }>(
    `SELECT p.stripe_payment_intent_id AS intent, o.amount::int AS amount, o.currency FROM orders o JOIN payments p ON p.order_id = o.id`,
  );
  for (const { intent, amount, currency } of orders) {
    const succeeded = charges.filter((charge) => charge.payment_intent === intent && charge.status === 'succeeded');
    assert.ok(succeeded.length <= 1, `${intent} was charged ${succeeded.length} times`);
    for (const charge of succeeded) assert.deepEqual([charge.amount, charge.currency], [amount, currency]);
  }
}

/** R7: our record equals Stripe's, for every object of ours, in both directions. */
async function assertMirrored({ database, stripe }: Stack): Promise<void> {
  const [theirs, ours] = await Promise.all([
    stripe.paymentIntents.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 }),
    database.query<{ id: string; status: string; received: number }>(
      `SELECT p.stripe_payment_intent_id AS id, p.status, o.amount_captured::int AS received FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.stripe_payment_intent_id IS NOT NULL ORDER BY 1`,
    ),
  ]);
  const seen = theirs
    .filter(({ metadata }) => metadata['oncepay_instance'] === 'tests')
    .map(({ id, status, amount_received: received }) => ({ id, status, received }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(
    ours.map((row) => ({ ...row })).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    seen,
  );
}

/** R8, R11: every timeline leads along the published tables without a gap, from the creation to what the order is now. */
async function assertTimelines({ query }: TestDatabase): Promise<void> {
  const orders = await query<{ id: string; order: string; payment: string }>(
    'SELECT o.id, o.status AS order, p.status AS payment FROM orders o JOIN payments p ON p.order_id = o.id',
  );
  const events = await query<{ order_id: string; type: string; cause: string; at: Date; from: string | null; to: string | null }>(
    `SELECT order_id, type, cause, at, data ->> 'from' AS from, data ->> 'to' AS to FROM order_events ORDER BY position`,
  );
  for (const { id, order, payment } of orders) {
    const timeline = events.filter((event) => event.order_id === id);
    assert.equal(timeline[0]?.type, 'order.created');
    assert.deepEqual(
      timeline.map(({ at }) => at.getTime()).toSorted((a, b) => a - b),
      timeline.map(({ at }) => at.getTime()),
    );
    for (const { cause, type, to } of timeline) {
      assert.match(cause, CAUSE);
      if (to !== null && type !== 'order.created') assert.equal(type.split('.')[1], to);
    }
    follow(
      timeline.filter(({ type }) => type.startsWith('order.')),
      ORDER_TRANSITIONS,
      timeline[0].to,
      order,
    );
    follow(
      timeline.filter(({ type }) => type.startsWith('payment.')),
      PAYMENT_MOVES,
      'pending',
      payment,
    );
  }
}

/** Asserts that a timeline leads from `start` to `end` along the moves, without a gap. */
export function follow(
  events: readonly { type: string; from: string | null; to: string | null }[],
  moves: Readonly<Record<string, readonly string[]>>,
  start: string | null,
  end: string,
): void {
  let status = start ?? 'nothing';
  for (const { type, from, to } of events) {
    if (type === 'order.created') continue;
    assert.equal(from, status, `${type} starts elsewhere`);
    assert.ok(to !== null && moves[status]?.includes(to), `${status} may not become ${to}`);
    status = to;
  }
  assert.equal(status, end, 'the timeline does not lead to what is');
}

/** R12, as far as it can be read in the database: timelines and jobs carry ids and facts, never a secret, a key or an amount of money. */
async function assertNoSecrets({ query }: TestDatabase): Promise<void> {
  const texts = await query<{ text: string }>(
    `SELECT cause || data::text AS text FROM order_events UNION ALL SELECT last_error::text FROM payment_operations WHERE last_error IS NOT NULL`,
  );
  const secrets = await query<{ secret: string }>(
    'SELECT client_secret AS secret FROM orders UNION ALL SELECT stripe_client_secret FROM payments WHERE stripe_client_secret IS NOT NULL UNION ALL SELECT key FROM idempotency_keys',
  );
  const told = texts.map(({ text }) => text).join('\n');
  for (const { secret } of secrets) assert.ok(!told.includes(secret), `a timeline holds ${secret}`);
  const [jobs] = await query<{ present: boolean }>(`SELECT to_regclass('outbox_seen') IS NOT NULL AS present`);
  if (jobs?.present !== true) return;
  const payloads = await query<{ names: string }>(
    `SELECT DISTINCT (SELECT string_agg(name, ',') FROM jsonb_object_keys(payload) AS name) AS names FROM outbox_seen`,
  );
  for (const { names } of payloads) assert.match(names, /^[a-z]+Id$/);
}
