import { type BreakerName } from './breaker.js';

/** What Stripe counts calls by. Reads share one: they are few, and none is worth a charge. */
export const ENDPOINTS = [
  'customers.create',
  'payment_intents.create',
  'payment_intents.confirm',
  'payment_intents.capture',
  'payment_intents.cancel',
  'checkout_sessions.create',
  'checkout_sessions.expire',
  'refunds.create',
  'reads',
] as const;

/** The name of an endpoint of Stripe's API, before whose calls the gate stands. */
export type Endpoint = (typeof ENDPOINTS)[number];

type CredentialsBreaker = Exclude<BreakerName, 'stripe'>;

/** The breaker of our credentials for an endpoint: a restricted key is allowed or refused whole resources. */
export const CREDENTIALS_OF: Readonly<Record<Endpoint, CredentialsBreaker>> = {
  'customers.create': 'customers',
  'payment_intents.create': 'payment_intents',
  'payment_intents.confirm': 'payment_intents',
  'payment_intents.capture': 'payment_intents',
  'payment_intents.cancel': 'payment_intents',
  'checkout_sessions.create': 'checkout_sessions',
  'checkout_sessions.expire': 'checkout_sessions',
  'refunds.create': 'refunds',
  reads: 'reads',
};
