import { effect, publicId } from '#libs/primitives';
import { correlate } from '#libs/telemetry';
import { type CustomerObservation } from './customer-observation.js';
import { type DisputeObservation, judgeDispute } from './dispute-observation.js';
import { judge, type PaymentIntentObservation } from './observation.js';
import { type PaymentState } from './payment.js';
import { type Move, planChange, type SettledOperation } from './payment-change.js';
import { type Payments } from './payments.js';
import { commitChange, loadPayment, recordDiscrepancy } from './payments.store.js';
import { judgeRefund, type RefundObservation } from './refund-observation.js';
import { judgeSession, type SessionObservation } from './session-observation.js';

/** What Stripe said, and of what. */
export type Fact =
  | { readonly of: 'intent'; readonly seen: PaymentIntentObservation }
  | { readonly of: 'session'; readonly seen: SessionObservation }
  | { readonly of: 'refund'; readonly seen: RefundObservation }
  | { readonly of: 'dispute'; readonly seen: DisputeObservation }
  | { readonly of: 'customer'; readonly seen: CustomerObservation };

/** Something that was learned about a payment, and how. */
export interface Sighting {
  /** The payment as the caller has read it, which spares reading it again where nothing has moved since; null: it is read. */
  readonly payment: PaymentState | null;
  /** null when all we learned is how an operation of ours ended. */
  readonly fact: Fact | null;
  /** The version of the payment before Stripe was asked; null when nothing says how old the fact is. */
  readonly notedVersion: number | null;
  readonly cause: string;
  /** The operation whose answer this is. */
  readonly operation: SettledOperation | null;
}

/** What became of a sighting. `superseded`: the operation is another worker's now, which will learn the same. */
export type Observed =
  | { readonly result: 'known' | 'applied' | 'discrepancy'; readonly payment: PaymentState }
  | { readonly result: 'superseded' };

/**
 * The one door for facts: the answer of a Stripe call, a webhook and a read all pass here, and nothing else moves a
 * payment and its order by what Stripe says. Writes only from the version it decided on, and looks again when that has
 * passed. Safe to repeat: what is known already changes nothing.
 * Throws StripeFailure when it has to read and cannot.
 */
export function observe(payments: Payments, orderId: string, sighting: Sighting): Promise<Observed> {
  return correlate({ orderId: publicId('ord', orderId) }, () => weighAndWrite(payments, orderId, sighting));
}

async function weighAndWrite(
  payments: Payments,
  orderId: string,
  { payment: known, fact: told, notedVersion: noted, cause, operation }: Sighting,
): Promise<Observed> {
  const { database, gateway, clock, entropy, logger } = payments;
  const newId = (): string => entropy.uuid();
  let [seen, fact, notedVersion] = [known, told, noted];
  let refusedAtVersion: number | null = null;
  for (;;) {
    const payment = seen ?? (await loadPayment(database.autocommit, orderId));
    if (payment === null) throw new Error(`bug: there is no order ${orderId}`);
    seen = null;
    // Nothing but a lost fence can refuse a change computed from the version that still is.
    if (payment.version === refusedAtVersion) return { result: 'superseded' };
    // Whether a session reached its time or was ended before, only the present tells.
    if (fact?.of === 'session' && fact.seen.status === 'expired') await clock.refresh();
    const verdict = weigh(payment, fact, { isFresh: payment.version === notedVersion, now: clock.now(), newId });
    if (verdict.verdict === 'read') {
      notedVersion = payment.version;
      fact = await readAgain(gateway, payment, fact);
      continue;
    }
    // A contradiction with what was so before Stripe was asked may be none with what is so now.
    if (verdict.verdict === 'discrepancy' && payment === known) continue;
    if (verdict.verdict === 'discrepancy') await reportDiscrepancy(payments, payment, fact, verdict.kind);
    if (verdict.verdict !== 'apply' && operation === null) {
      logger.debug({ cause }, 'nothing moved: it was known');
      return { result: verdict.verdict === 'discrepancy' ? 'discrepancy' : 'known', payment };
    }
    const move = withOperation(
      payment,
      verdict.verdict === 'apply' ? verdict.move : {},
      verdict.verdict === 'discrepancy' ? parked(operation) : operation,
    );
    const { after, change } = planChange(payment, move, { cause, now: clock.now(), newId });
    if (await effect('worker.observation.commit', () => commitChange(database.autocommit, change))) {
      if (after.orderStatus !== payment.orderStatus)
        logger.info({ from: payment.orderStatus, to: after.orderStatus, cause }, 'an order moved');
      return {
        result: verdict.verdict === 'discrepancy' ? 'discrepancy' : verdict.verdict === 'apply' ? 'applied' : 'known',
        payment: after,
      };
    }
    refusedAtVersion = payment.version;
  }
}

