import { type Act } from '../core/act.js';
import { toShipping } from '../customers/address-params.js';
import { emit } from '../events/emit.js';
import { changedMetadata, type Parsed } from '../http/params.js';
import { invalidParameter, invalidRequest, missingResource } from '../http/stripe-error.js';
import type { PaymentMethod } from '../payment-methods/payment-method.js';
import { createPaymentMethod, type PaymentMethodData, refuseUnusable, usePaymentMethod } from '../payment-methods/payment-methods.js';
import { acceptedCurrency, refuseUnchargeable } from './amounts.js';
import { newPaymentIntent, type NewPaymentIntent, type PaymentIntent, paymentMethodTypes } from './payment-intent.js';
import type { CREATE, UPDATE } from './payment-intent-params.js';

/** Parameters that have no meaning unless the intent is confirmed in the same call. */
const ONLY_WITH_CONFIRM = ['error_on_requires_action', 'off_session', 'return_url', 'use_stripe_sdk'] as const;

export function createPaymentIntent(act: Act, params: Parsed<typeof CREATE>): PaymentIntent {
  const currency = acceptedCurrency(params.currency);
  refuseUnchargeable(params.amount, currency);
  refuseConfirmingParams(params);
  refuseBothSelections(params);
  refuseMissingCustomer(act, params.customer);
  const method = givenMethod(act, params);
  if (method !== undefined) refuseUnusable(act, method, params.customer ?? null);
  return keepPaymentIntent(act, {
    at: act.at,
    amount: params.amount,
    currency,
    allowedPaymentMethodTypes: params.allowed_payment_method_types ?? null,
    automaticPaymentMethods: automaticMethods(params),
    captureMethod: params.capture_method ?? 'automatic_async',
    confirmationMethod: params.confirmation_method ?? 'automatic',
    customer: params.customer ?? null,
    description: params.description ?? null,
    excludedPaymentMethodTypes: params.excluded_payment_method_types ?? null,
    metadata: changedMetadata({}, params.metadata),
    paymentMethod: method?.id ?? null,
    receiptEmail: params.receipt_email ?? null,
    setupFutureUsage: params.setup_future_usage ?? null,
    shipping: params.shipping === undefined || params.shipping === null ? null : toShipping(params.shipping),
    statementDescriptor: params.statement_descriptor ?? null,
    statementDescriptorSuffix: params.statement_descriptor_suffix ?? null,
    transferGroup: params.transfer_group ?? null,
    applicationFeeAmount: params.application_fee_amount ?? null,
  });
}

export function keepPaymentIntent(act: Act, from: NewPaymentIntent, checkoutSession: string | null = null): PaymentIntent {
  const intent = act.account.save('payment_intents', newPaymentIntent(from));
  act.account.save('payment_intent_secrets', {
    id: intent.id,
    created: intent.created,
    returnUrl: null,
    checkoutSession,
    authenticated: false,
  });
  emit(act, 'payment_intent.created', intent);
  return intent;
}

const AMOUNT_IS_OPEN = new Set<PaymentIntent['status']>(['requires_payment_method', 'requires_confirmation', 'requires_action']);

