import { setTimeout as delay } from 'node:timers/promises';
import { type Config } from '#libs/config';
import { type Database } from '#libs/database';
import { AccountGate, assertOurMode, fingerprintOf, learnAccount, SharedGate, StripeGateway } from '#libs/payments';
import { systemEntropy } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { releaseDelayed } from './release-delayed.js';

/** A worker whose Stripe is away starts nonetheless: events and what else needs no answer go on. */
const WAIT_FOR_STRIPE_MS = 2_000;

/** The way to Stripe of one worker process. */
export interface OpenStripe {
  readonly gateway: StripeGateway;
  /** Rejects with a ConfigError when Stripe tells, after the start, that our key is another account's. Never resolves. */
  readonly refused: Promise<never>;
  close(): void;
}

/** Opens the way to Stripe, behind breakers, limiter and the question whose our key is. Throws ConfigError when it is another account's. */
export async function openStripe(config: Config, database: Database, logger: Logger, wakeRelay: () => void): Promise<OpenStripe> {
  const known = await assertOurMode(database.autocommit, config, logger);
  const keyFingerprint = fingerprintOf(config.stripe.secretKey);
  const isKnownKey = known.keyFingerprint === keyFingerprint;
  const shared = new SharedGate({
    tx: database.autocommit,
    entropy: systemEntropy,
    logger,
    ratePerSecond: config.stripe.ratePerSecond,
    failuresMax: config.stripe.breakerFailures,
    release: (closed) => releaseDelayed({ database, entropy: systemEntropy, wake: wakeRelay }, closed),
  });
  const gate = new AccountGate(shared, isKnownKey);
  const stopping = new AbortController();
  const question = { keyFingerprint, tx: database.autocommit, gateway: new StripeGateway(config.stripe), gate, logger };
  const learned = isKnownKey && known.stripeAccountId !== null ? Promise.resolve() : learnAccount(question, stopping.signal);
  await Promise.race([learned, delay(WAIT_FOR_STRIPE_MS, undefined, { ref: false })]);
  const refused = learned.then(() => new Promise<never>(() => undefined));
  refused.catch(() => undefined);
  return { gateway: new StripeGateway(config.stripe, gate), refused, close: () => stopping.abort() };
}
