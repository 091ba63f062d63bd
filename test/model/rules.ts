import assert from 'node:assert/strict';
import { type Stripe } from 'stripe';
import { ORDER_TRANSITIONS } from '#libs/payments';
import { uuidOf } from '#libs/primitives';
import { type RefundJson, refundsOf } from '../support/commands.js';
import { follow, PAYMENT_MOVES } from '../support/invariants.js';
import { waitFor } from '../support/wait-for.js';
import { type Model, type ModelOrder, type OrderSeen } from './model.js';
import { type Sequence } from './sequence.js';

/** R7: local state equals Stripe's. How soon is for the flows: this machine may be ten times too busy. */
const MIRRORED_WITHIN_MS = 90_000;

/** The expiry looks before it cancels; what is authorized between the two was not there when it looked. */
const MOMENT_SECONDS = 2;

/** What Stripe has of one order. */
interface Truth {
  /** The Checkout Session of a hosted order. */
  readonly session: Stripe.Checkout.Session | null;
  readonly intent: Stripe.PaymentIntent | null;
  readonly charges: readonly Stripe.Charge[];
  readonly refunds: readonly Stripe.Refund[];
  readonly disputes: readonly Stripe.Dispute[];
}

/** Asserts the rules of the contract for a sequence whose troubles are over. */
export async function assertRulesHoldFor(sequence: Sequence, model: Model): Promise<void> {
  const intents = await sequence.intents();
  for (const target of model.orders) {
    const { id, amount, refunds } = target;
    const made = intents.filter(({ metadata }) => metadata['oncepay_order'] === id).map((intent) => intent.id);
    await assertChargedAtMostOnce(sequence, made, amount);
    await assertMirrored(sequence, target);
    await assertNothingIsLeftOpen(sequence, id, made);
    await assertRefundsFit(sequence, id, refunds);
    await assertReservationsFitted(sequence, id);
    await assertOneAfterAnother(sequence, id);
    await assertTimelineLeads(sequence, id);
  }
  await assertOneCustomerAnOrder(sequence);
  await assertEventsAddUp(sequence);
  await assertAnswersStay(sequence);
}

