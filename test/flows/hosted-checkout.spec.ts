import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Stripe } from 'stripe';
import { becomeDue, operationIn } from '../support/commands.js';
import { assertRulesHold } from '../support/invariants.js';
import { effectsOn, journalOf } from '../support/payment-facts.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';
import { deliverTo } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

const RETURN_URL = 'https://shop.example/return';
const HOSTED = {
  currency: 'eur',
  items: [
    { name: 'T-shirt', unitAmount: 2_000, quantity: 2 },
    { name: 'Pen', unitAmount: 150, quantity: 2 },
  ],
  checkout: 'hosted',
  returnUrl: RETURN_URL,
};

let stack: Stack;

before(async () => {
  stack = await startStack();
});
after(() => stack.close());

/** A hosted order that nobody has claimed yet. */
async function accepted(on: Stack, more: object = {}): Promise<OrderJson> {
  const { status, text } = await on.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body: { ...HOSTED, ...more } });
  assert.equal(status, 201, text);
  return JSON.parse(text);
}

/** A hosted order whose session is open. */
const opened = async (on: Stack = stack, more: object = {}): Promise<OrderJson> =>
  on.orderIn((await accepted(on, more)).id, 'requires_payment');

/** Sends the form of the order's page as a buyer would. */
function onPage({ payment }: OrderJson, fields: Readonly<Record<string, string>>): Promise<Response> {
  assert.ok(payment.url !== null);
  return fetch(payment.url, {
    method: 'POST',
    body: new URLSearchParams({ method: 'card', expiry: '12/40', cvc: '123', ...fields }),
    redirect: 'manual',
  });
}

const CARD = { number: '4242 4242 4242 4242' };
const DECLINED = { number: '4000 0000 0000 0002' };

/** The sessions Stripe has for an order. */
async function sessionsOf(on: Stack, { id }: OrderJson): Promise<readonly Stripe.Checkout.Session[]> {
  const all = await on.stripe.checkout.sessions.list({ limit: 100 });
  return all.data.filter(({ metadata }) => metadata?.['oncepay_order'] === id);
}

async function sessionOf(on: Stack, order: OrderJson): Promise<Stripe.Checkout.Session> {
  const [session, ...more] = await sessionsOf(on, order);
  assert.ok(session !== undefined && more.length === 0);
  return session;
}

/** What the session has made, as Stripe knows it. */
async function intentOfSession(order: OrderJson): Promise<string> {
  const { payment_intent: intent } = await sessionOf(stack, order);
  assert.ok(typeof intent === 'string');
  return intent;
}

function intentOf({ payment }: OrderJson): string {
  assert.ok(payment.stripePaymentIntentId !== null);
  return payment.stripePaymentIntentId;
}

const cancel = (on: Stack, { id }: OrderJson): ReturnType<Stack['call']> =>
  on.call(`/v1/orders/${id}/cancel`, { idempotencyKey: crypto.randomUUID(), body: {} });

