import { pendingOperationOf } from '#libs/payments';
import { publicId } from '#libs/primitives';
import { type Order } from './order.js';

interface ViewOptions {
  readonly stripePublishableKey: string | null;
  /** Both client secrets appear in the create answer and in GET by id, nowhere else. */
  readonly withSecrets: boolean;
}

/** An order as callers see it. */
export type OrderView = ReturnType<typeof viewOrder>;

/** The public shape of an order. Its members come in the order of the contract. */
export function viewOrder(order: Order, { stripePublishableKey, withSecrets }: ViewOptions) {
  const { payment, customerEmail: email, customerName: name, stripeCustomerId } = order;
  const { nextAction, lastError } = payment;
  return {
    id: publicId('ord', order.id),
    object: 'order' as const,
    status: order.status,
    amount: order.amount,
    currency: order.currency,
    amountCaptured: order.amountCaptured,
    amountRefunded: order.amountRefunded,
    amountRefundPending: order.amountRefundPending,
    items: order.items,
    customer: email === null && name === null && stripeCustomerId === null ? null : { email, name, stripeCustomerId },
    reference: order.reference,
    metadata: sorted(order.metadata),
    clientSecret: withSecrets ? order.clientSecret : null,
    captureMethod: order.captureMethod,
    checkout: order.checkout,
    payment: {
      id: publicId('pay', payment.id),
      status: payment.status,
      stripePaymentIntentId: payment.stripePaymentIntentId,
      stripePublishableKey,
      clientSecret: withSecrets ? payment.stripeClientSecret : null,
      url: payment.url,
      paymentMethod: payment.paymentMethod,
      pendingOperation: pendingOperationOf(payment.operations),
      nextAction: nextAction === null ? null : { type: nextAction.type, url: nextAction.url },
      lastError: lastError === null ? null : { code: lastError.code, declineCode: lastError.declineCode, message: lastError.message },
    },
    dispute: order.dispute,
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
    expiresAt: order.expiresAt.toISOString(),
  };
}

/** In one order, whatever one the database keeps: an order nobody has touched is answered in the same bytes, and so with the same ETag. */
function sorted(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
