/**
 * Every expected failure of Oncepay by its public code. The HTTP status and title of each stand in the API's problem
 * catalogue, which does not compile while one is missing.
 */
export type ErrorCode =
  | 'validation_failed'
  | 'amount_too_small'
  | 'amount_too_large'
  | 'card_number_refused'
  | 'idempotency_key_missing'
  | 'idempotency_key_invalid'
  | 'idempotency_key_reused'
  | 'idempotency_key_in_progress'
  | 'idempotency_key_expired'
  | 'webhook_signature_invalid'
  | 'webhook_payload_invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'operation_in_progress'
  | 'refund_exceeds_captured'
  | 'order_not_payable'
  | 'order_not_capturable'
  | 'order_not_cancelable'
  | 'order_not_refundable'
  | 'precondition_failed'
  | 'not_retryable'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'headers_too_large'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'unavailable'
  | 'internal_error';

/** One wrong field of a request: `field` is a path such as `items.0.quantity`. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

interface Particulars {
  readonly errors?: readonly FieldError[];
  readonly location?: string;
  readonly retryAfterSeconds?: number;
  /** What the caller would have to be allowed. */
  readonly missingScope?: string;
  /** Nothing that can still happen would change the refusal: it may be stored and given again. */
  readonly isFinal?: boolean;
  readonly cause?: unknown;
}

/**
 * An expected failure: a stable code, a sentence that is safe to show to the caller, and what helps to mend it.
 * Libs throw it; only the API knows which HTTP status it becomes.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly errors: readonly FieldError[];
  readonly location: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly missingScope: string | undefined;
  readonly isFinal: boolean;

  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
    particulars: Particulars = {},
  ) {
    super(detail, { cause: particulars.cause });
    this.errors = particulars.errors ?? [];
    this.location = particulars.location;
    this.retryAfterSeconds = particulars.retryAfterSeconds;
    this.missingScope = particulars.missingScope;
    this.isFinal = particulars.isFinal ?? false;
  }
}
