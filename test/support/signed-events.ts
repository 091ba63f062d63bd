import { Stripe } from 'stripe';
import { type Answer, call } from './http-client.js';
import { type Stack } from './stack.js';

/** Delivers an event to the API as Stripe does: signed with the endpoint's secret. */
export function deliver(stack: Pick<Stack, 'apiUrl' | 'webhookSecret'>, event: object): Promise<Answer> {
  const body = JSON.stringify(event);
  const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret: stack.webhookSecret });
  return call(`${stack.apiUrl}/webhooks/stripe`, { headers: { 'Content-Type': 'application/json', 'Stripe-Signature': signature }, body });
}

/** Every event the simulator has of an intent, oldest first, as it was when it happened. */
export async function eventsOf({ stripe }: Pick<Stack, 'stripe'>, paymentIntentId: string): Promise<readonly Stripe.Event[]> {
  const events = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 });
  return events.filter(({ data }) => JSON.stringify(data.object).includes(`"${paymentIntentId}"`)).reverse();
}

/** An event of our own making, of an object of our own making. */
export function forged(type: string, object: object): { readonly id: string; readonly type: string } & Readonly<Record<string, unknown>> {
  return {
    id: `evt_${crypto.randomUUID().replaceAll('-', '')}`,
    object: 'event',
    type,
    api_version: Stripe.API_VERSION,
    created: Math.floor(Date.now() / 1_000),
    livemode: false,
    pending_webhooks: 1,
    request: null,
    data: { object },
  };
}

/** What became of an event. */
export async function eventStatus({ database }: Pick<Stack, 'database'>, id: string): Promise<string | undefined> {
  const rows = await database.query<{ status: string }>('SELECT status FROM webhook_events WHERE id = $1', [id]);
  return rows[0]?.status;
}
