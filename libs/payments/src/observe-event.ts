import { type PaymentIntentObservation } from './observation.js';
import { type Fact, observe } from './observe.js';
import { type Payments } from './payments.js';
import { findPaymentByIntent } from './payments.store.js';
import { readDispute, readPaymentIntent, readRefund } from './stripe/stripe-objects.js';

/**
 * What became of an object that an event spoke of. `unknown`: ours by its metadata, but its row is not there yet.
 * `unreadable`: it is not the object it should be.
 */
export type EventObserved = 'applied' | 'known' | 'discrepancy' | 'unknown' | 'foreign' | 'unreadable';

/** No event speaks of a customer to us: what we know of one is the answer of our own call. */
type EventFact = Exclude<Fact, { readonly of: 'customer' }>;

/** Brings what an event says of an object through the one door, if the object is ours. Safe to repeat. Throws StripeFailure. */
export async function observeEvent(payments: Payments, instance: string, subject: EventFact['of'], object: unknown, cause: string): Promise<EventObserved> {
  const fact = factOf(subject, object);
  if (fact === null) return 'unreadable';
  const intentId = fact.of === 'intent' ? fact.seen.id : fact.seen.paymentIntentId;
  // A refund or dispute of a charge that has no intent was never ours.
  if (intentId === null) return 'foreign';
  const payment = await findPaymentByIntent(payments.database.autocommit, intentId);
  if (payment === null) return (await isOurs(payments, instance, intentId, fact)) ? 'unknown' : 'foreign';
  const observed = await observe(payments, payment.orderId, { fact, notedVersion: null, cause, operation: null });
  return observed.result === 'superseded' ? 'known' : observed.result;
}

function factOf(subject: EventFact['of'], object: unknown): EventFact | null {
  switch (subject) {
    case 'intent': {
      const seen = readPaymentIntent(object);
      return seen === null ? null : { of: 'intent', seen };
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

/** The intent's metadata tells; where the event does not carry the intent, it is read once. */
async function isOurs({ gateway }: Payments, instance: string, intentId: string, fact: EventFact): Promise<boolean> {
  const intent: PaymentIntentObservation = fact.of === 'intent' ? fact.seen : await gateway.retrievePaymentIntent(intentId);
  return intent.instance === instance;
}
