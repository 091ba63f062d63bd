import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { parse } from 'qs';
import {
  cancelIntentParams,
  captureIntentParams,
  confirmIntentParams,
  createIntentParams,
  createSessionParams,
  customerParams,
  type IntentRequest,
  refundParams,
  type SessionRequest,
  StripeGateway,
} from '#libs/payments';
import { type RecordedStripe, recordedStripe, routeOf } from './recorded-stripe.js';
import { ShapeCheck } from './shape-check.js';
import type { Requests } from './stripe-shapes.js';

// What we order from Stripe is held against Stripe's own parameter types: as it is built, and once more as it arrives.

const ORDER = {
  instance: 'shop',
  orderId: '0199c000-0000-7000-8000-000000000001',
  operationId: '0199c000-0000-7000-8000-000000000002',
};

const REQUEST: IntentRequest = {
  ...ORDER,
  amount: 4_300,
  currency: 'usd',
  captureMethod: 'automatic',
  returnUrl: null,
  saveCard: false,
  metadata: {},
};

const REQUESTS: readonly IntentRequest[] = [
  REQUEST,
  { ...REQUEST, captureMethod: 'manual', currency: 'jpy' },
  { ...REQUEST, returnUrl: 'https://shop.example/return?cart=1&step=2' },
  { ...REQUEST, saveCard: true },
  { ...REQUEST, metadata: { 'cart id': '4711', note: 'a&b=c +1 ü €', blank: ' ' } },
];

const SESSION: SessionRequest = {
  ...ORDER,
  items: [
    { name: 'T-shirt', unitAmount: 2_000, quantity: 2 },
    { name: 'Gift wrap', unitAmount: 0, quantity: 1 },
  ],
  currency: 'usd',
  captureMethod: 'automatic',
  returnUrl: 'https://shop.example/return?cart=1&step=2',
  saveCard: false,
  metadata: {},
  customerEmail: null,
  createdAt: new Date(),
  lifeSeconds: 86_400,
};

const SESSIONS: readonly SessionRequest[] = [
  SESSION,
  { ...SESSION, captureMethod: 'manual', currency: 'jpy', customerEmail: 'ada@example.com' },
  { ...SESSION, metadata: { 'cart id': '4711', note: 'a&b=c +1 ü €', blank: ' ' } },
  { ...SESSION, saveCard: true },
  // Stripe takes half an hour to a day; an order may live for less or more.
  { ...SESSION, lifeSeconds: 60 },
  { ...SESSION, lifeSeconds: 30 * 86_400 },
];

const SINCE = new Date(4_000_000_000_500);
const LISTED = { created: { gte: 4_000_000_000 }, limit: 100 };

let recorded: RecordedStripe;
let gateway: StripeGateway;
let shapes: ShapeCheck;

before(async () => {
  shapes = await ShapeCheck.load();
  recorded = await recordedStripe();
  gateway = new StripeGateway({ secretKey: 'sk_test_contract', apiBase: recorded.url, timeoutMs: 10_000 });
});

after(() => recorded.close());