describe('a hosted order', () => {
  it('shows the address of its page, which a Checkout Session of our making serves', async () => {
    const order = await opened(stack, { metadata: { cart: '4711' }, customer: { email: 'ada@example.com' } });
    assert.deepEqual(
      [order.payment.status, order.payment.stripePaymentIntentId, order.payment.pendingOperation],
      ['requires_payment_method', null, null],
    );

    const session = await sessionOf(stack, order);
    assert.equal(order.payment.url, session.url);
    assert.deepEqual(
      [session.amount_total, session.currency, session.success_url, session.customer_email],
      [4_300, 'eur', RETURN_URL, 'ada@example.com'],
    );
    const { oncepay_operation: operation, ...metadata } = session.metadata ?? {};
    assert.deepEqual(metadata, { cart: '4711', oncepay_instance: 'tests', oncepay_order: order.id });
    const [request] = (await journalOf(stack, `kind=request&key=${operation}-1`)).map(
      ({ method, path }) => `${String(method)} ${String(path)}`,
    );
    assert.equal(request, 'POST /v1/checkout/sessions');
    assert.match(await (await fetch(session.url ?? '')).text(), /T-shirt/);
  });

  it('is paid once by a card typed into the page, which then is closed', async () => {
    const order = await opened();
    assert.equal((await onPage(order, CARD)).headers.get('location'), RETURN_URL);

    const paid = await stack.orderIn(order.id, 'paid');
    assert.deepEqual([paid.amountCaptured, paid.payment.status, paid.payment.url], [4_300, 'succeeded', null]);
    const intent = await stack.stripe.paymentIntents.retrieve(intentOf(paid));
    assert.deepEqual([intent.metadata['oncepay_order'], intent.metadata['oncepay_instance']], [order.id, 'tests']);
    assert.deepEqual(await effectsOn(stack, intent.id), ['authorized 4300 eur', 'captured 4300 eur']);
  });

  it('stays payable after a decline, says why, and is paid by the same intent', async () => {
    const order = await opened();
    assert.equal((await onPage(order, DECLINED)).status, 402);
    const declined = await waitFor('the decline to be known', async () => {
      const seen = await stack.readOrder(order.id);
      assert.equal(seen.payment.lastError?.code, 'card_declined');
      return seen;
    });
    assert.deepEqual([declined.status, declined.payment.url], ['requires_payment', order.payment.url]);

    await onPage(order, CARD);
    const paid = await stack.orderIn(order.id, 'paid');
    assert.deepEqual([intentOf(paid), paid.payment.lastError], [intentOf(declined), null]);
    assert.deepEqual(await effectsOn(stack, intentOf(paid)), ['declined 4300 eur', 'authorized 4300 eur', 'captured 4300 eur']);
  });

  it('requires a payment while its buyer authenticates on the page', async () => {
    const order = await opened();
    const away = (await onPage(order, { number: '4000 0000 0000 3220' })).headers.get('location') ?? '';
    const asked = await waitFor('the question to be known', async () => {
      const seen = await stack.readOrder(order.id);
      assert.equal(seen.payment.status, 'requires_action');
      return seen;
    });
    assert.deepEqual([asked.status, asked.payment.url], ['requires_payment', order.payment.url]);
    await fetch(away, { method: 'POST', body: new URLSearchParams({ outcome: 'complete' }), redirect: 'manual' });
    assert.equal((await stack.orderIn(order.id, 'paid')).payment.url, null);
  });

  it('is authorized with manual capture, and captured or canceled by its intent', async () => {
    const [first, second] = [await opened(stack, { captureMethod: 'manual' }), await opened(stack, { captureMethod: 'manual' })];
    for (const order of [first, second]) await onPage(order, CARD);
    const authorized = await stack.orderIn(first.id, 'authorized');
    assert.deepEqual([authorized.payment.status, authorized.payment.url, authorized.amountCaptured], ['requires_capture', null, 0]);
    await stack.call(`/v1/orders/${first.id}/capture`, { idempotencyKey: crypto.randomUUID(), body: {} });
    assert.equal((await stack.orderIn(first.id, 'paid')).amountCaptured, 4_300);

    await stack.orderIn(second.id, 'authorized');
    assert.equal((await cancel(stack, second)).status, 200);
    const canceled = await stack.orderIn(second.id, 'canceled');
    assert.equal((await stack.stripe.paymentIntents.retrieve(intentOf(canceled))).status, 'canceled');
  });

  it('saves the card with its customer, made before the session', async () => {
    const order = await opened(stack, { saveCard: true, customer: { email: 'ada@example.com' } });
    const session = await sessionOf(stack, order);
    assert.match(typeof session.customer === 'string' ? session.customer : '', /^cus_/);
    await onPage(order, CARD);
    const intent = await stack.stripe.paymentIntents.retrieve(intentOf(await stack.orderIn(order.id, 'paid')));
    assert.deepEqual([intent.customer, intent.setup_future_usage], [session.customer, 'off_session']);
  });

  it('is processing while it is complete but unpaid, and paid when the bank has', async () => {
    const order = await opened();
    await onPage(order, { method: 'debit' });
    const processing = await stack.orderIn(order.id, 'processing');
    assert.deepEqual([processing.payment.status, processing.payment.url, processing.amountCaptured], ['processing', null, 0]);
    assert.equal((await cancel(stack, order)).json['code'], 'order_not_cancelable');

    await stack.control(`/_sim/payment_intents/${intentOf(processing)}/settle`, { outcome: 'succeeded' });
    assert.equal((await stack.orderIn(order.id, 'paid')).amountCaptured, 4_300);
  });

  it('requires a payment and says why when the bank has not; Stripe then lets nobody pay or cancel it', async () => {
    const order = await opened();
    await onPage(order, { method: 'debit' });
    const processing = await stack.orderIn(order.id, 'processing');
    await stack.control(`/_sim/payment_intents/${intentOf(processing)}/settle`, { outcome: 'failed' });
    const failed = await stack.orderIn(order.id, 'requires_payment');
    assert.deepEqual(
      [failed.payment.status, failed.payment.url, failed.payment.lastError === null],
      ['requires_payment_method', null, false],
    );

    assert.equal((await cancel(stack, order)).status, 200);
    const refused = await waitFor('the refusal', async () => {
      const seen = await stack.readOrder(order.id);
      assert.equal(seen.payment.pendingOperation, null);
      return seen;
    });
    assert.equal(refused.status, 'requires_payment');
    const { json } = await stack.call(`/v1/orders/${order.id}/events`);
    assert.match(JSON.stringify(json), /operation\.rejected/);
  });

  it('refuses to be paid by us: its buyer pays on the page', async () => {
    const order = await opened();
    const { status, json } = await stack.call(`/v1/orders/${order.id}/pay`, {
      idempotencyKey: crypto.randomUUID(),
      body: { paymentMethod: 'pm_card_visa' },
    });
    assert.deepEqual([status, json['code']], [409, 'order_not_payable']);
  });
});

