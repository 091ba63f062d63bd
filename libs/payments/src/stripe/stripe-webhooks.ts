import { Stripe } from 'stripe';
import { DomainError } from '#libs/primitives';

/** An event as Stripe signed it. */
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
    throw refuse('No v1 signature in the Stripe-Signature header matches these bytes under a known secret: compare the endpoint secret, and that no proxy rewrites the body.');
  }
  return readEvent(body.toString('utf8'));
}

function checkTimestamp(signature: string, now: Date): void {
  const sentAt = Number(/(?:^|,)t=(\d{1,12})(?:,|$)/.exec(signature)?.[1] ?? Number.NaN);
  if (!Number.isFinite(sentAt)) throw refuse('The Stripe-Signature header has no timestamp t=.');
  const ageSeconds = now.getTime() / 1_000 - sentAt;
  if (Math.abs(ageSeconds) > TOLERANCE_SECONDS) {
    throw refuse(`The timestamp of the Stripe-Signature header lies ${Math.round(Math.abs(ageSeconds))} s in the ${ageSeconds > 0 ? 'past' : 'future'}; ${TOLERANCE_SECONDS} s are allowed.`);
  }
}

function isSignedBy(body: Buffer, signature: string, secret: string): boolean {
  try {
    return Stripe.webhooks.signature?.verifyHeader(body, signature, secret, TOLERANCE_SECONDS) === true;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) return false;
    throw error;
  }
}

function readEvent(payload: string): SignedEvent {
  const event = parseObject(payload);
  const { id, type, livemode, api_version: apiVersion, data } = event;
  const object = asRecord(asRecord(data)?.['object']);
  if (event['object'] !== 'event' || typeof id !== 'string' || !/^evt_\w{1,250}$/.test(id) || typeof type !== 'string' || object === null) {
    throw new DomainError('webhook_payload_invalid', 'The body is no snapshot event of Stripe API v1. Thin events (v2) are not taken: subscribe the endpoint to snapshot events.');
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
  if (payload.includes('\\u0000')) throw new DomainError('webhook_payload_invalid', 'The body holds a NUL character, which no field of Stripe has.');
  try {
    const parsed = asRecord(JSON.parse(payload));
    if (parsed !== null) return parsed;
  } catch {
    // Answered below, like every other body that is no event.
  }
  throw new DomainError('webhook_payload_invalid', 'The body is no JSON object.');
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function refuse(detail: string): DomainError {
  return new DomainError('webhook_signature_invalid', detail);
}
