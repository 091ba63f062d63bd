import { type Endpoint } from './gate/endpoint.js';
import { type Fact } from './observe.js';
import { type ClaimedOperation } from './operations.store.js';
import { cancelIntentParams } from './intent-request.js';
import { orphanOf } from './orphan.js';
import { type PaymentState } from './payment.js';
import { EXPIRES_SESSION } from './session-request.js';
import { type CreateIntentParams, type CreateSessionParams, type StripeGateway } from './stripe/stripe-gateway.js';

/**
 * Sends an operation as its row says: its key, its parameters, its payment's intent. What it gives is a fact about the payment;
 * null where the operation is about an object that the payment has nothing to do with. Throws StripeFailure.
 */
export async function send(gateway: StripeGateway, operation: ClaimedOperation, payment: PaymentState): Promise<Fact | null> {
  const { kind, params, stripeIdempotencyKey } = operation;
  switch (kind) {
    case 'customer':
      return { of: 'customer', seen: await gateway.createCustomer(params, stripeIdempotencyKey) };
    case 'create':
      return payment.checkout === 'hosted'
        ? { of: 'session', seen: await gateway.createCheckoutSession(sessionParamsOf(operation, payment), stripeIdempotencyKey) }
        : { of: 'intent', seen: await gateway.createPaymentIntent(createParamsOf(operation, payment), stripeIdempotencyKey) };
    case 'confirm':
      return { of: 'intent', seen: await gateway.confirmPaymentIntent(intentOf(payment), params, stripeIdempotencyKey) };
    case 'capture':
      return { of: 'intent', seen: await gateway.capturePaymentIntent(intentOf(payment), params, stripeIdempotencyKey) };
    case 'cancel': {
      const sessionId = params[EXPIRES_SESSION];
      if (typeof sessionId === 'string')
        return { of: 'session', seen: await gateway.expireCheckoutSession(sessionId, stripeIdempotencyKey) };
      return { of: 'intent', seen: await gateway.cancelPaymentIntent(intentOf(payment), params, stripeIdempotencyKey) };
    }
    case 'cancel_orphan':
      await gateway.cancelPaymentIntent(orphanOf(operation), cancelIntentParams('duplicate'), stripeIdempotencyKey);
      return null;
    case 'refund':
      return { of: 'refund', seen: await gateway.createRefund({ ...params, payment_intent: intentOf(payment) }, stripeIdempotencyKey) };
  }
}

/** The endpoint of Stripe's API that carries an operation out. */
export function endpointOf({ kind, params }: ClaimedOperation, { checkout }: PaymentState): Endpoint {
  switch (kind) {
    case 'customer':
      return 'customers.create';
    case 'create':
      return checkout === 'hosted' ? 'checkout_sessions.create' : 'payment_intents.create';
    case 'confirm':
      return 'payment_intents.confirm';
    case 'capture':
      return 'payment_intents.capture';
    case 'cancel':
      return typeof params[EXPIRES_SESSION] === 'string' ? 'checkout_sessions.expire' : 'payment_intents.cancel';
    case 'cancel_orphan':
      return 'payment_intents.cancel';
    case 'refund':
      return 'refunds.create';
  }
}

/** Stripe takes a customer or an email; the customer has the email. */
function sessionParamsOf({ params }: ClaimedOperation, { stripeCustomerId }: PaymentState): CreateSessionParams {
  if (stripeCustomerId === null) return params;
  const { customer_email: _, ...rest } = params;
  return { ...rest, customer: stripeCustomerId };
}

/** The customer, if there is one, is known before the create is sent, and stays. */
function createParamsOf({ id, params }: ClaimedOperation, { stripeCustomerId }: PaymentState): CreateIntentParams {
  const { amount, currency } = params;
  if (typeof amount !== 'number' || typeof currency !== 'string')
    throw new Error(`bug: operation ${id} creates an intent without amount or currency`);
  return { ...params, amount, currency, ...(stripeCustomerId === null ? {} : { customer: stripeCustomerId }) };
}

/** The intent an operation acts on; operations of a payment run in sequence, so its create is done. */
export function intentOf({ stripePaymentIntentId, paymentId }: PaymentState): string {
  if (stripePaymentIntentId === null) throw new Error(`bug: payment ${paymentId} has no intent to act on`);
  return stripePaymentIntentId;
}
