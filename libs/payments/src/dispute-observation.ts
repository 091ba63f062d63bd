import { isDeepStrictEqual } from 'node:util';
import { type DisputeFacts, type PaymentState } from './payment.js';

/** What Stripe said of a dispute. openedAt: RFC 3339, whole seconds. */
export interface DisputeObservation {
  readonly id: string;
  readonly paymentIntentId: string | null;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string;
  readonly openedAt: string;
  /** Our metadata, should somebody have put it there: Stripe copies none to a dispute. */
  readonly instance: string | null;
}

/**
 * How far along a dispute is: an inquiry may become a chargeback, and that is reviewed and decided. Decisions, appeals and
 * words of later API versions have no order among each other. Source: docs.stripe.com/disputes/how-disputes-work.
 */
const PHASE: Readonly<Record<string, number>> = {
  warning_needs_response: 0,
  warning_under_review: 1,
  warning_closed: 2,
  needs_response: 3,
  under_review: 4,
};
const DECIDED = 5;

/** What is to be done about an observation of a dispute. */
export type DisputeVerdict =
  | { readonly verdict: 'apply'; readonly dispute: DisputeFacts }
  | { readonly verdict: 'same' | 'stale' | 'read' }
  | { readonly verdict: 'discrepancy'; readonly kind: 'dispute_currency_differs' };

/**
 * Decides what an observation means for a payment's dispute. A later phase is newer; within a phase a difference counts only
 * when `isFresh`: Stripe said it after we read this very version. Of several disputes an order shows the one opened last.
 * The amount may differ from ours, which is Stripe's to say; the currency may not.
 */
export function judgeDispute(
  { dispute: known, currency }: Pick<PaymentState, 'dispute' | 'currency'>,
  seen: DisputeObservation,
  isFresh: boolean,
): DisputeVerdict {
  if (seen.currency !== currency) return { verdict: 'discrepancy', kind: 'dispute_currency_differs' };
  const { id: stripeDisputeId, status, amount, reason, openedAt } = seen;
  const dispute: DisputeFacts = { stripeDisputeId, status, amount, reason, openedAt };
  if (known === null) return { verdict: 'apply', dispute };
  if (known.stripeDisputeId !== stripeDisputeId)
    return isOpenedLater(dispute, known) ? { verdict: 'apply', dispute } : { verdict: 'stale' };
  if (isDeepStrictEqual(dispute, known)) return { verdict: 'same' };
  const steps = phaseOf(status) - phaseOf(known.status);
  if (isFresh || steps > 0) return { verdict: 'apply', dispute };
  return { verdict: steps < 0 ? 'stale' : 'read' };
}

function phaseOf(status: string): number {
  return Object.hasOwn(PHASE, status) ? (PHASE[status] ?? DECIDED) : DECIDED;
}

/** Two of the same second are told apart by their ids, so that every order of events ends with the same one. */
function isOpenedLater(one: DisputeFacts, other: DisputeFacts): boolean {
  return one.openedAt === other.openedAt ? one.stripeDisputeId > other.stripeDisputeId : one.openedAt > other.openedAt;
}
