import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { SHIPPING, toShipping } from '../customers/address-params.js';
import { emit } from '../events/emit.js';
import { LIST_PARAMS, listPage, whereEquals } from '../http/lists.js';
import { changedMetadata, ignored, metadata, object, string } from '../http/params.js';
import { missingResource } from '../http/stripe-error.js';
import type { Charge } from './charge.js';

export const CHARGE_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/charges',
    params: { ...LIST_PARAMS, customer: string(), payment_intent: string(), transfer_group: string() },
    run: (call, params) =>
      listPage({
        collection: call.account.all('charges'),
        params,
        url: '/v1/charges',
        kind: 'charge',
        where: whereEquals<Charge>('payment_intent', params.payment_intent) ?? whereEquals<Charge>('customer', params.customer),
        filter: (charge) =>
          (params.customer === undefined || charge.customer === params.customer) &&
          (params.payment_intent === undefined || charge.payment_intent === params.payment_intent) &&
          (params.transfer_group === undefined || charge.transfer_group === params.transfer_group),
      }),
  }),
  endpoint({ method: 'GET', path: '/v1/charges/:id', params: {}, run: (call, _, { id }) => existing(call, id) }),
  endpoint({
    method: 'POST',
    path: '/v1/charges/:id',
    params: {
      customer: string(),
      description: string(),
      fraud_details: ignored(),
      metadata: metadata(),
      receipt_email: string(),
      shipping: object(SHIPPING),
      transfer_group: string(),
    },
    run(call, params, { id }) {
      const before = existing(call, id);
      const updated = call.account.save('charges', {
        ...before,
        description: params.description ?? before.description,
        metadata: changedMetadata(before.metadata, params.metadata),
        receipt_email: params.receipt_email ?? before.receipt_email,
        shipping: params.shipping === undefined ? before.shipping : toShipping(params.shipping),
        transfer_group: params.transfer_group ?? before.transfer_group,
      });
      emit(call, 'charge.updated', updated, before);
      return updated;
    },
  }),
];

function existing(call: Call, id: string): Charge {
  const charge = call.account.find('charges', id);
  if (charge === undefined) throw missingResource('charge', id, 'charge');
  return charge;
}
