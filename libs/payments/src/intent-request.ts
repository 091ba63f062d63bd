import { publicId } from '#libs/primitives';
import { type ConfirmIntentParams, type CreateIntentParams } from './stripe/stripe-gateway.js';
import { METADATA } from './stripe/stripe-objects.js';

/** What of an order Stripe is told. */
export interface IntentRequest {
  readonly instance: string;
  readonly orderId: string;
  readonly operationId: string;
  readonly amount: number;
  readonly currency: string;
  readonly captureMethod: 'automatic' | 'manual';
  readonly returnUrl: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The parameters that make an order's intent, unconfirmed. Without a return URL, methods that leave the page are
 * excluded, so that the intent can be confirmed from the server too.
 * Source: docs.stripe.com/api/payment_intents/create; `payment_method_types` is no longer writable.
 */
export function createIntentParams(request: IntentRequest): CreateIntentParams {
  return {
    amount: request.amount,
    currency: request.currency,
    capture_method: request.captureMethod,
    automatic_payment_methods: { enabled: true, allow_redirects: request.returnUrl === null ? 'never' : 'always' },
    metadata: {
      ...request.metadata,
      [METADATA.instance]: request.instance,
      [METADATA.order]: publicId('ord', request.orderId),
      [METADATA.operation]: publicId('op', request.operationId),
    },
  };
}

/** The parameters that confirm an intent with a payment method. */
export function confirmIntentParams(paymentMethod: string, returnUrl: string | null): ConfirmIntentParams {
  return { payment_method: paymentMethod, ...(returnUrl === null ? {} : { return_url: returnUrl }) };
}
