import { newId, randomToken } from '../core/ids.js';
import type { Address, PaymentMethod } from '../payment-methods/payment-method.js';

export type PaymentIntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled';

export type CaptureMethod = 'automatic' | 'automatic_async' | 'manual';

export interface LastPaymentError {
  advice_code?: string;
  charge?: string;
  code: string;
  decline_code?: string;
  doc_url: string;
  message: string;
  network_decline_code?: string;
  param?: string;
  payment_method?: PaymentMethod;
  payment_method_type?: string;
  type: 'card_error' | 'invalid_request_error';
}

export type NextAction =
  | { type: 'redirect_to_url'; redirect_to_url: { return_url: string | null; url: string } }
  | { type: 'use_stripe_sdk'; use_stripe_sdk: { type: 'three_d_secure_redirect'; stripe_js: string; source: string } };

export interface PaymentIntent {
  id: string;
  object: 'payment_intent';
  allowed_payment_method_types: string[] | null;
  amount: number;
  amount_capturable: number;
  amount_details: { tip: Record<string, never> };
  amount_received: number;
  application: null;
  application_fee_amount: number | null;
  automatic_payment_methods: { allow_redirects: 'always' | 'never'; enabled: boolean } | null;
  canceled_at: number | null;
  cancellation_reason: string | null;
  capture_method: CaptureMethod;
  client_secret: string;
  confirmation_method: 'automatic' | 'manual';
  created: number;
  currency: string;
  customer: string | null;
  customer_account: null;
  description: string | null;
  excluded_payment_method_types: string[] | null;
  last_payment_error: LastPaymentError | null;
  latest_charge: string | null;
  livemode: false;
  managed_payments: null;
  metadata: Record<string, string>;
  next_action: NextAction | null;
  on_behalf_of: null;
  payment_method: string | null;
  payment_method_configuration_details: null;
  payment_method_options: { card: CardOptions };
  payment_method_types: string[];
  payment_record: null;
  processing: null;
  receipt_email: string | null;
  review: null;
  setup_future_usage: 'on_session' | 'off_session' | null;
  shipping: Shipping | null;
  source: null;
  statement_descriptor: string | null;
  statement_descriptor_suffix: string | null;
  status: PaymentIntentStatus;
  transfer_data: null;
  transfer_group: string | null;
}

interface CardOptions {
  installments: null;
  mandate_options: null;
  network: null;
  request_three_d_secure: 'automatic';
}

export interface Shipping {
  address: Address;
  carrier: string | null;
  name: string;
  phone: string | null;
  tracking_number: string | null;
}

/** What the simulator remembers of an intent besides the object it shows. */
export interface PaymentIntentSecret {
  id: string;
  created: number;
  /** Where the buyer goes after the page of `next_action`. */
  returnUrl: string | null;
  /** The Checkout Session that made it, if one did. */
  checkoutSession: string | null;
  /** With `confirmation_method=manual`: the buyer has authenticated, the next confirm may charge. */
  authenticated: boolean;
}

export interface NewPaymentIntent {
  at: number;
  amount: number;
  currency: string;
  allowedPaymentMethodTypes: string[] | null;
  automaticPaymentMethods: PaymentIntent['automatic_payment_methods'];
  captureMethod: CaptureMethod;
  confirmationMethod: 'automatic' | 'manual';
  customer: string | null;
  description: string | null;
  excludedPaymentMethodTypes: string[] | null;
  metadata: Record<string, string>;
  paymentMethod: string | null;
  receiptEmail: string | null;
  setupFutureUsage: PaymentIntent['setup_future_usage'];
  shipping: Shipping | null;
  statementDescriptor: string | null;
  statementDescriptorSuffix: string | null;
  transferGroup: string | null;
  applicationFeeAmount: number | null;
}

// Shared by all intents: objects are never changed in place.
const AMOUNT_DETAILS = { tip: {} };
const PAYMENT_METHOD_OPTIONS = {
  card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
} as const;

export function newPaymentIntent(from: NewPaymentIntent): PaymentIntent {
  const id = newId('pi');
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: from.allowedPaymentMethodTypes,
    amount: from.amount,
    amount_capturable: 0,
    amount_details: AMOUNT_DETAILS,
    amount_received: 0,
    application: null,
    application_fee_amount: from.applicationFeeAmount,
    automatic_payment_methods: from.automaticPaymentMethods,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: from.captureMethod,
    client_secret: `${id}_secret_${randomToken(25)}`,
    confirmation_method: from.confirmationMethod,
    created: from.at,
    currency: from.currency,
    customer: from.customer,
    customer_account: null,
    description: from.description,
    excluded_payment_method_types: from.excludedPaymentMethodTypes,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: from.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: from.paymentMethod,
    payment_method_configuration_details: null,
    payment_method_options: PAYMENT_METHOD_OPTIONS,
    payment_method_types: paymentMethodTypes(from),
    payment_record: null,
    processing: null,
    receipt_email: from.receiptEmail,
    review: null,
    setup_future_usage: from.setupFutureUsage,
    shipping: from.shipping,
    source: null,
    statement_descriptor: from.statementDescriptor,
    statement_descriptor_suffix: from.statementDescriptorSuffix,
    status: from.paymentMethod === null ? 'requires_payment_method' : 'requires_confirmation',
    transfer_data: null,
    transfer_group: from.transferGroup,
  };
}

/** What the buyer may pay with: the allowed types, or those switched on that fit the currency, minus the excluded ones. */
export function paymentMethodTypes(
  intent: Pick<NewPaymentIntent, 'allowedPaymentMethodTypes' | 'excludedPaymentMethodTypes' | 'currency'>,
): string[] {
  const delayed = intent.currency === 'eur' ? ['sepa_debit'] : intent.currency === 'usd' ? ['us_bank_account'] : [];
  const offered = intent.allowedPaymentMethodTypes ?? ['card', ...delayed];
  return offered.filter((type) => intent.excludedPaymentMethodTypes?.includes(type) !== true);
}
