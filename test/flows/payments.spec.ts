import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Stripe } from 'stripe';
import { assertRulesHold, keepOutbox } from '../support/invariants.js';
import { effectsOn, journalOf, payInBrowser } from '../support/payment-facts.js';
import { AN_ORDER, type OrderJson, PUBLISHABLE_KEYS, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const RETURN_URL = 'https://shop.example/return';

let stack: Stack;

before(async () => {
  stack = await startStack();
  await keepOutbox(stack.database);
});
after(() => stack.close());

/** The intent of an order that has one. */
function intentOf({ payment }: OrderJson): string {
  assert.ok(payment.stripePaymentIntentId !== null);
  return payment.stripePaymentIntentId;
}

async function chargesOf(order: OrderJson): Promise<readonly Stripe.Charge[]> {
  return (await stack.stripe.charges.list({ payment_intent: intentOf(order) })).data;
}

describe('an order with a payment method', () => {
  it('is paid by exactly one charge of its amount and currency', async () => {
    const { id } = await stack.order({
      currency: 'eur',
      items: [
        { name: 'T-shirt', unitAmount: 2_000, quantity: 2 },
        { name: 'Pen', unitAmount: 150, quantity: 2 },
      ],
    });
    const order = await stack.orderIn(id, 'paid');

    assert.deepEqual(
      [order.amount, order.amountCaptured, order.payment.status, order.payment.pendingOperation, order.payment.lastError],
      [4_300, 4_300, 'succeeded', null, null],
    );
    const charges = await chargesOf(order);
    assert.deepEqual(
      charges.map(({ amount, amount_captured, currency, status, captured }) => ({ amount, amount_captured, currency, status, captured })),
      [{ amount: 4_300, amount_captured: 4_300, currency: 'eur', status: 'succeeded', captured: true }],
    );
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 4300 eur', 'captured 4300 eur']);
  });

  it('is known at Stripe by our metadata beside its own, and asked for by keys of ours', async () => {
    const { id } = await stack.order({ metadata: { cart: '4711' } });
    const order = await stack.orderIn(id, 'paid');
    const intent = await stack.stripe.paymentIntents.retrieve(intentOf(order));

    const { oncepay_operation: operation, ...metadata } = intent.metadata;
    assert.deepEqual(metadata, { cart: '4711', oncepay_instance: 'tests', oncepay_order: id });
    assert.match(operation ?? '', /^op_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    const sent = (await journalOf(stack, `kind=request&paymentIntent=${intent.id}`)).filter(({ method }) => method === 'POST');
    assert.deepEqual(
      sent.map(({ path }) => String(path).replace(intent.id, ':id')),
      ['/v1/payment_intents', '/v1/payment_intents/:id/confirm'],
    );
    const keys = sent.map(({ idempotencyKey }) => String(idempotencyKey));
    assert.equal(keys[0], `${operation}-1`);
    assert.equal(new Set(keys).size, 2);
    for (const ours of keys) assert.match(ours, /^op_\w+-1$/);
  });

  it('gives its first answer again after it was paid', async () => {
    const key = crypto.randomUUID();
    const accepted = await stack.order({}, key);
    await stack.orderIn(accepted.id, 'paid');

    assert.deepEqual(await stack.order({}, key), accepted);
    assert.equal(accepted.status, 'pending');
  });

  const declines: readonly (readonly [string, string, string | null])[] = [
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', null],
    ['pm_card_radarBlock', 'card_declined', 'fraudulent'],
  ];
  for (const [paymentMethod, code, declineCode] of declines) {
    it(`that is declined (${declineCode ?? code}) requires a payment, says why, and is not tried again`, async () => {
      const { id } = await stack.order({ paymentMethod });
      const order = await stack.orderIn(id, 'requires_payment');
      const { message, ...reason } = order.payment.lastError ?? {};
      assert.deepEqual(reason, { code, declineCode });
      assert.match(message ?? '', /^Your card/);
      assert.deepEqual([order.payment.status, order.payment.pendingOperation, order.amountCaptured], ['requires_payment_method', null, 0]);

      // Whatever had been ordered after it would have been carried out before this one.
      await stack.orderIn((await stack.order()).id, 'paid');
      assert.deepEqual(await effectsOn(stack, intentOf(order)), ['declined 2000 usd']);
      assert.deepEqual(
        (await chargesOf(order)).map(({ status }) => status),
        ['failed'],
      );
    });
  }

  it('that Stripe does not know requires a payment and says so', async () => {
    const order = await stack.orderIn((await stack.order({ paymentMethod: 'pm_of_nobody' })).id, 'requires_payment');
    assert.equal(order.payment.lastError?.code, 'resource_missing');
    assert.deepEqual(await chargesOf(order), []);
  });

  it('and manual capture is authorized, and nothing is captured', async () => {
    const order = await stack.orderIn((await stack.order({ captureMethod: 'manual' })).id, 'authorized');
    assert.deepEqual([order.payment.status, order.amountCaptured, order.payment.pendingOperation], ['requires_capture', 0, null]);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd']);
  });

  for (const [outcome, status] of [
    ['succeeded', 'paid'],
    ['failed', 'requires_payment'],
  ] as const) {
    it(`that takes days is processing until it has ${outcome}, then ${status}`, async () => {
      const { id } = await stack.order({ paymentMethod: 'pm_simulator_processing' });
      const processing = await stack.orderIn(id, 'processing');
      assert.deepEqual([processing.payment.status, processing.amountCaptured], ['processing', 0]);

      await stack.control(`/_sim/payment_intents/${intentOf(processing)}/settle`, { outcome });
      const settled = await stack.orderIn(id, status);
      assert.equal(settled.amountCaptured, outcome === 'succeeded' ? 2_000 : 0);
      assert.equal(settled.payment.lastError === null, outcome === 'succeeded');
    });
  }
});

describe('a card that asks its holder', () => {
  const asked = async (paymentMethod = 'pm_card_authenticationRequired'): Promise<OrderJson> =>
    stack.orderIn((await stack.order({ paymentMethod, returnUrl: RETURN_URL })).id, 'requires_action');
  const answer = (order: OrderJson, outcome: string): Promise<unknown> =>
    stack.control(`/_sim/payment_intents/${intentOf(order)}/next_action`, { outcome });

  it('makes the order require an action and tell where', async () => {
    const { payment, amountCaptured } = await asked();
    assert.deepEqual(
      [payment.status, payment.pendingOperation, amountCaptured, payment.nextAction?.type],
      ['requires_action', null, 0, 'redirect_to_url'],
    );
    assert.equal((await fetch(payment.nextAction?.url ?? '')).status, 200);
  });

  it('is charged once when the holder agrees', async () => {
    const order = await asked();
    await answer(order, 'succeeded');
    const paid = await stack.orderIn(order.id, 'paid');
    assert.deepEqual([paid.payment.nextAction, paid.amountCaptured], [null, 2_000]);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
  });

  it('never goes back to pending when the holder declines while the answer to our confirm is still lost', async () => {
    const lost = { account: stack.stripeKey, route: 'POST /v1/payment_intents/*/confirm', action: 'reset', phase: 'after', count: 4 };
    await stack.control('/_sim/faults', lost);
    const { id } = await stack.order({ paymentMethod: 'pm_card_authenticationRequired', returnUrl: RETURN_URL });
    const order = await stack.orderIn(id, 'requires_action');
    assert.equal(order.payment.pendingOperation, 'confirm');
    await answer(order, 'failed');
    const { payment } = await stack.orderIn(id, 'processing');
    assert.deepEqual([payment.status, payment.pendingOperation], ['requires_payment_method', 'confirm']);
    assert.equal((await stack.orderIn(id, 'requires_payment')).payment.pendingOperation, null);
    const { data } = JSON.parse((await stack.call(`/v1/orders/${id}/events`)).text);
    const moves = data.map(({ type }: { type: string }) => type).filter((type: string) => type.startsWith('order.'));
    assert.deepEqual(moves, ['order.created', 'order.requires_action', 'order.processing', 'order.requires_payment']);
  });

  it('leaves the order to be paid otherwise when the holder does not', async () => {
    const order = await asked();
    await answer(order, 'failed');
    const { payment, amountCaptured } = await stack.orderIn(order.id, 'requires_payment');
    assert.deepEqual([payment.nextAction, amountCaptured, payment.lastError?.code], [null, 0, 'payment_intent_authentication_failure']);
  });

  it('may be declined after its holder agreed', async () => {
    const order = await asked('pm_card_threeDSecureRequiredChargeDeclined');
    await answer(order, 'succeeded');
    const { payment } = await stack.orderIn(order.id, 'requires_payment');
    assert.deepEqual([payment.lastError?.code, payment.lastError?.declineCode], ['card_declined', 'generic_decline']);
  });
});

describe('an order that the browser pays', () => {
  it('requires a payment, shows the browser the secret for it, and is paid once', async () => {
    await stack.call('/v1/prices/tshirt', { method: 'PUT', body: { name: 'T-shirt', currency: 'usd', unitAmount: 1_250 } });
    const created = await stack.call('/v1/orders', {
      key: PUBLISHABLE_KEYS[0],
      idempotencyKey: crypto.randomUUID(),
      body: { currency: 'usd', items: [{ price: 'tshirt', quantity: 2 }] },
    });
    const id = String(created.json['id']);
    await stack.orderIn(id, 'requires_payment');
    const seen = await stack.call(`/v1/orders/${id}`, {
      key: PUBLISHABLE_KEYS[0],
      headers: { 'Oncepay-Client-Secret': String(created.json['clientSecret']) },
    });
    const order: OrderJson = JSON.parse(seen.text);
    assert.match(order.payment.clientSecret ?? '', new RegExp(`^${intentOf(order)}_secret_`));

    assert.equal((await payInBrowser(stack, order, 'pm_card_visa')).status, 200);
    const paid = await stack.orderIn(id, 'paid');
    assert.equal(paid.amountCaptured, 2_500);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2500 usd', 'captured 2500 usd']);
  });

  it('may be declined first; the reason stays until the next attempt', async () => {
    const { paymentMethod: _, ...browserOrder } = AN_ORDER;
    const { id } = JSON.parse((await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body: browserOrder })).text);
    const order = await stack.orderIn(id, 'requires_payment');
    assert.equal(order.payment.lastError, null);
    assert.equal((await payInBrowser(stack, order, 'pm_card_chargeDeclinedLostCard')).status, 402);
    await waitFor('the reason to be known', async () => (await stack.readOrder(id)).payment.lastError?.declineCode === 'lost_card');

    await payInBrowser(stack, order, 'pm_card_visa');
    assert.equal((await stack.orderIn(id, 'paid')).payment.lastError, null);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['declined 2000 usd', 'authorized 2000 usd', 'captured 2000 usd']);
  });
});

it('Everything that happened above keeps the rules', () => assertRulesHold(stack));
