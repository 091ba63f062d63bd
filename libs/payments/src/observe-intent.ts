import { type PaymentIntentObservation } from './observation.js';
import { observe } from './observe.js';
import { type Payments } from './payments.js';
import { findPaymentByIntent } from './payments.store.js';

/** What became of an intent that someone told us of. `unknown`: ours by its metadata, but its row is not there yet. */
export type IntentObserved = 'applied' | 'known' | 'discrepancy' | 'unknown' | 'foreign';

/** Brings what an event says of an intent through the one door, if the intent is ours. Safe to repeat. Throws StripeFailure. */
export async function observeIntent(payments: Payments, instance: string, seen: PaymentIntentObservation, cause: string): Promise<IntentObserved> {
  const payment = await findPaymentByIntent(payments.database.autocommit, seen.id);
  if (payment === null) return seen.instance === instance ? 'unknown' : 'foreign';
  const observed = await observe(payments, payment.orderId, { observation: seen, notedVersion: null, cause, operation: null });
  return observed.result === 'superseded' ? 'known' : observed.result;
}
