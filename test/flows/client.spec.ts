import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type KeyStorage,
  memoryStorage,
  NoAnswerError,
  Oncepay,
  type OncepayOptions,
  ProblemError,
  UnexpectedAnswerError,
} from '../../clients/typescript/src/index.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { PUBLISHABLE_KEYS, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

/** What passed over the wire: method and path, the key, and what came back. */
interface Sent {
  readonly line: string;
  readonly headers: Headers;
  status: number | null;
}

/** Stands between client and network: answers itself, or null to let the request through. */
type Gate = (request: { line: string; headers: Headers; body: unknown }) => Response | null | Promise<Response | null>;

let stack: Stack;
let proxy: FaultProxy;
before(async () => {
  stack = await startStack();
  await stack.call('/v1/prices/mug', { method: 'PUT', body: { name: 'Mug', currency: 'usd', unitAmount: 900 } });
  proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(stack.apiUrl).port) });
});
after(async () => {
  await proxy.close();
  await stack.close();
});

/** A client behind the proxy, and what it has sent. */
function client(options: Partial<OncepayOptions> = {}, gate: Gate = () => null): { oncepay: Oncepay; sent: Sent[] } {
  const sent: Sent[] = [];
  const oncepay = new Oncepay({
    baseUrl: `http://127.0.0.1:${proxy.port}/`,
    apiKey: SECRET_KEYS[0],
    storage: memoryStorage(),
    fetch: async (input, init = {}) => {
      const line = `${init.method} ${new URL(input instanceof Request ? input.url : input).pathname}`;
      const headers = new Headers(init.headers);
      const entry: Sent = { line, headers, status: null };
      sent.push(entry);
      const response = (await gate({ line, headers, body: init.body })) ?? (await fetch(input, init));
      entry.status = response.status;
      return response;
    },
    ...options,
  });
  return { oncepay, sent };
}

const aRequest = (reference = crypto.randomUUID()) => ({
  currency: 'usd' as const,
  items: [{ price: 'mug', quantity: 2 }],
  paymentMethod: 'pm_card_visa',
  reference,
});

async function ordersOf(reference: string): Promise<readonly { id: string; status: string }[]> {
  return JSON.parse((await stack.call(`/v1/orders?reference=${reference}`)).text).data;
}

const keysOf = (sent: readonly Sent[]): Set<string | null> => new Set(sent.map(({ headers }) => headers.get('Idempotency-Key')));
const posts = (sent: readonly Sent[]): Sent[] => sent.filter(({ line }) => line.startsWith('POST'));

function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  const texts = {
    type: `https://pay.example/problems/${code}`,
    title: 'No',
    detail: 'Not now.',
    instance: '/v1/orders',
    requestId: 'req_1',
  };
  return new Response(JSON.stringify({ ...texts, status, code }), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });
}

