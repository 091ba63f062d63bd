import { type Stripe } from 'stripe';
import { PAYMENT_STATUSES, type PaymentStatus } from '../payment.js';
import { type CustomerObservation } from '../customer-observation.js';
import { type DisputeObservation } from '../dispute-observation.js';
import { type PaymentIntentObservation } from '../observation.js';
import { type RefundObservation } from '../refund-observation.js';
import { type SessionObservation } from '../session-observation.js';

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

/** What a Checkout Session says, of whatever mode, or null when `value` is none. */
export function readCheckoutSession(value: unknown): SessionObservation | null {
  if (!isCheckoutSession(value)) return null;
  return {
    id: value.id,
    status: value.status,
    amount: value.amount_total,
    currency: value.currency,
    url: value.url ?? null,
    expiresAt: new Date(value.expires_at * 1_000),
    paymentIntentId: idOf(value.payment_intent),
    intent: readPaymentIntent(value.payment_intent),
    instance: value.metadata?.[METADATA.instance] ?? null,
    operationId: value.metadata?.[METADATA.operation] ?? null,
  };
}

type KnownSession = Stripe.Checkout.Session & { readonly status: SessionObservation['status'] };

function isCheckoutSession(value: unknown): value is KnownSession {
  if (typeof value !== 'object' || value === null) return false;
  const object: Record<string, unknown> = { ...value };
  return (
    object['object'] === 'checkout.session' &&
    typeof object['id'] === 'string' &&
    ['open', 'complete', 'expired'].some((status) => status === object['status']) &&
    (Number.isSafeInteger(object['amount_total']) || object['amount_total'] === null) &&
    (typeof object['currency'] === 'string' || object['currency'] === null) &&
    Number.isSafeInteger(object['expires_at'])
  );
}

/** What a Refund says, or null when `value` is none. No status, and one of a later API version, counts as pending: not final. */
export function readRefund(value: unknown): RefundObservation | null {
  if (!isRefund(value)) return null;
  const { status } = value;
  return {
    id: value.id,
    paymentIntentId: idOf(value.payment_intent),
    status: status === 'succeeded' || status === 'failed' || status === 'canceled' ? status : 'pending',
    amount: value.amount,
    currency: value.currency,
    reason: value.reason,
    failureReason: value.failure_reason ?? null,
    instance: value.metadata?.[METADATA.instance] ?? null,
    operationId: value.metadata?.[METADATA.operation] ?? null,
  };
}

function isRefund(value: unknown): value is Stripe.Refund {
  if (typeof value !== 'object' || value === null) return false;
  const object: Record<string, unknown> = { ...value };
  return (
    object['object'] === 'refund' &&
    typeof object['id'] === 'string' &&
    Number.isSafeInteger(object['amount']) &&
    typeof object['currency'] === 'string' &&
    (typeof object['status'] === 'string' || object['status'] === null)
  );
}

/** What a Dispute says, or null when `value` is none. */
export function readDispute(value: unknown): DisputeObservation | null {
  if (!isDispute(value)) return null;
  const { id, status, amount, currency, reason } = value;
  return {
    id,
    paymentIntentId: idOf(value.payment_intent),
    status,
    amount,
    currency,
    reason,
    openedAt: new Date(value.created * 1_000).toISOString(),
    instance: instanceIn(value.metadata),
  };
}

function isDispute(value: unknown): value is Stripe.Dispute {
  if (typeof value !== 'object' || value === null) return false;
  const object: Record<string, unknown> = { ...value };
  return (
    object['object'] === 'dispute' &&
    typeof object['id'] === 'string' &&
    typeof object['status'] === 'string' &&
    Number.isSafeInteger(object['amount']) &&
    typeof object['currency'] === 'string' &&
    typeof object['reason'] === 'string' &&
    Number.isSafeInteger(object['created'])
  );
}

/** What an object that cannot be read names all the same: the intent it is or belongs to, and whose that is by its metadata. */
export interface EventHint {
  readonly of: 'intent' | 'refund' | 'dispute';
  readonly intentId: string | null;
  readonly instance: string | null;
}

/** The hint that an object of this kind gives; null when `value` is of another kind, or a session, which may have no intent yet. */
export function readHint(subject: EventHint['of'] | 'session', value: unknown): EventHint | null {
  if (subject === 'session' || typeof value !== 'object' || value === null) return null;
  const { object, id, payment_intent: paymentIntent, metadata }: Record<string, unknown> = { ...value };
  if (object !== (subject === 'intent' ? 'payment_intent' : subject)) return null;
  const intent: unknown = typeof paymentIntent === 'object' && paymentIntent !== null ? Reflect.get(paymentIntent, 'id') : paymentIntent;
  const intentId = subject === 'intent' ? id : (intent ?? null);
  if (intentId !== null && !(typeof intentId === 'string' && intentId.startsWith('pi_'))) return null;
  return { of: subject, intentId, instance: instanceIn(metadata) };
}

function instanceIn(metadata: unknown): string | null {
  const instance: unknown = typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, METADATA.instance) : null;
  return typeof instance === 'string' ? instance : null;
}

/** What a Customer says, or null when `value` is none, or one that was deleted. */
export function readCustomer(value: unknown): CustomerObservation | null {
  return isCustomer(value) ? { id: value.id, operationId: value.metadata[METADATA.operation] ?? null } : null;
}

function isCustomer(value: unknown): value is Stripe.Customer {
  if (typeof value !== 'object' || value === null) return false;
  const object: Record<string, unknown> = { ...value };
  return (
    object['object'] === 'customer' &&
    typeof object['id'] === 'string' &&
    object['deleted'] !== true &&
    typeof object['metadata'] === 'object' &&
    object['metadata'] !== null
  );
}

function idOf(reference: string | { id: string } | null): string | null {
  return typeof reference === 'string' ? reference : (reference?.id ?? null);
}