describe('a request for a hosted order', () => {
  for (const [name, body, field] of [
    ['without a return URL', { ...HOSTED, returnUrl: undefined }, 'returnUrl'],
    ['with a payment method', { ...HOSTED, paymentMethod: 'pm_card_visa' }, 'paymentMethod'],
  ] as const) {
    it(`is refused ${name}`, async () => {
      const { status, json } = await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body });
      assert.deepEqual(
        [status, json['code'], (json['errors'] as { field: string }[]).map((error) => error.field)],
        [400, 'validation_failed', [field]],
      );
    });
  }
});

describe('canceling a hosted order', () => {
  it('expires its session, so that nobody can pay on the page', async () => {
    const order = await opened();
    assert.equal((await cancel(stack, order)).json['status'], 'requires_payment');
    const canceled = await stack.orderIn(order.id, 'canceled');
    assert.deepEqual([canceled.payment.status, canceled.payment.url, canceled.payment.pendingOperation], ['canceled', null, null]);
    assert.equal((await sessionOf(stack, order)).status, 'expired');
    assert.equal((await onPage(order, CARD)).status, 410);
  });

  it('ends the intent of a declined try with it', async () => {
    const order = await opened();
    await onPage(order, DECLINED);
    await waitFor('the intent to be known', async () => (await stack.readOrder(order.id)).payment.stripePaymentIntentId !== null);
    await cancel(stack, order);
    const canceled = await stack.orderIn(order.id, 'canceled');
    assert.equal((await stack.stripe.paymentIntents.retrieve(intentOf(canceled))).status, 'canceled');
  });

  it('loses against a buyer who has paid meanwhile', async () => {
    const order = await opened();
    await stack.control('/_sim/webhooks', { action: 'delay', ms: 1_500, count: 4 });
    await onPage(order, CARD);
    assert.equal((await cancel(stack, order)).status, 200);
    const paid = await stack.orderIn(order.id, 'paid');
    assert.equal(paid.amountCaptured, 4_300);
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
  });

  it('survives a lost reply', async () => {
    const order = await opened();
    await stack.control('/_sim/faults', { route: 'POST /v1/checkout/sessions/:id/expire', phase: 'after', action: 'reset', count: 1 });
    await cancel(stack, order);
    await stack.orderIn(order.id, 'canceled');
  });

  it('ends as canceled elsewhere when the session was expired at Stripe before its time', async () => {
    const order = await opened();
    await stack.stripe.checkout.sessions.expire((await sessionOf(stack, order)).id);
    await stack.orderIn(order.id, 'canceled');
  });
});

