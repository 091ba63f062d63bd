import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Stripe } from 'stripe';
import { createStripeClient } from './stripe-client.js';
import { classify, noAnswer, type StripeFailure } from './stripe-failure.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let answer: Answer;
let hits = 0;
let base: string;
const server = createServer((request, response) => {
  hits += 1;
  answer(request, response);
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

/** What the real client's failure becomes when the server answers so. */
async function failure(given: Answer, apiBase = base): Promise<StripeFailure> {
  answer = given;
  hits = 0;
  const stripe = createStripeClient({ secretKey: 'sk_test_spec', apiBase, timeoutMs: 300 });
  try {
    await stripe.paymentIntents.confirm('pi_1', { payment_method: 'pm_1' }, { idempotencyKey: 'op_1-1' });
  } catch (error) {
    return classify(error);
  }
  return assert.fail('the call succeeded');
}

/** An error as Stripe words it. */
function stripeError(status: number, error: object, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_spec', ...headers });
    response.end(JSON.stringify({ error: { type: 'invalid_request_error', message: 'no', ...error } }));
  };
}

const SHOULD_RETRY = { 'stripe-should-retry': 'true' };
const SHOULD_NOT = { 'stripe-should-retry': 'false' };
const REPLAYED = { 'idempotent-replayed': 'true' };

describe('an answer of Stripe', () => {
  const rows: readonly (readonly [what: string, answer: Answer, kind: StripeFailure['kind'], isFinalForKey?: true])[] = [
    ['402 card_declined', stripeError(402, { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' }), 'declined'],
    ['402 authentication_required', stripeError(402, { type: 'card_error', code: 'authentication_required' }), 'declined'],
    ['409 idempotency_key_in_use', stripeError(409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }), 'busy'],
    ['409 of any other wording', stripeError(409, { type: 'api_error' }), 'busy'],
    ['429', stripeError(429, {}), 'throttled'],
    ['429 of a rate limiter', stripeError(429, { code: 'rate_limit' }, { 'stripe-rate-limited-reason': 'global-rate' }), 'throttled'],
    ['429 lock_timeout', stripeError(429, { code: 'lock_timeout' }, SHOULD_RETRY), 'throttled'],
    ['400 lock_timeout', stripeError(400, { code: 'lock_timeout' }), 'throttled'],
    ['401', stripeError(401, {}), 'misconfigured'],
    ['403', stripeError(403, {}), 'misconfigured'],
    ['404 on an intent we stored', stripeError(404, { code: 'resource_missing', param: 'intent' }), 'bug'],
    ['404 on a payment method the caller named', stripeError(404, { code: 'resource_missing', param: 'payment_method' }), 'rejected'],
    ['404 on a customer the caller named', stripeError(404, { code: 'resource_missing', param: 'customer' }), 'rejected'],
    ['400 idempotency_error', stripeError(400, { type: 'idempotency_error' }), 'bug'],
    ['400 parameter_unknown', stripeError(400, { code: 'parameter_unknown', param: 'tip' }), 'bug'],
    ['400 resource_missing of a payment method', stripeError(400, { code: 'resource_missing', param: 'payment_method' }), 'rejected'],
    ['400 resource_missing of an intent we stored', stripeError(400, { code: 'resource_missing', param: 'payment_intent' }), 'bug'],
    ['400 payment_intent_unexpected_state', stripeError(400, { code: 'payment_intent_unexpected_state' }), 'rejected'],
    ['400 amount_too_small', stripeError(400, { code: 'amount_too_small' }), 'rejected'],
    ['400 parameter_missing', stripeError(400, { code: 'parameter_missing' }), 'rejected'],
    ['424', stripeError(424, { type: 'api_error' }), 'unknown'],
    ['424, replayed', stripeError(424, { type: 'api_error' }, REPLAYED), 'unknown', true],
    ['424, not to be retried', stripeError(424, { type: 'api_error' }, SHOULD_NOT), 'unknown', true],
    ['500', stripeError(500, { type: 'api_error' }), 'unknown'],
    ['503', stripeError(503, { type: 'api_error' }), 'unknown'],
    ['500, replayed', stripeError(500, { type: 'api_error' }, REPLAYED), 'unknown', true],
    ['500, not to be retried', stripeError(500, { type: 'api_error' }, SHOULD_NOT), 'unknown', true],
    ['500, to be retried', stripeError(500, { type: 'api_error' }, SHOULD_RETRY), 'unknown'],
    ['402, replayed', stripeError(402, { type: 'card_error', code: 'card_declined' }, REPLAYED), 'declined'],
    ['400, to be retried', stripeError(400, { code: 'amount_too_small' }, SHOULD_RETRY), 'throttled'],
    ['400, not to be retried', stripeError(400, { code: 'amount_too_small' }, SHOULD_NOT), 'rejected'],
    ['404, to be retried', stripeError(404, { param: 'intent' }, SHOULD_RETRY), 'throttled'],
    ['402, to be retried', stripeError(402, { type: 'card_error', code: 'processing_error' }, SHOULD_RETRY), 'throttled'],
    ['409, to be retried', stripeError(409, {}, SHOULD_RETRY), 'busy'],
    ['401, to be retried', stripeError(401, {}, SHOULD_RETRY), 'misconfigured'],
    ['401, not to be retried', stripeError(401, {}, SHOULD_NOT), 'misconfigured'],
    ['402, not to be retried', stripeError(402, { type: 'card_error', code: 'card_declined' }, SHOULD_NOT), 'declined'],
    ['409, not to be retried', stripeError(409, { type: 'idempotency_error' }, SHOULD_NOT), 'unknown', true],
    ['429, not to be retried', stripeError(429, {}, SHOULD_NOT), 'unknown', true],
    ['429 lock_timeout, not to be retried', stripeError(429, { code: 'lock_timeout' }, SHOULD_NOT), 'unknown', true],
  ];
  for (const [what, given, kind, isFinalForKey] of rows) {
    it(`${what} is ${kind}${isFinalForKey ? ', for ever under this key' : ''}`, async () => {
      const found = await failure(given);
      assert.deepEqual([found.kind, found.isFinalForKey, hits], [kind, isFinalForKey ?? false, 1]);
      assert.equal(found.httpStatus, Number(what.slice(0, 3)));
    });
  }

  it('that only looks like a refusal leaves the outcome unknown: Stripe words its own in one form', async () => {
    const forms = [
      '{"error":"forbidden"}',
      '{"error":{}}',
      '{"error":[]}',
      '{"error":{"message":"no"}}',
      '{"error":{"type":"proxy_error"}}',
      '{"error":{"type":7}}',
      '{"error":1}',
      '{"error":true}',
    ];
    for (const form of forms) {
      for (const status of [200, 400, 401, 402, 403, 404, 429, 502]) {
        const found = await failure((_, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(form));
        assert.deepEqual([found.kind, hits], ['unknown', 1], `${status} ${form}`);
      }
    }
    const found = await failure(stripeError(200, { type: 'card_error', code: 'card_declined' }));
    assert.equal(found.kind, 'unknown');
  });

  it('keeps codes, message and request id of a decline, and the intent it came with', async () => {
    const intent = {
      id: 'pi_1',
      object: 'payment_intent',
      status: 'requires_payment_method',
      amount: 4_300,
      amount_received: 0,
      currency: 'usd',
      metadata: {},
    };
    const found = await failure(
      stripeError(402, {
        type: 'card_error',
        code: 'card_declined',
        decline_code: 'lost_card',
        message: 'Declined.',
        payment_intent: intent,
      }),
    );
    assert.deepEqual(found.error, { code: 'card_declined', declineCode: 'lost_card', message: 'Declined.' });
    assert.equal(found.requestId, 'req_spec');
    assert.equal(found.paymentIntent?.status, 'requires_payment_method');
  });

  it('brings no intent when what stands in its place is none', async () => {
    const found = await failure(stripeError(402, { type: 'card_error', code: 'card_declined', payment_intent: { id: 'pi_1' } }));
    assert.equal(found.paymentIntent, null);
  });

  it('says when to come again, in seconds or as a date, on any status', async () => {
    const wait = async (value: string, status = 429): Promise<number | null> =>
      (await failure(stripeError(status, {}, { 'retry-after': value }))).retryAfterMs;
    assert.equal(await wait('7'), 7_000);
    assert.equal(await wait('0'), 0);
    assert.equal(await wait('300'), 300_000);
    assert.equal(await wait('86400'), 600_000, 'no buyer waits for a day');
    assert.equal(await wait('2', 503), 2_000);
    assert.equal(await wait('soon'), null);
    assert.equal(await wait('Wed, 21 Oct 2015 07:28:00 GMT'), 0);
    const inAMinute = await wait(new Date(Date.now() + 60_000).toUTCString());
    assert.ok(inAMinute !== null && inAMinute > 50_000 && inAMinute <= 60_000);
    assert.equal((await failure(stripeError(429, {}))).retryAfterMs, null);
  });
});

describe('an answer that is none', () => {
  const rows: Readonly<Record<string, Answer>> = {
    'a reset before the headers': (request) => request.socket.resetAndDestroy(),
    'a connection closed before the headers': (request) => request.socket.destroy(),
    'no answer in time': () => undefined,
    'a reset in the middle of the body': (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"id":"pi_1",', () => request.socket.resetAndDestroy());
    },
    'a body that ends early': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
      response.end('{"id":"pi_1","object":"payment_int');
    },
    'an HTML 502 of a proxy': (_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<html><body>Bad gateway</body></html>');
    },
    'an empty body': (_, response) => response.writeHead(200).end(),
    'JSON that is a text': (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('"unavailable"'),
    'JSON that is a number': (_, response) => response.writeHead(503, { 'content-type': 'application/json' }).end('503'),
    'JSON that is null': (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('null'),
    'a redirect': (_, response) => response.writeHead(301, { location: `${base}/elsewhere` }).end(),
    'what is no HTTP': (request) => request.socket.end('220 mail.example ESMTP\r\n'),
  };
  for (const [what, given] of Object.entries(rows)) {
    it(`leaves the outcome unknown, and the call is not sent twice: ${what}`, async () => {
      const found = await failure(given);
      assert.deepEqual([found.kind, found.isFinalForKey, found.httpStatus, hits], ['unknown', false, null, 1]);
    });
  }

  it('is kept as it is when it was classified already, and unknown when it is nothing of Stripe', () => {
    const known = noAnswer('no answer within 10 ms');
    assert.equal(classify(known), known);
    assert.deepEqual([known.kind, known.error.message], ['unknown', 'no answer within 10 ms']);
    assert.equal(classify(new TypeError('x is not a function')).kind, 'unknown');
    assert.equal(classify('thrown text').error.message, 'thrown text');
  });
});

describe('a connection that was never made', () => {
  /** A port that nothing listens on. */
  async function freePort(): Promise<number> {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }

  it('means that nothing was sent: refused at an address', async () => {
    assert.equal((await failure(() => undefined, `http://127.0.0.1:${await freePort()}`)).kind, 'not_sent');
  });

  it('means that nothing was sent: refused at every address of a name', async () => {
    assert.equal((await failure(() => undefined, `http://localhost:${await freePort()}`)).kind, 'not_sent');
  });

  it('means that nothing was sent: no such host', async () => {
    assert.equal((await failure(() => undefined, 'http://stripe.invalid')).kind, 'not_sent');
  });

  it('means that nothing was sent: TLS not agreed on', async () => {
    const found = await failure(stripeError(500, {}), base.replace('http:', 'https:'));
    assert.deepEqual([found.kind, hits], ['not_sent', 0]);
  });

  it('is unknown when only some of the attempts are known not to have connected', () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const reset = Object.assign(new Error('reset'), { code: 'CONNECTION_CUT' });
    const thrown = (errors: Error[]): unknown =>
      new Stripe.errors.StripeConnectionError({ type: 'api_error', message: 'no connection', detail: new AggregateError(errors) as never });
    assert.equal(classify(thrown([refused, refused])).kind, 'not_sent');
    assert.equal(classify(thrown([refused, reset])).kind, 'unknown');
    assert.equal(classify(thrown([])).kind, 'unknown');
  });
});