/** Asks Stripe for the object that the fact is about; a session brings its intent along. A refund is ordered by its status, and is never asked for. */
async function readAgain(gateway: Payments['gateway'], payment: PaymentState, fact: Fact | null): Promise<Fact> {
  if (fact?.of === 'dispute') return { of: 'dispute', seen: await gateway.retrieveDispute(fact.seen.id) };
  const sessionId = payment.checkoutSessionId ?? (fact?.of === 'session' ? fact.seen.id : null);
  if (sessionId !== null) return { of: 'session', seen: await gateway.retrieveCheckoutSession(sessionId) };
  return { of: 'intent', seen: await gateway.retrievePaymentIntent(payment.stripePaymentIntentId ?? fact?.seen.id ?? '') };
}

type Weighed =
  | { readonly verdict: 'apply'; readonly move: Move }
  | { readonly verdict: 'same' | 'stale' | 'read' }
  | { readonly verdict: 'discrepancy'; readonly kind: string };

interface Circumstances {
  /** The fact was asked for after this very version of the payment was read. */
  readonly isFresh: boolean;
  readonly now: Date;
  readonly newId: () => string;
}

/** What a fact means for a payment, before anything is written. Pure. */
export function weigh(payment: PaymentState, fact: Fact | null, { isFresh, now, newId }: Circumstances): Weighed {
  if (fact === null) return { verdict: 'same' };
  if (fact.of === 'refund') {
    const ours = payment.operations.find(({ id }) => publicId('op', id) === fact.seen.operationId)?.refundId ?? null;
    const verdict = judgeRefund(payment, fact.seen, ours, newId);
    return verdict.verdict === 'apply' ? { verdict: 'apply', move: { refunds: [verdict.refund] } } : verdict;
  }
  if (fact.of === 'dispute') {
    const verdict = judgeDispute(payment, fact.seen, isFresh);
    return verdict.verdict === 'apply' ? { verdict: 'apply', move: { dispute: verdict.dispute } } : verdict;
  }
  // A customer is made once and never moves; the intent that follows names the first we knew.
  if (fact.of === 'customer')
    return payment.stripeCustomerId === null ? { verdict: 'apply', move: { stripeCustomerId: fact.seen.id } } : { verdict: 'same' };
  if (fact.of === 'intent' && isTellableBySession(payment, fact.seen)) return { verdict: 'read' };
  const verdict = fact.of === 'session' ? judgeSession(payment, fact.seen, isFresh, now) : judge(payment, fact.seen, isFresh);
  return verdict.verdict === 'apply'
    ? { verdict: 'apply', move: { facts: verdict.facts, amountCaptured: verdict.amountCaptured } }
    : verdict;
}

/** Whether an intent is the session's, and why one was canceled while the session's page was open, only the session tells. */
function isTellableBySession(
  { checkoutSessionId, stripePaymentIntentId, url }: PaymentState,
  { status }: PaymentIntentObservation,
): boolean {
  return checkoutSessionId !== null && (stripePaymentIntentId === null || (status === 'canceled' && url !== null));
}

/** Adds the end of an operation to what Stripe's object says. A refusal of the request itself shows in no object, so it is written down here. */
function withOperation(payment: PaymentState, move: Move, operation: SettledOperation | null): Move {
  if (operation === null) return move;
  const { kind, refundId } = payment.operations.find(({ id }) => id === operation.id) ?? { kind: null, refundId: null };
  const refused = operation.status === 'rejected' || operation.status === 'declined';
  const refund = payment.refunds.find(({ id }) => id === refundId);
  return {
    ...move,
    settled: [operation],
    ...(refused && refund !== undefined && move.refunds === undefined
      ? { refunds: [{ ...refund, status: 'failed', failureReason: operation.error?.code ?? 'rejected' }] }
      : {}),
    ...(operation.status === 'rejected' && (kind === 'customer' || kind === 'create' || kind === 'confirm')
      ? { facts: { ...move.facts, lastError: operation.error } }
      : {}),
  };
}

function parked(operation: SettledOperation | null): SettledOperation | null {
  return operation === null ? null : { ...operation, status: 'parked' };
}

async function reportDiscrepancy(
  { database, clock, entropy, logger }: Payments,
  payment: PaymentState,
  fact: Fact | null,
  kind: string,
): Promise<void> {
  if (fact === null || fact.of === 'customer') return;
  const { status, amount, currency, amountCaptured, stripePaymentIntentId, refunds } = payment;
  logger.error(
    { orderId: publicId('ord', payment.orderId), stripeObjectId: fact.seen.id, kind },
    'Stripe contradicts our record; a person must decide',
  );
  const found = {
    id: entropy.uuid(),
    kind,
    stripeObjectId: fact.seen.id,
    orderId: payment.orderId,
    ours: { status, amount, currency, amountCaptured, stripePaymentIntentId, refunds },
    stripes: { id: fact.seen.id, status: fact.seen.status, amount: fact.seen.amount, currency: fact.seen.currency },
    at: clock.now(),
  };
  await effect('worker.discrepancy.commit', () => recordDiscrepancy(database.autocommit, found));
}
