import { type PaymentState, type RefundFacts, type RefundStatus } from './payment.js';

/** What Stripe said of a refund. */
export interface RefundObservation {
  readonly id: string;
  readonly paymentIntentId: string | null;
  readonly status: RefundStatus;
  readonly amount: number;
  readonly currency: string;
  readonly reason: string | null;
  readonly failureReason: string | null;
  /** Our metadata; null on a refund made elsewhere, such as Stripe's dashboard. */
  readonly instance: string | null;
  readonly operationId: string | null;
}

/** How far along a refund is. `succeeded` may still fail; what failed or was canceled stays so. Source: docs.stripe.com/refunds. */
const RANK: Readonly<Record<RefundStatus, number>> = { pending: 0, succeeded: 1, failed: 2, canceled: 2 };

/** What is to be done about an observation of a refund. */
export type RefundVerdict =
  | { readonly verdict: 'apply'; readonly refund: RefundFacts }
  | { readonly verdict: 'same' | 'stale' }
  | { readonly verdict: 'discrepancy'; readonly kind: 'refund_amount_differs' | 'refund_currency_differs' };

/**
 * Decides what an observation means for a payment's refunds. `ours` is the database id of the refund that our operation
 * named in the metadata orders, if it is ours; one nobody here ordered becomes a refund of its own under `newId`.
 */
export function judgeRefund(payment: PaymentState, seen: RefundObservation, ours: string | null, newId: () => string): RefundVerdict {
  const known =
    payment.refunds.find(({ stripeRefundId }) => stripeRefundId === seen.id) ??
    payment.refunds.find(({ id, stripeRefundId }) => id === ours && stripeRefundId === null);
  if (seen.currency !== payment.currency) return { verdict: 'discrepancy', kind: 'refund_currency_differs' };
  const facts = { status: seen.status, failureReason: seen.failureReason, stripeRefundId: seen.id };
  if (known === undefined) return { verdict: 'apply', refund: { id: newId(), amount: seen.amount, reason: seen.reason, ...facts } };
  if (known.amount !== seen.amount) return { verdict: 'discrepancy', kind: 'refund_amount_differs' };
  if (RANK[seen.status] < RANK[known.status] || (RANK[seen.status] === 2 && RANK[known.status] === 2 && known.status !== seen.status)) {
    // An answer that comes late still tells the refund's id at Stripe.
    return known.stripeRefundId === null ? { verdict: 'apply', refund: { ...known, stripeRefundId: seen.id } } : { verdict: 'stale' };
  }
  const isKnown = known.status === seen.status && known.stripeRefundId === seen.id && known.failureReason === seen.failureReason;
  return isKnown ? { verdict: 'same' } : { verdict: 'apply', refund: { ...known, ...facts } };
}
