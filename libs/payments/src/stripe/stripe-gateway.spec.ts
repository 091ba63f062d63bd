import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { Database } from '#libs/database';
import { freshDatabase } from '../../../../test/support/database.js';
import { type PaymentIntentObservation } from '../observation.js';
import { StripeFailure } from './stripe-failure.js';
import { StripeGateway } from './stripe-gateway.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface Hit {
  readonly method: string | undefined;
  readonly url: string;
  readonly key: string | string[] | undefined;
  readonly body: string;
}

const TIMEOUT_MS = 300;
let answer: Answer;
const hits: Hit[] = [];
let gateway: StripeGateway;
const server = createServer((request, response) => {
  void text(request).then((body) => {
    hits.push({ method: request.method, url: request.url ?? '', key: request.headers['idempotency-key'], body });
    answer(request, response);
  });
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const apiBase = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  gateway = new StripeGateway({ secretKey: 'sk_test_spec', apiBase, timeoutMs: TIMEOUT_MS });
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const json =
  (value: unknown, status = 200): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };

function intent(more: object = {}): object {
  return { id: 'pi_1', object: 'payment_intent', status: 'processing', amount: 4_300, amount_received: 0, currency: 'usd', metadata: {}, ...more };
}

const CALLS: Readonly<Record<string, () => Promise<PaymentIntentObservation | null>>> = {
  create: () => gateway.createPaymentIntent({ amount: 4_300, currency: 'usd' }, 'op_1-1'),
  confirm: () => gateway.confirmPaymentIntent('pi_1', { payment_method: 'pm_1' }, 'op_1-1'),
  retrieve: () => gateway.retrievePaymentIntent('pi_1'),
  find: () => gateway.findPaymentIntent('op_1', new Date(0)),
};

async function failure(given: Answer, call: () => Promise<unknown>): Promise<StripeFailure> {
  answer = given;
  hits.length = 0;
  try {
    await call();
  } catch (error) {
    if (error instanceof StripeFailure) return error;
    throw error;
  }
  return assert.fail('the call succeeded');
}

describe('every call to Stripe', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    it(`is sent once, never again behind our back, when the connection is reset: ${name}`, async () => {
      const { kind } = await failure((request) => request.socket.resetAndDestroy(), call);
      assert.deepEqual([kind, hits.length], ['unknown', 1]);
    });

    it(`ends within its own deadline although bytes keep coming, and gives its socket back: ${name}`, { timeout: 10_000 }, async () => {
      let closed: Promise<unknown> | undefined;
      const startedAt = performance.now();
      const { kind, error } = await failure((_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 20);
        closed = once(response, 'close').then(() => clearInterval(drip));
      }, call);
      assert.equal(kind, 'unknown');
      assert.match(error.message ?? '', /no answer within 300 ms/);
      assert.ok(performance.now() - startedAt < 10 * TIMEOUT_MS);
      await closed;
    });

    it(`takes no JSON that is not the object asked for: ${name}`, async () => {
      const strange = [{ message: 'Bad gateway' }, { id: 'pi_1' }, [], { object: 'customer', id: 'cus_1' }, { data: [] }, { object: 'list', data: [null] }, { object: 'list', data: {} }];
      for (const value of strange) {
        for (const status of [200, 400, 502]) {
          if (name === 'find' && JSON.stringify(value) === '{"object":"list","data":[null]}') continue;
          const { kind } = await failure(json(value, status), call);
          assert.equal(kind, 'unknown', `${status} ${JSON.stringify(value)}`);
        }
      }
    });

    it(`leaves as a StripeFailure when Stripe refuses it: ${name}`, async () => {
      const { kind, httpStatus } = await failure(json({ error: { type: 'invalid_request_error', message: 'no' } }, 401), call);
      assert.deepEqual([kind, httpStatus], ['misconfigured', 401]);
    });
  }

  it('carries our own idempotency key when it changes something', async () => {
    answer = json(intent());
    hits.length = 0;
    await CALLS['create']?.();
    await CALLS['confirm']?.();
    assert.deepEqual(
      hits.map(({ method, url, key, body }) => ({ method, url, key, body })),
      [
        { method: 'POST', url: '/v1/payment_intents', key: 'op_1-1', body: 'amount=4300&currency=usd' },
        { method: 'POST', url: '/v1/payment_intents/pi_1/confirm', key: 'op_1-1', body: 'payment_method=pm_1' },
      ],
    );
  });

  it('is refused while a database transaction is open, and nothing is sent', async () => {
    const { url, drop } = await freshDatabase();
    const database = new Database({ url, behindPooler: false, onError: () => undefined });
    answer = json(intent());
    hits.length = 0;
    for (const call of Object.values(CALLS)) {
      await assert.rejects(
        database.transaction(() => call()),
        /bug: calling Stripe while a database transaction is open/,
      );
    }
    assert.equal(hits.length, 0);
    await database.transaction((tx) => tx.$queryRaw`SELECT 1`);
    assert.equal((await CALLS['retrieve']?.())?.id, 'pi_1');
    await database.close();
    await drop();
  });
});

