import type { PaymentIntent } from './payment-intent.js';

/** What Stripe shows of an intent to a publishable key. Source: the fields marked "retrievable with publishable key" in the API reference */
const SHOWN = [
  'id',
  'object',
  'amount',
  'amount_details',
  'automatic_payment_methods',
  'canceled_at',
  'cancellation_reason',
  'capture_method',
  'client_secret',
  'confirmation_method',
  'created',
  'currency',
  'description',
  'last_payment_error',
  'livemode',
  'next_action',
  'payment_method',
  'payment_method_configuration_details',
  'payment_method_types',
  'processing',
  'receipt_email',
  'setup_future_usage',
  'shipping',
  'source',
  'status',
] as const satisfies readonly (keyof PaymentIntent)[];

export function publishableView(intent: PaymentIntent): Pick<PaymentIntent, (typeof SHOWN)[number]> {
  return Object.fromEntries(SHOWN.map((field) => [field, intent[field]])) as Pick<PaymentIntent, (typeof SHOWN)[number]>;
}
