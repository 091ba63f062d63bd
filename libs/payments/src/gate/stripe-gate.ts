import { setInterval } from 'node:timers';
import { type Tx } from '#libs/database';
import { type Entropy } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { heldBack, type StripeFailure } from '../stripe/stripe-failure.js';
import {
  admit,
  afterAnswer,
  afterFailure,
  type Breaker,
  type BreakerCause,
  type BreakerChange,
  type BreakerName,
  CLOSED,
} from './breaker.js';
import { changeBreaker, claimProbe, loadBreakers, renewProbe, yieldProbe } from './breakers.store.js';
import { breakersOf, CREDENTIALS_OF, type Endpoint, outageBreakerOf, toldBy } from './endpoint.js';
import { Limiter } from './limiter.js';

/** What every call to Stripe passes. */
export interface StripeGate {
  /** Looks whether a call could pass now, without any effect. Throws StripeFailure of kind `held`. */
  ready(endpoint: Endpoint): Promise<void>;
  /** Lets one call pass, when its turn has come. Throws StripeFailure of kind `held`. */
  enter(endpoint: Endpoint): Promise<Passage>;
}

/** One call that was let pass: how it ended is told once. */
export interface Passage {
  answered(): Promise<void>;
  /** Returns the failure with what now holds its work back. */
  failed(failure: StripeFailure): Promise<StripeFailure>;
}

/** For tools and tests that are alone with their Stripe. */
export const NO_GATE: StripeGate = {
  ready: () => Promise.resolve(),
  enter: () => Promise.resolve({ answered: () => Promise.resolve(), failed: (failure) => Promise.resolve(failure) }),
};

/** What the gate of a worker works with. */
export interface GateParts {
  readonly tx: Tx;
  readonly entropy: Entropy;
  readonly logger: Logger;
  /** Calls a second of all workers together; null: no limit. */
  readonly ratePerSecond: number | null;
  /** Outage failures in a row, of all workers, that open the breaker. */
  readonly failuresMax: number;
  /** Makes what a breaker has held back due; called by the one worker that closes it. */
  readonly release: (closed: BreakerName) => Promise<void>;
}

/** How old what we know of the breakers may be: so many calls may still leave after another worker has opened one. */
const FRESH_MS = 250;
/** A third of the probe's lease. */
const RENEW_EVERY_MS = 1_000;
/** Work that is held back returns one by one, so that the many do not all ask in the instant in which one may probe. */
const LINE_STEP_MS = 20;
const LINE_MAX_MS = 30_000;
/** Other workers may change a breaker while we do; after so many defeats our one call matters no more. */
const CHANGE_TRIES = 5;

interface Probe {
  readonly name: BreakerName;
  readonly version: number;
}

/**
 * The gate that all workers share through the database: breakers first, then the limiter. What it knows is read again at
 * most four times a second, and a call that succeeds while all is well writes nothing.
 */
export class SharedGate implements StripeGate {
  readonly #limiter: Limiter | null;
  readonly #known = new Map<string, { readonly breaker: Breaker; readonly at: number }>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | null = null;
  #changing: Promise<unknown> = Promise.resolve();
  readonly #lines = new Map<BreakerName, { version: number; length: number }>();

  constructor(private readonly parts: GateParts) {
    this.#limiter = parts.ratePerSecond === null ? null : new Limiter(parts.tx, parts.ratePerSecond);
  }

  async ready(endpoint: Endpoint): Promise<void> {
    await this.#refresh();
    for (const name of breakersOf(endpoint)) this.#admitted(name);
    const turn = await this.#limiter?.ready(endpoint);
    if (turn?.granted === false) throw noTurn(turn.askAgainInMs);
  }

