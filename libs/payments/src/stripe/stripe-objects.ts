import { type Stripe } from 'stripe';
import { PAYMENT_STATUSES, type PaymentStatus } from '../payment.js';
import { type PaymentIntentObservation } from '../observation.js';

/** Our metadata on every object we make at Stripe. */
export const METADATA = { instance: 'oncepay_instance', order: 'oncepay_order', operation: 'oncepay_operation' } as const;

/**
 * What a PaymentIntent says, or null when `value` is none: the SDK resolves with whatever JSON arrived, a proxy's error
 * page included, so nothing of an answer is believed before this.
 */
export function readPaymentIntent(value: unknown): PaymentIntentObservation | null {
  if (!isPaymentIntent(value)) return null;
  const error = value.last_payment_error;
  return {
    id: value.id,
    status: value.status,
    amount: value.amount,
    currency: value.currency,
    amountReceived: value.amount_received,
    clientSecret: value.client_secret ?? null,
    chargeId: idOf(value.latest_charge),
    paymentMethod: idOf(value.payment_method),
    nextAction: value.next_action ? { type: value.next_action.type, url: value.next_action.redirect_to_url?.url ?? null } : null,
    lastError: error ? { code: error.code ?? null, declineCode: error.decline_code ?? null, message: error.message ?? null } : null,
    cancellationReason: value.cancellation_reason ?? null,
    instance: value.metadata[METADATA.instance] ?? null,
    operationId: value.metadata[METADATA.operation] ?? null,
  };
}

type KnownPaymentIntent = Stripe.PaymentIntent & { readonly status: Exclude<PaymentStatus, 'pending'> };

function isPaymentIntent(value: unknown): value is KnownPaymentIntent {
  if (typeof value !== 'object' || value === null) return false;
  const object: Record<string, unknown> = { ...value };
  return (
    object['object'] === 'payment_intent' &&
    typeof object['id'] === 'string' &&
    object['id'].startsWith('pi_') &&
    PAYMENT_STATUSES.some((status) => status !== 'pending' && status === object['status']) &&
    Number.isSafeInteger(object['amount']) &&
    Number.isSafeInteger(object['amount_received']) &&
    typeof object['currency'] === 'string' &&
    typeof object['metadata'] === 'object' &&
    object['metadata'] !== null
  );
}

function idOf(reference: string | { id: string } | null): string | null {
  return typeof reference === 'string' ? reference : (reference?.id ?? null);
}
