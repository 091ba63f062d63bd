import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import { beforeEach, describe, it } from 'node:test';
import { Stripe } from 'stripe';
import { waitFor } from '../support/wait-for.js';
import { errorOf, type Json, refusal, simulate } from './harness.js';

const sim = await simulate();
const stripe = sim.stripe();
const CREATE = { amount: 2000, currency: 'usd' };

interface Fault {
  id: string;
  seen: number;
  struck: number;
}

const arm = (fault: object): Promise<Json> => sim.control('/faults', fault);
const faults = async (): Promise<Fault[]> => (await sim.control('/faults'))['data'] as Fault[];
const intents = async (): Promise<number> => (await stripe.paymentIntents.list({ limit: 100 })).data.length;

describe('a fault', () => {
  beforeEach(() => sim.control('/reset', {}));

  for (const [phase, made] of [
    ['before', 0],
    ['after', 1],
    ['body', 1],
  ] as const) {
    it(`resets the connection ${phase} the effect: ${made} intents`, async () => {
      // The client sends once more by itself after a reset, with the same key.
      await arm({ route: 'POST /v1/payment_intents', action: 'reset', phase, count: 2 });
      const error = await refusal(stripe.paymentIntents.create(CREATE, { idempotencyKey: 'k' }));
      strictEqual(error.type, 'StripeConnectionError');
      strictEqual(await intents(), made);
      await sim.control('/faults', undefined, 'DELETE');
      const retried = await stripe.paymentIntents.create(CREATE, { idempotencyKey: 'k' });
      strictEqual(retried.lastResponse.headers['idempotent-replayed'], made === 1 ? 'true' : undefined);
      strictEqual(await intents(), 1);
    });

    it(`hangs ${phase} the effect until the caller leaves: ${made} intents`, async () => {
      await arm({ route: 'POST /v1/payment_intents', action: 'hang', phase, count: 1 });
      const error = await refusal(stripe.paymentIntents.create(CREATE, { idempotencyKey: 'k', timeout: 100 }));
      strictEqual(error.type, 'StripeConnectionError');
      strictEqual(await intents(), made);
      const retried = await waitFor('the key to be free', async () => {
        const answer = await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd', { idempotencyKey: 'k' });
        return answer.status === 200 && answer;
      });
      strictEqual(retried.headers.get('idempotent-replayed'), made === 1 ? 'true' : null);
      strictEqual(await intents(), 1);
    });
  }

  it('delays the effect, which comes even though the caller left', async () => {
    await arm({ route: 'POST /v1/payment_intents', action: 'delay', ms: 200, count: 1 });
    strictEqual((await refusal(stripe.paymentIntents.create(CREATE, { timeout: 50 }))).type, 'StripeConnectionError');
    strictEqual(await intents(), 0);
    await waitFor('the late effect', async () => (await intents()) === 1);
  });

  it('delays the answer after the effect', async () => {
    await arm({ route: 'POST /v1/payment_intents', action: 'delay', phase: 'after', ms: 150, count: 1 });
    const started = performance.now();
    const slow = stripe.paymentIntents.create(CREATE);
    await waitFor('the effect', async () => (await intents()) === 1);
    await slow;
    ok(performance.now() - started >= 150);
  });

  it('cuts the answer in its middle', async () => {
    await arm({ route: 'POST /v1/payment_intents', action: 'truncate', count: 1 });
    await rejects(sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd'));
    strictEqual(await intents(), 1);
  });

  for (const phase of ['before', 'after'] as const) {
    it(`answers HTML, garbage or JSON without an error ${phase} the effect`, async () => {
      for (const action of ['html', 'garbage', 'json'] as const) {
        await sim.control('/reset', {});
        await arm({ route: 'POST /v1/payment_intents', action, phase, count: 1 });
        const call = stripe.paymentIntents.create(CREATE, { idempotencyKey: 'k' });
        if (action === 'json') {
          // The client takes it for success: that is the danger.
          const taken = await call;
          strictEqual(taken.id, undefined);
          strictEqual(taken.lastResponse.statusCode, 502);
        } else {
          strictEqual((await refusal(call)).type, 'StripeAPIError');
        }
        strictEqual(await intents(), phase === 'after' ? 1 : 0);
      }
    });
  }

  it('answers the errors of Stripe’s edges, which a key does not keep', async () => {
    for (const [action, status, type, code] of [
      ['401', 401, 'StripeAuthenticationError', undefined],
      ['403', 403, 'StripePermissionError', 'account_invalid'],
      ['409', 409, 'StripeAPIError', 'idempotency_key_in_use'],
      ['429', 429, 'StripeRateLimitError', 'rate_limit'],
      ['lock_timeout', 429, 'StripeRateLimitError', 'lock_timeout'],
      ['503', 503, 'StripeAPIError', undefined],
    ] as const) {
      await arm({ action, count: 1, route: 'POST /v1/payment_intents' });
      const error = await refusal(stripe.paymentIntents.create(CREATE, { idempotencyKey: 'k' }));
      deepStrictEqual([error.statusCode, error.type, error.code || undefined], [status, type, code]);
    }
    strictEqual(await intents(), 0);
    strictEqual((await stripe.paymentIntents.create(CREATE, { idempotencyKey: 'k' })).status, 'requires_payment_method');
  });

  it('hides the answer behind a 503 after the effect, and replays the true one to the same key', async () => {
    await arm({ route: 'POST /v1/payment_intents', action: '503', phase: 'after', count: 1 });
    const hidden = await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd', { idempotencyKey: 'k' });
    strictEqual(hidden.status, 503);
    const again = await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd', { idempotencyKey: 'k' });
    deepStrictEqual([again.status, again.headers.get('idempotent-replayed')], [200, 'true']);
    strictEqual(await intents(), 1);
    const entries = (await sim.control('/journal?key=k'))['data'] as { status: number; executed: boolean }[];
    deepStrictEqual(
      entries.map(({ status, executed }) => [status, executed]),
      [
        [503, true],
        [200, false],
      ],
    );
  });

  it('tells a rate limit by its reason, and a lock timeout by its lack of one', async () => {
    await arm({ action: '429', reason: 'endpoint-rate', retryAfterSeconds: 2, count: 1 });
    const limited = await sim.api('GET', '/v1/account');
    deepStrictEqual([limited.headers.get('stripe-rate-limited-reason'), limited.headers.get('retry-after')], ['endpoint-rate', '2']);
    await arm({ action: '429', reason: '', count: 1 });
    strictEqual((await sim.api('GET', '/v1/account')).headers.get('stripe-rate-limited-reason'), null);
    await arm({ action: 'lock_timeout', count: 1 });
    const locked = await sim.api('GET', '/v1/account');
    deepStrictEqual([locked.headers.get('stripe-rate-limited-reason'), locked.headers.get('stripe-should-retry')], [null, 'true']);
  });

  it('answers a status of choice, kept or not', async () => {
    await arm({ action: 'error', status: 424, stored: true, count: 1, headers: { 'Stripe-Should-Retry': 'false' } });
    const failed = await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd', { idempotencyKey: 'k' });
    deepStrictEqual([failed.status, failed.headers.get('stripe-should-retry')], [424, 'false']);
    strictEqual((await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd', { idempotencyKey: 'k' })).status, 424);
    await arm({ action: '500', stored: false, count: 1 });
    strictEqual((await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd', { idempotencyKey: 'l' })).status, 500);
    strictEqual((await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd', { idempotencyKey: 'l' })).status, 200);
  });

  it('answers any status in Stripe’s words, or in those it is given', async () => {
    const refused = async (): Promise<unknown> => {
      const { status, body } = await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd');
      const { type, code } = Object(body['error']);
      return [status, type, code];
    };
    await arm({ action: '400', count: 1 });
    deepStrictEqual(await refused(), [400, 'invalid_request_error', undefined]);
    await arm({ action: 'error', status: 402, count: 1 });
    deepStrictEqual(await refused(), [402, 'card_error', 'card_declined']);
    const error = { type: 'invalid_request_error', code: 'parameter_unknown', message: 'told by the test' };
    for (const body of [{ error }, JSON.stringify({ error })]) {
      await arm({ action: '400', body, count: 1 });
      deepStrictEqual(await refused(), [400, error.type, error.code]);
    }
  });

  it('strikes the nth matching request only', async () => {
    await arm({ route: 'POST /v1/payment_intents', action: '503', nth: [2, 4] });
    const statuses: number[] = [];
    for (let sent = 0; sent < 5; sent++) statuses.push((await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd')).status);
    deepStrictEqual(statuses, [200, 503, 200, 503, 200]);
    deepStrictEqual((await faults())[0]?.seen, 5);
  });

  it('strikes by chance, the same for the same seed', async () => {
    const run = async (): Promise<number[]> => {
      await sim.control('/faults', undefined, 'DELETE');
      await arm({ path: '/v1/account', action: '503', probability: 0.5, seed: 7 });
      const statuses: number[] = [];
      for (let sent = 0; sent < 20; sent++) statuses.push((await sim.api('GET', '/v1/account')).status);
      return statuses;
    };
    const first = await run();
    deepStrictEqual(await run(), first);
    deepStrictEqual(new Set(first), new Set([200, 503]));
  });

  it('strikes in bursts', async () => {
    await arm({ path: '/v1/account', action: '429', burst: { size: 2, every: 4 } });
    const statuses: number[] = [];
    for (let sent = 0; sent < 8; sent++) statuses.push((await sim.api('GET', '/v1/account')).status);
    deepStrictEqual(statuses, [429, 429, 200, 200, 429, 429, 200, 200]);
  });

  it('is narrowed to an account, a key, a route', async () => {
    await arm({ account: 'sk_test_a', key: 'op_*', path: '/v1/payment_intents/:id/**', action: '503' });
    const { id } = await stripe.paymentIntents.create(CREATE, { idempotencyKey: 'op_0' });
    const cancel = async (key: string, idempotencyKey: string): Promise<number> =>
      (await sim.api('POST', `/v1/payment_intents/${id}/cancel`, '', { key, idempotencyKey })).status;
    strictEqual(await cancel('sk_test_b', 'op_1'), 404);
    strictEqual(await cancel('sk_test_a', 'xx_1'), 200);
    strictEqual(await cancel('sk_test_a', 'op_1'), 503);
  });

  it('is listed, and taken away one by one or all together', async () => {
    const { id } = await arm({ action: '503' });
    await arm([{ action: 'html' }, { action: 'json' }]);
    strictEqual((await faults()).length, 3);
    await sim.control(`/faults/${String(id)}`, undefined, 'DELETE');
    strictEqual((await faults()).length, 2);
    await sim.control('/faults', undefined, 'DELETE');
    strictEqual((await sim.api('GET', '/v1/account')).status, 200);
  });

  it('misspelt is refused with the names there are', async () => {
    await rejects(arm({ action: 'explode' }), /action must be one of/);
    await rejects(arm({ action: '200' }), /action must be one of/);
    await rejects(arm({ action: '503', probabilty: 0.5 }), /Unknown: probabilty/);
    await rejects(arm({ action: '503', phase: 'during' }), /phase must be/);
  });

  it('is in the journal beside the request it struck', async () => {
    await arm({ route: 'POST /v1/payment_intents', action: 'reset', phase: 'after', count: 1 });
    await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd', { idempotencyKey: 'k' }).catch(() => undefined);
    const [entry] = (await sim.control('/journal?key=k'))['data'] as { status: null; executed: boolean; fault: Json }[];
    deepStrictEqual([entry?.status, entry?.executed, entry?.fault['action'], entry?.fault['phase']], [null, true, 'reset', 'after']);
  });

  it('looks to the client as its documentation says', async () => {
    const twoRetries = new Stripe('sk_test_a', {
      host: '127.0.0.1',
      port: sim.port,
      protocol: 'http',
      maxNetworkRetries: 2,
      telemetry: false,
    });
    await arm({ route: 'POST /v1/payment_intents', action: '503', count: 1 });
    strictEqual((await twoRetries.paymentIntents.create(CREATE)).status, 'requires_payment_method');
    strictEqual(await intents(), 1);
    await arm({ action: '429', count: 1 });
    const limited = await sim.api('GET', '/v1/account');
    strictEqual(errorOf(limited)['type'], 'invalid_request_error');
  });
});
