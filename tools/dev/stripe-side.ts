import { type StripeCharge, type StripeIntent, type StripeSide, stripeSideOf } from './agreement.js';

/** Where Stripe's record is read, past everything of ours. */
export interface StripeAccess {
  readonly url: string;
  readonly secretKey: string;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

interface Page<T> {
  readonly data: readonly T[];
  readonly has_more: boolean;
}

/** Stripe dates in whole seconds, and its clock is not ours. */
const CLOCK_SLACK_SECONDS = 60;
const PAGE_SIZE = 100;

/** Everything at Stripe that belongs to an order, found in Stripe's own lists. */
export async function readStripeSide(
  access: StripeAccess,
  order: { readonly id: string; readonly createdAt: string },
): Promise<StripeSide> {
  const since = Math.floor(Date.parse(order.createdAt) / 1_000) - CLOCK_SLACK_SECONDS;
  const [intents, charges] = await Promise.all([
    listSince<StripeIntent>(access, '/v1/payment_intents', since),
    listSince<StripeCharge>(access, '/v1/charges', since),
  ]);
  return stripeSideOf(order.id, intents, charges);
}

async function listSince<T extends { readonly id: string }>(
  { url, secretKey, signal }: StripeAccess,
  path: string,
  since: number,
): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE), 'created[gte]': String(since) });
    const last = found.at(-1);
    if (last) query.set('starting_after', last.id);
    const response = await fetch(`${url}${path}?${query.toString()}`, { headers: { Authorization: `Bearer ${secretKey}` }, signal });
    if (!response.ok) throw new Error(`Stripe's side answered ${response.status} to GET ${path}: ${await response.text()}`);
    const page = (await response.json()) as Page<T>;
    found.push(...page.data);
    if (!page.has_more) return found;
  }
}