describe('whatever is lost, late or repeated', () => {
  for (const action of ['reset', 'truncate', '500']) {
    it(`one session is made when the first answer is ${action}`, async () => {
      const phase = action === '500' ? {} : { phase: 'after' };
      await stack.control('/_sim/faults', { route: 'POST /v1/checkout/sessions', action, ...phase, count: 1 });
      const order = await stack.orderIn((await accepted(stack)).id, 'requires_payment');
      assert.equal((await sessionsOf(stack, order)).length, 1);
      await onPage(order, CARD);
      await stack.orderIn(order.id, 'paid');
    });
  }

  it('the same is asked for again under its key, though name, amount and currency of its price have changed meanwhile', async () => {
    const price = (body: object): ReturnType<Stack['call']> => stack.call('/v1/prices/mug', { method: 'PUT', body });
    await price({ name: 'Mug', currency: 'eur', unitAmount: 900 });
    const create = 'POST /v1/checkout/sessions';
    await stack.control('/_sim/faults', { route: create, phase: 'after', action: 'reset', count: 1 });
    await stack.control('/_sim/faults', { route: create, action: '429', retryAfterSeconds: 3_600, count: 1 });
    const { id } = await accepted(stack, { items: [{ price: 'mug', quantity: 2 }] });
    const { id: operationId, key } = await operationIn(stack, id, 'create', 'unknown');
    const tries = (): ReturnType<typeof journalOf> => journalOf(stack, `kind=request&key=${key}`);
    await waitFor('two tries to be over', async () => (await tries()).length === 2);
    await price({ name: 'Cup', currency: 'usd', unitAmount: 1_100 });
    await waitFor('the third', async () => {
      await becomeDue(stack, operationId);
      return (await stack.readOrder(id)).status === 'requires_payment';
    });
    const session = await sessionOf(stack, await stack.readOrder(id));
    assert.deepEqual([session.amount_total, session.currency], [1_800, 'eur']);
    assert.equal((await stack.stripe.checkout.sessions.listLineItems(session.id)).data[0]?.description, 'Mug');
    // Stripe took it for the request it was, and gave the lost answer again.
    const [first, , third] = await tries();
    assert.equal(third?.['replayOf'], first?.['requestId']);
  });

  it('events that come five times take effect once', async () => {
    await stack.control('/_sim/webhooks', { action: 'duplicate', times: 4 });
    const order = await opened();
    await onPage(order, DECLINED);
    await onPage(order, CARD);
    const paid = await stack.orderIn(order.id, 'paid');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    assert.equal(paid.amountCaptured, 4_300);
    const timeline = await stack.database.query<{ type: string }>(
      `SELECT e.type FROM order_events e JOIN payments p ON p.order_id = e.order_id WHERE p.stripe_payment_intent_id = '${intentOf(paid)}' AND e.type = 'order.paid'`,
    );
    assert.equal(timeline.length, 1);
  });

  for (const kind of ['checkout.session.*', 'payment_intent.*']) {
    it(`is paid without any event of ${kind}`, async () => {
      await stack.control('/_sim/webhooks', { action: 'drop', type: kind });
      const order = await opened();
      await onPage(order, CARD);
      await stack.orderIn(order.id, 'paid');
      await stack.control('/_sim/webhooks', undefined, 'DELETE');
    });
  }

  // The session keeps its intent to itself until the buyer pays, so the first we hear of the intent may be what became of its money.
  it('is paid and disputed when the dispute is the only event that arrives', async () => {
    await stack.control('/_sim/webhooks', { action: 'drop' });
    const order = await opened();
    await onPage(order, CARD);
    const intent = await intentOfSession(order);
    const [charge] = (await stack.stripe.charges.list({ payment_intent: intent })).data;
    const dispute = await stack.control(`/_sim/charges/${charge?.id}/dispute`, { reason: 'fraudulent', inquiry: false });
    assert.equal(dispute.status, 200, dispute.text);
    const [event] = (await stack.stripe.events.list({ type: 'charge.dispute.created', limit: 1 })).data;
    assert.ok(event !== undefined);
    await deliverTo(stack, event);
    const seen = await stack.orderIn(order.id, 'paid');
    assert.deepEqual([seen.payment.stripePaymentIntentId, seen.amountCaptured], [intent, 4_300]);
    await waitFor('the dispute', async () => (await stack.call(`/v1/orders/${order.id}`)).json['dispute'] !== null);
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
  });

  it('is paid and refunded when the refund is the only event that arrives', async () => {
    await stack.control('/_sim/webhooks', { action: 'drop' });
    const order = await opened();
    await onPage(order, CARD);
    await stack.stripe.refunds.create({ payment_intent: await intentOfSession(order), amount: 300 });
    const [event] = (await stack.stripe.events.list({ type: 'refund.created', limit: 1 })).data;
    assert.ok(event !== undefined);
    await deliverTo(stack, event);
    await stack.orderIn(order.id, 'partially_refunded');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
  });
});

