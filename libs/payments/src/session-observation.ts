import { type DiscrepancyKind, isFinal, judge, type PaymentIntentObservation } from './observation.js';
import { type PaymentFacts, type PaymentState, SESSION_LAPSED } from './payment.js';

/** What Stripe said of a Checkout Session: in the answer to a call, in an event, or when it was read. */
export interface SessionObservation {
  readonly id: string;
  readonly status: 'open' | 'complete' | 'expired';
  /** null, with the currency, on a session that takes no payment, such as one that only saves a card: never ours. */
  readonly amount: number | null;
  readonly currency: string | null;
  readonly url: string | null;
  readonly expiresAt: Date;
  /** null until the buyer first tries to pay. */
  readonly paymentIntentId: string | null;
  /** The session's intent, where it was read along: its word, not the session's, decides about money. */
  readonly intent: PaymentIntentObservation | null;
  /** Our metadata on the session; null on a session that is not ours. */
  readonly instance: string | null;
  readonly operationId: string | null;
}

/** What is to be done about an observation of a session. */
export type SessionVerdict =
  | { readonly verdict: 'apply'; readonly facts: Partial<PaymentFacts>; readonly amountCaptured: number }
  | { readonly verdict: 'same' | 'stale' | 'read' }
  | { readonly verdict: 'discrepancy'; readonly kind: SessionDiscrepancyKind };

/** The ways in which Stripe's session may contradict our payment. */
export type SessionDiscrepancyKind =
  | DiscrepancyKind
  | 'session_differs'
  | 'session_amount_differs'
  | 'session_currency_differs'
  | 'session_without_intent';

/** Stripe's clock and ours may differ; nothing lives so shortly that a minute would hide who ended it. */
const CLOCK_MARGIN_MS = 60_000;

/**
 * Decides what an observation of a Checkout Session means for its payment. Open, it shows where to pay; expired, it takes
 * no payment any more; complete, it only says that its intent has to be read. Source: docs.stripe.com/api/checkout/sessions/object.
 */
export function judgeSession(payment: PaymentState, seen: SessionObservation, isFresh: boolean, now: Date): SessionVerdict {
  if (payment.checkoutSessionId !== null && payment.checkoutSessionId !== seen.id) {
    // One whose answer was lost for good: nobody ever learned its address, so it can only lapse.
    return seen.status === 'complete' ? { verdict: 'discrepancy', kind: 'session_differs' } : { verdict: 'stale' };
  }
  if (seen.amount !== payment.amount) return { verdict: 'discrepancy', kind: 'session_amount_differs' };
  if (seen.currency !== payment.currency) return { verdict: 'discrepancy', kind: 'session_currency_differs' };
  switch (seen.status) {
    case 'open':
      return judgeOpen(payment, seen, isFresh);
    case 'complete':
      return judgeComplete(payment, seen, isFresh);
    case 'expired':
      return judgeExpired(payment, seen, now);
  }
}

function judgeOpen(payment: PaymentState, seen: SessionObservation, isFresh: boolean): SessionVerdict {
  const isNew = payment.status === 'pending';
  // A repeated request is answered with what was true when it was first made.
  if (isNew && !isFresh) return { verdict: 'read' };
  const known: PaymentState = {
    ...payment,
    checkoutSessionId: seen.id,
    stripePaymentIntentId: payment.stripePaymentIntentId ?? seen.paymentIntentId,
    ...(isNew ? { status: 'requires_payment_method', url: seen.url } : {}),
  };
  return judgeIntent(payment, known, seen.intent, isFresh);
}

function judgeComplete(payment: PaymentState, seen: SessionObservation, isFresh: boolean): SessionVerdict {
  if (seen.paymentIntentId === null) return { verdict: 'discrepancy', kind: 'session_without_intent' };
  const known: PaymentState = {
    ...payment,
    checkoutSessionId: seen.id,
    stripePaymentIntentId: payment.stripePaymentIntentId ?? seen.paymentIntentId,
    url: null,
  };
  if (known.stripePaymentIntentId !== seen.paymentIntentId) return { verdict: 'discrepancy', kind: 'intent_differs' };
  if (seen.intent === null && !isFinal(payment.status)) return { verdict: 'read' };
  return judgeIntent(payment, known, seen.intent, isFresh);
}

function judgeExpired(payment: PaymentState, seen: SessionObservation, now: Date): SessionVerdict {
  if (isFinal(payment.status)) return payment.status === 'canceled' ? { verdict: 'same' } : { verdict: 'stale' };
  const isLapsed = seen.expiresAt.getTime() <= now.getTime() + CLOCK_MARGIN_MS;
  return {
    verdict: 'apply',
    facts: {
      status: 'canceled',
      checkoutSessionId: seen.id,
      stripePaymentIntentId: payment.stripePaymentIntentId ?? seen.paymentIntentId,
      nextAction: null,
      url: null,
      cancellationReason: isLapsed ? SESSION_LAPSED : null,
    },
    amountCaptured: payment.amountCaptured,
  };
}

/** What the session says (`known`) and, where it was read along, what its intent says. */
function judgeIntent(
  payment: PaymentState,
  known: PaymentState,
  intent: PaymentIntentObservation | null,
  isFresh: boolean,
): SessionVerdict {
  const { checkoutSessionId, stripePaymentIntentId, url, status } = known;
  const facts = { checkoutSessionId, stripePaymentIntentId, url, status };
  const isNews =
    checkoutSessionId !== payment.checkoutSessionId ||
    stripePaymentIntentId !== payment.stripePaymentIntentId ||
    url !== payment.url ||
    status !== payment.status;
  const session: SessionVerdict = isNews ? { verdict: 'apply', facts, amountCaptured: payment.amountCaptured } : { verdict: 'same' };
  if (intent === null) return session;
  const verdict = judge(known, intent, isFresh);
  return verdict.verdict === 'same' || verdict.verdict === 'stale' ? session : verdict;
}
