import { newId, randomToken } from '../core/ids.js';
import type { Address } from '../payment-methods/payment-method.js';
import type { Shipping } from '../payment-intents/payment-intent.js';

export interface Customer {
  id: string;
  object: 'customer';
  address: Address | null;
  balance: 0;
  created: number;
  currency: null;
  customer_account: null;
  default_source: null;
  delinquent: false;
  description: string | null;
  discount: null;
  email: string | null;
  invoice_prefix: string;
  invoice_settings: {
    custom_fields: null;
    default_payment_method: string | null;
    footer: null;
    rendering_options: null;
  };
  livemode: false;
  metadata: Record<string, string>;
  name: string | null;
  next_invoice_sequence: 1;
  phone: string | null;
  preferred_locales: string[];
  shipping: Shipping | null;
  tax_exempt: 'none' | 'exempt' | 'reverse';
  test_clock: null;
}

/** What is left of a customer: it can still be read, and no longer be charged. */
export interface DeletedCustomer {
  id: string;
  object: 'customer';
  deleted: true;
}

export type CustomerFields = Pick<
  Customer,
  'address' | 'description' | 'email' | 'metadata' | 'name' | 'phone' | 'preferred_locales' | 'shipping' | 'tax_exempt'
> & { defaultPaymentMethod: string | null };

export function newCustomer(at: number, fields: CustomerFields): Customer {
  const { defaultPaymentMethod, ...own } = fields;
  return {
    id: `cus_${randomToken(14)}`,
    object: 'customer',
    balance: 0,
    created: at,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    discount: null,
    invoice_prefix: newId('inv').slice(-8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: defaultPaymentMethod, footer: null, rendering_options: null },
    livemode: false,
    next_invoice_sequence: 1,
    test_clock: null,
    ...own,
  };
}
