import { type OperationKind, type PaymentError } from './payment.js';
import { type FailureKind, type StripeFailure } from './stripe/stripe-failure.js';

/** What a worker does after a call that gave no object. */
export type Plan =
  /** It is over: write how, with what Stripe's object says now. */
  | { readonly plan: 'settle'; readonly status: 'declined' | 'rejected' | 'parked' }
  /** Only a read of Stripe's object can tell what happened. */
  | { readonly plan: 'resolve' }
  /** Once more with the same key. `spendsAttempt` is false where waiting is all that is asked of us. */
  | { readonly plan: 'again'; readonly status: 'queued' | 'unknown'; readonly delayMs: number; readonly spendsAttempt: boolean };

/** What the plan depends on besides the failure. */
export interface AttemptFacts {
  readonly kind: OperationKind;
  /** Of its key; 1 for the first. */
  readonly generation: number;
  /** Since the operation was ordered. */
  readonly sinceOrderedMs: number;
  /** An earlier send of this key may have taken effect. */
  readonly inDoubt: boolean;
  /** How many attempts there were, this one included. */
  readonly attempts: number;
  /** Since the first send of this key; null when none left. */
  readonly sinceFirstSendMs: number | null;
  /** Since a person asked to take it up again after it was parked; null when nobody did. */
  readonly sinceRetryMs: number | null;
  /** A number in [0, 1) for the jitter. */
  readonly chance: number;
}

const HOUR_MS = 3_600_000;
/** Stripe may forget a key 24 h after its first use; an hour is kept for clocks and waiting. */
const KEY_TRUSTED_MS = 23 * HOUR_MS;
/** Nobody pays three days later: what is unknown for longer needs a person. */
const GIVE_UP_MS = 72 * HOUR_MS;

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 8_000;
/** A twin in flight ends within Stripe's own time-out. */
const BUSY_MIN_MS = 1_000;
const BUSY_MAX_MS = 5_000;
/** How often we look whether our credentials work again, where no breaker says when. */
const PROBE_MS = 30_000;

/** Full jitter: anywhere between now and an exponentially growing cap, so that clients delayed together part. */
export function fullJitterMs(attempts: number, chance: number): number {
  return Math.floor(chance * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(attempts - 1, 20)));
}

/** The table "Stripe's answers and what a worker does" of the contract, one row a kind of failure. */
export function planAfter(failure: Pick<StripeFailure, 'kind' | 'retryAfterMs' | 'isFinalForKey'>, facts: AttemptFacts): Plan {
  const wait = failure.retryAfterMs ?? fullJitterMs(facts.attempts, facts.chance);
  // What was in doubt stays in doubt: an answer from before the key was looked at says nothing of the earlier send.
  const unsent = facts.inDoubt ? 'unknown' : 'queued';
  const { kind } = failure;
  switch (kind) {
    case 'declined':
    case 'rejected':
      return { plan: 'settle', status: kind };
    case 'bug':
      return { plan: 'settle', status: 'parked' };
    case 'unknown':
      return failure.isFinalForKey ? { plan: 'resolve' } : { plan: 'again', status: 'unknown', delayMs: wait, spendsAttempt: true };
    case 'busy':
      return { plan: 'again', status: 'unknown', delayMs: BUSY_MIN_MS + facts.chance * (BUSY_MAX_MS - BUSY_MIN_MS), spendsAttempt: false };
    case 'not_sent':
      return { plan: 'again', status: unsent, delayMs: wait, spendsAttempt: true };
    case 'throttled':
    case 'held':
      return { plan: 'again', status: unsent, delayMs: wait, spendsAttempt: false };
    case 'misconfigured':
      return { plan: 'again', status: unsent, delayMs: failure.retryAfterMs ?? PROBE_MS, spendsAttempt: false };
  }
}

/**
 * What to do with an operation before anything is sent: the key of a doubtful one is trusted for 23 h, and after 72 h nobody waits any
 * more. One that was parked is only read about, until Stripe has told or another 72 h have passed. One that makes an object and was
 * ordered longer ago than Stripe keeps its first key is looked up first.
 */
export function planBefore(facts: Omit<AttemptFacts, 'attempts' | 'chance'>): 'send' | 'resolve' | 'park' {
  const { inDoubt, sinceFirstSendMs, sinceRetryMs } = facts;
  if (sinceRetryMs !== null) return sinceRetryMs > GIVE_UP_MS ? 'park' : 'resolve';
  if (!inDoubt || sinceFirstSendMs === null) return mayBeForgotten(facts) ? 'resolve' : 'send';
  if (sinceFirstSendMs > GIVE_UP_MS) return 'park';
  return sinceFirstSendMs > KEY_TRUSTED_MS ? 'resolve' : 'send';
}

/**
 * Whether the first key may have been used and forgotten although our row knows of no send: the database may have been restored from
 * a backup since. Later keys exist only because a read found nothing; other kinds are guarded by their intent's own state.
 */
function mayBeForgotten({ kind, generation, sinceOrderedMs }: Pick<AttemptFacts, 'kind' | 'generation' | 'sinceOrderedMs'>): boolean {
  const makesAnObject = kind === 'customer' || kind === 'create' || kind === 'refund';
  return makesAnObject && generation === 1 && sinceOrderedMs > KEY_TRUSTED_MS;
}

/** Whether a person must look at once: nobody's payment moves until someone mends it. */
export function needsAlarm(kind: FailureKind): boolean {
  return kind === 'bug' || kind === 'misconfigured';
}

/** Written on operations that are parked because nothing could be learned of them. */
export const GIVEN_UP: PaymentError = { code: 'outcome_unknown', declineCode: null, message: 'Stripe gave no answer for 72 hours' };
