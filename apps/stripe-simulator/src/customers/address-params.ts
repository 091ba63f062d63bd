import { object, type Parsed, required, string, unsettable } from '../http/params.js';
import type { Shipping } from '../payment-intents/payment-intent.js';
import type { Address } from '../payment-methods/payment-method.js';

export const ADDRESS = {
  city: unsettable(string()),
  country: unsettable(string()),
  line1: unsettable(string()),
  line2: unsettable(string()),
  postal_code: unsettable(string()),
  state: unsettable(string()),
};

export function toAddress(given: Parsed<typeof ADDRESS>): Address {
  return {
    city: given.city ?? null,
    country: given.country ?? null,
    line1: given.line1 ?? null,
    line2: given.line2 ?? null,
    postal_code: given.postal_code ?? null,
    state: given.state ?? null,
  };
}

export const SHIPPING = {
  address: required(object(ADDRESS)),
  carrier: unsettable(string()),
  name: required(string()),
  phone: unsettable(string()),
  tracking_number: unsettable(string()),
};

export function toShipping(given: Parsed<typeof SHIPPING>): Shipping {
  return {
    address: toAddress(given.address),
    carrier: given.carrier ?? null,
    name: given.name,
    phone: given.phone ?? null,
    tracking_number: given.tracking_number ?? null,
  };
}
