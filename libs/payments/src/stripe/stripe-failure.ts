import { Stripe } from 'stripe';
import { type BreakerName } from '../gate/breaker.js';
import { type PaymentIntentObservation } from '../observation.js';
import { type PaymentError } from '../payment.js';
import { readPaymentIntent } from './stripe-objects.js';

/**
 * What a failed call means for the operation that made it. Source: DESIGN "Stripe's answers and what a worker does",
 * docs.stripe.com/api/errors and /error-low-level.
 *
 * declined: the card was refused; final for this key. unknown: Stripe may have acted. busy: a twin with the same key is
 * in flight, so unknown too. not_sent: nothing left. throttled: Stripe refused to look at it. misconfigured: our key
 * does not allow it. bug: we sent what cannot be right, or our account is not the one we think. rejected: Stripe looked
 * and refused. held: it never left us, for the circuit breaker or the rate limit of all workers let it not pass.
 */
export type FailureKind = 'held' | 'declined' | 'unknown' | 'busy' | 'not_sent' | 'throttled' | 'misconfigured' | 'bug' | 'rejected';

interface FailureFacts {
  readonly kind: FailureKind;
  readonly error: PaymentError;
  readonly httpStatus: number | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  /** Nobody answered, or Stripe failed, and not just for this key: what circuit breakers count. */
  readonly isOutage: boolean;
  /** Stripe-Rate-Limited-Reason; null for what no limiter refused, as a locked object. */
  readonly rateLimitedReason: string | null;
  /** The breaker on whose closing the work becomes due. */
  readonly delayedBy: BreakerName | null;
  /** The stored answer of an earlier send: sending again will not change it. */
  readonly isFinalForKey: boolean;
  readonly paymentIntent: PaymentIntentObservation | null;
}

/** A call to Stripe that gave no object. */
export class StripeFailure extends Error implements FailureFacts {
  override readonly name = 'StripeFailure';
  readonly #facts: FailureFacts;
  readonly kind: FailureKind;
  readonly error: PaymentError;
  readonly httpStatus: number | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly isOutage: boolean;
  readonly rateLimitedReason: string | null;
  readonly delayedBy: BreakerName | null;
  readonly isFinalForKey: boolean;
  readonly paymentIntent: PaymentIntentObservation | null;

  constructor(facts: FailureFacts, cause?: unknown) {
    super(`Stripe: ${facts.kind}${facts.httpStatus === null ? '' : ` (${facts.httpStatus})`}: ${facts.error.message ?? 'no message'}`, {
      cause,
    });
    this.#facts = facts;
    this.kind = facts.kind;
    this.error = facts.error;
    this.httpStatus = facts.httpStatus;
    this.requestId = facts.requestId;
    this.retryAfterMs = facts.retryAfterMs;
    this.isOutage = facts.isOutage;
    this.rateLimitedReason = facts.rateLimitedReason;
    this.delayedBy = facts.delayedBy;
    this.isFinalForKey = facts.isFinalForKey;
    this.paymentIntent = facts.paymentIntent;
  }

