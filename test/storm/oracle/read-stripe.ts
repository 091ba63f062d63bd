import { request } from '../requests.js';
import { CANARIES } from '../secrets.js';
import {
  type JournalEntry,
  type StripeCustomer,
  type StripeDispute,
  type StripeEvent,
  type StripeIntent,
  type StripeRecord,
  type StripeRefund,
  type StripeSession,
} from './evidence.js';

const PAGE_SIZE = 100;
const JOURNAL_PAGE_SIZE = 100_000;

/** Everything the simulator has of the installation's account, from its own lists. */
export async function readStripe(url: string): Promise<StripeRecord> {
  const delivered = await listAll<{ readonly id: string }>(url, '/v1/events?delivery_success=true');
  return {
    intents: await listAll<StripeIntent>(url, '/v1/payment_intents'),
    refunds: await listAll<StripeRefund>(url, '/v1/refunds'),
    sessions: await listAll<StripeSession>(url, '/v1/checkout/sessions'),
    disputes: await listAll<StripeDispute>(url, '/v1/disputes'),
    customers: await listAll<StripeCustomer>(url, '/v1/customers'),
    events: await listAll<StripeEvent>(url, '/v1/events'),
    delivered: new Set(delivered.map(({ id }) => id)),
  };
}

/** The simulator's journal: every request and every effect, in order. */
export async function readJournal(url: string): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (let afterSeq = 0; ;) {
    const { data, lastSeq }: { data: readonly JournalEntry[]; lastSeq: number | null } = JSON.parse(
      await get(`${url}/_sim/journal?afterSeq=${afterSeq}&limit=${JOURNAL_PAGE_SIZE}`),
    );
    for (const entry of data) entries.push(entry);
    if (lastSeq === null) return entries;
    afterSeq = lastSeq;
  }
}

async function listAll<T extends { readonly id: string }>(url: string, path: string): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const query = `${path.includes('?') ? '&' : '?'}limit=${PAGE_SIZE}${found.length === 0 ? '' : `&starting_after=${found.at(-1)?.id}`}`;
    const { data, has_more: hasMore }: { data: readonly T[]; has_more: boolean } = JSON.parse(await get(`${url}${path}${query}`));
    for (const object of data) found.push(object);
    if (!hasMore) return found;
  }
}

async function get(url: string): Promise<string> {
  const { status, text } = await request(url, {
    headers: { Authorization: `Bearer sk_test_${CANARIES.stripeAccount}` },
    timeoutMs: 120_000,
  });
  if (status !== 200) throw new Error(`the simulator answered ${status} to ${url}: ${text}`);
  return text;
}
