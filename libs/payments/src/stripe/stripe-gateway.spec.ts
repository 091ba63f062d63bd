import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { Database } from '#libs/database';
import { freshDatabase } from '../../../../test/support/database.js';
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
  return {
    id: 'pi_1',
    object: 'payment_intent',
    status: 'processing',
    amount: 4_300,
    amount_received: 0,
    currency: 'usd',
    metadata: {},
    ...more,
  };
}

const METADATA = { oncepay_instance: 'shop', oncepay_order: 'ord_1', oncepay_operation: 'op_1' };

function refund(more: object = {}): object {
  return {
    id: 're_1',
    object: 'refund',
    status: 'pending',
    amount: 300,
    currency: 'usd',
    payment_intent: 'pi_1',
    reason: null,
    metadata: METADATA,
    ...more,
  };
}

const CALLS = {
  create: () => gateway.createPaymentIntent({ amount: 4_300, currency: 'usd', metadata: METADATA }, 'op_1-1'),
  confirm: () => gateway.confirmPaymentIntent('pi_1', { payment_method: 'pm_1' }, 'op_1-1'),
  capture: () => gateway.capturePaymentIntent('pi_1', { amount_to_capture: 300 }, 'op_1-1'),
  cancel: () => gateway.cancelPaymentIntent('pi_1', { cancellation_reason: 'abandoned' }, 'op_1-1'),
  refund: () => gateway.createRefund({ payment_intent: 'pi_1', amount: 300, metadata: METADATA }, 'op_1-1'),
  'read an intent': () => gateway.retrievePaymentIntent('pi_1'),
  'find an intent': () => gateway.findPaymentIntent('op_1', new Date(0)),
  'find a refund': () => gateway.findRefund('pi_1', 'op_1'),
} satisfies Readonly<Record<string, () => Promise<unknown>>>;

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
      const strange = [
        { message: 'Bad gateway' },
        { id: 'pi_1' },
        [],
        'text',
        { object: 'customer', id: 'cus_1' },
        { data: [] },
        { object: 'list', data: [null], has_more: false },
        { object: 'list', data: {} },
      ];
      for (const value of strange) {
        for (const status of [200, 400, 502]) {
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
    hits.length = 0;
    answer = json(intent({ metadata: METADATA }));
    for (const name of ['create', 'confirm', 'capture', 'cancel'] as const) await CALLS[name]();
    answer = json(refund());
    await CALLS.refund();
    const named = 'metadata[oncepay_instance]=shop&metadata[oncepay_order]=ord_1&metadata[oncepay_operation]=op_1';
    assert.deepEqual(
      hits.map(({ method, url, key, body }) => [method, url, key, decodeURIComponent(body)]),
      [
        ['POST', '/v1/payment_intents', 'op_1-1', `amount=4300&currency=usd&${named}`],
        ['POST', '/v1/payment_intents/pi_1/confirm', 'op_1-1', 'payment_method=pm_1'],
        ['POST', '/v1/payment_intents/pi_1/capture', 'op_1-1', 'amount_to_capture=300'],
        ['POST', '/v1/payment_intents/pi_1/cancel', 'op_1-1', 'cancellation_reason=abandoned'],
        ['POST', '/v1/refunds', 'op_1-1', `payment_intent=pi_1&amount=300&${named}`],
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
        database.transaction<unknown>(() => call()),
        /bug: calling Stripe while a database transaction is open/,
      );
    }
    assert.equal(hits.length, 0);
    await database.transaction((tx) => tx.$queryRaw`SELECT 1`);
    assert.equal((await CALLS['read an intent']()).id, 'pi_1');
    await database.close();
    await drop();
  });
});

