import { newId, randomToken } from '../core/ids.js';
import type { NewPaymentIntent } from '../payment-intents/payment-intent.js';
import type { Address } from '../payment-methods/payment-method.js';

export interface Price {
  id: string;
  object: 'price';
  active: false;
  billing_scheme: 'per_unit';
  created: number;
  currency: string;
  custom_unit_amount: null;
  livemode: false;
  lookup_key: null;
  metadata: Record<string, string>;
  nickname: null;
  product: string;
  recurring: null;
  tax_behavior: 'unspecified';
  tiers_mode: null;
  transform_quantity: null;
  type: 'one_time';
  unit_amount: number;
  unit_amount_decimal: string;
}

export interface LineItem {
  id: string;
  object: 'item';
  adjustable_quantity: null;
  amount_discount: 0;
  amount_subtotal: number;
  amount_tax: 0;
  amount_total: number;
  currency: string;
  description: string;
  metadata: Record<string, string>;
  price: Price;
  quantity: number;
}

export interface CheckoutSession extends NeverOffered {
  id: string;
  object: 'checkout.session';
  allowed_payment_method_types: string[] | null;
  amount_subtotal: number;
  amount_total: number;
  cancel_url: string | null;
  client_reference_id: string | null;
  created: number;
  currency: string;
  customer: string | null;
  customer_creation: 'always' | 'if_required' | null;
  customer_details: CustomerDetails | null;
  customer_email: string | null;
  expires_at: number;
  livemode: false;
  locale: string | null;
  metadata: Record<string, string>;
  mode: 'payment';
  payment_intent: string | null;
  payment_method_collection: 'if_required';
  payment_method_options: { card: { request_three_d_secure: 'automatic' } };
  payment_method_types: string[];
  payment_status: 'paid' | 'unpaid' | 'no_payment_required';
  status: 'open' | 'complete' | 'expired';
  submit_type: string | null;
  success_url: string;
  ui_mode: 'hosted_page';
  url: string | null;
}

type NeverOffered = Readonly<typeof NOT_OFFERED>;

export interface CustomerDetails {
  address: Address | null;
  business_name: null;
  email: string | null;
  individual_name: null;
  name: string | null;
  phone: string | null;
  tax_exempt: 'none';
  tax_ids: never[];
}

/** The hidden half of a session: its lines, and the intent it will make when the buyer pays. */
export interface CheckoutSessionSecret {
  id: string;
  created: number;
  lineItems: LineItem[];
  intent: Omit<NewPaymentIntent, 'at' | 'amount' | 'currency' | 'customer' | 'paymentMethod'>;
}

export interface NewCheckoutSession {
  at: number;
  pagesUrl: string;
  allowedPaymentMethodTypes: string[] | null;
  amount: number;
  cancelUrl: string | null;
  clientReferenceId: string | null;
  currency: string;
  customer: string | null;
  customerCreation: 'always' | 'if_required' | null;
  customerEmail: string | null;
  expiresAt: number;
  locale: string | null;
  metadata: Record<string, string>;
  paymentMethodTypes: string[];
  submitType: string | null;
  successUrl: string;
}

/** What a session may offer at Stripe and never does here; shared by all sessions. */
const NOT_OFFERED = {
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  allow_promotion_codes: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
  customer_account: null,
  discounts: [],
  integration_identifier: null,
  invoice: null,
  invoice_creation: {
    enabled: false,
    invoice_data: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: null,
      metadata: {},
      rendering_options: null,
    },
  },
  managed_payments: null,
  origin_context: null,
  payment_link: null,
  payment_method_configuration_details: null,
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  subscription: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  wallet_options: null,
} as const;

export function newCheckoutSession(from: NewCheckoutSession): CheckoutSession {
  const id = `cs_test_${randomToken(58)}`;
  return {
    ...NOT_OFFERED,
    id,
    object: 'checkout.session',
    allowed_payment_method_types: from.allowedPaymentMethodTypes,
    amount_subtotal: from.amount,
    amount_total: from.amount,
    cancel_url: from.cancelUrl,
    client_reference_id: from.clientReferenceId,
    created: from.at,
    currency: from.currency,
    customer: from.customer,
    customer_creation: from.customer === null ? (from.customerCreation ?? 'if_required') : null,
    customer_details: null,
    customer_email: from.customerEmail,
    expires_at: from.expiresAt,
    livemode: false,
    locale: from.locale,
    metadata: from.metadata,
    mode: 'payment',
    payment_intent: null,
    payment_method_collection: 'if_required',
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: from.paymentMethodTypes,
    payment_status: 'unpaid',
    status: 'open',
    submit_type: from.submitType,
    success_url: from.successUrl,
    ui_mode: 'hosted_page',
    url: `${from.pagesUrl}/_sim/pages/checkout/${id}`,
  };
}

export interface NewLineItem {
  at: number;
  currency: string;
  description: string;
  metadata: Record<string, string>;
  quantity: number;
  unitAmount: number;
}

export function newLineItem(from: NewLineItem): LineItem {
  const amount = from.unitAmount * from.quantity;
  return {
    id: newId('li'),
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: from.currency,
    description: from.description,
    metadata: from.metadata,
    price: {
      id: newId('price'),
      object: 'price',
      active: false,
      billing_scheme: 'per_unit',
      created: from.at,
      currency: from.currency,
      custom_unit_amount: null,
      livemode: false,
      lookup_key: null,
      metadata: {},
      nickname: null,
      product: `prod_${randomToken(14)}`,
      recurring: null,
      tax_behavior: 'unspecified',
      tiers_mode: null,
      transform_quantity: null,
      type: 'one_time',
      unit_amount: from.unitAmount,
      unit_amount_decimal: String(from.unitAmount),
    },
    quantity: from.quantity,
  };
}
