import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { emit } from '../events/emit.js';
import { LIST_PARAMS, listPage, whereEquals } from '../http/lists.js';
import { changedMetadata, integer, metadata, object, oneOf, required, string } from '../http/params.js';
import { invalidRequest, missingResource } from '../http/stripe-error.js';
import type { PaymentMethod } from './payment-method.js';
import { PAYMENT_METHOD_DATA } from './payment-method-params.js';
import {
  attach,
  billingDetails,
  createPaymentMethod,
  detach,
  refuseUnkeepable,
  refuseUnusable,
  usePaymentMethod,
} from './payment-methods.js';

const { created: _, ...PAGE } = LIST_PARAMS;

export const PAYMENT_METHOD_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/payment_methods',
    forBrowsers: true,
    params: PAYMENT_METHOD_DATA,
    run: (call, params) => createPaymentMethod(call, params),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/payment_methods',
    params: { ...PAGE, allow_redisplay: string(), customer: string(), customer_account: string(), type: string() },
    run: (call, params) => listMethods(call, params, '/v1/payment_methods'),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/customers/:id/payment_methods',
    params: { ...PAGE, allow_redisplay: string(), type: string() },
    run(call, params, { id }) {
      if (call.account.find('customers', id) === undefined) throw missingResource('customer', id, 'customer');
      return listMethods(call, { ...params, customer: id }, `/v1/customers/${id}/payment_methods`);
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/customers/:id/payment_methods/:id',
    params: {},
    run(call, _params, { id: customer, second: id }) {
      const method = call.account.find('payment_methods', id);
      if (method?.customer !== customer) throw missingResource('PaymentMethod', id, 'payment_method');
      return method;
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/payment_methods/:id',
    params: {},
    run: (call, _params, { id }) => usePaymentMethod(call, id, 'payment_method', 404),
  }),
  endpoint({
    method: 'POST',
    path: '/v1/payment_methods/:id',
    params: {
      allow_redisplay: oneOf('always', 'limited', 'unspecified'),
      billing_details: PAYMENT_METHOD_DATA.billing_details,
      card: object({ exp_month: integer(), exp_year: integer() }),
      metadata: metadata(),
    },
    run(call, params, { id }) {
      const before = existing(call, id);
      const { exp_month: month, exp_year: year } = params.card ?? {};
      const updated = call.account.save('payment_methods', {
        ...before,
        allow_redisplay: params.allow_redisplay ?? before.allow_redisplay,
        billing_details: params.billing_details === undefined ? before.billing_details : billingDetails(params.billing_details),
        ...(before.card === undefined
          ? {}
          : { card: { ...before.card, exp_month: month ?? before.card.exp_month, exp_year: year ?? before.card.exp_year } }),
        metadata: changedMetadata(before.metadata, params.metadata),
      });
      emit(call, 'payment_method.updated', updated, before);
      return updated;
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/payment_methods/:id/attach',
    params: { customer: required(string()), customer_account: string() },
    run(call, params, { id }) {
      if (call.account.find('customers', params.customer) === undefined)
        throw missingResource('customer', params.customer, 'customer', 400);
      const method = usePaymentMethod(call, id, 'payment_method', 404);
      if (method.customer !== null && method.customer !== params.customer) {
        throw invalidRequest('The payment method you provided has already been attached to a customer.');
      }
      refuseUnusable(call, method, params.customer);
      refuseUnkeepable(call, method);
      return attach(call, method, params.customer);
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/payment_methods/:id/detach',
    params: {},
    run(call, _params, { id }) {
      const before = existing(call, id);
      if (before.customer === null)
        throw invalidRequest('The payment method you provided is not attached to a customer so detachment is impossible.');
      return detach(call, before);
    },
  }),
];

function listMethods(
  call: Call,
  params: {
    customer: string | undefined;
    type: string | undefined;
    limit: number | undefined;
    starting_after: string | undefined;
    ending_before: string | undefined;
  },
  url: string,
): object {
  return listPage({
    collection: call.account.all('payment_methods'),
    params: { ...params, created: undefined },
    url,
    kind: 'PaymentMethod',
    where: whereEquals<PaymentMethod>('customer', params.customer),
    filter: (method) =>
      (params.customer === undefined || method.customer === params.customer) && (params.type === undefined || method.type === params.type),
  });
}

function existing(call: Call, id: string): PaymentMethod {
  const method = call.account.find('payment_methods', id);
  if (method === undefined) throw missingResource('PaymentMethod', id, 'payment_method');
  return method;
}
