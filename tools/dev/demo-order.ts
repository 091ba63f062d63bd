import { randomUUID } from 'node:crypto';
import { formatAmount } from '#libs/primitives';
import { disagreements, type OurSide } from './agreement.js';
import { readStripeSide, type StripeAccess } from './stripe-side.js';
import { say, styled } from './terminal.js';
import { waitUntil } from './wait-until.js';

export interface DemoStage {
  readonly apiUrl: string;
  readonly secretKey: string;
  readonly stripe: StripeAccess;
  readonly signal: AbortSignal;
}

interface DemoOrder extends OurSide {
  readonly createdAt: string;
}

interface TimelineEntry {
  readonly type: string;
  readonly at: string;
  readonly cause: string;
}

interface List<T> {
  readonly data: readonly T[];
}

interface Answer {
  readonly status: number;
  readonly isReplay: boolean;
  readonly text: string;
}

interface Call {
  readonly method?: 'POST' | 'PUT';
  readonly body?: object;
  readonly idempotencyKey?: string;
}

/** A price in the catalogue, which the reader's own first order can name too. */
export const DEMO_PRICE = { id: 'demo-tshirt', name: 'T-shirt', currency: 'eur', unitAmount: 2_000 };

const REPLAYS = 5;
/** One order takes a fraction of a second; on a slow machine at its limit, a few. */
const PAID_TIMEOUT_MS = 30_000;
/** Adds no more than this to the time shown. */
const LOOK_EVERY_MS = 10;
/** An API that was killed is back sooner. */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * Places an order, shows it becoming paid, sends the same request again and asks Stripe's side what was charged. Answers whether both
 * sides agree on one successful charge of the right amount.
 */
export async function runDemo(stage: DemoStage): Promise<boolean> {
  const { id: price, ...priceBody } = DEMO_PRICE;
  await succeeded(call(stage, `/v1/prices/${price}`, { method: 'PUT', body: priceBody }));
  const idempotencyKey = `demo-${randomUUID()}`;
  const body = { currency: DEMO_PRICE.currency, items: [{ price, quantity: 1 }], paymentMethod: 'pm_card_visa', reference: idempotencyKey };
  const send = (): Promise<Answer> => call(stage, '/v1/orders', { method: 'POST', body, idempotencyKey });

  const sentAt = performance.now();
  const first = await succeeded(send());
  const { id }: DemoOrder = JSON.parse(first.text);
  const settled = await untilSettled(stage, id);
  const settledAfterMs = performance.now() - sentAt;
  await showOrder(stage, settled, settledAfterMs);

  const again = await Promise.all(Array.from({ length: REPLAYS }, send));
  const replays = again.filter((answer) => answer.isReplay && answer.status === first.status && answer.text === first.text).length;
  const orders = await read<List<DemoOrder>>(stage, `/v1/orders?limit=100&reference=${idempotencyKey}`);
  const stripeSide = await readStripeSide(stage.stripe, settled);
  const problems = disagreements(await read<DemoOrder>(stage, `/v1/orders/${id}`), stripeSide);
  if (replays !== REPLAYS) problems.push(`replays: expected ${REPLAYS}, found ${replays}`);
  if (orders.data.length !== 1) problems.push(`orders: expected 1, found ${orders.data.length}`);
  say(`        same request sent ${REPLAYS} more times  ->  ${replays} replays, ${counted(orders.data.length, 'order')}`);
  const charges = stripeSide.charges
    .filter(({ status }) => status === 'succeeded')
    .map((charge) => formatAmount(charge.amount, charge.currency));
  say(
    `        Stripe's side  ->  ${counted(stripeSide.intents.length, 'PaymentIntent')}, ${counted(charges.length, 'successful charge')} (${charges.join(', ')})`,
  );
  if (problems.length === 0) say(`        ${styled('green', 'both sides agree')}`);
  else say(`        ${styled('red', 'THE TWO SIDES DISAGREE')}`, ...problems.map((problem) => `          ${problem}`));
  return problems.length === 0;
}

/** Waits until Stripe's part is over, whichever way it ended. */
function untilSettled(stage: DemoStage, id: string): Promise<DemoOrder> {
  return waitUntil(
    { what: `order ${id} to be paid`, timeoutMs: PAID_TIMEOUT_MS, everyMs: LOOK_EVERY_MS, signal: stage.signal },
    async () => {
      const order = await read<DemoOrder>(stage, `/v1/orders/${id}`);
      if (order.status === 'pending' || order.status === 'processing') throw new Error(`it is ${order.status}`);
      return order;
    },
  );
}

async function showOrder(stage: DemoStage, order: DemoOrder, settledAfterMs: number): Promise<void> {
  const status = styled(order.status === 'paid' ? 'green' : 'red', order.status);
  say(
    '',
    `  ${styled('bold', 'demo')}  order ${order.id}  ${formatAmount(order.amount, order.currency)}  ${status} after ${Math.round(settledAfterMs)} ms`,
    '',
  );
  const timeline = await read<List<TimelineEntry>>(stage, `/v1/orders/${order.id}/events`);
  for (const { type, at, cause } of timeline.data) {
    const ms = Date.parse(at) - Date.parse(order.createdAt);
    say(`        ${`${ms} ms`.padStart(8)}  ${type.padEnd(33)} ${styled('dim', cause)}`);
  }
  say('');
}

async function read<T>(stage: DemoStage, path: string): Promise<T> {
  return JSON.parse((await succeeded(call(stage, path))).text);
}

/** Sent again while nobody answers, as any client should: all these requests are safe to repeat, the POST by its key. */
async function call({ apiUrl, secretKey, signal }: DemoStage, path: string, { method, body, idempotencyKey }: Call = {}): Promise<Answer> {
  const headers = {
    Authorization: `Bearer ${secretKey}`,
    ...(body && { 'Content-Type': 'application/json' }),
    ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }),
  };
  return waitUntil({ what: `an answer to ${path}`, timeoutMs: ANSWER_TIMEOUT_MS, everyMs: LOOK_EVERY_MS, signal }, async () => {
    const response = await fetch(`${apiUrl}${path}`, {
      method: method ?? 'GET',
      headers,
      signal,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, isReplay: response.headers.get('idempotency-replayed') === 'true', text: await response.text() };
  });
}

async function succeeded(answer: Promise<Answer>): Promise<Answer> {
  const { status, text } = await answer;
  if (status >= 300) throw new Error(`the API answered ${status}: ${text}`);
  return answer;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
