/** Secrets nobody may ever read in a log, a metric or a job; their names make them easy to find. */
export const CANARIES = {
  databasePassword: 'canaryDatabasePassword',
  stripeAccount: 'canaryStripeAccountKey',
  webhookSecret: 'whsec_canaryWebhookSecret',
  pepper: 'canaryPepper-under-which-keys-are-hashed',
  /** Begins every idempotency key of the buyers. */
  idempotencyKey: 'canaryIdempotencyKey',
  card: '4242424242424242',
} as const;

/** The merchants: each reaches its own orders only. */
export const ACCOUNTS = [
  { secret: 'canary-secret-key-of-account-one', publishable: 'canary-publishable-key-of-account-one' },
  { secret: 'canary-secret-key-of-account-two', publishable: 'canary-publishable-key-of-account-two' },
] as const;

/** Which of the merchants. */
export type AccountNumber = 0 | 1;

/** So that a hanging call costs seconds: ten, the default, would be most of a short storm. */
export const STRIPE_TIMEOUT_MS = 2_000;

/** Every secret there is, and the shape of those that are made while it storms: client secrets of orders and intents. */
export const SECRET_PATTERN = new RegExp(
  [
    ...Object.values(CANARIES),
    ...ACCOUNTS.flatMap(({ secret, publishable }) => [secret, publishable]),
    'ord_[0-9a-z]{26}_secret_\\w+',
    'pi_\\w+_secret_\\w+',
  ].join('|'),
);
