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
    metadata: order.metadata,
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
      nextAction: payment.nextAction,
      lastError: payment.lastError,
    },
    dispute: order.dispute,
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
    expiresAt: order.expiresAt.toISOString(),
  };
}