  /** The same, delayed by a breaker: until it closes, or for `waitMs` where Stripe has not said how long. */
  delayed(by: BreakerName, waitMs: number | null): StripeFailure {
    return new StripeFailure({ ...this.#facts, delayedBy: by, retryAfterMs: this.retryAfterMs ?? waitMs }, this.cause);
  }
}

/**
 * Nothing was sent when the connection could not even be made: refused, no such host, or TLS not agreed on. EPROTO is
 * what Node calls a request that could not be written because the handshake failed.
 */
const NOT_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EAI_FAIL|EHOSTUNREACH|ENETUNREACH|EPROTO|ERR_TLS_CERT_ALTNAME_INVALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_[A-Z_]+)$/;

/** What is missing then is the caller's mistake; any other id is one we stored, which cannot be missing in our account. */
const NAMED_BY_CALLER = new Set(['payment_method', 'customer']);

/** Turns whatever a call threw into a StripeFailure. The SDK's own classes are known nowhere else. */
export function classify(thrown: unknown): StripeFailure {
  if (thrown instanceof StripeFailure) return thrown;
  if (!(thrown instanceof Stripe.errors.StripeError)) {
    return noAnswer(thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
  const headers = thrown.headers ?? {};
  const shouldRetry = headers['stripe-should-retry'];
  const isReplay = headers['idempotent-replayed'] === 'true';
  const status = thrown.statusCode;
  const byStatus = kindOf(thrown);
  const kind = overrule(byStatus, shouldRetry);
  return new StripeFailure(
    {
      kind,
      error: { code: thrown.code ?? null, declineCode: thrown.decline_code ?? null, message: thrown.message },
      httpStatus: status ?? null,
      requestId: thrown.requestId ?? null,
      retryAfterMs: retryAfterMs(headers['retry-after']),
      isOutage: kind === 'not_sent' || (kind === 'unknown' && !isReplay && (status === undefined || status >= 500)),
      rateLimitedReason: headers['stripe-rate-limited-reason'] ?? null,
      delayedBy: null,
      isFinalForKey: kind === 'unknown' && (byStatus !== 'unknown' || (isServersFault(status) && (isReplay || shouldRetry === 'false'))),
      paymentIntent: readPaymentIntent(thrown.payment_intent),
    },
    thrown,
  );
}

/** The answer did not come, or came as something that is no answer: the outcome is unknown. */
export function noAnswer(message: string, cause?: unknown): StripeFailure {
  return new StripeFailure(
    {
      kind: 'unknown',
      error: { code: null, declineCode: null, message },
      httpStatus: null,
      requestId: null,
      retryAfterMs: null,
      isOutage: true,
      rateLimitedReason: null,
      delayedBy: null,
      isFinalForKey: false,
      paymentIntent: null,
    },
    cause,
  );
}

/** The call was not let pass: it comes again after `waitMs`, or when the breaker that holds it closes. */
export function heldBack(message: string, delayedBy: BreakerName | null, waitMs: number): StripeFailure {
  return new StripeFailure({
    kind: 'held',
    error: { code: null, declineCode: null, message },
    httpStatus: null,
    requestId: null,
    retryAfterMs: waitMs,
    isOutage: false,
    rateLimitedReason: null,
    delayedBy,
    isFinalForKey: false,
    paymentIntent: null,
  });
}

/** The types an error of Stripe's API v1 can have. Source: docs.stripe.com/api/errors. */
const ERROR_TYPES = new Set<string>(['api_error', 'card_error', 'idempotency_error', 'invalid_request_error']);

function kindOf(error: InstanceType<typeof Stripe.errors.StripeError>): FailureKind {
  const { statusCode, code, rawType } = error;
  if (statusCode === undefined) return neverConnected(error) ? 'not_sent' : 'unknown';
  // What has the status of a refusal but not its form was said by somebody between Stripe and us.
  if (statusCode < 400 || !ERROR_TYPES.has(rawType ?? '')) return 'unknown';
  if (statusCode === 402) return 'declined';
  if (statusCode === 409) return 'busy';
  if (statusCode === 429) return 'throttled';
  if (code === 'lock_timeout') return 'throttled';
  if (statusCode === 401 || statusCode === 403) return 'misconfigured';
  if (statusCode === 404 || code === 'resource_missing') return NAMED_BY_CALLER.has(error.param ?? '') ? 'rejected' : 'bug';
  if (rawType === 'idempotency_error' || code === 'parameter_unknown') return 'bug';
  if (isServersFault(statusCode)) return 'unknown';
  return 'rejected';
}

/** 424 is Stripe's word for what failed behind it. */
function isServersFault(statusCode: number | undefined): boolean {
  return statusCode === 424 || (statusCode ?? 0) >= 500;
}

/**
 * Stripe says itself whether the same request may succeed later; its word outranks the status. What it will never answer otherwise under
 * this key is read for, as no refusal of the operation was spoken. Refused credentials are not the request's fault.
 */
function overrule(kind: FailureKind, shouldRetry: string | undefined): FailureKind {
  if (shouldRetry === 'true') return kind === 'rejected' || kind === 'declined' || kind === 'bug' ? 'throttled' : kind;
  if (shouldRetry === 'false') return kind === 'busy' || kind === 'throttled' ? 'unknown' : kind;
  return kind;
}

function neverConnected(error: InstanceType<typeof Stripe.errors.StripeError>): boolean {
  const detail = error.detail;
  if (!(detail instanceof Error)) return false;
  // Node tries every address of a name and reports all failures together.
  const attempts: readonly unknown[] = detail instanceof AggregateError ? detail.errors : [detail];
  return (
    attempts.length > 0 &&
    attempts.every((attempt) => attempt instanceof Error && 'code' in attempt && NOT_CONNECTED.test(String(attempt.code)))
  );
}

/**
 * Stripe's limits are counted by the second. What says more than this comes from a proxy or a clock that is wrong, and would let a buyer
 * wait for days; to ask once in ten minutes hurts nobody.
 */
const RETRY_AFTER_MAX_MS = 600_000;

/** Retry-After in whole seconds or as an HTTP date (RFC 9110, 10.2.3). */
function retryAfterMs(value: string | undefined): number | null {
  if (value === undefined) return null;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms)) : null;
}
