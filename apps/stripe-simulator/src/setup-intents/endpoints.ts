import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { emit } from '../events/emit.js';
import { LIST_PARAMS, listPage } from '../http/lists.js';
import { boolean, changedMetadata, ignored, list, metadata, object, oneOf, type Parsed, required, string } from '../http/params.js';
import { missingResource } from '../http/stripe-error.js';
import { givenMethod } from '../payment-intents/create.js';
import { PAYMENT_METHOD_TYPES } from '../payment-intents/payment-intent-params.js';
import { PAYMENT_METHOD_DATA } from '../payment-methods/payment-method-params.js';
import { newSetupIntent, type SetupIntent } from './setup-intent.js';
import { cancelSetupIntent, confirmSetupIntent } from './setup.js';

const METHOD = {
  payment_method: string(),
  payment_method_data: object(PAYMENT_METHOD_DATA),
  payment_method_options: ignored(),
};

const CONFIRM = {
  ...METHOD,
  allowed_payment_method_types: list(string()),
  client_secret: string(),
  confirmation_token: ignored(),
  expected_payment_method_type: string(),
  mandate_data: ignored(),
  return_url: string(),
  use_stripe_sdk: boolean(),
};

const CREATE = {
  ...METHOD,
  allowed_payment_method_types: list(string()),
  attach_to_self: ignored(),
  automatic_payment_methods: object({ allow_redirects: oneOf('always', 'never'), enabled: required(boolean()) }),
  confirm: boolean(),
  confirmation_token: ignored(),
  customer: string(),
  customer_account: ignored(),
  description: string(),
  excluded_payment_method_types: ignored(),
  flow_directions: ignored(),
  mandate_data: ignored(),
  metadata: metadata(),
  on_behalf_of: ignored(),
  payment_method_configuration: ignored(),
  payment_method_types: PAYMENT_METHOD_TYPES,
  return_url: string(),
  single_use: ignored(),
  usage: oneOf('off_session', 'on_session'),
  use_stripe_sdk: boolean(),
};

export const SETUP_INTENT_ENDPOINTS: readonly Endpoint[] = [
  endpoint({ method: 'POST', path: '/v1/setup_intents', params: CREATE, run: create }),
  endpoint({
    method: 'GET',
    path: '/v1/setup_intents',
    params: { ...LIST_PARAMS, attach_to_self: boolean(), customer: string(), customer_account: string(), payment_method: string() },
    run: (call, params) =>
      listPage({
        collection: call.account.all('setup_intents'),
        params,
        url: '/v1/setup_intents',
        kind: 'setupintent',
        filter: (intent) =>
          (params.customer === undefined || intent.customer === params.customer) &&
          (params.payment_method === undefined || intent.payment_method === params.payment_method),
      }),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/setup_intents/:id',
    forBrowsers: true,
    params: { client_secret: string() },
    run: (call, params, { id }) => opened(call, id, params.client_secret),
  }),
  endpoint({
    method: 'POST',
    path: '/v1/setup_intents/:id',
    params: { ...METHOD, customer: string(), customer_account: ignored(), description: string(), metadata: metadata() },
    run(call, params, { id }) {
      const before = existing(call, id);
      const method = givenMethod(call, params);
      return call.account.save('setup_intents', {
        ...before,
        customer: params.customer ?? before.customer,
        description: params.description ?? before.description,
        metadata: changedMetadata(before.metadata, params.metadata),
        payment_method: method?.id ?? before.payment_method,
        ...(method !== undefined && before.status === 'requires_payment_method' ? { status: 'requires_confirmation' } : {}),
      });
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/setup_intents/:id/confirm',
    forBrowsers: true,
    params: CONFIRM,
    run: (call, params, { id }) => confirmed(call, opened(call, id, params.client_secret), params),
  }),
  endpoint({
    method: 'POST',
    path: '/v1/setup_intents/:id/cancel',
    params: { cancellation_reason: oneOf('abandoned', 'duplicate', 'requested_by_customer') },
    run: (call, params, { id }) => cancelSetupIntent(call, existing(call, id), params.cancellation_reason ?? null),
  }),
];

function create(call: Call, params: Parsed<typeof CREATE>): SetupIntent {
  if (params.customer !== undefined && call.account.find('customers', params.customer) === undefined) {
    throw missingResource('customer', params.customer, 'customer', 400);
  }
  const automatic = params.automatic_payment_methods;
  const intent = newSetupIntent(call.at, {
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    automatic_payment_methods:
      params.allowed_payment_method_types === undefined
        ? { allow_redirects: automatic?.allow_redirects ?? 'always', enabled: automatic?.enabled ?? true }
        : null,
    customer: params.customer ?? null,
    description: params.description ?? null,
    metadata: changedMetadata({}, params.metadata),
    payment_method: givenMethod(call, params)?.id ?? null,
    usage: params.usage ?? 'off_session',
  });
  call.account.save('setup_intents', intent);
  emit(call, 'setup_intent.created', intent);
  return params.confirm === true ? confirmed(call, intent, { return_url: params.return_url }) : intent;
}

function confirmed(
  call: Call,
  intent: SetupIntent,
  params: { return_url: string | undefined } & Parameters<typeof givenMethod>[1],
): SetupIntent {
  const result = confirmSetupIntent(call, intent, { method: givenMethod(call, params), returnUrl: params.return_url });
  if (result.error !== undefined) throw result.error;
  return result.intent;
}

function existing(call: Call, id: string): SetupIntent {
  const intent = call.account.find('setup_intents', id);
  if (intent === undefined) throw missingResource('setupintent', id, 'intent');
  return intent;
}

/** A browser reaches it only with its client secret; to one without, it does not exist. */
function opened(call: Call, id: string, clientSecret: string | undefined): SetupIntent {
  const intent = existing(call, id);
  const needsSecret = call.audience === 'publishable' || clientSecret !== undefined;
  if (needsSecret && clientSecret !== intent.client_secret) throw missingResource('setupintent', id, 'intent');
  return intent;
}