export function updatePaymentIntent(act: Act, before: PaymentIntent, params: Parsed<typeof UPDATE>): PaymentIntent {
  const touchesPayment = [
    params.amount,
    params.currency,
    params.customer,
    params.payment_method,
    params.payment_method_data,
    params.capture_method,
  ];
  if (!AMOUNT_IS_OPEN.has(before.status) && touchesPayment.some((param) => param !== undefined)) {
    throw invalidRequest(
      `This PaymentIntent's amount, currency, customer, payment_method or capture_method could not be updated because it has a status of ${before.status}. You may only update them in one of the following statuses: ${[...AMOUNT_IS_OPEN].join(', ')}.`,
      { code: 'payment_intent_unexpected_state', details: { payment_intent: before } },
    );
  }
  refuseMissingCustomer(act, params.customer);
  const method = givenMethod(act, params);
  const customer = params.customer ?? before.customer;
  if (method !== undefined) refuseUnusable(act, method, customer);
  const amount = params.amount ?? before.amount;
  const currency = params.currency === undefined ? before.currency : acceptedCurrency(params.currency);
  refuseUnchargeable(amount, currency);
  const allowed = params.allowed_payment_method_types ?? before.allowed_payment_method_types;
  const excluded = changed(before.excluded_payment_method_types, params.excluded_payment_method_types);
  return act.account.save('payment_intents', {
    ...before,
    allowed_payment_method_types: allowed,
    amount,
    application_fee_amount: changed(before.application_fee_amount, params.application_fee_amount),
    capture_method: params.capture_method ?? before.capture_method,
    currency,
    customer,
    description: changed(before.description, params.description),
    excluded_payment_method_types: excluded,
    metadata: changedMetadata(before.metadata, params.metadata),
    payment_method: method?.id ?? before.payment_method,
    payment_method_types: paymentMethodTypes({ allowedPaymentMethodTypes: allowed, excludedPaymentMethodTypes: excluded, currency }),
    receipt_email: changed(before.receipt_email, params.receipt_email),
    setup_future_usage: changed(before.setup_future_usage, params.setup_future_usage),
    shipping: params.shipping === undefined ? before.shipping : params.shipping === null ? null : toShipping(params.shipping),
    statement_descriptor: changed(before.statement_descriptor, params.statement_descriptor),
    statement_descriptor_suffix: changed(before.statement_descriptor_suffix, params.statement_descriptor_suffix),
    transfer_group: params.transfer_group ?? before.transfer_group,
    ...(method !== undefined && before.status === 'requires_payment_method' ? { status: 'requires_confirmation' } : {}),
  });
}

/** The method a call names or describes. */
export function givenMethod(
  act: Act,
  params: { payment_method?: string | undefined; payment_method_data?: PaymentMethodData | undefined },
): PaymentMethod | undefined {
  if (params.payment_method !== undefined) return usePaymentMethod(act, params.payment_method);
  return params.payment_method_data === undefined ? undefined : createPaymentMethod(act, params.payment_method_data, 'payment_method_data');
}

function automaticMethods(params: Parsed<typeof CREATE>): PaymentIntent['automatic_payment_methods'] {
  const given = params.automatic_payment_methods;
  if (given !== undefined) return { enabled: given.enabled, allow_redirects: given.allow_redirects ?? 'always' };
  // Dynamic payment methods are the default where no list is given.
  return params.allowed_payment_method_types === undefined ? { enabled: true, allow_redirects: 'always' } : null;
}

function refuseConfirmingParams(params: Parsed<typeof CREATE>): void {
  if (params.confirm === true) return;
  const name = ONLY_WITH_CONFIRM.find((candidate) => params[candidate] !== undefined && params[candidate] !== false);
  if (name === undefined) return;
  throw invalidParameter(
    'parameter_unknown',
    `The parameter \`${name}\` cannot be passed when creating a PaymentIntent unless \`confirm\` is set to true.`,
    name,
  );
}

function refuseBothSelections(params: Parsed<typeof CREATE>): void {
  if (params.allowed_payment_method_types === undefined || params.automatic_payment_methods?.enabled !== true) return;
  throw invalidRequest('You may only specify one of these parameters: automatic_payment_methods, allowed_payment_method_types.', {
    param: 'automatic_payment_methods',
    kept: false,
  });
}

function refuseMissingCustomer(act: Act, customer: string | undefined): void {
  if (customer !== undefined && act.account.find('customers', customer) === undefined)
    throw missingResource('customer', customer, 'customer', 400);
}

function changed<T>(before: T | null, change: T | null | undefined): T | null {
  return change === undefined ? before : change;
}
