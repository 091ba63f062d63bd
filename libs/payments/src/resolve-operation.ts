import { publicId } from '#libs/primitives';
import { type PaymentIntentObservation } from './observation.js';
import { type ClaimedOperation } from './operations.store.js';
import { type PaymentState } from './payment.js';
import { intentOf } from './send-operation.js';
import { type StripeGateway } from './stripe/stripe-gateway.js';

/** What a read tells of an operation whose answer is lost. */
export type Resolution =
  | { readonly happened: 'done' | 'declined'; readonly observation: PaymentIntentObservation }
  /** The operation had no effect: it may be sent under a new key. */
  | { readonly happened: 'nothing'; readonly observation: null };

/** Stripe's clock and ours may differ, and `created` has whole seconds. */
const CLOCK_MARGIN_MS = 300_000;

const NOTHING: Resolution = { happened: 'nothing', observation: null };

/**
 * Finds out from Stripe's objects what became of an operation. A create is looked for by our metadata in Stripe's list;
 * a confirm shows in the intent's own state, which also guards it: an intent that was confirmed refuses another.
 * Safe to repeat. Throws StripeFailure.
 */
export async function resolveByReading(gateway: StripeGateway, operation: ClaimedOperation, payment: PaymentState): Promise<Resolution> {
  const { kind } = operation;
  switch (kind) {
    case 'create': {
      const since = new Date((operation.firstSentAt ?? operation.createdAt).getTime() - CLOCK_MARGIN_MS);
      const observation = await gateway.findPaymentIntent(publicId('op', operation.id), since);
      return observation === null ? NOTHING : { happened: 'done', observation };
    }
    case 'confirm': {
      const observation = await gateway.retrievePaymentIntent(intentOf(payment));
      if (observation.status === 'requires_confirmation') return NOTHING;
      if (observation.status !== 'requires_payment_method') return { happened: 'done', observation };
      // A refused attempt leaves its charge on the intent; the one from before the send is known.
      return observation.lastError !== null && observation.chargeId !== payment.stripeChargeId ? { happened: 'declined', observation } : NOTHING;
    }
    case 'capture':
    case 'cancel':
    case 'refund':
      throw new Error(`bug: a ${kind} was ordered, which nothing orders yet`);
  }
}
