import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Stripe } from 'stripe';
import { command, intentOf, operationsOf, timelineOf } from '../support/commands.js';
import { assertRulesHold } from '../support/invariants.js';
import { effectsOn, journalOf, payInBrowser } from '../support/payment-facts.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, type OrderJson, PUBLISHABLE_KEYS, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

let stack: Stack;

before(async () => {
  stack = await startStack({ virtualClock: true });
});
after(() => stack.close());

let buyers = 0;
const newEmail = (): string => `buyer-${++buyers}@example.com`;

async function customerOf(id: string): Promise<{ email: string | null; name: string | null; stripeCustomerId: string | null }> {
  const order: { customer: { email: string | null; name: string | null; stripeCustomerId: string | null } } = JSON.parse(
    (await stack.call(`/v1/orders/${id}`)).text,
  );
  return order.customer;
}

async function customersAtStripe(email: string): Promise<readonly Stripe.Customer[]> {
  return (await stack.stripe.customers.list({ email, limit: 100 })).data;
}

interface SavedCard {
  readonly customer: string;
  readonly paymentMethod: string;
}

/** A card that a buyer saved with a first order. */
async function savedCard(paymentMethod = 'pm_card_visa'): Promise<SavedCard> {
  const order = await stack.orderIn((await stack.order({ paymentMethod, saveCard: true, customer: { email: newEmail() } })).id, 'paid');
  return cardOf(order);
}

async function cardOf(order: OrderJson): Promise<SavedCard> {
  const { customer, payment_method: used } = await stack.stripe.paymentIntents.retrieve(intentOf(order));
  assert.ok(typeof customer === 'string' && typeof used === 'string');
  return { customer, paymentMethod: used };
}

/** Charges a saved card while its holder is away. */
function chargeAway({ customer, paymentMethod }: SavedCard, more: object = {}): Promise<OrderJson> {
  return stack.order({ customer: { stripeCustomerId: customer }, paymentMethod, offSession: true, ...more });
}

/** What Stripe was asked about customers, in order. */
async function customerRequests(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await journalOf(stack, 'kind=request')).filter(({ path }) => path === '/v1/customers');
}

