import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { SHIPPING, toShipping } from '../customers/address-params.js';
import { LIST_PARAMS, listPage, whereEquals } from '../http/lists.js';
import {
  changedMetadata,
  ignored,
  integer,
  list,
  metadata,
  object,
  oneOf,
  type Parsed,
  required,
  string,
  unsupported,
} from '../http/params.js';
import { invalidParameter, invalidRequest, missingResource } from '../http/stripe-error.js';
import { acceptedCurrency, refuseUnchargeable } from '../payment-intents/amounts.js';
import { paymentMethodTypes } from '../payment-intents/payment-intent.js';
import { PAYMENT_METHOD_TYPES } from '../payment-intents/payment-intent-params.js';
import { type CheckoutSession, type CheckoutSessionSecret, type LineItem, newCheckoutSession, newLineItem } from './checkout-session.js';
import { expireSession } from './expire-session.js';

/** A session lives between half an hour and a day; a day unless it says otherwise. */
const LIFE_SECONDS_MIN = 30 * 60;
const LIFE_SECONDS_MAX = 24 * 3600;

const LINE_ITEM = {
  adjustable_quantity: ignored(),
  metadata: metadata(),
  price: string(),
  price_data: object({
    currency: required(string(3)),
    product: string(),
    product_data: object({
      description: string(),
      images: ignored(),
      metadata: metadata(),
      name: required(string()),
      tax_code: ignored(),
      tax_details: ignored(),
      unit_label: ignored(),
    }),
    recurring: ignored(),
    tax_behavior: ignored(),
    unit_amount: required(integer({ min: 0 })),
  }),
  quantity: integer({ min: 1 }),
  tax_rates: ignored(),
};

const CREATE = {
  adaptive_pricing: ignored(),
  after_expiration: ignored(),
  allow_promotion_codes: ignored(),
  allowed_payment_method_types: list(string()),
  automatic_tax: ignored(),
  billing_address_collection: ignored(),
  branding_settings: ignored(),
  cancel_url: string(),
  client_reference_id: string(200),
  consent_collection: ignored(),
  currency: string(3),
  custom_fields: unsupported(),
  custom_text: ignored(),
  customer: string(),
  customer_creation: oneOf('always', 'if_required'),
  customer_email: string(),
  customer_account: unsupported(),
  customer_update: ignored(),
  discounts: unsupported(),
  excluded_payment_method_types: list(string()),
  expires_at: integer(),
  integration_identifier: ignored(),
  invoice_creation: unsupported(),
  line_items: list(object(LINE_ITEM)),
  locale: string(),
  managed_payments: unsupported(),
  metadata: metadata(),
  mode: oneOf('payment'),
  name_collection: ignored(),
  optional_items: unsupported(),
  origin_context: ignored(),
  payment_intent_data: object({
    application_fee_amount: integer(),
    capture_method: oneOf('automatic', 'automatic_async', 'manual'),
    description: string(),
    metadata: metadata(),
    on_behalf_of: unsupported(),
    receipt_email: string(),
    setup_future_usage: oneOf('on_session', 'off_session'),
    shipping: object(SHIPPING),
    statement_descriptor: string(22),
    statement_descriptor_suffix: string(22),
    transfer_data: unsupported(),
    transfer_group: string(),
  }),
  payment_method_collection: ignored(),
  payment_method_configuration: ignored(),
  payment_method_data: ignored(),
  payment_method_options: ignored(),
  payment_method_types: PAYMENT_METHOD_TYPES,
  permissions: unsupported(),
  phone_number_collection: ignored(),
  redirect_on_completion: unsupported(),
  return_url: unsupported(),
  saved_payment_method_options: ignored(),
  setup_intent_data: unsupported(),
  shipping_address_collection: unsupported(),
  shipping_options: unsupported(),
  submit_type: oneOf('auto', 'book', 'donate', 'pay', 'subscribe'),
  subscription_data: unsupported(),
  success_url: string(),
  tax_id_collection: ignored(),
  ui_mode: oneOf('hosted_page'),
  wallet_options: ignored(),
};

