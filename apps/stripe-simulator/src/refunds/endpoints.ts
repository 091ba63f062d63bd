import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import type { Charge } from '../charges/charge.js';
import { emit } from '../events/emit.js';
import { LIST_PARAMS, listPage, whereEquals } from '../http/lists.js';
import { boolean, changedMetadata, integer, metadata, oneOf, string } from '../http/params.js';
import { invalidParameter, invalidRequest, missingResource } from '../http/stripe-error.js';
import type { Refund } from './refund.js';
import { cancelRefund, createRefund } from './refunds.js';

export const REFUND_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/refunds',
    params: {
      amount: integer({ min: 1 }),
      charge: string(),
      currency: string(3),
      customer: string(),
      instructions_email: string(),
      metadata: metadata(),
      origin: string(),
      payment_intent: string(),
      reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
      refund_application_fee: boolean(),
      reverse_transfer: boolean(),
    },
    run: (call, params) =>
      createRefund(call, {
        charge: chargeToRefund(call, params),
        amount: params.amount,
        reason: params.reason ?? null,
        metadata: changedMetadata({}, params.metadata),
      }),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/refunds',
    params: { ...LIST_PARAMS, charge: string(), payment_intent: string() },
    run: (call, params) =>
      listPage({
        collection: call.account.all('refunds'),
        params,
        url: '/v1/refunds',
        kind: 'refund',
        where: whereEquals<Refund>('charge', params.charge) ?? whereEquals<Refund>('payment_intent', params.payment_intent),
        filter: (refund) =>
          (params.charge === undefined || refund.charge === params.charge) &&
          (params.payment_intent === undefined || refund.payment_intent === params.payment_intent),
      }),
  }),
  endpoint({ method: 'GET', path: '/v1/refunds/:id', params: {}, run: (call, _, { id }) => existing(call, id) }),
  endpoint({
    method: 'POST',
    path: '/v1/refunds/:id',
    params: { metadata: metadata() },
    run(call, params, { id }) {
      const before = existing(call, id);
      const updated = call.account.save('refunds', { ...before, metadata: changedMetadata(before.metadata, params.metadata) });
      emit(call, 'refund.updated', updated, before);
      return updated;
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/refunds/:id/cancel',
    params: {},
    run: (call, _, { id }) => cancelRefund(call, existing(call, id)),
  }),
];

function chargeToRefund(call: Call, params: { charge: string | undefined; payment_intent: string | undefined }): Charge {
  if (params.charge === undefined && params.payment_intent === undefined) {
    throw invalidParameter(
      'parameter_missing',
      'One of the following params should be provided for this request: payment_intent or charge.',
      'payment_intent',
    );
  }
  if (params.charge !== undefined) {
    const charge = call.account.find('charges', params.charge);
    if (charge === undefined) throw missingResource('charge', params.charge, 'charge', 404);
    if (params.payment_intent !== undefined && charge.payment_intent !== params.payment_intent) {
      throw invalidRequest('The charge does not belong to the PaymentIntent.', { param: 'payment_intent' });
    }
    return charge;
  }
  const intent = call.account.find('payment_intents', params.payment_intent ?? '');
  if (intent === undefined) throw missingResource('payment_intent', params.payment_intent ?? '', 'payment_intent', 404);
  const charge = call.account.find('charges', intent.latest_charge ?? '');
  if (charge === undefined || charge.status !== 'succeeded') {
    throw invalidRequest(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, { param: 'payment_intent' });
  }
  return charge;
}

function existing(call: Call, id: string): Refund {
  const refund = call.account.find('refunds', id);
  if (refund === undefined) throw missingResource('refund', id, 'refund');
  return refund;
}