describe('an order with saveCard', () => {
  it('makes one customer, shows it, and leaves the card with it', async () => {
    const email = newEmail();
    const accepted = await stack.order({ saveCard: true, customer: { email, name: 'Ada' } });
    const order = await stack.orderIn(accepted.id, 'paid');

    const [customer, ...others] = await customersAtStripe(email);
    assert.deepEqual(
      [others.length, customer?.name, customer?.metadata['oncepay_order'], customer?.metadata['oncepay_instance']],
      [0, 'Ada', order.id, 'tests'],
    );
    assert.deepEqual(await customerOf(order.id), { email, name: 'Ada', stripeCustomerId: customer?.id });
    const intent = await stack.stripe.paymentIntents.retrieve(intentOf(order));
    assert.deepEqual([intent.customer, intent.setup_future_usage], [customer?.id, 'off_session']);
    const cards = await stack.stripe.paymentMethods.list({ customer: customer?.id ?? '' });
    assert.deepEqual(
      cards.data.map(({ id }) => id),
      [intent.payment_method],
    );
    assert.deepEqual(
      (await operationsOf(stack, order.id)).map(({ kind, status }) => `${kind} ${status}`),
      ['customer done', 'create done', 'confirm done'],
    );
  });

  it('that the browser pays leaves the card as well', async () => {
    const email = newEmail();
    await stack.call('/v1/prices/tshirt', { method: 'PUT', body: { name: 'T-shirt', currency: 'usd', unitAmount: 2_000 } });
    const body = { currency: 'usd', items: [{ price: 'tshirt', quantity: 1 }], saveCard: true, customer: { email } };
    const { json } = await stack.call('/v1/orders', { key: PUBLISHABLE_KEYS[0], idempotencyKey: crypto.randomUUID(), body });
    const order = await stack.orderIn(String(json['id']), 'requires_payment');
    await payInBrowser(stack, order, 'pm_card_visa');
    const paid = await stack.orderIn(order.id, 'paid');
    const cards = await stack.stripe.paymentMethods.list({ customer: (await customerOf(order.id)).stripeCustomerId ?? '' });
    assert.deepEqual(
      cards.data.map(({ id }) => id),
      [(await cardOf(paid)).paymentMethod],
    );
  });

  it('adds a card to a customer of before without making another', async () => {
    const { customer } = await savedCard();
    const { id } = await stack.order({ paymentMethod: 'pm_card_mastercard', saveCard: true, customer: { stripeCustomerId: customer } });
    await stack.orderIn(id, 'paid');
    assert.deepEqual(
      (await operationsOf(stack, id)).map(({ kind }) => kind),
      ['create', 'confirm'],
    );
    assert.equal((await stack.stripe.paymentMethods.list({ customer })).data.length, 2);
  });

  it('without an email is refused and says so', async () => {
    const answer = await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body: { ...AN_ORDER, saveCard: true } });
    assertProblem(answer, 400, 'validation_failed');
    assert.match(answer.text, /customer\.email/);
  });

  for (const [phase, what] of [
    ['after', 'the reply is lost'],
    ['before', 'the request is lost'],
  ] as const) {
    it(`makes no second customer when ${what}`, async () => {
      const email = newEmail();
      await stack.control('/_sim/faults', { route: 'POST /v1/customers', phase, action: 'reset', count: 1 });
      const { id } = await stack.order({ saveCard: true, customer: { email } });
      await stack.orderIn(id, 'paid');
      assert.deepEqual(
        (await customersAtStripe(email)).map((customer) => customer.metadata['oncepay_order']),
        [id],
      );
      const sent = (await customerRequests()).filter(({ method }) => method === 'POST');
      assert.equal(new Set(sent.slice(-2).map(({ idempotencyKey }) => idempotencyKey)).size, 1);
    });
  }

  for (const phase of ['after', 'before'] as const) {
    it(`finds out by reading whether there is a customer once Stripe may have forgotten the key (lost ${phase} the effect)`, async () => {
      const email = newEmail();
      // Every time, so that it stays in doubt until it is seen to be.
      await stack.control('/_sim/faults', { route: 'POST /v1/customers', phase, action: 'reset' });
      await stack.stopWorker();
      const { id } = await stack.order({ saveCard: true, customer: { email } });
      await stack.startWorker();
      const isUnknown = async (): Promise<boolean> => (await operationsOf(stack, id))[0]?.status === 'unknown';
      await waitFor('the customer to be in doubt', isUnknown);
      await stack.stopWorker();
      await stack.control('/_sim/faults', undefined, 'DELETE');
      await stack.database.query(
        `UPDATE payment_operations SET first_sent_at = first_sent_at - interval '25 hours' WHERE kind = 'customer' AND status = 'unknown'`,
      );
      const before = await customerRequests();
      await stack.startWorker();
      await stack.orderIn(id, 'paid');
      const [read, ...sent] = (await customerRequests()).slice(before.length);
      assert.equal(read?.['method'], 'GET');
      assert.deepEqual(
        sent.map(({ method }) => method),
        phase === 'after' ? [] : ['POST'],
      );
      for (const { idempotencyKey } of sent) assert.ok(before.every((earlier) => earlier['idempotencyKey'] !== idempotencyKey));
      assert.equal((await customersAtStripe(email)).length, 1);
    });
  }

  it('fails when Stripe refuses the customer, and nothing is charged', async () => {
    const error = { type: 'invalid_request_error', code: 'email_invalid', message: 'Invalid email address' };
    const told = await stack.control('/_sim/faults', {
      route: 'POST /v1/customers',
      action: 'json',
      status: 400,
      body: JSON.stringify({ error }),
      count: 1,
    });
    assert.equal(told.status, 200, told.text);
    const { id } = await stack.order({ saveCard: true, customer: { email: newEmail() } });
    const order = await stack.orderIn(id, 'failed');
    assert.equal(order.payment.stripePaymentIntentId, null);
    assert.equal(order.payment.lastError?.code, 'email_invalid');
    assert.deepEqual(
      (await operationsOf(stack, id)).map(({ kind, status }) => `${kind} ${status}`),
      ['customer rejected', 'create withdrawn', 'confirm withdrawn'],
    );
  });

  it('can be canceled at once while nobody has claimed its create, and Stripe hears of no intent', async () => {
    await stack.stopWorker();
    const email = newEmail();
    const { id } = await stack.order({ saveCard: true, customer: { email } });
    const answer = await command(stack, id, 'cancel', {});
    await stack.startWorker();
    assert.deepEqual([answer.json['status'], (await stack.readOrder(id)).payment.pendingOperation], ['canceled', null]);
    assert.deepEqual(
      (await operationsOf(stack, id)).map(({ status }) => status),
      ['withdrawn', 'withdrawn', 'withdrawn'],
    );
    await stack.orderIn((await stack.order()).id, 'paid');
    assert.deepEqual(await customersAtStripe(email), []);
  });
});

