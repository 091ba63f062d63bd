import { publicId } from '#libs/primitives';
import {
  type CancelIntentParams,
  type CaptureIntentParams,
  type ConfirmIntentParams,
  type CreateCustomerParams,
  type CreateIntentParams,
  type CreateRefundParams,
} from './stripe/stripe-gateway.js';
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
  /** Keeps the card for payments while the buyer is away; needs a customer, whom the create names when it is sent. */
  readonly saveCard: boolean;
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
    ...(request.saveCard ? { setup_future_usage: 'off_session' as const } : {}),
    metadata: {
      ...request.metadata,
      [METADATA.instance]: request.instance,
      [METADATA.order]: publicId('ord', request.orderId),
      [METADATA.operation]: publicId('op', request.operationId),
    },
  };
}

/** The parameters that confirm an intent with a payment method; `offSession`: the buyer is away, and cannot be asked for anything. */
export function confirmIntentParams(paymentMethod: string, returnUrl: string | null, offSession = false): ConfirmIntentParams {
  return {
    payment_method: paymentMethod,
    ...(returnUrl === null ? {} : { return_url: returnUrl }),
    ...(offSession ? { off_session: true } : {}),
  };
}

/** The parameters that capture an intent; without an amount, all of it. amount: integer in Stripe's unit of the currency. */
export function captureIntentParams(amount: number | null): CaptureIntentParams {
  return amount === null ? {} : { amount_to_capture: amount };
}

/** The parameters that cancel an intent: on request, because nobody paid in time, or because it is one too many. */
export function cancelIntentParams(reason: 'requested_by_customer' | 'abandoned' | 'duplicate'): CancelIntentParams {
  return { cancellation_reason: reason };
}

/** The parameters of the customer who is to keep the card that an order is paid with. Source: docs.stripe.com/api/customers/create. */
export function customerParams(request: {
  instance: string;
  orderId: string;
  operationId: string;
  email: string;
  name: string | null;
}): CreateCustomerParams & { email: string } {
  return {
    email: request.email,
    ...(request.name === null ? {} : { name: request.name }),
    metadata: {
      [METADATA.instance]: request.instance,
      [METADATA.order]: publicId('ord', request.orderId),
      [METADATA.operation]: publicId('op', request.operationId),
    },
  };
}

/** Why money is returned, in Stripe's words. */
export type RefundReason = 'duplicate' | 'fraudulent' | 'requested_by_customer';

/** The parameters of a refund but for its intent. amount: integer in Stripe's unit of the currency. */
export function refundParams(request: {
  instance: string;
  orderId: string;
  operationId: string;
  amount: number;
  reason: RefundReason | null;
}): CreateRefundParams {
  return {
    amount: request.amount,
    ...(request.reason === null ? {} : { reason: request.reason }),
    metadata: {
      [METADATA.instance]: request.instance,
      [METADATA.order]: publicId('ord', request.orderId),
      [METADATA.operation]: publicId('op', request.operationId),
    },
  };
}
