import { type Answer, call } from './http-client.js';
import { type OrderJson, type Stack } from './stack.js';

/** What moved (or was refused) at the simulator for an intent, in order: `captured 2000 usd`. The ground truth of money. */
export async function effectsOn(stack: Stack, paymentIntentId: string): Promise<readonly string[]> {
  const entries = await journalOf(stack, `kind=effect&paymentIntent=${paymentIntentId}`);
  return entries.map(effectAsText);
}

/** An effect of the journal in short. */
export function effectAsText({ type, amount, currency }: Readonly<Record<string, unknown>>): string {
  return `${String(type)} ${String(amount)} ${String(currency)}`;
}

/** The simulator's journal: every request and effect that fits the query. */
export async function journalOf(stack: Stack, query: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { json } = await stack.control(`/_sim/journal?${query}`);
  return Array.isArray(json['data']) ? json['data'] : [];
}

/** Confirms an order's intent as Stripe.js does in the buyer's browser: by its client secret, past us. */
export function payInBrowser({ simulatorUrl, stripeKey }: Stack, { payment }: OrderJson, paymentMethod: string): Promise<Answer> {
  return call(`${simulatorUrl}/v1/payment_intents/${payment.stripePaymentIntentId}/confirm`, {
    key: stripeKey.replace('sk_', 'pk_'),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ client_secret: payment.clientSecret ?? '', payment_method: paymentMethod }).toString(),
  });
}
