import { SHIPPING } from '../customers/address-params.js';
import { boolean, ignored, integer, list, metadata, object, oneOf, required, string, unsettable, unsupported } from '../http/params.js';
import { invalidParameter } from '../http/stripe-error.js';
import { PAYMENT_METHOD_DATA } from '../payment-methods/payment-method-params.js';

/** Refused since API version 2026-09-30.endive on everything that collects payments. */
export const PAYMENT_METHOD_TYPES = {
  parse(value: unknown, name: string): undefined {
    if (value === undefined) return undefined;
    throw invalidParameter(
      'payment_method_types_no_longer_supported',
      '`payment_method_types` is no longer supported as of API version 2026-09-30.endive. Use `automatic_payment_methods` or `allowed_payment_method_types` instead.',
      name,
    );
  },
};

const DESCRIBING = {
  amount_details: ignored(),
  description: unsettable(string()),
  hooks: ignored(),
  metadata: metadata(),
  payment_details: ignored(),
  payment_method_configuration: string(),
  payment_method_options: ignored(),
  receipt_email: unsettable(string()),
  setup_future_usage: unsettable(oneOf('on_session', 'off_session')),
  shipping: unsettable(object(SHIPPING)),
  statement_descriptor: unsettable(string(22)),
  statement_descriptor_suffix: unsettable(string(22)),
};

const METHOD = {
  allowed_payment_method_types: list(string()),
  excluded_payment_method_types: unsettable(list(string())),
  payment_method: string(),
  payment_method_data: object(PAYMENT_METHOD_DATA),
  payment_method_types: PAYMENT_METHOD_TYPES,
};

const CONFIRMING = {
  confirmation_token: unsupported(),
  error_on_requires_action: boolean(),
  mandate: ignored(),
  mandate_data: ignored(),
  /** Also an object or the older words; whatever it is but false means off session. */
  off_session: { parse: (value: unknown): boolean => value !== undefined && value !== 'false' },
  radar_options: ignored(),
  return_url: string(),
  use_stripe_sdk: boolean(),
};

const CAPTURE_METHOD = oneOf('automatic', 'automatic_async', 'manual');

export const CREATE = {
  ...DESCRIBING,
  ...METHOD,
  ...CONFIRMING,
  amount: required(integer({ min: 1 })),
  application_fee_amount: integer(),
  automatic_payment_methods: object({ allow_redirects: oneOf('always', 'never'), enabled: required(boolean()) }),
  capture_method: CAPTURE_METHOD,
  confirm: boolean(),
  confirmation_method: oneOf('automatic', 'manual'),
  currency: required(string(3)),
  customer: string(),
  customer_account: ignored(),
  on_behalf_of: unsupported(),
  transfer_data: unsupported(),
  transfer_group: string(),
};

export const UPDATE = {
  ...DESCRIBING,
  ...METHOD,
  amount: integer({ min: 1 }),
  application_fee_amount: unsettable(integer()),
  capture_method: CAPTURE_METHOD,
  currency: string(3),
  customer: string(),
  customer_account: ignored(),
  transfer_data: unsupported(),
  transfer_group: string(),
};

export const CONFIRM = {
  ...METHOD,
  ...CONFIRMING,
  amount_details: ignored(),
  amount_to_confirm: integer({ min: 1 }),
  capture_method: CAPTURE_METHOD,
  client_secret: string(),
  expected_payment_method_type: string(),
  hooks: ignored(),
  payment_details: ignored(),
  payment_method_options: ignored(),
  receipt_email: unsettable(string()),
  setup_future_usage: unsettable(oneOf('on_session', 'off_session')),
  shipping: unsettable(object(SHIPPING)),
};

export const CAPTURE = {
  amount_details: ignored(),
  amount_to_capture: integer(),
  application_fee_amount: integer(),
  final_capture: boolean(),
  hooks: ignored(),
  metadata: metadata(),
  payment_details: ignored(),
  statement_descriptor: string(22),
  statement_descriptor_suffix: string(22),
  transfer_data: unsupported(),
};

export const CANCEL = { cancellation_reason: oneOf('abandoned', 'duplicate', 'fraudulent', 'requested_by_customer') };