describe('a checkout', () => {
  it('stores its key before anything is sent, and sends nothing when it cannot be stored', async () => {
    const storage = memoryStorage();
    const seen: unknown[] = [];
    const { oncepay } = client({ storage }, async ({ headers }) => {
      seen.push(JSON.parse((await storage.getItem('oncepay:checkout')) ?? '{}').key === headers.get('Idempotency-Key'));
      return null;
    });
    await oncepay.checkout(aRequest());
    assert.deepEqual(seen, [true]);

    const full: KeyStorage = { ...memoryStorage(), setItem: () => assert.fail('full') };
    const { oncepay: other, sent } = client({ storage: full });
    await assert.rejects(other.checkout(aRequest()), /full/);
    assert.deepEqual(sent, []);
  });

  it('is one order, though its first answer is lost', async () => {
    const request = aRequest();
    const { oncepay, sent } = client();
    proxy.loseNextAnswerTo(request.reference);
    const checkout = await oncepay.checkout(request);
    assert.deepEqual([posts(sent).map(({ status }) => status), keysOf(posts(sent)).size], [[null, 201], 1]);
    assert.equal((await checkout.outcome()).status, 'paid');
    assert.deepEqual(await ordersOf(request.reference), [{ ...(await ordersOf(request.reference))[0], id: checkout.order.id }]);
  });

  it('is one order however often it is submitted, until it is forgotten', async () => {
    const request = aRequest();
    const storage = memoryStorage();
    const tabs = [client({ storage }).oncepay, client({ storage }).oncepay];
    const checkouts = await Promise.all([...tabs, ...tabs, ...tabs].map((oncepay) => oncepay.checkout(request)));
    assert.equal(new Set(checkouts.map(({ order }) => order.id)).size, 1);
    await checkouts[0]?.forget();
    const next = await client({ storage }).oncepay.checkout(request);
    await checkouts[1]?.forget();
    assert.notEqual(next.order.id, checkouts[0]?.order.id);
    assert.equal((await client({ storage }).oncepay.resume())?.order.id, next.order.id, 'a late forget forgets the next purchase');
    assert.equal((await ordersOf(request.reference)).length, 2);
  });

  it('survives a reload before its answer has come, and one after it', async () => {
    const request = aRequest();
    const storage = memoryStorage();
    const page = new AbortController();
    const { oncepay: before } = client({ storage }, async () => {
      page.abort(new Error('the page is gone'));
      return null;
    });
    proxy.loseNextAnswerTo(request.reference);
    await assert.rejects(before.checkout(request, { signal: page.signal }), /the page is gone/);

    const resumed = await client({ storage }).oncepay.resume();
    assert.equal((await resumed?.outcome())?.status, 'paid');
    const again = await client({ storage }).oncepay.resume();
    assert.deepEqual([again?.order.id, again?.order.status], [resumed?.order.id, 'paid']);
    assert.equal((await ordersOf(request.reference)).length, 1);
    await again?.forget();
    assert.equal(await client({ storage }).oncepay.resume(), null);
  });

  it('is found again when its answer is no longer kept: by a server; a page forgets it', async () => {
    const [storage, pageStorage] = [memoryStorage(), memoryStorage()];
    const { order } = await client({ storage }).oncepay.checkout(aRequest());
    const { order: ofPage } = await client({ apiKey: PUBLISHABLE_KEYS[0], storage: pageStorage }).oncepay.checkout({
      currency: 'usd',
      items: [{ price: 'mug', quantity: 1 }],
    });
    for (const { id } of [order, ofPage])
      await stack.database.query('UPDATE idempotency_keys SET body = NULL WHERE location = $1', [`/v1/orders/${id}`]);
    assert.equal((await client({ storage }).oncepay.resume())?.order.id, order.id);
    assert.equal(await client({ apiKey: PUBLISHABLE_KEYS[0], storage: pageStorage }).oncepay.resume(), null);
    assert.equal(await pageStorage.getItem('oncepay:checkout'), null);
  });

  it('belongs to a browser too: with a publishable key it reads its order by the client secret', async () => {
    const { oncepay, sent } = client({ apiKey: PUBLISHABLE_KEYS[0] });
    const checkout = await oncepay.checkout({ currency: 'usd', items: [{ price: 'mug', quantity: 1 }] });
    const { status, payment } = await checkout.settled();
    assert.deepEqual([status, typeof payment.clientSecret], ['requires_payment', 'string']);
    assert.ok(sent.slice(1).every(({ headers }) => headers.get('Oncepay-Client-Secret') === checkout.order.clientSecret));
    assert.deepEqual((await oncepay.prices()).map(({ id }) => id), ['mug']); // prettier-ignore
  });
});

describe('waiting for the outcome', () => {
  it('goes on where the stream was cut', async () => {
    await stack.stopWorker();
    const { oncepay, sent } = client();
    const checkout = await oncepay.checkout(aRequest());
    const outcome = checkout.outcome();
    const streams = (): Sent[] => sent.filter(({ line }) => line.endsWith('/events'));
    // Once events were received, the order was read a second time.
    await waitFor('the first events', () => sent.filter(({ status }) => status === 304).length > 0);
    proxy.reset();
    await waitFor('a second stream', () => streams().length > 1 && streams().at(-1)?.status === 200);
    await stack.startWorker();
    assert.equal((await outcome).status, 'paid');
    const [first, second] = streams();
    assert.equal(first?.headers.get('Last-Event-ID'), null);
    assert.match(second?.headers.get('Last-Event-ID') ?? '', /^oev_/);
  });

  it('asks now and then where streams do not get through, and is told only of changes', async () => {
    await stack.stopWorker();
    const { oncepay, sent } = client({}, ({ line }) => (line.endsWith('/events') ? new Response('no', { status: 502 }) : null));
    const checkout = await oncepay.checkout(aRequest());
    const outcome = checkout.outcome();
    await waitFor('two looks without news', () => sent.filter(({ status }) => status === 304).length >= 2);
    await stack.startWorker();
    assert.equal((await outcome).status, 'paid');
  });

  it('ends when the caller leaves', async () => {
    const { oncepay } = client({ apiKey: PUBLISHABLE_KEYS[0] });
    const checkout = await oncepay.checkout({ currency: 'usd', items: [{ price: 'mug', quantity: 1 }] });
    const leaving = new AbortController();
    const waiting = checkout.outcome({ signal: leaving.signal });
    leaving.abort(new Error('left'));
    await assert.rejects(waiting, /left/);
  });
});

