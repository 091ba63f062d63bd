import assert from 'node:assert/strict';
import { type Stripe } from 'stripe';
import { uuidOf } from '#libs/primitives';
import { type RefundJson, refundsOf } from '../support/commands.js';
import { follow, ORDER_MOVES, PAYMENT_MOVES } from '../support/invariants.js';
import { waitFor } from '../support/wait-for.js';
import { type Model, type OrderSeen } from './model.js';
import { type Sequence } from './sequence.js';

/** R7: local state equals Stripe's. How soon is for the flows: this machine may be ten times too busy. */
const MIRRORED_WITHIN_MS = 90_000;

/** What Stripe has of one order. */
interface Truth {
  readonly intent: Stripe.PaymentIntent | null;
  readonly charges: readonly Stripe.Charge[];
  readonly refunds: readonly Stripe.Refund[];
  readonly disputes: readonly Stripe.Dispute[];
}

/** Asserts the rules of the contract for a sequence whose troubles are over. */
export async function assertRulesHoldFor(sequence: Sequence, model: Model): Promise<void> {
  const intents = await sequence.intents();
  for (const { id, amount, refunds } of model.orders) {
    await assertChargedAtMostOnce(
      sequence,
      intents.filter(({ metadata }) => metadata['oncepay_order'] === id).map((intent) => intent.id),
      amount,
    );
    await waitFor(
      `order ${id} to equal Stripe's`,
      async () => {
        const differences = await differencesOf(sequence, id);
        if (differences.length === 0) return true;
        throw new Error(differences.join('; '));
      },
      MIRRORED_WITHIN_MS,
    );
    await assertRefundsFit(
      sequence,
      id,
      refunds.map((refund) => refund.id),
    );
    await assertTimelineLeads(sequence, id);
  }
  await assertEventsAddUp(sequence);
  await assertAnswersStay(sequence);
}

/** R5, of all intents that were ever made for the order. */
async function assertChargedAtMostOnce({ stack }: Sequence, intentIds: readonly string[], amount: number): Promise<void> {
  const lists = await Promise.all(intentIds.map((id) => stack.stripe.charges.list({ payment_intent: id, limit: 100 })));
  const succeeded = lists.flatMap(({ data }) => data).filter(({ status }) => status === 'succeeded' || status === 'pending');
  assert.ok(succeeded.length <= 1, `${intentIds.join()} were charged ${succeeded.length} times`);
  for (const charge of succeeded) {
    assert.deepEqual([charge.amount, charge.currency], [amount, 'usd']);
    assert.ok(charge.amount_captured <= amount, `${charge.id} captured ${charge.amount_captured}`);
  }
}

/** R7: in what our record of an order differs from Stripe's. */
async function differencesOf(sequence: Sequence, orderId: string): Promise<readonly string[]> {
  const { order } = await sequence.read(orderId);
  const [truth, refunds, parked] = await Promise.all([
    truthOf(sequence, order),
    refundsOf(sequence.stack, orderId),
    hasParked(sequence, orderId),
  ]);
  const sum = (list: readonly Stripe.Refund[], ...statuses: readonly string[]): number =>
    list.filter(({ status }) => statuses.includes(status ?? '')).reduce((total, { amount }) => total + amount, 0);
  const differences: string[] = [];
  const compare = (what: string, ours: unknown, stripes: unknown): void => {
    if (JSON.stringify(ours) !== JSON.stringify(stripes))
      differences.push(`${what}: ours ${JSON.stringify(ours)}, Stripe's ${JSON.stringify(stripes)}`);
  };
  if (truth.intent === null) {
    if (!parked && !['canceled', 'failed'].includes(order.status)) differences.push(`${order.status} without an intent`);
    return differences;
  }
  const [dispute] = truth.disputes;
  compare('payment', order.payment.status, truth.intent.status);
  compare('captured', order.amountCaptured, truth.intent.amount_received);
  compare('refunded', order.amountRefunded, sum(truth.refunds, 'succeeded'));
  compare('refund pending', parked ? null : order.amountRefundPending, parked ? null : sum(truth.refunds, 'pending', 'requires_action'));
  compare(
    'refunds',
    mirrored(refunds),
    truth.refunds.map(({ id, amount, status }) => [id, amount, status === 'requires_action' ? 'pending' : status]).toSorted(byFirst),
  );
  compare('next action', order.payment.nextAction?.type ?? null, truth.intent.next_action?.type ?? null);
  const { lastError } = order.payment;
  const { last_payment_error: error } = truth.intent;
  // Elsewhere the attempt that counts is a later one.
  if (order.status === 'requires_payment')
    compare('error', [lastError?.code ?? null, lastError?.declineCode ?? null], [error?.code ?? null, error?.decline_code ?? null]);
  compare(
    'dispute',
    order.dispute,
    dispute === undefined ? null : { status: dispute.status, amount: dispute.amount, reason: dispute.reason },
  );
  if (!parked) compare('order', order.status, statusFrom(truth.intent, sum(truth.refunds, 'succeeded'), order));
  if (!parked && order.payment.pendingOperation !== null) differences.push(`${order.payment.pendingOperation} is still pending`);
  return differences;
}

async function truthOf({ stack }: Sequence, { payment }: OrderSeen): Promise<Truth> {
  const id = payment.stripePaymentIntentId;
  if (id === null) return { intent: null, charges: [], refunds: [], disputes: [] };
  const query = { payment_intent: id, limit: 100 };
  const [intent, charges, refunds, disputes] = await Promise.all([
    stack.stripe.paymentIntents.retrieve(id),
    stack.stripe.charges.list(query),
    stack.stripe.refunds.list(query),
    stack.stripe.disputes.list(query),
  ]);
  return { intent, charges: charges.data, refunds: refunds.data, disputes: disputes.data };
}