describe('the time of a hosted order', () => {
  let timed: Stack;
  before(async () => {
    timed = await startStack({ virtualClock: true, env: { ORDER_EXPIRES_AFTER_SECONDS: '1800' } });
  });
  after(() => timed.close());

  it('ends both order and session', async () => {
    const order = await opened(timed);
    const session = await sessionOf(timed, order);
    assert.equal(session.expires_at - session.created >= 1_800 && session.expires_at - session.created <= 86_400, true);
    await timed.control('/_sim/clock', { advanceSeconds: 1_801 });
    assert.equal((await timed.orderIn(order.id, 'expired')).payment.url, null);
    assert.equal((await sessionOf(timed, order)).status, 'expired');
  });

  it('asks once for the end of what a completed session left unpaid, which Stripe refuses', async () => {
    const failed = await opened(timed);
    await onPage(failed, { method: 'debit' });
    const processing = await timed.orderIn(failed.id, 'processing');
    await timed.control(`/_sim/payment_intents/${intentOf(processing)}/settle`, { outcome: 'failed' });
    await timed.orderIn(failed.id, 'requires_payment');
    for (const _ of [1, 2]) {
      const other = await opened(timed);
      await timed.control('/_sim/clock', { advanceSeconds: 1_801 });
      await timed.orderIn(other.id, 'expired');
    }
    const cancels = await timed.database.query<{ status: string }>(
      `SELECT op.status FROM payment_operations op JOIN payments p ON p.id = op.payment_id WHERE p.stripe_payment_intent_id = '${intentOf(processing)}' AND op.kind = 'cancel'`,
    );
    assert.deepEqual(
      cancels.map(({ status }) => status),
      ['rejected'],
    );
  });

  it('ends the order as expired too when the session lapses first, tried or not', async () => {
    const [untouched, tried] = [await opened(timed), await opened(timed)];
    await onPage(tried, DECLINED);
    await timed.control('/_sim/clock', { advanceSeconds: 86_400 });
    for (const order of [untouched, tried]) {
      assert.equal((await timed.orderIn(order.id, 'expired')).payment.status, 'canceled');
      assert.equal((await sessionOf(timed, order)).status, 'expired');
    }
    await assertRulesHold(timed);
  });
});

describe('after all of it', () => {
  it('the rules of the contract hold', async () => {
    await stack.control('/_sim/webhooks', { action: 'reset' });
    const { data } = await stack.stripe.events.list({ limit: 100 });
    const heard = await stack.database.query<{ id: string }>('SELECT id FROM webhook_events');
    for (const { id } of data)
      if (!heard.some((event) => event.id === id)) await stack.control('/_sim/webhooks', { action: 'resend', event: id });
    await assertRulesHold(stack);
  });
});