/** R7, once everything was heard and nothing is under way. `hearNews` tells our side what has happened at Stripe meanwhile. */
export async function assertMirrored(
  sequence: Sequence,
  target: ModelOrder,
  hearNews: () => Promise<void> = async () => undefined,
): Promise<void> {
  await waitFor(
    `order ${target.id} to equal Stripe's`,
    async () => {
      await hearNews();
      const differences = await differencesOf(sequence, target);
      if (differences.length === 0) return true;
      throw new Error(differences.join('; '));
    },
    MIRRORED_WITHIN_MS,
  );
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

/** Who keeps the card of an order is made once, whatever was lost. */
async function assertOneCustomerAnOrder({ stack, orderIds, startedAt }: Sequence): Promise<void> {
  const all = await stack.stripe.customers.list({ limit: 100, created: { gte: startedAt } }).autoPagingToArray({ limit: 5_000 });
  for (const id of orderIds) {
    const made = all.filter(({ metadata }) => metadata['oncepay_order'] === id);
    assert.ok(made.length <= 1, `${made.length} customers were made for ${id}`);
  }
}

/** R7: in what our record of an order differs from Stripe's. */
async function differencesOf(sequence: Sequence, target: ModelOrder): Promise<readonly string[]> {
  const { order } = await sequence.read(target.id);
  const [truth, refunds, parked] = await Promise.all([
    truthOf(sequence, order),
    refundsOf(sequence.stack, target.id),
    parkedOf(sequence, target.id),
  ]);
  const differences: string[] = [];
  const compare: Compare = (what, ours, stripes) => {
    if (JSON.stringify(ours) !== JSON.stringify(stripes))
      differences.push(`${what}: ours ${JSON.stringify(ours)}, Stripe's ${JSON.stringify(stripes)}`);
  };
  const { session, intent } = truth;
  if (intent === null && session === null) {
    if (parked.length === 0 && !['canceled', 'failed'].includes(order.status)) differences.push(`${order.status} without an intent`);
    return differences;
  }
  compare('page', order.payment.url, session?.url ?? null);
  compare('payment', order.payment.status, intent?.status ?? (session?.status === 'open' ? 'requires_payment_method' : 'canceled'));
  compare('intent', order.payment.stripePaymentIntentId, intent?.id ?? null);
  compare('captured', order.amountCaptured, intent?.amount_received ?? 0);
  if (intent?.status === 'succeeded') compare('captured as ordered', order.amountCaptured, target.captured ?? order.amount);
  compareRefunds({ order, refunds, truth, parked }, compare);
  compare('next action', order.payment.nextAction?.type ?? null, intent?.next_action?.type ?? null);
  const { lastError } = order.payment;
  const error = intent?.last_payment_error;
  // Elsewhere the attempt that counts is a later one.
  if (order.status === 'requires_payment')
    compare('error', [lastError?.code ?? null, lastError?.declineCode ?? null], [error?.code ?? null, error?.decline_code ?? null]);
  const [dispute] = truth.disputes;
  compare(
    'dispute',
    order.dispute,
    dispute === undefined ? null : { status: dispute.status, amount: dispute.amount, reason: dispute.reason },
  );
  compare('customer', order.customer?.stripeCustomerId ?? null, intent?.customer ?? session?.customer ?? null);
  if (parked.length > 0) return differences;
  const expected = statusesFrom(truth, target, order, await sequence.nowAtStripe());
  if (!expected.includes(order.status)) compare('order', order.status, expected.join(' or '));
  if (order.payment.pendingOperation !== null) differences.push(`${order.payment.pendingOperation} is still pending`);
  return differences;
}

type Compare = (what: string, ours: unknown, stripes: unknown) => void;

interface Refunded {
  readonly order: OrderSeen;
  readonly refunds: readonly RefundJson[];
  readonly truth: Truth;
  readonly parked: readonly Parked[];
}

/** An operation that waits for a person. */
interface Parked {
  /** Of the refund that it was to make. */
  readonly refundId: string | null;
}

function compareRefunds({ order, refunds, truth, parked }: Refunded, compare: Compare): void {
  compare('refunded', order.amountRefunded, sumOf(truth.refunds, 'succeeded'));
  // What nobody knows the outcome of keeps its reservation.
  if (parked.length === 0) compare('refund pending', order.amountRefundPending, sumOf(truth.refunds, 'pending', 'requires_action'));
  compare(
    'refunds',
    mirrored(refunds, parked),
    truth.refunds.map(({ id, amount, status }) => [id, amount, status === 'requires_action' ? 'pending' : status]).toSorted(byFirst),
  );
}

function sumOf(refunds: readonly Stripe.Refund[], ...statuses: readonly string[]): number {
  return refunds.filter(({ status }) => statuses.includes(status ?? '')).reduce((total, { amount }) => total + amount, 0);
}

async function truthOf(sequence: Sequence, { id: orderId, payment }: OrderSeen): Promise<Truth> {
  const { stripe } = sequence.stack;
  const sessions = (await sequence.sessions()).filter(({ metadata }) => metadata?.['oncepay_order'] === orderId);
  assert.ok(sessions.length <= 1, `${sessions.length} sessions were made for ${orderId}`);
  const session = sessions[0] ?? null;
  const id = typeof session?.payment_intent === 'string' ? session.payment_intent : payment.stripePaymentIntentId;
  if (id === null) return { session, intent: null, charges: [], refunds: [], disputes: [] };
  const query = { payment_intent: id, limit: 100 };
  const [intent, charges, refunds, disputes] = await Promise.all([
    stripe.paymentIntents.retrieve(id),
    stripe.charges.list(query),
    stripe.refunds.list(query),
    stripe.disputes.list(query),
  ]);
  return { session, intent, charges: charges.data, refunds: refunds.data, disputes: disputes.data };
}

/** The published table, from what Stripe says; nothing of ours is open any more. */
function statusesFrom(
  { session, intent, refunds }: Truth,
  { isCancelAccepted, isExpiredThere }: ModelOrder,
  { expiresAt }: OrderSeen,
  now: Date,
): readonly string[] {
  if (session?.status === 'open') return ['requires_payment'];
  if (session?.status === 'expired') {
    // A session does not say who ended it. Before its time, and before the order's, that was never us.
    if (now < new Date(expiresAt) && now < new Date(session.expires_at * 1_000)) return ['canceled'];
    return isCancelAccepted || isExpiredThere ? ['expired', 'canceled'] : ['expired'];
  }
  const refunded = sumOf(refunds, 'succeeded');
  assert.ok(intent !== null);
  switch (intent.status) {
    case 'requires_payment_method':
    case 'requires_confirmation':
      return ['requires_payment'];
    case 'requires_capture':
      return ['authorized'];
    case 'succeeded':
      return [refunded === 0 ? 'paid' : refunded < intent.amount_received ? 'partially_refunded' : 'refunded'];
    case 'canceled':
      // Only our expiry gives this reason here.
      return [intent.cancellation_reason === 'abandoned' ? 'expired' : 'canceled'];
    case 'processing':
    case 'requires_action':
      return [intent.status];
    default:
      throw new Error(`Stripe has a new word: ${intent.status}`);
  }
}

/** Ours that Stripe refused to make have no id there, and those that are parked may have none. */
function mirrored(refunds: readonly RefundJson[], parked: readonly Parked[]): readonly (readonly unknown[])[] {
  const isParked = ({ id }: RefundJson): boolean => parked.some(({ refundId }) => refundId === uuidOf('ref', id));
  const made = refunds.filter((refund) => refund.stripeRefundId !== null || (refund.status !== 'failed' && !isParked(refund)));
  return made.map(({ stripeRefundId, amount, status }) => [stripeRefundId, amount, status]).toSorted(byFirst);
}

function byFirst([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

/** What nobody could learn of for 72 hours waits for a person, its reservation kept. */
function parkedOf({ stack }: Sequence, orderId: string): Promise<readonly Parked[]> {
  return stack.database.query(`SELECT refund_id AS "refundId" FROM payment_operations WHERE order_id = $1::uuid AND status = 'parked'`, [
    uuidOf('ord', orderId),
  ]);
}

/** R6: of the refunds we were asked for, those that did not fail fit into what was captured, and each was carried out once at most. */
async function assertRefundsFit(sequence: Sequence, orderId: string, accepted: ModelOrder['refunds']): Promise<void> {
  const [{ order }, refunds] = await Promise.all([sequence.read(orderId), refundsOf(sequence.stack, orderId)]);
  for (const { id, amount } of accepted)
    assert.equal(refunds.find((refund) => refund.id === id)?.amount, amount, `refund ${id} is another`);
  const isOurs = ({ id }: RefundJson): boolean => accepted.some((refund) => refund.id === id);
  const reserved = refunds.filter((refund) => isOurs(refund) && (refund.status === 'pending' || refund.status === 'succeeded'));
  const sum = reserved.reduce((total, { amount }) => total + amount, 0);
  assert.ok(sum <= order.amountCaptured, `${sum} ordered to be refunded of ${order.amountCaptured} captured`);
  const { refunds: made } = await truthOf(sequence, order);
  const orderedBy = made.flatMap(({ metadata }) => metadata?.['oncepay_operation'] ?? []);
  assert.equal(new Set(orderedBy).size, orderedBy.length, `a refund of ${orderId} was carried out twice`);
  assert.ok(orderedBy.length <= accepted.length, `${orderedBy.length} refunds were made of ${accepted.length} ordered`);
}

/** R6, at the moment of each reservation: what we ordered then fitted beside all that was known of other refunds. */
async function assertReservationsFitted({ stack }: Sequence, orderId: string): Promise<void> {
  const events = await stack.database.query<{ cause: string; refund: string; to: string; amount: number; captured: number }>(
    `SELECT e.cause, e.data ->> 'refund' AS refund, e.data ->> 'to' AS to, (e.data ->> 'amount')::int AS amount, o.amount_captured::int AS captured
     FROM order_events e JOIN orders o ON o.id = e.order_id WHERE o.id = $1::uuid AND e.type LIKE 'refund.%' ORDER BY e.position`,
    [uuidOf('ord', orderId)],
  );
  const held = new Map<string, number>();
  for (const { cause, refund, to, amount, captured } of events) {
    held.set(refund, to === 'pending' || to === 'succeeded' ? amount : 0);
    const sum = [...held.values()].reduce((total, part) => total + part, 0);
    if (cause === 'command:refund') assert.ok(sum <= captured, `${sum} reserved of ${captured} captured when ${refund} was ordered`);
  }
}

/** What is canceled without an intent has none at Stripe that anybody could pay; what has expired was not authorized when it was canceled. */
async function assertNothingIsLeftOpen(sequence: Sequence, orderId: string, intentIds: readonly string[]): Promise<void> {
  const { order } = await sequence.read(orderId);
  const { intent, session, charges } = await truthOf(sequence, order);
  const hasEnded = order.status === 'canceled' || order.status === 'failed';
  if (hasEnded && intent === null && session === null) assert.deepEqual(intentIds, [], `${orderId} is ${order.status}`);
  if (order.status !== 'expired' || intent?.canceled_at == null) return;
  for (const { id, status, created } of charges) {
    const wasHeldFor = intent.canceled_at - created;
    assert.ok(status !== 'succeeded' || wasHeldFor <= MOMENT_SECONDS, `${orderId} expired ${wasHeldFor} s after ${id} was authorized`);
  }
}

/** Commands on a payment: none is ordered while an earlier one is open. */
async function assertOneAfterAnother({ stack }: Sequence, orderId: string): Promise<void> {
  const overlapping = await stack.database.query(
    `SELECT op.ordered_by, op.created_at, earlier.kind, earlier.status, earlier.finished_at FROM payment_operations op
     JOIN payment_operations earlier ON earlier.payment_id = op.payment_id AND earlier.sequence < op.sequence
     WHERE op.order_id = $1::uuid AND op.ordered_by <> 'create' AND op.kind NOT IN ('refund', 'cancel_orphan')
       AND earlier.kind NOT IN ('refund', 'cancel_orphan') AND (earlier.finished_at IS NULL OR earlier.finished_at > op.created_at)`,
    [uuidOf('ord', orderId)],
  );
  assert.deepEqual(overlapping, [], `commands on ${orderId} overlap`);
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
    ORDER_TRANSITIONS,
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
