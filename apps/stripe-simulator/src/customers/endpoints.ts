import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { emit } from '../events/emit.js';
import { LIST_PARAMS, listPage, whereEquals } from '../http/lists.js';
import { changedMetadata, ignored, list, metadata, object, oneOf, type Parsed, string, unsettable, unsupported } from '../http/params.js';
import { missingResource } from '../http/stripe-error.js';
import { attach, detachAll, refuseUnkeepable, usePaymentMethod } from '../payment-methods/payment-methods.js';
import { ADDRESS, SHIPPING, toAddress, toShipping } from './address-params.js';
import { type Customer, newCustomer } from './customer.js';
import { findCustomer } from './find-customer.js';

const WRITABLE = {
  address: unsettable(object(ADDRESS)),
  balance: ignored(),
  business_name: ignored(),
  cash_balance: ignored(),
  default_source: unsupported(),
  description: unsettable(string()),
  email: unsettable(string(512)),
  individual_name: ignored(),
  invoice_prefix: ignored(),
  invoice_settings: object({
    custom_fields: ignored(),
    default_payment_method: unsettable(string()),
    footer: ignored(),
    rendering_options: ignored(),
  }),
  metadata: metadata(),
  name: unsettable(string(256)),
  next_invoice_sequence: ignored(),
  payment_method: string(),
  phone: unsettable(string()),
  preferred_locales: list(string()),
  shipping: unsettable(object(SHIPPING)),
  source: unsupported(),
  tax: ignored(),
  tax_exempt: oneOf('exempt', 'none', 'reverse'),
  tax_id_data: ignored(),
  test_clock: unsupported(),
  validate: ignored(),
};

export const CUSTOMER_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/customers',
    params: WRITABLE,
    run(call, params) {
      const method = params.payment_method === undefined ? undefined : usePaymentMethod(call, params.payment_method);
      if (method !== undefined) refuseUnkeepable(call, method);
      const customer = call.account.save('customers', written(newCustomer(call.at, EMPTY), params));
      if (method !== undefined) attach(call, method, customer.id);
      emit(call, 'customer.created', customer);
      return customer;
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/customers',
    params: { ...LIST_PARAMS, email: string(), test_clock: string() },
    run: (call, params) =>
      listPage({
        collection: call.account.all('customers'),
        params,
        url: '/v1/customers',
        kind: 'customer',
        where: whereEquals<Customer>('email', params.email),
        filter: (customer) => params.email === undefined || customer.email === params.email,
      }),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/customers/:id',
    params: {},
    run: (call, _, { id }) => findCustomer(call.account, id) ?? existing(call, id),
  }),
  endpoint({
    method: 'POST',
    path: '/v1/customers/:id',
    params: WRITABLE,
    run(call, params, { id }) {
      const before = existing(call, id);
      const updated = call.account.save('customers', written(before, params));
      emit(call, 'customer.updated', updated, before);
      return updated;
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/v1/customers/:id',
    params: {},
    run(call, _, { id }) {
      const deleted = existing(call, id);
      call.account.remove('customers', id);
      const left = { id, object: 'customer', deleted: true } as const;
      call.account.save('deleted_customers', { ...left, created: call.at });
      detachAll(call, id);
      emit(call, 'customer.deleted', deleted);
      return left;
    },
  }),
];

const EMPTY = {
  address: null,
  defaultPaymentMethod: null,
  description: null,
  email: null,
  metadata: {},
  name: null,
  phone: null,
  preferred_locales: [],
  shipping: null,
  tax_exempt: 'none',
} as const satisfies Parameters<typeof newCustomer>[1];

function written(before: Customer, params: Parsed<typeof WRITABLE>): Customer {
  const defaultMethod = params.invoice_settings?.default_payment_method;
  return {
    ...before,
    address: params.address === undefined ? before.address : params.address === null ? null : toAddress(params.address),
    description: params.description === undefined ? before.description : params.description,
    email: params.email === undefined ? before.email : params.email,
    invoice_settings:
      defaultMethod === undefined ? before.invoice_settings : { ...before.invoice_settings, default_payment_method: defaultMethod },
    metadata: changedMetadata(before.metadata, params.metadata),
    name: params.name === undefined ? before.name : params.name,
    phone: params.phone === undefined ? before.phone : params.phone,
    preferred_locales: params.preferred_locales ?? before.preferred_locales,
    shipping: params.shipping === undefined ? before.shipping : params.shipping === null ? null : toShipping(params.shipping),
    tax_exempt: params.tax_exempt ?? before.tax_exempt,
  };
}

function existing(call: Call, id: string): Customer {
  const customer = call.account.find('customers', id);
  if (customer === undefined) throw missingResource('customer', id, 'id');
  return customer;
}
