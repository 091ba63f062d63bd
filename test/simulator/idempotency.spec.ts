import { deepStrictEqual, notStrictEqual, ok, strictEqual } from 'node:assert';
import { beforeEach, describe, it } from 'node:test';
import { errorOf, refusal, simulate } from './harness.js';
import { waitFor } from '../support/wait-for.js';

const sim = await simulate();
const CREATE = 'amount=2000&currency=usd&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never';
const create = (idempotencyKey: string, params = CREATE, key = 'sk_test_a'): ReturnType<typeof sim.api> =>
  sim.api('POST', '/v1/payment_intents', params, { idempotencyKey, key });

describe('an idempotency key', () => {
  beforeEach(() => sim.control('/reset', {}));

  it('answers the first request with its own id as the original', async () => {
    const first = await create('k');
    strictEqual(first.headers.get('idempotency-key'), 'k');
    strictEqual(first.headers.get('original-request'), first.headers.get('request-id'));
    strictEqual(first.headers.get('stripe-should-retry'), 'false');
    strictEqual(first.headers.get('idempotent-replayed'), null);
  });

  it('replays the stored answer byte for byte and names the first request', async () => {
    const first = await create('k');
    const second = await create('k');
    strictEqual(second.text, first.text);
    strictEqual(second.headers.get('idempotent-replayed'), 'true');
    strictEqual(second.headers.get('original-request'), first.headers.get('request-id'));
    notStrictEqual(second.headers.get('request-id'), first.headers.get('request-id'));
    strictEqual((await sim.stripe().paymentIntents.list()).data.length, 1);
  });

  it('knows the same parameters in another order and spelling', async () => {
    const first = await create('k', 'amount=2000&currency=usd&metadata[a]=1&metadata[b]=2');
    const second = await create('k', 'metadata%5Bb%5D=2&currency=usd&metadata%5Ba%5D=1&amount=2000');
    strictEqual(second.text, first.text);
  });

  it('refuses other parameters with 400 idempotency_error', async () => {
    await create('k');
    const other = await create('k', CREATE.replace('2000', '2001'));
    strictEqual(other.status, 400);
    strictEqual(errorOf(other)['type'], 'idempotency_error');
    strictEqual(errorOf(other)['code'], undefined);
    strictEqual(other.headers.get('idempotent-replayed'), null);
  });

  it('refuses another endpoint', async () => {
    const [one, other] = [await create('k1'), await create('k2')];
    const cancel = (intent: typeof one): ReturnType<typeof sim.api> =>
      sim.api('POST', `/v1/payment_intents/${String(intent.body['id'])}/cancel`, '', { idempotencyKey: 'k' });
    strictEqual((await cancel(one)).status, 200);
    strictEqual(errorOf(await cancel(other))['type'], 'idempotency_error');
  });

  it('belongs to its account', async () => {
    const one = await create('k');
    const other = await create('k', CREATE, 'sk_test_b');
    strictEqual(other.status, 200);
    notStrictEqual(other.body['id'], one.body['id']);
  });

  it('answers 409 while the first request executes, and the stored answer afterwards', async () => {
    await sim.control('/faults', { route: 'POST /v1/payment_intents', action: 'delay', ms: 300, count: 1 });
    const first = create('k');
    await waitFor('the first request', async () => ((await sim.control('/faults'))['data'] as { struck: number }[])[0]?.struck === 1);
    const twin = await create('k');
    strictEqual(twin.status, 409);
    strictEqual(errorOf(twin)['code'], 'idempotency_key_in_use');
    strictEqual(twin.headers.get('original-request'), null);
    const done = await first;
    strictEqual(done.status, 200);
    strictEqual((await create('k')).text, done.text);
  });

  it('keeps a decline, so that the same card and key replay it', async () => {
    const intent = await create('k');
    const confirm = (): ReturnType<typeof sim.api> =>
      sim.api('POST', `/v1/payment_intents/${String(intent.body['id'])}/confirm`, 'payment_method=pm_card_chargeDeclined', {
        idempotencyKey: 'c',
      });
    const declined = await confirm();
    strictEqual(declined.status, 402);
    const again = await confirm();
    strictEqual(again.text, declined.text);
    strictEqual(again.headers.get('idempotent-replayed'), 'true');
    strictEqual((await sim.stripe().charges.list()).data.length, 1);
  });

  it('refuses another card under the key of a decline', async () => {
    const intent = await create('k');
    const confirm = (card: string): ReturnType<typeof sim.api> =>
      sim.api('POST', `/v1/payment_intents/${String(intent.body['id'])}/confirm`, `payment_method=${card}`, { idempotencyKey: 'c' });
    await confirm('pm_card_chargeDeclined');
    strictEqual(errorOf(await confirm('pm_card_visa'))['type'], 'idempotency_error');
  });

  it('keeps a 500, with or without the effect', async () => {
    for (const [phase, intents] of [
      ['before', 0],
      ['after', 1],
    ] as const) {
      await sim.control('/reset', {});
      await sim.control('/faults', { route: 'POST /v1/payment_intents', action: '500', phase, count: 1 });
      const failed = await create('k');
      strictEqual(failed.status, 500);
      strictEqual(errorOf(failed)['type'], 'api_error');
      const again = await create('k');
      strictEqual(again.text, failed.text);
      strictEqual(again.headers.get('idempotent-replayed'), 'true');
      strictEqual((await sim.stripe().paymentIntents.list()).data.length, intents);
    }
  });

  it('keeps refusals by the rules of an object', async () => {
    const intent = await create('k');
    const path = `/v1/payment_intents/${String(intent.body['id'])}/capture`;
    const refused = await sim.api('POST', path, '', { idempotencyKey: 'c' });
    strictEqual(errorOf(refused)['code'], 'payment_intent_unexpected_state');
    strictEqual((await sim.api('POST', path, '', { idempotencyKey: 'c' })).headers.get('idempotent-replayed'), 'true');
  });

  it('stays free after refused parameters, bad authentication and rate limits', async () => {
    strictEqual((await create('k', 'amount=x&currency=usd')).status, 400);
    strictEqual((await create('k', `${CREATE}&nonsense=1`)).status, 400);
    strictEqual((await create('k', CREATE.replace('usd', 'zzz'))).status, 400);
    strictEqual((await create('k', CREATE, 'sk_wrong')).status, 401);
    await sim.control('/faults', { action: '429', count: 1 });
    strictEqual((await create('k')).status, 429);
    await sim.control('/faults', { action: 'lock_timeout', count: 1 });
    strictEqual((await create('k')).status, 429);
    const done = await create('k');
    strictEqual(done.status, 200);
    strictEqual(done.headers.get('idempotent-replayed'), null);
  });

  it('is forgotten after 24 hours of the virtual clock, and not before', async () => {
    const first = await create('k');
    await sim.control('/clock', { advanceSeconds: 24 * 3600 - 5 });
    strictEqual((await create('k')).text, first.text);
    await sim.control('/clock', { advanceSeconds: 6 });
    const anew = await create('k');
    strictEqual(anew.headers.get('idempotent-replayed'), null);
    notStrictEqual(anew.body['id'], first.body['id']);
  });

  it('has no effect on GET and DELETE', async () => {
    const { id } = await sim.stripe().customers.create({});
    const first = await sim.api('GET', `/v1/customers/${id}`, undefined, { idempotencyKey: 'k' });
    strictEqual(first.headers.get('idempotency-key'), null);
    const other = await sim.api('GET', '/v1/customers', undefined, { idempotencyKey: 'k' });
    strictEqual(other.status, 200);
  });

  it('may have 255 characters and no more, and may not be empty', async () => {
    strictEqual((await create('k'.repeat(255))).status, 200);
    strictEqual((await create('k'.repeat(256))).status, 400);
    strictEqual((await create('')).status, 400);
  });

  it('comes back in the events its request caused', async () => {
    const intent = await sim.stripe().paymentIntents.create({ amount: 2000, currency: 'usd' }, { idempotencyKey: 'op_1' });
    const [event] = (await sim.stripe().events.list({ type: 'payment_intent.created' })).data;
    deepStrictEqual(event?.request, { id: intent.lastResponse.requestId, idempotency_key: 'op_1' });
  });

  it('lets exactly one of many simultaneous requests through', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('k')));
    const ids = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body['id']));
    strictEqual(ids.size, 1);
    ok(answers.every(({ status }) => status === 200 || status === 409));
  });

  it('surfaces in the official client as documented', async () => {
    const stripe = sim.stripe();
    await stripe.paymentIntents.create({ amount: 2000, currency: 'usd' }, { idempotencyKey: 'k' });
    const mismatch = await refusal(stripe.paymentIntents.create({ amount: 3000, currency: 'usd' }, { idempotencyKey: 'k' }));
    strictEqual(mismatch.type, 'StripeIdempotencyError');
    await sim.control('/faults', { action: '409', count: 1 });
    const inUse = await refusal(stripe.paymentIntents.create({ amount: 2000, currency: 'usd' }, { idempotencyKey: 'k' }));
    strictEqual(inUse.type, 'StripeAPIError');
    strictEqual(inUse.statusCode, 409);
    strictEqual(inUse.code, 'idempotency_key_in_use');
  });
});
