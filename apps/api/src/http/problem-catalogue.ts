import { type ErrorCode } from '#libs/primitives';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** Shown on the page behind the problem's type: how the caller mends it. */
  readonly remedy: string;
}

/** What each error code is over HTTP. The record does not compile while a code is missing. */
export const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  validation_failed: {
    status: 400,
    title: 'The request is not valid',
    remedy:
      'See `errors`: each entry names a field and what it must be. Nothing was stored; send the mended request with the same or a new key.',
  },
  amount_too_small: {
    status: 400,
    title: 'The total is below the minimum',
    remedy: "Raise the total to Stripe's minimum for the currency.",
  },
  amount_too_large: {
    status: 400,
    title: 'The total is above the maximum',
    remedy: 'Split the order: Stripe does not charge this much at once.',
  },
  card_number_refused: {
    status: 400,
    title: 'Card numbers are not taken here',
    remedy: 'Never send card numbers to this API. Use Stripe.js in the browser, which makes a payment method of them.',
  },
  idempotency_key_missing: {
    status: 400,
    title: 'The Idempotency-Key header is missing',
    remedy: 'Make a random key, store it before you send, and send it with every retry of the same request.',
  },
  idempotency_key_invalid: {
    status: 400,
    title: 'The Idempotency-Key header is malformed',
    remedy: 'Send one header of 1 to 255 visible ASCII characters; with a publishable key at least 22. A UUID is fine.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    remedy: 'A key names one request for ever. Repeat that request unchanged, or use a new key for a new request.',
  },
  idempotency_key_in_progress: {
    status: 409,
    title: 'The first request with this key is still running',
    remedy: 'Wait as Retry-After says and send the same request again.',
  },
  idempotency_key_expired: {
    status: 409,
    title: 'The stored answer is no longer kept',
    remedy: 'The request was carried out once and will not be again. Follow the Location header to what it made.',
  },
  webhook_signature_invalid: {
    status: 400,
    title: 'The webhook signature is not valid',
    remedy: 'See `detail` for the check that failed. Compare STRIPE_WEBHOOK_SECRETS with the signing secret of the endpoint.',
  },
  webhook_payload_invalid: {
    status: 400,
    title: 'The webhook is no event we take',
    remedy: 'Subscribe the endpoint to snapshot events of API v1.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid key was sent',
    remedy: 'Send `Authorization: Bearer <key>` with a key that is neither expired nor revoked.',
  },
  forbidden: {
    status: 403,
    title: 'The key does not allow this',
    remedy:
      'See `detail`. Where a scope is missing, use a key that has it; where a secret key is needed, call from your server with one. A key that has origins or addresses works from those alone: make one for where you call from.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    remedy: "Check the id and that the key belongs to the account. Another account's objects look like this too.",
  },
  operation_in_progress: {
    status: 409,
    title: 'The payment is busy',
    remedy: 'An operation on this payment is under way. Wait as Retry-After says and send the same request again.',
  },
  refund_exceeds_captured: {
    status: 409,
    title: 'The refund is larger than what is left',
    remedy: 'Refund at most what was captured minus what was refunded or is pending.',
  },
  order_not_payable: {
    status: 409,
    title: 'The order cannot be paid now',
    remedy:
      'Only an order in `requires_payment` can be paid, and a hosted one only on the page at its `payment.url`. Read it to see its status.',
  },
  order_not_capturable: { status: 409, title: 'The order cannot be captured', remedy: 'Only an order in `authorized` can be captured.' },
  order_not_cancelable: {
    status: 409,
    title: 'The order cannot be canceled',
    remedy: 'A paid order is refunded instead; a processing one can only be waited for.',
  },
  order_not_refundable: { status: 409, title: 'The order cannot be refunded', remedy: 'Only captured money can be returned.' },
  precondition_failed: { status: 412, title: 'The order has changed', remedy: 'Read it again and send its current ETag in If-Match.' },
  not_retryable: {
    status: 409,
    title: 'It cannot be tried again',
    remedy:
      'Only what is parked or has failed is tried again, and an event only while its payload is kept. Read it to see where it stands.',
  },
  method_not_allowed: { status: 405, title: 'The method is not supported here', remedy: 'See /openapi.json for what each path takes.' },
  request_timeout: { status: 408, title: 'The request did not arrive in time', remedy: 'Send the whole request within 15 seconds.' },
  headers_too_large: { status: 431, title: 'The headers are too large', remedy: 'Send less than 16 KiB of headers.' },
  payload_too_large: { status: 413, title: 'The body is too large', remedy: 'Send at most 256 KiB; an event of Stripe may have 1 MiB.' },
  unsupported_media_type: {
    status: 415,
    title: 'The body is not JSON',
    remedy: 'Send `Content-Type: application/json`, without a content encoding.',
  },
  rate_limited: { status: 429, title: 'Too many requests', remedy: 'Wait as Retry-After says. The key stays free.' },
  unavailable: {
    status: 503,
    title: 'The service cannot do this now',
    remedy: 'Send the same request with the same key again: if it was carried out, you get its answer; if not, it is carried out now.',
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong here',
    remedy: 'Send the same request with the same key again. If it stays so, report the request id.',
  },
};