  async enter(endpoint: Endpoint): Promise<Passage> {
    await this.#refresh();
    const toProbe = breakersOf(endpoint).filter((name) => this.#admitted(name) === 'probe');
    const probes: Probe[] = [];
    try {
      for (const name of toProbe) probes.push(await this.#probe(name));
      const turn = await this.#limiter?.take(endpoint);
      if (turn?.granted === false) throw noTurn(turn.askAgainInMs);
    } catch (error) {
      for (const { name, version } of probes) await yieldProbe(this.parts.tx, name, version);
      throw error;
    }
    return this.#passage(endpoint, probes);
  }

  #passage(endpoint: Endpoint, probes: readonly Probe[]): Passage {
    const heartbeat = probes.length === 0 ? null : setInterval(() => this.#renew(probes), RENEW_EVERY_MS);
    const end = async (failure: StripeFailure | null): Promise<void> => {
      clearInterval(heartbeat ?? undefined);
      try {
        const causes = toldBy(endpoint, failure);
        for (const [name, cause] of causes) await this.#told(name, cause, failure, probes);
        // An outage says nothing of our credentials, but a probe of them is over.
        for (const { name } of probes) if (!causes.has(name)) await this.#told(name, 'credentials', failure, probes);
        if (failure !== null) await this.#limiter?.shrink(endpoint, failure.rateLimitedReason, failure.retryAfterMs ?? 0);
      } catch (error) {
        // What Stripe said of the operation matters more; the next call tells the gate again.
        this.parts.logger.warn({ error }, 'the gate before Stripe could not note how a call ended');
      }
    };
    return {
      answered: () => end(null),
      failed: async (failure) => {
        await end(failure);
        const name = failure.isOutage ? outageBreakerOf(endpoint) : failure.kind === 'misconfigured' ? CREDENTIALS_OF[endpoint] : null;
        if (name === null) return failure;
        const verdict = admit(this.#now(name));
        if (typeof verdict === 'object') return failure.delayed(name, this.#lineUp(name, verdict.waitMs));
        // No breaker knows better than Stripe when to come again.
        return failure.retryAfterMs === null ? failure.delayed(name, null) : failure;
      },
    };
  }

  /** The breaker's word on one more call; throws when it is to wait. */
  #admitted(name: BreakerName): 'pass' | 'probe' {
    const verdict = admit(this.#now(name));
    if (typeof verdict === 'object') throw heldBack(`the circuit breaker "${name}" is open`, name, this.#lineUp(name, verdict.waitMs));
    return verdict;
  }

  async #probe(name: BreakerName): Promise<Probe> {
    const version = await claimProbe(this.parts.tx, name, this.#now(name));
    if (version !== null) {
      this.#learn(name, { ...this.#now(name), version });
      return { name, version };
    }
    await this.#reload();
    throw heldBack(
      `another call tries whether the circuit breaker "${name}" can close`,
      name,
      this.#lineUp(name, this.#now(name).probeLeftMs),
    );
  }

  #renew(probes: readonly Probe[]): void {
    for (const { name, version } of probes)
      renewProbe(this.parts.tx, name, version).catch((error: unknown) => this.parts.logger.warn({ error }, 'could not renew a probe'));
  }

  /** Tells a breaker how a call ended; `cause` null: well. One after another, so that calls of this process that end together do not defeat each other. */
  async #told(name: BreakerName, cause: BreakerCause | null, failure: StripeFailure | null, probes: readonly Probe[]): Promise<void> {
    const probe = probes.find((one) => one.name === name);
    const decide = (breaker: Breaker): BreakerChange | null => {
      const isProbe = probe !== undefined && probe.version === breaker.version;
      const { failuresMax, entropy } = this.parts;
      return cause === null
        ? afterAnswer(breaker, isProbe)
        : afterFailure(breaker, cause, { isProbe, failuresMax, chance: entropy.random() });
    };
    if (probe === undefined && decide(this.#now(name)) === null) return;
    const change = this.#changing.then(() => this.#change(name, decide, failure));
    this.#changing = change.catch(() => undefined);
    const closed = await change;
    if (closed) await this.parts.release(name);
  }

  /** Writes the decision on what is known, or on what is when that has passed; whether it closed the breaker. */
  async #change(name: BreakerName, decide: (breaker: Breaker) => BreakerChange | null, failure: StripeFailure | null): Promise<boolean> {
    for (let left = CHANGE_TRIES; left > 0; left -= 1) {
      const before = this.#now(name);
      const change = decide(before);
      if (change === null) return false;
      const after = await changeBreaker(this.parts.tx, name, before, change, told(failure));
      if (after !== null) {
        this.#learn(name, after);
        return this.#announce(name, before, after, failure);
      }
      await this.#reload();
    }
    return false;
  }

  #announce(breaker: BreakerName, before: Breaker, after: Breaker, failure: StripeFailure | null): boolean {
    const { logger } = this.parts;
    if (before.cause === null && after.cause === 'credentials')
      logger.error(
        { breaker, reason: failure?.error.message },
        'Stripe refuses our credentials; nothing of this kind moves until they are mended',
      );
    if (before.cause === null && after.cause === 'outage')
      logger.warn({ breaker, reason: failure?.error.message, failures: after.failures }, 'Stripe is away: calls are held back');
    const isClosed = before.cause !== null && after.cause === null;
    if (isClosed) logger.info({ breaker }, 'Stripe answers again: what was held back becomes due');
    return isClosed;
  }

  /** When the next one of those that wait for a breaker is to come back. */
  #lineUp(name: BreakerName, waitMs: number): number {
    const { version } = this.#now(name);
    const line = this.#lines.get(name);
    const length = line?.version === version ? line.length : 0;
    this.#lines.set(name, { version, length: length + 1 });
    return Math.max(LINE_STEP_MS, waitMs) + Math.min(LINE_MAX_MS, length * LINE_STEP_MS);
  }

  /** What is known of a breaker, as far as its time has gone on since. */
  #now(name: BreakerName): Breaker {
    const known = this.#known.get(name);
    if (known === undefined) return CLOSED;
    const { breaker, at } = known;
    const elapsedMs = performance.now() - at;
    return {
      ...breaker,
      opensInMs: Math.max(0, breaker.opensInMs - elapsedMs),
      probeLeftMs: Math.max(0, breaker.probeLeftMs - elapsedMs),
    };
  }

  /** What was read a moment ago may be older than what we wrote since. */
  #learn(name: string, breaker: Breaker): void {
    const known = this.#known.get(name);
    if (known === undefined || known.breaker.version <= breaker.version) this.#known.set(name, { breaker, at: performance.now() });
  }

  async #refresh(): Promise<void> {
    if (performance.now() - this.#loadedAt < FRESH_MS) return;
    await this.#reload();
  }

  async #reload(): Promise<void> {
    this.#loading ??= loadBreakers(this.parts.tx)
      .then((known) => {
        for (const [name, breaker] of known) this.#learn(name, breaker);
        this.#loadedAt = performance.now();
      })
      .finally(() => {
        this.#loading = null;
      });
    await this.#loading;
  }
}

/** What an operator reads of a failure. Stripe's own words stay in the log, which hides keys. */
function told(failure: StripeFailure | null): string | null {
  if (failure === null) return null;
  const { httpStatus, error } = failure;
  return httpStatus === null ? error.message : `Stripe answered ${httpStatus}${error.code === null ? '' : ` ${error.code}`}`;
}

function noTurn(askAgainInMs: number): StripeFailure {
  return heldBack("Stripe's rate limit leaves no call free", null, askAgainInMs);
}
