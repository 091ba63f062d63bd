import { Stripe } from 'stripe';
import { DomainError } from '#libs/primitives';

/** An event as Stripe signed it, or as Stripe lists it; `payload` is the exact text. */
export interface SignedEvent {
  readonly id: string;
  readonly type: string;
  readonly livemode: boolean;
  readonly apiVersion: string | null;
  readonly objectId: string | null;
  readonly paymentIntentId: string | null;
  readonly payload: string;
}

/** Both ways: a sender whose clock runs ahead is as suspicious as a replay. Source: docs.stripe.com/webhooks, replay attacks. */
const TOLERANCE_SECONDS = 300;

/**
 * Verifies the raw bytes of a webhook delivery against each secret, before anything in them is parsed.
 * Throws DomainError webhook_signature_invalid, saying which check failed, or webhook_payload_invalid.
 */
export function verifyWebhook(body: Buffer, signature: string | undefined, secrets: readonly string[], now: Date): SignedEvent {
  if (signature === undefined || signature === '') throw refuse('The Stripe-Signature header is missing.');
  checkTimestamp(signature, now);
  if (!secrets.some((secret) => isSignedBy(body, signature, secret))) {
    throw refuse(
      'No v1 signature in the Stripe-Signature header matches these bytes under a known secret: compare the endpoint secret, and that no proxy rewrites the body.',
    );
  }
  return readEvent(body.toString('utf8'));
}

/** An event as Stripe lists it, in the form of a webhook's; null when it is none that a webhook could bring. */
export function readListedEvent(value: unknown): SignedEvent | null {
  try {
    return readEvent(JSON.stringify(value));
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}

function checkTimestamp(signature: string, now: Date): void {
  // Of two timestamps, one could be checked here and the other be the signed one.
  const [timestamp, ...more] = signature.split(',').filter((part) => part.startsWith('t='));
  const sentAt = Number(/^t=(\d{1,12})$/.exec(timestamp ?? '')?.[1] ?? Number.NaN);
  if (!Number.isFinite(sentAt) || more.length > 0) throw refuse('The Stripe-Signature header must have one timestamp t=, in seconds.');
  const ageSeconds = now.getTime() / 1_000 - sentAt;
  if (Math.abs(ageSeconds) > TOLERANCE_SECONDS) {
    throw refuse(
      `The timestamp of the Stripe-Signature header lies ${Math.round(Math.abs(ageSeconds))} s in the ${ageSeconds > 0 ? 'past' : 'future'}; ${TOLERANCE_SECONDS} s are allowed.`,
    );
  }
}

function isSignedBy(body: Buffer, signature: string, secret: string): boolean {
  try {
    // 0: the SDK would check the age one way only, and by its own clock.
    return Stripe.webhooks.signature?.verifyHeader(body, signature, secret, 0) === true;
  } catch {
    // The SDK throws an error of its own where nothing matches, and a plain one for a `v1=` without a value.
    return false;
  }
}

function readEvent(payload: string): SignedEvent {
  const event = parseObject(payload);
  const { id, type, livemode, api_version: apiVersion, data } = event;
  const object = asRecord(asRecord(data)?.['object']);
  if (event['object'] !== 'event' || typeof id !== 'string' || !/^evt_\w{1,250}$/.test(id) || typeof type !== 'string' || object === null) {
    throw new DomainError(
      'webhook_payload_invalid',
      'The body is no snapshot event of Stripe API v1. Thin events (v2) are not taken: subscribe the endpoint to snapshot events.',
    );
  }
  const objectId = typeof object['id'] === 'string' ? object['id'] : null;
  const reference = object['object'] === 'payment_intent' ? objectId : object['payment_intent'];
  return {
    id,
    type,
    livemode: livemode === true,
    apiVersion: typeof apiVersion === 'string' ? apiVersion : null,
    objectId,
    paymentIntentId: typeof reference === 'string' ? reference : null,
    payload,
  };
}

function parseObject(payload: string): Record<string, unknown> {
  const event = asRecord(parseJson(payload));
  if (event === null) throw new DomainError('webhook_payload_invalid', 'The body is no JSON object.');
  if (payload.includes('\\u') && UNSTORABLE.test(JSON.stringify(event))) {
    throw new DomainError(
      'webhook_payload_invalid',
      'The body holds a NUL character or half a surrogate pair, which cannot be stored and which no field of Stripe has.',
    );
  }
  return event;
}

/** What PostgreSQL's jsonb refuses, as JSON.stringify writes it: an escape behind no backslash or behind an even number of them. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function refuse(detail: string): DomainError {
  return new DomainError('webhook_signature_invalid', detail);
}