export const CHECKOUT_ENDPOINTS: readonly Endpoint[] = [
  endpoint({ method: 'POST', path: '/v1/checkout/sessions', params: CREATE, run: createSession }),
  endpoint({
    method: 'GET',
    path: '/v1/checkout/sessions',
    params: {
      ...LIST_PARAMS,
      customer: string(),
      customer_account: string(),
      customer_details: object({ email: required(string()) }),
      payment_intent: string(),
      payment_link: string(),
      status: oneOf('complete', 'expired', 'open'),
      subscription: string(),
    },
    run: (call, params) =>
      listPage({
        collection: call.account.all('checkout_sessions'),
        params,
        url: '/v1/checkout/sessions',
        kind: 'checkout.session',
        where:
          whereEquals<CheckoutSession>('payment_intent', params.payment_intent) ??
          whereEquals<CheckoutSession>('customer', params.customer),
        filter: (session) =>
          (params.customer === undefined || session.customer === params.customer) &&
          (params.payment_intent === undefined || session.payment_intent === params.payment_intent) &&
          (params.status === undefined || session.status === params.status) &&
          (params.customer_details === undefined || session.customer_details?.email === params.customer_details.email) &&
          params.payment_link === undefined &&
          params.subscription === undefined,
      }),
  }),
  endpoint({ method: 'GET', path: '/v1/checkout/sessions/:id', params: {}, run: (call, _, { id }) => existing(call, id) }),
  endpoint({
    method: 'POST',
    path: '/v1/checkout/sessions/:id',
    params: { metadata: metadata() },
    run(call, params, { id }) {
      const before = existing(call, id);
      return call.account.save('checkout_sessions', { ...before, metadata: changedMetadata(before.metadata, params.metadata) });
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/checkout/sessions/:id/expire',
    params: {},
    run: (call, _, { id }) => expireSession(call, existing(call, id)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/checkout/sessions/:id/line_items',
    params: { ending_before: string(), limit: integer(), starting_after: string() },
    run(call, params, { id }) {
      const { lineItems } = secretOfSession(call, existing(call, id));
      const from = params.starting_after === undefined ? 0 : lineItems.findIndex((item) => item.id === params.starting_after) + 1;
      const limit = Math.min(Math.max(params.limit ?? 10, 1), 100);
      const data = lineItems.slice(from, from + limit);
      return { object: 'list', data, has_more: from + limit < lineItems.length, url: `/v1/checkout/sessions/${id}/line_items` };
    },
  }),
];

function createSession(call: Call, params: Parsed<typeof CREATE>): CheckoutSession {
  const lineItems = (params.line_items ?? []).map((item, index) => lineItem(call, item, `line_items[${index}]`));
  const [first] = lineItems;
  if (first === undefined) throw invalidParameter('parameter_missing', 'Missing required param: line_items.', 'line_items');
  if (params.success_url === undefined) throw invalidParameter('parameter_missing', 'Missing required param: success_url.', 'success_url');
  const { currency } = first;
  if (lineItems.some((item) => item.currency !== currency))
    throw invalidRequest('All line items must have the same currency.', { param: 'line_items' });
  if (params.customer !== undefined && params.customer_email !== undefined) {
    throw invalidRequest('You may only specify one of these parameters: customer, customer_email.', { param: 'customer_email' });
  }
  if (params.customer !== undefined && call.account.find('customers', params.customer) === undefined) {
    throw missingResource('customer', params.customer, 'customer', 400);
  }
  const amount = lineItems.reduce((sum, item) => sum + item.amount_total, 0);
  refuseUnchargeable(amount, currency);
  const expiresAt = expiry(call, params.expires_at);
  const allowed = params.allowed_payment_method_types ?? null;
  const session = call.account.save(
    'checkout_sessions',
    newCheckoutSession({
      at: call.at,
      pagesUrl: call.pagesUrl,
      allowedPaymentMethodTypes: allowed,
      amount,
      cancelUrl: params.cancel_url ?? null,
      clientReferenceId: params.client_reference_id ?? null,
      currency,
      customer: params.customer ?? null,
      customerCreation: params.customer_creation ?? null,
      customerEmail: params.customer_email ?? null,
      expiresAt,
      locale: params.locale ?? null,
      metadata: changedMetadata({}, params.metadata),
      paymentMethodTypes: paymentMethodTypes({
        allowedPaymentMethodTypes: allowed,
        excludedPaymentMethodTypes: params.excluded_payment_method_types ?? null,
        currency,
      }),
      submitType: params.submit_type ?? null,
      successUrl: params.success_url,
    }),
  );
  call.account.save('checkout_session_secrets', { id: session.id, created: session.created, lineItems, intent: intentToMake(params) });
  call.world.plan(call.account, 'expire_session', session.id, expiresAt * 1000);
  return session;
}

function intentToMake(params: Parsed<typeof CREATE>): CheckoutSessionSecret['intent'] {
  const given = params.payment_intent_data;
  return {
    allowedPaymentMethodTypes: params.allowed_payment_method_types ?? null,
    automaticPaymentMethods: params.allowed_payment_method_types === undefined ? { enabled: true, allow_redirects: 'always' } : null,
    captureMethod: given?.capture_method ?? 'automatic_async',
    confirmationMethod: 'automatic',
    description: given?.description ?? null,
    excludedPaymentMethodTypes: params.excluded_payment_method_types ?? null,
    metadata: changedMetadata({}, given?.metadata),
    receiptEmail: given?.receipt_email ?? null,
    setupFutureUsage: given?.setup_future_usage ?? null,
    shipping: given?.shipping === undefined ? null : toShipping(given.shipping),
    statementDescriptor: given?.statement_descriptor ?? null,
    statementDescriptorSuffix: given?.statement_descriptor_suffix ?? null,
    transferGroup: given?.transfer_group ?? null,
    applicationFeeAmount: given?.application_fee_amount ?? null,
  };
}

function lineItem(call: Call, given: Parsed<typeof LINE_ITEM>, name: string): LineItem {
  if (given.price !== undefined) throw missingResource('price', given.price, `${name}[price]`, 400);
  const price = given.price_data;
  if (price === undefined)
    throw invalidParameter('parameter_missing', `Missing required param: ${name}[price_data].`, `${name}[price_data]`);
  if (price.product !== undefined) throw missingResource('product', price.product, `${name}[price_data][product]`, 400);
  if (price.product_data === undefined) {
    throw invalidParameter(
      'parameter_missing',
      `Missing required param: ${name}[price_data][product_data].`,
      `${name}[price_data][product_data]`,
    );
  }
  return newLineItem({
    at: call.at,
    currency: acceptedCurrency(price.currency),
    description: price.product_data.name,
    metadata: changedMetadata({}, given.metadata),
    quantity: given.quantity ?? 1,
    unitAmount: price.unit_amount,
  });
}

function expiry(call: Call, given: number | undefined): number {
  const expiresAt = given ?? call.at + LIFE_SECONDS_MAX;
  if (expiresAt >= call.at + LIFE_SECONDS_MIN && expiresAt <= call.at + LIFE_SECONDS_MAX) return expiresAt;
  const bound = expiresAt < call.at + LIFE_SECONDS_MIN ? 'at least 30 minutes' : 'less than 24 hours';
  throw invalidRequest(`The \`expires_at\` timestamp must be ${bound} from Checkout Session creation.`, { param: 'expires_at' });
}

function secretOfSession(call: Call, session: CheckoutSession): CheckoutSessionSecret {
  const secret = call.account.find('checkout_session_secrets', session.id);
  if (secret === undefined) throw new Error(`checkout session ${session.id} has no hidden half`);
  return secret;
}

function existing(call: Call, id: string): CheckoutSession {
  const session = call.account.find('checkout_sessions', id);
  if (session === undefined) throw missingResource('checkout.session', id, 'session');
  return session;
}
