import { uuidOf } from '#libs/primitives';
import { isFinal, type PaymentIntentObservation } from './observation.js';
import { type Fact, observe } from './observe.js';
import { isUnconfirmed } from './orphan.js';
import { requestOf } from './operations.store.js';
import { type PaymentState } from './payment.js';
import { type Payments } from './payments.js';
import { findPaymentByIntent, findPaymentByOperation, findPaymentBySession } from './payments.store.js';
import { StripeFailure } from './stripe/stripe-failure.js';
import { type EventHint, readCheckoutSession, readDispute, readHint, readPaymentIntent, readRefund } from './stripe/stripe-objects.js';

/**
 * What became of an object that an event spoke of. `unknown`: ours by its metadata, but its row is not there yet.
 * `orphan`: an earlier generation of a create left it behind, and no money hangs on it. `unreadable`: it is not the object it should be.
 */
export type EventObserved = 'applied' | 'known' | 'discrepancy' | 'unknown' | 'foreign' | 'orphan' | 'unreadable';

/** No event speaks of a customer to us: what we know of one is the answer of our own call. */
type EventFact = Exclude<Fact, { readonly of: 'customer' }>;

/** Brings what an event says of an object through the one door, if the object is ours. Safe to repeat. Throws StripeFailure. */
export async function observeEvent(
  payments: Payments,
  instance: string,
  subject: EventFact['of'],
  object: unknown,
  cause: string,
): Promise<EventObserved> {
  const fact = factOf(subject, object);
  if (fact === null) return observeHint(payments, instance, readHint(subject, object), cause);
  const payment = await paymentOf(payments, instance, fact, cause);
  if (payment === 'foreign' || payment === 'unknown' || payment === 'orphan') return payment;
  // Only what was paid is returned: we have missed the payment, and what is returned of it is no news of it.
  const missed = fact.of === 'refund' && !isFinal(payment.status) ? fact.seen.paymentIntentId : null;
  if (missed !== null) await observeIntent(payments, payment, missed, cause);
  const seen = missed === null ? payment : null;
  const observed = await observe(payments, payment.orderId, { payment: seen, fact, notedVersion: null, cause, operation: null });
  return observed.result === 'superseded' ? 'known' : observed.result;
}

/** Asks Stripe for the intent of a payment and brings the answer through the door. */
async function observeIntent(
  payments: Payments,
  payment: PaymentState,
  intentId: string,
  cause: string,
): Promise<'known' | 'applied' | 'discrepancy'> {
  const fact: Fact = { of: 'intent', seen: await payments.gateway.retrievePaymentIntent(intentId) };
  const observed = await observe(payments, payment.orderId, {
    payment: null,
    fact,
    notedVersion: payment.version,
    cause,
    operation: null,
  });
  return observed.result === 'superseded' ? 'known' : observed.result;
}

/**
 * An object that says too little, or what this version does not understand, still names its intent: whose that is decides, and of an intent of
 * ours Stripe is asked. A refund or dispute of ours is left to a person.
 */
async function observeHint(payments: Payments, instance: string, hint: EventHint | null, cause: string): Promise<EventObserved> {
  if (hint === null) return 'unreadable';
  const { of, intentId } = hint;
  if (intentId === null) return 'foreign';
  const payment = await findPaymentByIntent(payments.database.autocommit, intentId);
  if (payment !== null) return of === 'intent' ? observeIntent(payments, payment, intentId, cause) : 'unreadable';
  // Ours by its own metadata, or by the intent's: an intent that names another is not asked once more.
  const isTold = hint.instance === instance || (of === 'intent' && hint.instance !== null);
  const owner = isTold ? hint.instance : (await readOnce(payments, intentId))?.instance;
  return owner === instance ? 'unknown' : 'foreign';
}

function factOf(subject: EventFact['of'], object: unknown): EventFact | null {
  switch (subject) {
    case 'intent': {
      const seen = readPaymentIntent(object);
      return seen === null ? null : { of: 'intent', seen };
    }
    case 'session': {
      const seen = readCheckoutSession(object);
      return seen === null ? null : { of: 'session', seen };
    }
    case 'refund': {
      const seen = readRefund(object);
      return seen === null ? null : { of: 'refund', seen };
    }
    case 'dispute': {
      const seen = readDispute(object);
      return seen === null ? null : { of: 'dispute', seen };
    }
  }
}