describe('the answer to a call', () => {
  it('is unknown when it is another intent', async () => {
    for (const name of ['confirm', 'retrieve'] as const) {
      const { kind, error } = await failure(json(intent({ id: 'pi_2' })), CALLS[name] ?? assert.fail());
      assert.deepEqual([kind, error.message], ['unknown', 'Stripe answered with another PaymentIntent']);
    }
  });

  it('is unknown when a member we rely on is missing or is not what it should be', async () => {
    const broken: readonly object[] = [
      { object: 'charge' },
      { id: 1 },
      { id: 'ch_1' },
      { status: 'pending' },
      { status: 'toString' },
      { status: undefined },
      { amount: '4300' },
      { amount: 43.5 },
      { amount_received: null },
      { currency: null },
      { metadata: null },
      { metadata: undefined },
    ];
    for (const part of broken) {
      const { kind } = await failure(json(intent(part)), CALLS['retrieve'] ?? assert.fail());
      assert.equal(kind, 'unknown', JSON.stringify(part));
    }
  });

  it('is read in full: expanded or not, with or without an error and an action', async () => {
    answer = json(
      intent({
        status: 'requires_action',
        amount_received: 12,
        client_secret: 'pi_1_secret',
        latest_charge: { id: 'ch_1', object: 'charge' },
        payment_method: 'pm_1',
        next_action: { type: 'redirect_to_url', redirect_to_url: { url: 'https://bank.example/' } },
        last_payment_error: { code: 'card_declined', decline_code: 'lost_card', message: 'Declined.' },
        cancellation_reason: 'abandoned',
        metadata: { oncepay_instance: 'shop', oncepay_order: 'ord_1', oncepay_operation: 'op_1' },
      }),
    );
    assert.deepEqual(await gateway.retrievePaymentIntent('pi_1'), {
      id: 'pi_1',
      status: 'requires_action',
      amount: 4_300,
      currency: 'usd',
      amountReceived: 12,
      clientSecret: 'pi_1_secret',
      chargeId: 'ch_1',
      paymentMethod: 'pm_1',
      nextAction: { type: 'redirect_to_url', url: 'https://bank.example/' },
      lastError: { code: 'card_declined', declineCode: 'lost_card', message: 'Declined.' },
      cancellationReason: 'abandoned',
      instance: 'shop',
      operationId: 'op_1',
    });
    answer = json(intent({ next_action: { type: 'use_stripe_sdk' }, last_payment_error: { message: 'x' } }));
    const { nextAction, lastError, clientSecret, chargeId, paymentMethod, instance } = await gateway.retrievePaymentIntent('pi_1');
    assert.deepEqual([nextAction, lastError], [{ type: 'use_stripe_sdk', url: null }, { code: null, declineCode: null, message: 'x' }]);
    assert.deepEqual([clientSecret, chargeId, paymentMethod, instance], [null, null, null, null]);
  });
});

describe('the search for an intent by the operation that made it', () => {
  const made = (id: string, operation: string): object => intent({ id, metadata: { oncepay_operation: operation } });
  const list = (data: readonly unknown[], more: boolean): object => ({ object: 'list', data, has_more: more, url: '/v1/payment_intents' });
  const search = async (pages: readonly object[]): Promise<string | null> => {
    hits.length = 0;
    answer = (request, response) => json(pages[hits.length - 1] ?? { message: 'asked for too many pages' })(request, response);
    return (await gateway.findPaymentIntent('op_1', new Date(1_700_000_000_999)))?.id ?? null;
  };

  it('finds nothing in a complete list without it', async () => {
    assert.equal(await search([list([made('pi_3', 'op_3'), intent({ id: 'pi_2' })], false)]), null);
  });

  it('goes through all pages from the given instant on', async () => {
    assert.equal(await search([list([made('pi_3', 'op_3'), made('pi_2', 'op_2')], true), list([made('pi_1', 'op_1')], false)]), 'pi_1');
    const queries = hits.map(({ url }) => Object.fromEntries(new URL(url, 'http://stripe').searchParams));
    assert.deepEqual(queries, [
      { 'created[gte]': '1700000000', limit: '100' },
      { 'created[gte]': '1700000000', limit: '100', starting_after: 'pi_2' },
    ]);
  });

  it('takes the oldest when there are two', async () => {
    assert.equal(await search([list([made('pi_3', 'op_1'), made('pi_2', 'op_1')], true), list([made('pi_1', 'op_1')], false)]), 'pi_1');
  });

  it('passes over what is no intent', async () => {
    assert.equal(await search([list([null, { id: 'pi_9' }, made('pi_1', 'op_1')], false)]), 'pi_1');
  });

  it('concludes nothing from a list that is cut short', async () => {
    const cut = [list([], true), list([null], true), { object: 'list', data: [] }];
    for (const page of cut) await assert.rejects(search([page]), { name: 'StripeFailure', kind: 'unknown' });
  });

  it('concludes nothing when a later page fails', async () => {
    await assert.rejects(search([list([made('pi_2', 'op_2')], true)]), { name: 'StripeFailure', kind: 'unknown' });
  });
});
