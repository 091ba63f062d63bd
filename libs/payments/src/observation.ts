import { isDeepStrictEqual } from 'node:util';
import { type NextAction, type PaymentError, type PaymentFacts, paymentFactsOf, type PaymentState, type PaymentStatus } from './payment.js';

/** What Stripe said of a PaymentIntent: in the answer to a call, in an event, or when it was read. */
export interface PaymentIntentObservation {
  readonly id: string;
  readonly status: Exclude<PaymentStatus, 'pending'>;
  readonly amount: number;
  readonly currency: string;
  readonly amountReceived: number;
  readonly clientSecret: string | null;
  readonly chargeId: string | null;
  readonly paymentMethod: string | null;
  readonly nextAction: NextAction | null;
  readonly lastError: PaymentError | null;
  readonly cancellationReason: string | null;
  /** Our metadata on the intent; null on an intent that is not ours. */
  readonly instance: string | null;
  readonly operationId: string | null;
}

/**
 * Where a PaymentIntent can get to from each status, directly or in steps nobody told us of. The same status again is
 * no move. Source: docs.stripe.com/payments/paymentintents/lifecycle.
 */
export const PAYMENT_TRANSITIONS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  pending: [
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    'processing',
    'requires_capture',
    'succeeded',
    'canceled',
  ],
  requires_payment_method: ['requires_confirmation', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'canceled'],
  requires_confirmation: ['requires_payment_method', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'canceled'],
  requires_action: ['requires_payment_method', 'requires_confirmation', 'processing', 'requires_capture', 'succeeded', 'canceled'],
  processing: ['requires_payment_method', 'requires_confirmation', 'requires_action', 'requires_capture', 'succeeded', 'canceled'],
  requires_capture: ['succeeded', 'canceled'],
  succeeded: [],
  canceled: [],
};

/** What is to be done about an observation. */
export type Verdict =
  | { readonly verdict: 'apply'; readonly facts: PaymentFacts; readonly amountCaptured: number }
  /** We know already. */
  | { readonly verdict: 'same' }
  /** It is older than what we know. */
  | { readonly verdict: 'stale' }
  /** It differs and nothing says which is newer: ask Stripe. */
  | { readonly verdict: 'read' }
  /** It contradicts what we ordered or what can happen: never accepted, a person decides. */
  | { readonly verdict: 'discrepancy'; readonly kind: DiscrepancyKind };

/** The ways in which Stripe's object may contradict ours. */
export type DiscrepancyKind =
  | 'intent_differs'
  | 'amount_differs'
  | 'currency_differs'
  | 'captured_exceeds_amount'
  | 'final_states_differ'
  | 'impossible_transition';

/**
 * Decides what an observation means for a payment. Only `succeeded` and `canceled` outrank everything, and captured
 * amounts only grow; any other difference counts only when `isFresh`: Stripe said it after we read this very version.
 */
export function judge(payment: PaymentState, seen: PaymentIntentObservation, isFresh: boolean): Verdict {
  const contradiction = contradictionIn(payment, seen);
  if (contradiction !== null) return { verdict: 'discrepancy', kind: contradiction };
  const facts = factsOf(payment, seen);
  const amountCaptured = Math.max(payment.amountCaptured, seen.amountReceived);
  const isKnown = amountCaptured === payment.amountCaptured && isDeepStrictEqual(facts, paymentFactsOf(payment));
  if (isFinal(payment.status)) {
    if (seen.status !== payment.status) return { verdict: 'stale' };
    return amountCaptured > payment.amountCaptured ? { verdict: 'apply', facts, amountCaptured } : { verdict: 'same' };
  }
  if (isKnown) return { verdict: 'same' };
  if (!isFinal(seen.status) && !isFresh) return { verdict: 'read' };
  if (seen.status !== payment.status && !PAYMENT_TRANSITIONS[payment.status].includes(seen.status)) {
    return { verdict: 'discrepancy', kind: 'impossible_transition' };
  }
  return { verdict: 'apply', facts, amountCaptured };
}

function contradictionIn(payment: PaymentState, seen: PaymentIntentObservation): DiscrepancyKind | null {
  if (payment.stripePaymentIntentId !== null && payment.stripePaymentIntentId !== seen.id) return 'intent_differs';
  if (seen.amount !== payment.amount) return 'amount_differs';
  if (seen.currency !== payment.currency) return 'currency_differs';
  if (seen.amountReceived > payment.amount) return 'captured_exceeds_amount';
  if (isFinal(payment.status) && isFinal(seen.status) && seen.status !== payment.status) return 'final_states_differ';
  return null;
}

/** Whether Stripe's word for a payment is its last. */
export function isFinal(status: PaymentStatus): boolean {
  return PAYMENT_TRANSITIONS[status].length === 0;
}

const AWAITS_BUYER: readonly PaymentStatus[] = ['requires_payment_method', 'requires_confirmation'];

/** Events do not carry everything an answer does; what is not said stays as it was. */
function factsOf(payment: PaymentState, seen: PaymentIntentObservation): PaymentFacts {
  return {
    status: seen.status,
    stripePaymentIntentId: seen.id,
    stripeClientSecret: seen.clientSecret ?? payment.stripeClientSecret,
    stripeChargeId: seen.chargeId ?? payment.stripeChargeId,
    paymentMethod: seen.paymentMethod ?? payment.paymentMethod,
    nextAction: seen.nextAction,
    // Stripe keeps no record of a refused request, so our own stays until the payment moves on.
    lastError: seen.lastError ?? (AWAITS_BUYER.includes(seen.status) ? payment.lastError : null),
    cancellationReason: seen.cancellationReason,
    checkoutSessionId: payment.checkoutSessionId,
    // A Checkout Session closes its page once the buyer has done their part; a try that came to nothing leaves it open.
    url: seen.status === 'requires_action' || AWAITS_BUYER.includes(seen.status) ? payment.url : null,
  };
}