/**
 * The payment that a fact is about, by what we know of Stripe's ids; `unknown`: ours by its metadata all the same. Where money of an intent
 * that only its session knew tells of it first, the intent is brought through the door before.
 */
async function paymentOf(
  payments: Payments,
  instance: string,
  fact: EventFact,
  cause: string,
): Promise<PaymentState | 'unknown' | 'foreign' | 'orphan'> {
  const tx = payments.database.autocommit;
  if (fact.of === 'session') {
    const known = await findPaymentBySession(tx, fact.seen.id);
    return known ?? (fact.seen.instance === instance ? payingBySession(payments, fact.seen.operationId) : 'foreign');
  }
  const intentId = fact.of === 'intent' ? fact.seen.id : fact.seen.paymentIntentId;
  // A refund or dispute of a charge that has no intent was never ours.
  if (intentId === null) return 'foreign';
  const known = await findPaymentByIntent(tx, intentId);
  if (known !== null) return known;
  // Ours by its own metadata: whose the intent is need not be asked, and its payment has yet to know the intent.
  if (fact.of !== 'intent' && fact.seen.instance === instance) return 'unknown';
  // Else the intent's metadata tells; where the event does not carry the intent, it is read once.
  const intent = fact.of === 'intent' ? fact.seen : await readOnce(payments, intentId);
  if (intent?.instance !== instance) return 'foreign';
  const payment = await payingWithout(payments, intent);
  if (fact.of === 'intent' || payment === 'unknown' || payment === 'orphan') return payment;
  // A session tells us late of its intent, or not at all; what happened to the intent's money tells of it as well.
  await observeIntent(payments, payment, intentId, cause);
  return (await findPaymentByIntent(tx, intentId)) ?? 'unknown';
}

/** An intent our account does not have is nobody's order here. */
async function readOnce({ gateway }: Payments, intentId: string): Promise<PaymentIntentObservation | null> {
  return gateway.retrievePaymentIntent(intentId).catch((error: unknown) => {
    if (error instanceof StripeFailure && error.httpStatus === 404) return null;
    throw error;
  });
}

/** An intent of ours that is no payment's is the one of a session, or was left behind; else its payment does not know it yet. */
async function payingWithout(
  payments: Payments,
  { id, status, operationId }: PaymentIntentObservation,
): Promise<PaymentState | 'unknown' | 'orphan'> {
  const payment = await findOrderedBy(payments, operationId);
  if (payment === null) return 'unknown';
  if (payment.checkoutSessionId !== null) return payment;
  if (payment.stripePaymentIntentId === null || payment.stripePaymentIntentId === id) return 'unknown';
  // Money that moved where none should have is a contradiction, which the door writes down.
  return isUnconfirmed(status) || status === 'canceled' ? 'orphan' : payment;
}

/** A session makes its intent without telling us; both carry the metadata of the operation that ordered the session. */
async function payingBySession(payments: Payments, operationId: string | null): Promise<PaymentState | 'unknown'> {
  const payment = await findOrderedBy(payments, operationId);
  return payment !== null && payment.checkoutSessionId !== null ? payment : 'unknown';
}

/** The payment that the operation named in an object's metadata was ordered for. */
export async function findOrderedBy({ database }: Pick<Payments, 'database'>, operationId: string | null): Promise<PaymentState | null> {
  const id = operationId === null ? null : uuidOf('op', operationId);
  return id === null ? null : findPaymentByOperation(database.autocommit, id);
}

/** The X-Request-Id of the command behind an object at Stripe, by the operation that its metadata names; null where nobody's is. */
export async function findRequest({ database }: Pick<Payments, 'database'>, object: unknown): Promise<string | null> {
  const operationId = orderingOperation(object);
  const id = operationId === null ? null : uuidOf('op', operationId);
  return id === null ? null : requestOf(database.autocommit, id);
}

function orderingOperation(object: unknown): string | null {
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return null;
  const { metadata } = object;
  if (typeof metadata !== 'object' || metadata === null || !('oncepay_operation' in metadata)) return null;
  const { oncepay_operation: operationId } = metadata;
  return typeof operationId === 'string' ? operationId : null;
}
