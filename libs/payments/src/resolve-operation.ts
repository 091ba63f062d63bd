import { publicId } from '#libs/primitives';
import { type Fact } from './observe.js';
import { type PaymentIntentObservation } from './observation.js';
import { type ClaimedOperation } from './operations.store.js';
import { isUnconfirmed, orphanOf } from './orphan.js';
import { type OperationKind, type PaymentState } from './payment.js';
import { intentOf } from './send-operation.js';
import { type SessionObservation } from './session-observation.js';
import { EXPIRES_SESSION } from './session-request.js';
import { type StripeGateway } from './stripe/stripe-gateway.js';

/** What a read tells of an operation whose answer is lost. */
export type Resolution =
  | { readonly happened: 'done' | 'declined' | 'rejected'; readonly fact: Fact | null }
  /** The operation had no effect. */
  | { readonly happened: 'nothing' };

/** Stripe's clock and ours may differ, and `created` has whole seconds. */
const CLOCK_MARGIN_MS = 300_000;

const NOTHING: Resolution = { happened: 'nothing' };

/**
 * Finds out from Stripe's objects what became of an operation. A customer, a create and a refund are looked for by our metadata in
 * Stripe's lists, which are complete at once; the others show in the intent's own state, which also guards them.
 * Safe to repeat. Throws StripeFailure.
 */
export async function resolveByReading(gateway: StripeGateway, operation: ClaimedOperation, payment: PaymentState): Promise<Resolution> {
  const { kind } = operation;
  switch (kind) {
    case 'customer': {
      const { email } = operation.params;
      if (typeof email !== 'string') throw new Error(`bug: operation ${operation.id} makes a customer without an email`);
      const seen = await gateway.findCustomer(email, publicId('op', operation.id));
      return seen === null ? NOTHING : { happened: 'done', fact: { of: 'customer', seen } };
    }
    case 'create': {
      const since = new Date((operation.firstSentAt ?? operation.createdAt).getTime() - CLOCK_MARGIN_MS);
      if (payment.checkout === 'hosted') {
        const seen = await gateway.findCheckoutSession(publicId('op', operation.id), since);
        return seen === null ? NOTHING : { happened: 'done', fact: { of: 'session', seen } };
      }
      const seen = await gateway.findPaymentIntent(publicId('op', operation.id), since);
      return seen === null ? NOTHING : { happened: 'done', fact: { of: 'intent', seen } };
    }
    case 'refund': {
      const seen = await gateway.findRefund(intentOf(payment), publicId('op', operation.id));
      return seen === null ? NOTHING : { happened: 'done', fact: { of: 'refund', seen } };
    }
    case 'cancel_orphan': {
      const { status } = await gateway.retrievePaymentIntent(orphanOf(operation));
      if (status === 'canceled') return { happened: 'done', fact: null };
      return isUnconfirmed(status) ? NOTHING : { happened: 'rejected', fact: null };
    }
    case 'confirm':
    case 'capture':
    case 'cancel': {
      const sessionId = operation.params[EXPIRES_SESSION];
      if (typeof sessionId === 'string') return readExpiry(await gateway.retrieveCheckoutSession(sessionId));
      return readOutcome(kind, await gateway.retrievePaymentIntent(intentOf(payment)), payment);
    }
  }
}

/** What the state of a session tells of its expiry: one that a buyer has completed is beyond it. */
function readExpiry(seen: SessionObservation): Resolution {
  const fact: Fact = { of: 'session', seen };
  switch (seen.status) {
    case 'open':
      return NOTHING;
    case 'expired':
      return { happened: 'done', fact };
    case 'complete':
      return { happened: 'rejected', fact };
  }
}

/** What the state of an intent tells of a confirm, capture or cancel that was sent or refused. Pure. */
export function readOutcome(
  kind: Exclude<OperationKind, 'customer' | 'create' | 'refund' | 'cancel_orphan'>,
  seen: PaymentIntentObservation,
  payment: PaymentState,
): Resolution {
  const fact: Fact = { of: 'intent', seen };
  switch (kind) {
    case 'confirm':
      if (seen.status === 'requires_confirmation') return NOTHING;
      if (seen.status !== 'requires_payment_method') return { happened: 'done', fact };
      // A refused attempt leaves its charge on the intent; the one from before the send is known.
      return seen.lastError !== null && seen.chargeId !== payment.stripeChargeId ? { happened: 'declined', fact } : NOTHING;
    case 'capture':
      if (seen.status === 'requires_capture') return NOTHING;
      return { happened: seen.status === 'succeeded' ? 'done' : 'rejected', fact };
    case 'cancel':
      if (seen.status === 'canceled') return { happened: 'done', fact };
      // What has succeeded or is being settled is beyond a cancellation.
      return seen.status === 'succeeded' || seen.status === 'processing' ? { happened: 'rejected', fact } : NOTHING;
  }
}