describe('an answer that decides nothing', () => {
  it('is asked for again under the same key, not before Retry-After has passed', async () => {
    const answers = [
      problem(503, 'unavailable', { 'Retry-After': '1' }),
      problem(409, 'idempotency_key_in_progress', { 'Retry-After': '0' }),
      problem(429, 'rate_limited', { 'Retry-After': new Date(Date.now() - 1_000).toUTCString() }),
      new Response('<h1>Bad gateway</h1>', { status: 502 }),
      new Response('{"id": "ord_'),
    ];
    const at: number[] = [];
    const { oncepay, sent } = client({}, () => {
      at.push(performance.now());
      return answers.shift() ?? null;
    });
    assert.equal((await (await oncepay.checkout(aRequest())).refresh()).object, 'order');
    assert.deepEqual([posts(sent).map(({ status }) => status), keysOf(posts(sent)).size], [[503, 409, 429, 502, 200, 201], 1]);
    assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= 1_000);
  });

  it('is handed over when the time is up, and its key is kept', async () => {
    const storage = memoryStorage();
    const request = aRequest();
    const busy = client({ storage }, () => problem(429, 'rate_limited', { 'Retry-After': '600' }));
    await assert.rejects(busy.oncepay.checkout(request), (error) => error instanceof ProblemError && error.retryAfterSeconds === 600);
    await proxy.refuse();
    await assert.rejects(client({ storage, giveUpAfterMs: 50 }).oncepay.checkout(request), NoAnswerError);
    await proxy.pass();
    const { oncepay, sent } = client({ storage });
    await oncepay.resume();
    assert.equal([...keysOf([...busy.sent, ...posts(sent)])].length, 1);
  });
});

describe('a refusal', () => {
  it('is a typed problem, field by field, and frees the name', async () => {
    const { oncepay, sent } = client();
    const wrong = { ...aRequest(), items: [{ price: 'not-there', quantity: 1 }] };
    for (const _ of [1, 2]) {
      await assert.rejects(oncepay.checkout(wrong), (error) => {
        assert.ok(error instanceof ProblemError);
        assert.deepEqual([error.status, error.code, error.errors.map(({ field }) => field)], [400, 'validation_failed', ['items.0.price']]);
        assert.equal(new URL(error.type).pathname, '/problems/validation_failed');
        assert.match(error.requestId, /^req_/);
        return true;
      });
    }
    assert.equal(keysOf(sent).size, 2);
  });

  it('says so when a key belongs to another request, and does not let go of it', async () => {
    const storage = memoryStorage();
    const { oncepay } = client({ storage });
    await oncepay.checkout(aRequest());
    const kept = JSON.parse((await storage.getItem('oncepay:checkout')) ?? '');
    await storage.setItem('oncepay:checkout', JSON.stringify({ ...kept, body: JSON.stringify(aRequest()) }));
    const isReused = (error: unknown): boolean =>
      error instanceof ProblemError && error.status === 422 && error.code === 'idempotency_key_reused';
    await assert.rejects(oncepay.resume(), isReused);
    await assert.rejects(oncepay.resume(), isReused);
  });

  it('is told from what is not an answer of ours', async () => {
    const notOurs = [new Response('<h1>Not found</h1>', { status: 404 }), problem(403, 'forbidden', { 'Content-Type': 'text/html' })];
    for (const answer of notOurs) await assert.rejects(client({}, () => answer).oncepay.checkout(aRequest()), UnexpectedAnswerError);
  });
});

describe('commands of a server', () => {
  it('happen once under their name', async () => {
    const { oncepay } = client();
    const checkout = await oncepay.checkout(aRequest());
    const { id, amount } = await checkout.outcome();
    proxy.loseNextAnswerTo('/refunds');
    const refund = await oncepay.refund(id, { amount: 500 }, { name: 'return-1' });
    assert.equal((await oncepay.refund(id, { amount: 500 }, { name: 'return-1' })).id, refund.id);
    assert.notEqual((await oncepay.refund(id, { amount: 500 }, { name: 'return-2' })).id, refund.id);
    await checkout.until(({ amountRefunded }) => amountRefunded === 1_000);
    assert.equal((await oncepay.order(id)).amountRefunded, 1_000);
    assert.equal(amount, 1_800);

    const isNotPayable = (error: unknown): boolean =>
      error instanceof ProblemError && error.status === 409 && error.code === 'order_not_payable';
    await assert.rejects(oncepay.pay(id, { paymentMethod: 'pm_card_visa' }, { name: 'pay-again' }), isNotPayable);
  });

  it('are not sent with an amount that is no whole number', async () => {
    const { oncepay, sent } = client();
    for (const amount of [Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53]) {
      const wrong = { name: 'TypeError', message: `amount must be a whole number, and is ${amount}.` };
      await assert.rejects(oncepay.refund('ord_1', { amount }, { name: 'return' }), wrong);
      await assert.rejects(oncepay.capture('ord_1', { amount }, { name: 'capture' }), wrong);
    }
    await assert.rejects(
      oncepay.checkout({ ...aRequest(), items: [{ price: 'mug', quantity: Number.NaN }] }),
      /^TypeError: quantity must be/,
    );
    assert.deepEqual(sent, []);
  });
});

it('in a browser a client takes no key of a server', () => {
  Reflect.set(globalThis, 'window', {});
  try {
    for (const apiKey of ['oncepay_sk_test_1', 'oncepay_rk_live_1']) assert.throws(() => client({ apiKey }), /must never reach a browser/);
    assert.ok(client({ apiKey: 'oncepay_pk_test_1' }));
  } finally {
    Reflect.deleteProperty(globalThis, 'window');
  }
});
