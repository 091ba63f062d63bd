import { publicId } from '#libs/primitives';
import { type CancelIntentParams, type CreateSessionParams } from './stripe/stripe-gateway.js';
import { cancelIntentParams, type IntentRequest } from './intent-request.js';
import { type PaymentState } from './payment.js';
import { METADATA } from './stripe/stripe-objects.js';

/** What of an order that is paid on Stripe's page Stripe is told. unitAmount: integer in Stripe's unit of the currency. */
export interface SessionRequest extends Omit<IntentRequest, 'amount' | 'returnUrl'> {
  readonly items: readonly { readonly name: string; readonly unitAmount: number; readonly quantity: number }[];
  readonly customerEmail: string | null;
  readonly returnUrl: string;
  readonly createdAt: Date;
  /** How long the buyer has, from `createdAt` on. */
  readonly lifeSeconds: number;
}

/**
 * Stripe wants a session to live for 30 minutes at least and 24 hours at most, by its own clock and from when it hears of
 * it. The half hour above its minimum is for an outage in between, the minute below its maximum for clocks that differ;
 * an order that expires sooner expires its session. Source: docs.stripe.com/api/checkout/sessions/create, `expires_at`.
 */
const LIFE_SECONDS_MIN = 3_600;
const LIFE_SECONDS_MAX = 86_400 - 60;

/** Until when an order can be paid at the latest that is paid on Stripe's page. */
export const HOSTED_LIFE_SECONDS_MAX = 86_400;

/**
 * The parameters that open an order's Checkout Session. Its intent, made when the buyer first tries, carries the same
 * metadata. The buyer's own currency is not offered: an order is authorised in the currency it was placed in.
 */
export function createSessionParams(request: SessionRequest): CreateSessionParams {
  const metadata = {
    ...request.metadata,
    [METADATA.instance]: request.instance,
    [METADATA.order]: publicId('ord', request.orderId),
    [METADATA.operation]: publicId('op', request.operationId),
  };
  const lifeSeconds = Math.min(Math.max(request.lifeSeconds, LIFE_SECONDS_MIN), LIFE_SECONDS_MAX);
  return {
    mode: 'payment',
    line_items: request.items.map(({ name, unitAmount, quantity }) => ({
      price_data: { currency: request.currency, unit_amount: unitAmount, product_data: { name } },
      quantity,
    })),
    adaptive_pricing: { enabled: false },
    ...(request.customerEmail === null ? {} : { customer_email: request.customerEmail }),
    payment_intent_data: {
      capture_method: request.captureMethod,
      ...(request.saveCard ? { setup_future_usage: 'off_session' as const } : {}),
      metadata,
    },
    metadata,
    success_url: request.returnUrl,
    cancel_url: request.returnUrl,
    expires_at: Math.floor(request.createdAt.getTime() / 1_000) + lifeSeconds,
  };
}

/** Names, in the parameters of a cancel, the session that is to be expired. */
export const EXPIRES_SESSION = 'checkout_session';

/**
 * The parameters that cancel a payment: on request, or because nobody paid in time. As long as its Checkout Session is
 * open, Stripe lets nobody cancel the intent, and ends it with the session. Decided when it is ordered: one key, one request.
 */
export function cancelParams(
  { checkoutSessionId, url }: PaymentState,
  reason: 'requested_by_customer' | 'abandoned',
): CancelIntentParams | { readonly [EXPIRES_SESSION]: string } {
  return checkoutSessionId !== null && url !== null ? { [EXPIRES_SESSION]: checkoutSessionId } : cancelIntentParams(reason);
}
