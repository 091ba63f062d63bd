import { type PaymentIntentObservation } from './observation.js';
import { type ClaimedOperation } from './operations.store.js';
import { type PaymentState } from './payment.js';
import { type CreateIntentParams, type StripeGateway } from './stripe/stripe-gateway.js';

/** Sends an operation as its row says: its key, its parameters, its payment's intent. Throws StripeFailure. */
export function send(gateway: StripeGateway, operation: ClaimedOperation, payment: PaymentState): Promise<PaymentIntentObservation> {
  const { kind, params, stripeIdempotencyKey } = operation;
  switch (kind) {
    case 'create':
      return gateway.createPaymentIntent(createParamsOf(operation), stripeIdempotencyKey);
    case 'confirm':
      return gateway.confirmPaymentIntent(intentOf(payment), params, stripeIdempotencyKey);
    case 'capture':
    case 'cancel':
    case 'refund':
      throw new Error(`bug: a ${kind} was ordered, which nothing orders yet`);
  }
}

function createParamsOf({ id, params }: ClaimedOperation): CreateIntentParams {
  const { amount, currency } = params;
  if (typeof amount !== 'number' || typeof currency !== 'string') throw new Error(`bug: operation ${id} creates an intent without amount or currency`);
  return { ...params, amount, currency };
}

/** The intent an operation acts on; operations of a payment run in sequence, so its create is done. */
export function intentOf({ stripePaymentIntentId, paymentId }: PaymentState): string {
  if (stripePaymentIntentId === null) throw new Error(`bug: payment ${paymentId} has no intent to act on`);
  return stripePaymentIntentId;
}
