import { type RefundFacts } from '#libs/payments';
import { publicId } from '#libs/primitives';

/** A refund with what it belongs to. */
export interface Refund extends RefundFacts {
  readonly orderId: string;
  readonly currency: string;
  readonly createdAt: Date;
}

/** The public shape of a refund. */
export function viewRefund({ id, orderId, amount, currency, status, reason, failureReason, stripeRefundId, createdAt }: Refund) {
  return {
    id: publicId('ref', id),
    object: 'refund' as const,
    order: publicId('ord', orderId),
    amount,
    currency,
    status,
    reason,
    failureReason,
    stripeRefundId,
    createdAt: createdAt.toISOString(),
  };
}
