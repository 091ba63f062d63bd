/**
 * The circuit breakers: `stripe` opens when what we write cannot reach Stripe or Stripe fails at it, each other one when Stripe refuses
 * our credentials for calls of that class, as a restricted key may be allowed payments and not refunds; `reads` for either reason.
 */
export const BREAKERS = ['stripe', 'customers', 'payment_intents', 'checkout_sessions', 'refunds', 'reads'] as const;

/** The name of a circuit breaker. */
export type BreakerName = (typeof BREAKERS)[number];

/** Why a breaker is open. */
export type BreakerCause = 'outage' | 'credentials';

/** A breaker as it is now, on the database's clock. It is half open when its time is over and nobody has closed it. */
export interface Breaker {
  /** null: closed. */
  readonly cause: BreakerCause | null;
  /** Failures in a row while closed, of all workers. */
  readonly failures: number;
  /** How often it opened without having been closed in between. */
  readonly trips: number;
  /** How long it stays open; 0 when that time is over. */
  readonly opensInMs: number;
  /** How long the lease of a probe under way still holds; 0 when nobody probes. */
  readonly probeLeftMs: number;
  /** Grows with every change, which names the version it was decided on. */
  readonly version: number;
}

/** What a breaker becomes. */
export interface BreakerChange extends Pick<Breaker, 'cause' | 'failures' | 'trips'> {
  readonly openForMs: number;
}

/** A breaker nobody has ever had to write down. */
export const CLOSED: Breaker = { cause: null, failures: 0, trips: 0, opensInMs: 0, probeLeftMs: 0, version: 0 };

const OPEN_BASE_MS = 1_000;
/** Local state equals Stripe's within 10 s of its return (R7), so nobody looks less often; one call in 8 s is no load. */
const OPEN_CAP_MS = 8_000;
/** How often we look whether our credentials work again: a person mends them. */
const CREDENTIALS_PROBE_MS = 30_000;

/** Whether a call may pass, must wait, or may pass as the one probe, if its lease can be had. */
export function admit({ cause, opensInMs, probeLeftMs }: Breaker): 'pass' | 'probe' | { readonly waitMs: number } {
  if (cause === null) return 'pass';
  if (opensInMs > 0) return { waitMs: opensInMs };
  return probeLeftMs > 0 ? { waitMs: probeLeftMs } : 'probe';
}

/** What an answer of Stripe makes of a breaker; null when nothing. While open only the probe counts: others may have been sent long before. */
export function afterAnswer({ cause, failures }: Breaker, isProbe: boolean): BreakerChange | null {
  if (cause === null ? failures === 0 : !isProbe) return null;
  return { cause: null, failures: 0, trips: 0, openForMs: 0 };
}

/** What the decision about a failure depends on. */
export interface FailureCircumstances {
  readonly isProbe: boolean;
  /** How many outage failures in a row open it. */
  readonly failuresMax: number;
  /** A number in [0, 1) for the jitter. */
  readonly chance: number;
}

/** What a failure of its cause makes of a breaker; null when nothing. A refusal of our credentials is never a matter of chance: one opens. */
export function afterFailure(
  breaker: Breaker,
  cause: BreakerCause,
  { isProbe, failuresMax, chance }: FailureCircumstances,
): BreakerChange | null {
  if (breaker.cause !== null && !isProbe) return null;
  const failures = breaker.failures + 1;
  if (breaker.cause === null && cause === 'outage' && failures < failuresMax) return { cause: null, failures, trips: 0, openForMs: 0 };
  const trips = breaker.trips + 1;
  return { cause, failures, trips, openForMs: cause === 'credentials' ? CREDENTIALS_PROBE_MS : outageMs(trips, chance) };
}

/** Grows from a second to the cap, between half and whole of it, so that installations that failed together do not come back together. */
function outageMs(trips: number, chance: number): number {
  return Math.min(OPEN_CAP_MS, OPEN_BASE_MS * 2 ** Math.min(trips - 1, 20)) * (0.5 + chance / 2);
}
