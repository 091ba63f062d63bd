import {
  Check,
  type Evidence,
  grouped,
  type OrderRow,
  type RefundRow,
  type StripeDispute,
  type StripeIntent,
  type StripeRefund,
  type Verdict,
} from './evidence.js';

/** R7: local state equals Stripe's for every object, both ways, and nothing is left to do. */
export function recordEqualsStripes({ dump, stripe }: Pick<Evidence, 'dump' | 'stripe'>): Verdict {
  const check = new Check('R7', "our record equals Stripe's, both ways");
  for (const discrepancy of dump.discrepancies) check.that(false, () => `a discrepancy was written: ${discrepancy}`);
  for (const { id, kind, status, order } of dump.operations)
    check.that(SETTLED.includes(status), () => `the operation ${id} (${kind} of ${order}) is still ${status}`);
  const intents = new Map(stripe.intents.map((intent) => [intent.id, intent]));
  const sessions = new Map(stripe.sessions.map((session) => [session.id, session]));
  const refunds = grouped(stripe.refunds, ({ payment_intent: intent }) => intent);
  const disputes = grouped(stripe.disputes, ({ payment_intent: intent }) => intent);
  const ours = grouped(dump.refunds, ({ order }) => order);
  for (const order of dump.orders) {
    const intent = order.intent === null ? null : (intents.get(order.intent) ?? null);
    if (intent === null) {
      const session = order.session === null ? null : sessions.get(order.session);
      const isFine = order.status === 'canceled' || (order.status === 'requires_payment' && session?.status === 'open');
      check.that(order.intent === null && isFine, () => `the order ${order.id} is ${order.status} without an intent at Stripe`);
      continue;
    }
    const theirs = refunds.get(intent.id) ?? [];
    check.that(
      isMirrored(order, intent, theirs),
      () => `the order ${order.id}: ours ${JSON.stringify(order)}, Stripe's ${JSON.stringify([intent, theirs])}`,
    );
    const own = (ours.get(order.id) ?? []).filter(isAtStripe).map(toldOurs).toSorted();
    const known = theirs.map(toldTheirs).toSorted();
    check.that(own.join() === known.join(), () => `refunds of the order ${order.id}: ours ${own.join()}, Stripe's ${known.join()}`);
    const opened = disputes.get(intent.id) ?? [];
    check.that(
      opened.length === 0 ? order.dispute === null : opened.some((dispute) => isMirroredDispute(order, dispute)),
      () => `the dispute of the order ${order.id}: ours ${JSON.stringify(order)}, Stripe's ${JSON.stringify(opened)}`,
    );
  }
  strangersAreNone(check, { dump, stripe });
  return check.verdict();
}

/** What Stripe has of ours must be in a row, but for what an earlier try left behind and nobody can pay by. */
function strangersAreNone(check: Check, { dump, stripe }: Pick<Evidence, 'dump' | 'stripe'>): void {
  const known = new Set(dump.orders.flatMap(({ intent, session, customer }) => [intent, session, customer]));
  for (const { id, status, metadata } of stripe.intents)
    check.that(
      known.has(id) || status === 'canceled',
      () => `the intent ${id} (${status}) of ${metadata['oncepay_order']} is in no row of ours`,
    );
  for (const { id, status, metadata } of stripe.sessions)
    check.that(
      known.has(id) || status === 'expired',
      () => `the session ${id} (${status}) of ${metadata['oncepay_order']} is in no row of ours`,
    );
  for (const { id, metadata } of stripe.customers)
    check.that(known.has(id), () => `the customer ${id} of ${metadata['oncepay_order']} is in no row of ours`);
  const customers = new Set(stripe.customers.map(({ id }) => id));
  for (const { id, customer } of dump.orders)
    if (customer !== null) check.that(customers.has(customer), () => `the customer ${customer} of the order ${id} is not Stripe's`);
}

const SETTLED = ['done', 'declined', 'rejected', 'withdrawn'];

function isMirrored(order: OrderRow, intent: StripeIntent, refunds: readonly StripeRefund[]): boolean {
  const refunded = sum(refunds, ['succeeded']);
  return (
    order.payment === intent.status &&
    order.captured === intent.amount_received &&
    order.amount === intent.amount &&
    order.currency === intent.currency &&
    order.refunded === refunded &&
    order.refundPending === sum(refunds, ['pending', 'requires_action']) &&
    order.status === statusFrom(order, intent, refunded)
  );
}

function isMirroredDispute(order: OrderRow, { id, status, amount, reason }: StripeDispute): boolean {
  return order.dispute === id && order.disputeStatus === status && order.disputeAmount === amount && order.disputeReason === reason;
}

/** One of ours that Stripe refused has never been there. */
function isAtStripe({ stripeId, status }: RefundRow): boolean {
  return stripeId !== null || status !== 'failed';
}

function toldOurs({ stripeId, amount, currency, status }: RefundRow): string {
  return `${stripeId} ${amount} ${currency} ${status}`;
}

function toldTheirs({ id, amount, currency, status }: StripeRefund): string {
  return `${id} ${amount} ${currency} ${status}`;
}

function sum(refunds: readonly StripeRefund[], statuses: readonly string[]): number {
  return refunds.filter(({ status }) => statuses.includes(status ?? '')).reduce((total, { amount }) => total + amount, 0);
}

/** The published table, from what Stripe says alone: nothing of ours is open any more. */
function statusFrom({ checkout }: OrderRow, { status, amount_received: captured }: StripeIntent, refunded: number): string {
  switch (status) {
    case 'requires_payment_method':
    case 'requires_confirmation':
      return 'requires_payment';
    case 'requires_action':
      return checkout === 'hosted' ? 'requires_payment' : 'requires_action';
    case 'requires_capture':
      return 'authorized';
    case 'succeeded':
      return refunded === 0 ? 'paid' : refunded < captured ? 'partially_refunded' : 'refunded';
    default:
      return status;
  }
}
