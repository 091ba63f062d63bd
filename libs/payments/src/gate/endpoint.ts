import { type FailureKind } from '../stripe/stripe-failure.js';
import { type BreakerCause, type BreakerName } from './breaker.js';

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

/**
 * The breaker of outages of an endpoint. Reads have one of their own: they go well while every write fails, as the other way round, so the
 * answers of one say nothing of the other.
 */
export function outageBreakerOf(endpoint: Endpoint): BreakerName {
  return endpoint === 'reads' ? 'reads' : 'stripe';
}

/** The breakers before an endpoint. */
export function breakersOf(endpoint: Endpoint): readonly BreakerName[] {
  return [...new Set([outageBreakerOf(endpoint), CREDENTIALS_OF[endpoint]])];
}

/** How a call ended, as far as breakers care; null: well. */
export type CallEnd = { readonly kind: FailureKind; readonly isOutage: boolean } | null;

/** What the end of a call tells each breaker that it concerns: the cause of a failure to count, or null for an answer. */
export function toldBy(endpoint: Endpoint, end: CallEnd): ReadonlyMap<BreakerName, BreakerCause | null> {
  // An outage says nothing of our credentials.
  if (end?.isOutage === true) return new Map([[outageBreakerOf(endpoint), 'outage']]);
  const cause = end?.kind === 'misconfigured' ? 'credentials' : null;
  return new Map(breakersOf(endpoint).map((name) => [name, name === CREDENTIALS_OF[endpoint] ? cause : null]));
}
