import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Config, ConfigError } from '#libs/config';
import { type Tx } from '#libs/database';
import { type Logger } from '#libs/telemetry';
import { type Endpoint } from './gate/endpoint.js';
import { type Passage, type StripeGate } from './gate/stripe-gate.js';
import { rememberAccount, type RememberedAccount, rememberStart } from './stripe-account.store.js';
import { classify, heldBack } from './stripe/stripe-failure.js';
import { type StripeGateway } from './stripe/stripe-gateway.js';

const ASK_AGAIN_MS = 500;
/** Somewhat later than the next answer may come, so that most of what is held is let pass then. */
const HELD_FOR_MS = 700;

/**
 * Makes sure that our key is of the mode this database is the record of; the first start decides which. Orders, idempotency keys and
 * sums of one mode mean nothing in the other. Returns what is remembered of the account. Throws ConfigError.
 */
export async function assertOurMode(
  tx: Tx,
  { instance, stripe }: Pick<Config, 'instance' | 'stripe'>,
  logger: Logger,
): Promise<RememberedAccount> {
  const known = await rememberStart(tx, { instance, mode: stripe.mode, keyFingerprint: fingerprintOf(stripe.secretKey) });
  if (known.mode !== stripe.mode) {
    throw new ConfigError([
      `STRIPE_SECRET_KEY is of the ${stripe.mode} mode, but this database is the record of a Stripe account in ${known.mode} mode: give one of them its own database`,
    ]);
  }
  if (known.instance !== instance)
    logger.warn(
      { was: known.instance, is: instance },
      'ONCEPAY_INSTANCE has changed: what Stripe holds under the old name is ours only where its id is known',
    );
  return known;
}

/** Tells one secret key from another, and nothing of either. */
export function fingerprintOf(secretKey: string): string {
  return createHash('sha256').update(secretKey).digest('hex');
}

/** Lets no call of a key that is new here pass before Stripe has told that it belongs to the account this database is the record of. */
export class AccountGate implements StripeGate {
  #isOurs: boolean;

  constructor(
    readonly inner: StripeGate,
    isKnownKey: boolean,
  ) {
    this.#isOurs = isKnownKey;
  }

  async ready(endpoint: Endpoint): Promise<void> {
    this.#assertOurs();
    await this.inner.ready(endpoint);
  }

  async enter(endpoint: Endpoint): Promise<Passage> {
    this.#assertOurs();
    return this.inner.enter(endpoint);
  }

  /** Nothing is known against it. */
  open(): void {
    this.#isOurs = true;
  }

  #assertOurs(): void {
    if (!this.#isOurs) throw heldBack('Stripe has not told yet which account our key belongs to', null, HELD_FOR_MS);
  }
}

/**
 * What the question needs. `gateway` leads past all gates: a restricted key that may not ask whose it is would close the way for what
 * it may do.
 */
interface AccountQuestion {
  readonly keyFingerprint: string;
  readonly tx: Tx;
  readonly gateway: Pick<StripeGateway, 'retrieveAccountId'>;
  readonly gate: AccountGate;
  readonly logger: Logger;
}

/**
 * Asks Stripe whose our key is until it has told, and opens the gate when that is the account this database is the record of; the
 * first answer decides which. A key that may not ask is trusted. Throws ConfigError when it is another.
 */
export async function learnAccount(question: AccountQuestion, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    if (await isOurs(question)) {
      question.gate.open();
      return;
    }
    await delay(ASK_AGAIN_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** false: nobody knows yet. */
async function isOurs({ keyFingerprint, tx, gateway, gate, logger }: AccountQuestion): Promise<boolean> {
  let told: string;
  try {
    await gate.inner.ready('reads');
    told = await gateway.retrieveAccountId();
  } catch (error) {
    const { kind, message } = classify(error);
    if (kind !== 'misconfigured' && kind !== 'rejected' && kind !== 'bug') return false;
    logger.warn({ reason: message }, 'Stripe does not tell our key which account it belongs to: it is taken for the right one');
    return true;
  }
  let known: string;
  try {
    known = await rememberAccount(tx, told, keyFingerprint);
  } catch (error) {
    logger.warn({ error }, 'could not look up which Stripe account this database is the record of');
    return false;
  }
  if (told === known) return true;
  throw new ConfigError([
    `STRIPE_SECRET_KEY belongs to the Stripe account ${told}, but this database is the record of ${known}: give each account its own database`,
  ]);
}
