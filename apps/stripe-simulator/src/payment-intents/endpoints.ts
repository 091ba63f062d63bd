import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { toShipping } from '../customers/address-params.js';
import { changedMetadata, integer, type Parsed, required, string } from '../http/params.js';
import { LIST_PARAMS, listPage, whereEquals } from '../http/lists.js';
import { invalidRequest, missingResource } from '../http/stripe-error.js';
import { confirmPaymentIntent, intentSecret } from './confirm.js';
import { createPaymentIntent, givenMethod, updatePaymentIntent } from './create.js';
import type { PaymentIntent } from './payment-intent.js';
import { CANCEL, CAPTURE, CONFIRM, CREATE, UPDATE } from './payment-intent-params.js';
import { publishableView } from './publishable-view.js';
import { searchPaymentIntents } from './search.js';
import { cancel, capture } from './transitions.js';

export const PAYMENT_INTENT_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/payment_intents',
    params: CREATE,
    run(call, params) {
      const intent = createPaymentIntent(call, params);
      return params.confirm === true ? confirmed(call, intent, params) : intent;
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/payment_intents',
    params: { ...LIST_PARAMS, customer: string(), customer_account: string() },
    run: (call, params) =>
      listPage({
        collection: call.account.all('payment_intents'),
        params,
        url: '/v1/payment_intents',
        kind: 'payment_intent',
        where: whereEquals<PaymentIntent>('customer', params.customer),
        filter: (intent) => params.customer === undefined || intent.customer === params.customer,
      }),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/payment_intents/search',
    params: { limit: integer(), page: string(), query: required(string()) },
    run: searchPaymentIntents,
  }),
  endpoint({
    method: 'GET',
    path: '/v1/payment_intents/:id',
    forBrowsers: true,
    params: { client_secret: string() },
    run: (call, params, { id }) => shown(call, opened(call, id, params.client_secret)),
  }),
  endpoint({
    method: 'POST',
    path: '/v1/payment_intents/:id',
    params: UPDATE,
    run: (call, params, { id }) => updatePaymentIntent(call, existing(call, id), params),
  }),
  endpoint({
    method: 'POST',
    path: '/v1/payment_intents/:id/confirm',
    forBrowsers: true,
    params: CONFIRM,
    run(call, params, { id }) {
      const intent = opened(call, id, params.client_secret);
      refuseOfSession(call, intent);
      return shown(call, confirmed(call, withConfirmChanges(call, intent, params), params));
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/payment_intents/:id/capture',
    params: CAPTURE,
    run(call, params, { id }) {
      if (params.final_capture === false)
        throw invalidRequest('This account is not eligible for multicapture.', { param: 'final_capture' });
      const intent = existing(call, id);
      return capture(call, { ...intent, metadata: changedMetadata(intent.metadata, params.metadata) }, params.amount_to_capture);
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/payment_intents/:id/cancel',
    params: CANCEL,
    run: (call, params, { id }) => cancel(call, existing(call, id), params.cancellation_reason ?? null),
  }),
];

function existing(call: Call, id: string): PaymentIntent {
  const intent = call.account.find('payment_intents', id);
  if (intent === undefined) throw missingResource('payment_intent', id, 'intent');
  return intent;
}

/** A browser reaches an intent only with its client secret; to one without, the intent does not exist. */
function opened(call: Call, id: string, clientSecret: string | undefined): PaymentIntent {
  const intent = call.account.find('payment_intents', id);
  const needsSecret = call.audience === 'publishable' || clientSecret !== undefined;
  if (intent === undefined || (needsSecret && clientSecret !== intent.client_secret)) throw missingResource('payment_intent', id, 'intent');
  return intent;
}

/** Only its page confirms a session's intent. Source: docs.stripe.com/api/checkout/sessions/object, `payment_intent`. */
function refuseOfSession(call: Call, { id }: PaymentIntent): void {
  if (intentSecret(call, id).checkoutSession === null) return;
  throw invalidRequest('You cannot confirm this PaymentIntent because it was created by a Checkout Session.', {
    code: 'payment_intent_unexpected_state',
  });
}

function shown(call: Call, intent: PaymentIntent): object {
  return call.audience === 'publishable' ? publishableView(intent) : intent;
}

function withConfirmChanges(call: Call, intent: PaymentIntent, params: Parsed<typeof CONFIRM>): PaymentIntent {
  if (call.audience === 'publishable' && (params.capture_method !== undefined || params.off_session)) {
    throw invalidRequest('capture_method and off_session cannot be passed with a publishable key.', { kept: false });
  }
  return {
    ...intent,
    capture_method: params.capture_method ?? intent.capture_method,
    receipt_email: params.receipt_email === undefined ? intent.receipt_email : params.receipt_email,
    setup_future_usage: params.setup_future_usage === undefined ? intent.setup_future_usage : params.setup_future_usage,
    shipping: params.shipping === undefined || params.shipping === null ? intent.shipping : toShipping(params.shipping),
  };
}

/** Confirms, and answers a refusal with its error. */
function confirmed(
  call: Call,
  intent: PaymentIntent,
  params: Pick<Parsed<typeof CONFIRM>, keyof typeof CONFIRM & keyof typeof CREATE>,
): PaymentIntent {
  const result = confirmPaymentIntent(call, intent, {
    method: givenMethod(call, params),
    offSession: params.off_session,
    errorOnRequiresAction: params.error_on_requires_action ?? false,
    useStripeSdk: params.use_stripe_sdk ?? false,
    returnUrl: params.return_url,
    byBrowser: call.audience === 'publishable',
  });
  if (result.error !== undefined) throw result.error;
  return result.intent;
}