describe('an order with offSession', () => {
  let card: SavedCard;
  before(async () => {
    card = await savedCard();
  });

  it('charges the saved card of a customer who is away, once', async () => {
    const order = await stack.orderIn((await chargeAway(card)).id, 'paid');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
    assert.deepEqual(await cardOf(order), card);
    assert.deepEqual(await customerOf(order.id), { email: null, name: null, stripeCustomerId: card.customer });
  });

  it('requires a payment with authentication_required when the bank asks for the holder, who may then pay', async () => {
    const asking = await savedCardThatAsks();
    const order = await stack.orderIn((await chargeAway(asking)).id, 'requires_payment');
    assert.deepEqual(
      [order.payment.status, order.payment.lastError?.code, order.payment.nextAction, order.amountCaptured],
      ['requires_payment_method', 'authentication_required', null, 0],
    );
    assert.ok((await timelineOf(stack, order.id)).some(({ type }) => type === 'operation.declined'));

    await command(stack, order.id, 'pay', { paymentMethod: asking.paymentMethod });
    const asked = await stack.orderIn(order.id, 'requires_action');
    await stack.control(`/_sim/payment_intents/${intentOf(asked)}/next_action`, { outcome: 'succeeded' });
    assert.equal((await stack.orderIn(order.id, 'paid')).amountCaptured, 2_000);
  });

  it('requires a payment when the saved card is declined', async () => {
    const { customer } = card;
    const { id: paymentMethod } = await stack.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
    const order = await stack.orderIn((await chargeAway({ customer, paymentMethod })).id, 'requires_payment');
    assert.equal(order.payment.lastError?.code, 'card_declined');
  });

  it("does not charge one customer's card for another", async () => {
    const { paymentMethod } = await savedCard();
    const order = await stack.orderIn((await chargeAway({ customer: card.customer, paymentMethod })).id, 'requires_payment');
    assert.ok(order.payment.lastError !== null);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), []);
  });

  it('of a customer whom Stripe does not know fails, and nothing is charged', async () => {
    const order = await stack.orderIn((await chargeAway({ customer: 'cus_ofnobody', paymentMethod: 'pm_card_visa' })).id, 'failed');
    assert.deepEqual([order.payment.stripePaymentIntentId, order.payment.lastError?.code], [null, 'resource_missing']);
  });

  it('is refused without a customer, without a payment method, and to a browser', async () => {
    const { customer, paymentMethod } = card;
    const bodies = [
      { offSession: true, paymentMethod, customer: { email: newEmail() } },
      { offSession: true, paymentMethod: undefined, customer: { stripeCustomerId: customer } },
    ];
    for (const body of bodies)
      assertProblem(
        await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body: { ...AN_ORDER, ...body } }),
        400,
        'validation_failed',
      );
    const browser = {
      currency: 'usd',
      items: [{ price: 'tshirt', quantity: 1 }],
      offSession: true,
      paymentMethod,
      customer: { stripeCustomerId: customer },
    };
    assertProblem(
      await stack.call('/v1/orders', { key: PUBLISHABLE_KEYS[0], idempotencyKey: crypto.randomUUID(), body: browser }),
      400,
      'validation_failed',
    );
  });

  /** The holder agreed when the card was saved, and is asked each time anew. */
  async function savedCardThatAsks(): Promise<SavedCard> {
    const { id } = await stack.order({
      paymentMethod: 'pm_card_authenticationRequired',
      saveCard: true,
      customer: { email: newEmail() },
      returnUrl: 'https://shop.example/return',
    });
    const asked = await stack.orderIn(id, 'requires_action');
    await stack.control(`/_sim/payment_intents/${intentOf(asked)}/next_action`, { outcome: 'succeeded' });
    return cardOf(await stack.orderIn(id, 'paid'));
  }
});

it('Everything that happened above keeps the rules', () => assertRulesHold(stack));