describe('the answer to a call', () => {
  it('is unknown when it is another intent than the one asked for', async () => {
    for (const name of ['confirm', 'capture', 'cancel', 'read an intent'] as const) {
      const { kind, error } = await failure(json(intent({ id: 'pi_2' })), CALLS[name]);
      assert.deepEqual([kind, error.message], ['unknown', 'Stripe answered with another PaymentIntent'], name);
    }
  });

  it('is unknown when it is not the object that we asked to be made', async () => {
    const session = {
      id: 'cs_1',
      object: 'checkout.session',
      status: 'open',
      amount_total: 4_300,
      currency: 'usd',
      expires_at: 1,
      url: 'https://pay.example/',
    };
    const rows: readonly (readonly [other: object, call: () => Promise<unknown>, what: string])[] = [
      [intent({ metadata: { ...METADATA, oncepay_operation: 'op_2' } }), CALLS.create, 'another PaymentIntent'],
      [intent(), CALLS.create, 'another PaymentIntent'],
      [session, () => gateway.createCheckoutSession({ mode: 'payment', metadata: METADATA }, 'op_1-1'), 'another Checkout Session'],
      [refund({ metadata: null }), CALLS.refund, 'another Refund'],
      [refund({ payment_intent: 'pi_2' }), CALLS.refund, 'the Refund of another PaymentIntent'],
      [
        { id: 'cus_1', object: 'customer', metadata: {} },
        () => gateway.createCustomer({ metadata: METADATA }, 'op_1-1'),
        'another Customer',
      ],
    ];
    for (const [other, call, what] of rows) {
      const { kind, error } = await failure(json(other), call);
      assert.deepEqual([kind, error.message], ['unknown', `Stripe answered with ${what}`]);
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
      const { kind } = await failure(json(intent(part)), CALLS['read an intent']);
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
    assert.deepEqual(
      [nextAction, lastError],
      [
        { type: 'use_stripe_sdk', url: null },
        { code: null, declineCode: null, message: 'x' },
      ],
    );
    assert.deepEqual([clientSecret, chargeId, paymentMethod, instance], [null, null, null, null]);
  });
});

describe('a refund', () => {
  it('is read in full; no status, and one that is not known, counts as pending', async () => {
    const read = async (more: object): Promise<Awaited<ReturnType<typeof CALLS.refund>>> => {
      answer = json(refund(more));
      return gateway.retrieveRefund('re_1');
    };
    assert.deepEqual(
      await read({
        status: 'failed',
        reason: 'duplicate',
        failure_reason: 'lost_or_stolen_card',
        payment_intent: { id: 'pi_1', object: 'payment_intent' },
      }),
      {
        id: 're_1',
        paymentIntentId: 'pi_1',
        status: 'failed',
        amount: 300,
        currency: 'usd',
        reason: 'duplicate',
        failureReason: 'lost_or_stolen_card',
        instance: 'shop',
        operationId: 'op_1',
      },
    );
    const statuses = {
      pending: 'pending',
      succeeded: 'succeeded',
      failed: 'failed',
      canceled: 'canceled',
      requires_action: 'pending',
      reversed: 'pending',
    };
    for (const [status, shown] of Object.entries(statuses)) assert.equal((await read({ status })).status, shown);
    assert.deepEqual([(await read({ status: null })).status, (await read({ payment_intent: null })).paymentIntentId], ['pending', null]);
  });

  it('is unknown when a member we rely on is missing or is not what it should be', async () => {
    for (const part of [
      { object: 'charge' },
      { id: null },
      { amount: '300' },
      { amount: 0.5 },
      { currency: undefined },
      { status: undefined },
      { status: 7 },
    ]) {
      const { kind } = await failure(json(refund(part)), CALLS.refund);
      assert.equal(kind, 'unknown', JSON.stringify(part));
    }
  });
});

describe('the search for what an operation made', () => {
  const intentOf = (id: string, operation: string): object => intent({ id, metadata: { oncepay_operation: operation } });
  const refundOf = (id: string, operation: string): object => refund({ id, metadata: { oncepay_operation: operation } });
  const list = (data: readonly unknown[], more: boolean): object => ({ object: 'list', data, has_more: more });
  const serve = (pages: readonly object[]): void => {
    hits.length = 0;
    answer = (request, response) => json(pages[hits.length - 1] ?? { message: 'asked for too many pages' })(request, response);
  };
  const search = async (pages: readonly object[]): Promise<string | null> => {
    serve(pages);
    return (await gateway.findPaymentIntent('op_1', new Date(1_700_000_000_999)))?.id ?? null;
  };
  const queries = (): object[] => hits.map(({ url }) => Object.fromEntries(new URL(url, 'http://stripe').searchParams));

  it('finds nothing in a complete list without it', async () => {
    assert.equal(await search([list([intentOf('pi_3', 'op_3'), intent({ id: 'pi_2' })], false)]), null);
    assert.equal(await search([list([], false)]), null);
  });

  it('goes through all pages from the given instant on', async () => {
    assert.equal(
      await search([list([intentOf('pi_3', 'op_3'), intentOf('pi_2', 'op_2')], true), list([intentOf('pi_1', 'op_1')], false)]),
      'pi_1',
    );
    assert.deepEqual(queries(), [
      { 'created[gte]': '1700000000', limit: '100' },
      { 'created[gte]': '1700000000', limit: '100', starting_after: 'pi_2' },
    ]);
  });

  it('goes through all refunds of one intent', async () => {
    serve([list([refundOf('re_3', 'op_3'), refundOf('re_2', 'op_2')], true), list([refundOf('re_1', 'op_1')], false)]);
    assert.equal((await gateway.findRefund('pi_1', 'op_1'))?.id, 're_1');
    assert.deepEqual(queries(), [
      { payment_intent: 'pi_1', limit: '100' },
      { payment_intent: 'pi_1', limit: '100', starting_after: 're_2' },
    ]);
    serve([list([refund({ metadata: null })], false)]);
    assert.equal(await gateway.findRefund('pi_1', 'op_1'), null);
  });

  it('takes the oldest when there are two', async () => {
    assert.equal(
      await search([list([intentOf('pi_3', 'op_1'), intentOf('pi_2', 'op_1')], true), list([intentOf('pi_1', 'op_1')], false)]),
      'pi_1',
    );
  });

  it('concludes nothing from a list that is cut short, or holds what cannot be read', async () => {
    const odd = [
      list([], true),
      { object: 'list', data: [] },
      list([null], false),
      list([intentOf('pi_1', 'op_1'), { id: 'pi_9' }], false),
    ];
    for (const page of odd) await assert.rejects(search([page]), { name: 'StripeFailure', kind: 'unknown' });
    serve([list([refund({ amount: null })], false)]);
    await assert.rejects(gateway.findRefund('pi_1', 'op_1'), { name: 'StripeFailure', kind: 'unknown' });
  });

  it('concludes nothing when a later page fails', async () => {
    await assert.rejects(search([list([intentOf('pi_2', 'op_2')], true)]), { name: 'StripeFailure', kind: 'unknown' });
  });
});
