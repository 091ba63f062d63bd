import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parse } from 'qs';
import { confirmIntentParams, createIntentParams, type IntentRequest, StripeGateway } from '#libs/payments';
import { type RecordedStripe, recordedStripe, routeOf } from './recorded-stripe.js';
import { ShapeCheck } from './shape-check.js';

// What we order from Stripe is held against Stripe's own parameter types: as we build it, and once more as it arrives.

const REQUEST: IntentRequest = {
  instance: 'shop',
  orderId: '0199c000-0000-7000-8000-000000000001',
  operationId: '0199c000-0000-7000-8000-000000000002',
  amount: 4_300,
  currency: 'usd',
  captureMethod: 'automatic',
  returnUrl: null,
  metadata: {},
};

const REQUESTS: readonly IntentRequest[] = [
  REQUEST,
  { ...REQUEST, captureMethod: 'manual', currency: 'jpy' },
  { ...REQUEST, returnUrl: 'https://shop.example/return?cart=1&step=2' },
  { ...REQUEST, metadata: { 'cart id': '4711', note: 'a&b=c [d] ü €', empty_looking: ' ' } },
];

let recorded: RecordedStripe;
let gateway: StripeGateway;
let shapes: ShapeCheck;

before(async () => {
  shapes = await ShapeCheck.load();
  recorded = await recordedStripe();
  gateway = new StripeGateway({ secretKey: 'sk_test_contract', apiBase: recorded.url, timeoutMs: 10_000 });
});

after(() => recorded.close());

describe('the parameters we build', () => {
  it('create an intent as Stripe declares it', () => {
    for (const request of REQUESTS) {
      assert.deepEqual(shapes.problems('Requests', 'POST /v1/payment_intents', createIntentParams(request)), []);
    }
  });

  it('confirm an intent as Stripe declares it', () => {
    for (const returnUrl of [null, 'https://shop.example/return']) {
      const params = confirmIntentParams('pm_card_visa', returnUrl);
      assert.deepEqual(shapes.problems('Requests', 'POST /v1/payment_intents/:id/confirm', params), []);
    }
  });
});

describe('the requests of the gateway', () => {
  it('bring what we built to Stripe, nothing added, changed or lost', async () => {
    for (const [index, request] of REQUESTS.entries()) {
      const create = createIntentParams(request);
      const { id } = await gateway.createPaymentIntent(create, `create-${index}`);
      assert.deepEqual(lastRequest(), { route: 'POST /v1/payment_intents', problems: [], params: create });

      const confirm = confirmIntentParams('pm_card_visa', request.returnUrl);
      await gateway.confirmPaymentIntent(id, confirm, `confirm-${index}`);
      assert.deepEqual(lastRequest(), { route: 'POST /v1/payment_intents/:id/confirm', problems: [], params: confirm });
    }
  });

  it('read as Stripe declares it', async () => {
    const { id } = await gateway.createPaymentIntent(createIntentParams(REQUEST), 'read');
    await gateway.retrievePaymentIntent(id);
    assert.deepEqual(lastRequest(), { route: 'GET /v1/payment_intents/:id', problems: [], params: {} });
    await gateway.findPaymentIntent(REQUEST.operationId, new Date(1_760_000_000_500));
    assert.deepEqual(lastRequest(), {
      route: 'GET /v1/payment_intents',
      problems: [],
      params: { created: { gte: 1_760_000_000 }, limit: 100 },
    });
  });

  it('are all of those above', () => {
    const calls = Object.getOwnPropertyNames(StripeGateway.prototype).filter((name) => name !== 'constructor');
    assert.deepEqual(
      calls,
      ['createPaymentIntent', 'confirmPaymentIntent', 'retrievePaymentIntent', 'findPaymentIntent'],
      'a new call needs its test here',
    );
  });
});

/** The last request as Stripe decodes it. */
function lastRequest(): { route: string; problems: string[]; params: object } {
  const exchange = recorded.exchanges.at(-1);
  assert(exchange);
  const route = routeOf(exchange);
  assert(shapes.declares('Requests', route), `stripe-shapes.ts declares no ${route}`);
  const params = parse(exchange.method === 'GET' ? exchange.query : exchange.form);
  return { route, problems: shapes.formProblems(route, params), params };
}