/** For each call of the gateway: what is built for it, and how it is sent. */
const CALLS: Readonly<Record<string, () => Promise<void>>> = {
  async createPaymentIntent() {
    for (const request of REQUESTS) {
      await proven('POST /v1/payment_intents', createIntentParams(request), (params) => gateway.createPaymentIntent(params, randomUUID()));
    }
    const { id: customer } = await newCustomer();
    await proven('POST /v1/payment_intents', { ...createIntentParams({ ...REQUEST, saveCard: true }), customer }, (params) =>
      gateway.createPaymentIntent(params, randomUUID()),
    );
  },

  async confirmPaymentIntent() {
    for (const request of REQUESTS) {
      const id = await newIntent(request);
      const built = confirmIntentParams('pm_card_visa', request.returnUrl);
      await proven('POST /v1/payment_intents/:id/confirm', built, (params) => gateway.confirmPaymentIntent(id, params, randomUUID()));
    }
    const id = await newIntent(REQUEST);
    await proven('POST /v1/payment_intents/:id/confirm', confirmIntentParams('pm_card_visa', null, true), (params) =>
      gateway.confirmPaymentIntent(id, params, randomUUID()),
    );
  },

  async createCustomer() {
    for (const name of [null, 'Ada & Söhne']) {
      const built = customerParams({ ...ORDER, email: 'ada+1@example.com', name });
      await proven('POST /v1/customers', built, (params) => gateway.createCustomer(params, randomUUID()));
    }
  },

  async findCustomer() {
    const email = 'ada+1@example.com';
    await proven('GET /v1/customers', { email, limit: 100 }, () => gateway.findCustomer(email, ORDER.operationId));
  },

  async capturePaymentIntent() {
    for (const amount of [null, 700]) {
      const id = await paidIntent({ ...REQUEST, captureMethod: 'manual' });
      const built = captureIntentParams(amount);
      await proven('POST /v1/payment_intents/:id/capture', built, (params) => gateway.capturePaymentIntent(id, params, randomUUID()));
    }
  },

  async cancelPaymentIntent() {
    for (const reason of ['requested_by_customer', 'abandoned', 'duplicate'] as const) {
      const id = await newIntent(REQUEST);
      const built = cancelIntentParams(reason);
      await proven('POST /v1/payment_intents/:id/cancel', built, (params) => gateway.cancelPaymentIntent(id, params, randomUUID()));
    }
  },

  async createCheckoutSession() {
    for (const request of SESSIONS) {
      await proven('POST /v1/checkout/sessions', createSessionParams(request), (params) =>
        gateway.createCheckoutSession(params, randomUUID()),
      );
    }
  },

  async expireCheckoutSession() {
    const { id } = await newSession();
    await proven('POST /v1/checkout/sessions/:id/expire', {}, () => gateway.expireCheckoutSession(id, randomUUID()));
  },

  async retrieveCheckoutSession() {
    const { id } = await newSession();
    await proven('GET /v1/checkout/sessions/:id', { expand: ['payment_intent'] }, () => gateway.retrieveCheckoutSession(id));
  },

  async findCheckoutSession() {
    const built = { created: { gte: 4_000_000_000 }, limit: 100 };
    await proven('GET /v1/checkout/sessions', built, () => gateway.findCheckoutSession(ORDER.operationId, new Date(4_000_000_000_500)));
  },

  async createRefund() {
    for (const reason of [null, 'duplicate', 'fraudulent', 'requested_by_customer'] as const) {
      const built = { ...refundParams({ ...ORDER, amount: 700, reason }), payment_intent: await paidIntent(REQUEST) };
      await proven('POST /v1/refunds', built, (params) => gateway.createRefund(params, randomUUID()));
    }
  },

  async findRefund() {
    const id = await paidIntent(REQUEST);
    await proven('GET /v1/refunds', { payment_intent: id, limit: 100 }, () => gateway.findRefund(id, ORDER.operationId));
  },

  async retrievePaymentIntent() {
    const id = await newIntent(REQUEST);
    await proven('GET /v1/payment_intents/:id', {}, () => gateway.retrievePaymentIntent(id));
  },

  async retrieveDispute() {
    const intent = await paidIntent(REQUEST, 'pm_card_createDispute');
    await recorded.control('/clock', { advanceSeconds: 2 });
    const [dispute] = (await recorded.stripe.disputes.list({ payment_intent: intent })).data;
    assert(dispute);
    await proven('GET /v1/disputes/:id', {}, () => gateway.retrieveDispute(dispute.id));
  },

  async listEvents() {
    await proven('GET /v1/events', LISTED, () => gateway.listEvents(SINCE, null));
    const { id } = (await recorded.stripe.events.list({ limit: 1 })).data[0] ?? assert.fail('no event');
    await proven('GET /v1/events', { ...LISTED, starting_after: id }, () => gateway.listEvents(SINCE, id));
  },

  async listPaymentIntents() {
    await proven('GET /v1/payment_intents', LISTED, () => gateway.listPaymentIntents(SINCE, null));
  },

  async listCheckoutSessions() {
    await proven('GET /v1/checkout/sessions', LISTED, () => gateway.listCheckoutSessions(SINCE, null));
  },

  async listRefunds() {
    await proven('GET /v1/refunds', LISTED, () => gateway.listRefunds(SINCE, null));
  },

  async retrieveRefund() {
    const payment = await paidIntent(REQUEST);
    const params = { ...refundParams({ ...ORDER, amount: 700, reason: null }), payment_intent: payment };
    const { id } = await gateway.createRefund(params, randomUUID());
    await proven('GET /v1/refunds/:id', {}, () => gateway.retrieveRefund(id));
  },

  async retrieveAccountId() {
    await proven('GET /v1/account', {}, () => gateway.retrieveAccountId());
  },

  async findPaymentIntent() {
    const built = { created: { gte: 4_000_000_000 }, limit: 100 };
    await proven('GET /v1/payment_intents', built, () => gateway.findPaymentIntent(ORDER.operationId, new Date(4_000_000_000_500)));
  },
};

describe('a request of the gateway is what Stripe declares, and arrives as it was built', () => {
  for (const call of Object.getOwnPropertyNames(StripeGateway.prototype).filter((name) => name !== 'constructor')) {
    it(call, async () => {
      const drive = CALLS[call];
      assert(drive, `${call} needs its entry among the CALLS above`);
      await drive();
    });
  }
});

function newSession(): Promise<{ readonly id: string }> {
  return gateway.createCheckoutSession(createSessionParams(SESSION), randomUUID());
}

function newCustomer(): ReturnType<StripeGateway['createCustomer']> {
  return gateway.createCustomer(customerParams({ ...ORDER, email: 'ada@example.com', name: null }), randomUUID());
}

async function newIntent(request: IntentRequest): Promise<string> {
  const { id } = await gateway.createPaymentIntent(createIntentParams(request), randomUUID());
  return id;
}

async function paidIntent(request: IntentRequest, paymentMethod = 'pm_card_visa'): Promise<string> {
  const id = await newIntent(request);
  await gateway.confirmPaymentIntent(id, confirmIntentParams(paymentMethod, null), randomUUID());
  return id;
}

/** Stripe declares the parameters that are built; sent, they arrive there with nothing added, changed or lost. */
async function proven<P extends object>(route: keyof Requests, built: P, send: (params: P) => Promise<unknown>): Promise<void> {
  assert.deepEqual(shapes.problems('Requests', route, built), []);
  await send(built);
  const exchange = recorded.exchanges.at(-1);
  assert(exchange);
  assert.equal(routeOf(exchange), route);
  const params = parse(exchange.method === 'GET' ? exchange.query : exchange.form);
  assert.deepEqual(shapes.formProblems(route, params), []);
  assert.deepEqual(params, built);
}
