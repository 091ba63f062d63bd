import { Stripe } from 'stripe';
import { type Answer, call } from './http-client.js';
import { type Stack } from './stack.js';

/** A snapshot event of Stripe about an object. */
export function anEvent(type: string, object: object, overrides: object = {}): Readonly<Record<string, unknown>> & { readonly id: string } {
  const id = `evt_${crypto.randomUUID().replaceAll('-', '')}`;
  return {
    id,
    object: 'event',
    api_version: Stripe.API_VERSION,
    created: Math.floor(Date.now() / 1_000),
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
    data: { object },
    ...overrides,
  };
}

/** An intent as an event carries it, by default one that nobody here knows. */
export function anIntent(overrides: object = {}): Readonly<Record<string, unknown>> & { readonly id: string } {
  const id = `pi_${crypto.randomUUID().replaceAll('-', '')}`;
  return {
    id,
    object: 'payment_intent',
    status: 'succeeded',
    amount: 2_000,
    amount_received: 2_000,
    currency: 'usd',
    client_secret: `${id}_secret_of_the_test`,
    metadata: {},
    latest_charge: null,
    payment_method: null,
    next_action: null,
    last_payment_error: null,
    cancellation_reason: null,
    ...overrides,
  };
}

interface Delivery {
  /** Where the events go, without the path. */
  readonly url: string;
  readonly secret: string;
  /** Seconds to add to the present in the signature's timestamp. */
  readonly skewSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The header Stripe signs a payload with. */
export function signatureOf(payload: string, { secret, skewSeconds = 0 }: Pick<Delivery, 'secret' | 'skewSeconds'>): string {
  const timestamp = Math.floor(Date.now() / 1_000) + skewSeconds;
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
}

/** Posts an event as Stripe does: signed over the very bytes that are sent. */
export function deliver(event: object | string, { url, headers, ...signing }: Delivery): Promise<Answer> {
  const payload = typeof event === 'string' ? event : JSON.stringify(event);
  return call(`${url}/webhooks/stripe`, { body: payload, headers: { 'Stripe-Signature': signatureOf(payload, signing), ...headers } });
}

/** Posts an event to a stack's API in the place of its simulator. */
export function deliverTo({ apiUrl, webhookSecret }: Pick<Stack, 'apiUrl' | 'webhookSecret'>, event: object | string): Promise<Answer> {
  return deliver(event, { url: apiUrl, secret: webhookSecret });
}

/** Every event the simulator has of an intent and of what belongs to it, oldest first, as it was when it happened. */
export async function eventsOf({ stripe }: Pick<Stack, 'stripe'>, paymentIntentId: string): Promise<readonly Stripe.Event[]> {
  const events = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 });
  return events.filter(({ data }) => JSON.stringify(data.object).includes(`"${paymentIntentId}"`)).reverse();
}

/** What became of an event. */
export async function eventStatus({ database }: Pick<Stack, 'database'>, id: string): Promise<string | undefined> {
  const rows = await database.query<{ status: string }>('SELECT status FROM webhook_events WHERE id = $1', [id]);
  return rows[0]?.status;
}