/** The published table, from what Stripe says alone; nothing of ours is open any more. */
function statusFrom(intent: Stripe.PaymentIntent, refunded: number, { status }: OrderSeen): string {
  switch (intent.status) {
    case 'requires_payment_method':
    case 'requires_confirmation':
      return 'requires_payment';
    case 'requires_capture':
      return 'authorized';
    case 'succeeded':
      return refunded === 0 ? 'paid' : refunded < intent.amount_received ? 'partially_refunded' : 'refunded';
    case 'canceled':
      if (intent.cancellation_reason === 'abandoned') return 'expired';
      // Our expiry asked for it too, but somebody else was faster: both words are true.
      return status === 'expired' && intent.cancellation_reason !== 'requested_by_customer' ? 'expired' : 'canceled';
    case 'processing':
    case 'requires_action':
      return intent.status;
    default:
      throw new Error(`Stripe has a new word: ${intent.status}`);
  }
}

/** Ours that Stripe refused to make have no id there. */
function mirrored(refunds: readonly RefundJson[]): readonly (readonly unknown[])[] {
  const made = refunds.filter(({ stripeRefundId, status }) => stripeRefundId !== null || status !== 'failed');
  return made.map(({ stripeRefundId, amount, status }) => [stripeRefundId, amount, status]).toSorted(byFirst);
}

function byFirst([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

/** What nobody could learn of for 72 hours waits for a person, its reservation kept. */
async function hasParked({ stack }: Sequence, orderId: string): Promise<boolean> {
  const rows = await stack.database.query(`SELECT 1 FROM payment_operations WHERE order_id = $1::uuid AND status = 'parked'`, [
    uuidOf('ord', orderId),
  ]);
  return rows.length > 0;
}

/** R6: of the refunds we were asked for, those that did not fail fit into what was captured. */
async function assertRefundsFit(sequence: Sequence, orderId: string, accepted: readonly string[]): Promise<void> {
  const [{ order }, refunds] = await Promise.all([sequence.read(orderId), refundsOf(sequence.stack, orderId)]);
  for (const id of accepted) assert.ok(refunds.some((refund) => refund.id === id) || refunds.length >= 10, `refund ${id} vanished`);
  const reserved = refunds.filter(({ id, status }) => accepted.includes(id) && (status === 'pending' || status === 'succeeded'));
  const sum = reserved.reduce((total, { amount }) => total + amount, 0);
  assert.ok(sum <= order.amountCaptured, `${sum} ordered to be refunded of ${order.amountCaptured} captured`);
}

/** R8, R11. */
async function assertTimelineLeads({ stack }: Sequence, orderId: string): Promise<void> {
  const id = uuidOf('ord', orderId);
  const [order] = await stack.database.query<{ status: string; payment: string }>(
    'SELECT o.status, p.status AS payment FROM orders o JOIN payments p ON p.order_id = o.id WHERE o.id = $1::uuid',
    [id],
  );
  const events = await stack.database.query<{ type: string; from: string | null; to: string | null }>(
    `SELECT type, data ->> 'from' AS from, data ->> 'to' AS to FROM order_events WHERE order_id = $1::uuid ORDER BY position`,
    [id],
  );
  assert.ok(order);
  assert.equal(events[0]?.type, 'order.created');
  follow(
    events.filter(({ type }) => type.startsWith('order.')),
    ORDER_MOVES,
    events[0].to,
    order.status,
  );
  follow(
    events.filter(({ type }) => type.startsWith('payment.')),
    PAYMENT_MOVES,
    'pending',
    order.payment,
  );
}

/** R9, R10: nothing waits, nothing contradicts. */
async function assertEventsAddUp({ stack, orderIds }: Sequence): Promise<void> {
  await waitFor(
    'the inbox and the outbox to drain',
    async () => {
      const left = await stack.database.query<{ what: string }>(
        `SELECT type || ' ' || status || coalesce(' ' || note, '') AS what FROM webhook_events WHERE status NOT IN ('applied', 'ignored', 'parked') UNION ALL SELECT 'outbox ' || kind FROM outbox`,
      );
      if (left.length === 0) return true;
      throw new Error(left.map(({ what }) => what).join('; '));
    },
    MIRRORED_WITHIN_MS,
  );
  const found = await stack.database.query('SELECT kind, ours, stripes FROM discrepancies WHERE order_id = ANY ($1::uuid[])', [
    orderIds.map((id) => uuidOf('ord', id)),
  ]);
  assert.deepEqual(found, []);
}

/** R2, R3, R4: repeated, every command gets the bytes it got; another request under its key is refused. */
async function assertAnswersStay(sequence: Sequence): Promise<void> {
  const { stored } = sequence;
  for (const { path, key, body, answer } of stored) {
    const again = await sequence.ask(path, { method: 'POST', idempotencyKey: key, body });
    assert.deepEqual(
      [again.status, again.text, again.headers.get('Location'), again.headers.get('Idempotency-Replayed')],
      [answer.status, answer.text, answer.headers.get('Location'), 'true'],
      `POST ${path} ${JSON.stringify(body)}`,
    );
  }
  const last = stored.at(-1);
  if (last === undefined) return;
  const other = await sequence.ask(last.path, {
    method: 'POST',
    idempotencyKey: last.key,
    body: { ...last.body, reference: 'another request' },
  });
  assert.deepEqual([other.status, other.json['code']], [422, 'idempotency_key_reused']);
}
