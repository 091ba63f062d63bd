import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { command, intentOf, operationIn, operationsOf, timelineOf } from '../support/commands.js';
import { type Answer } from '../support/http-client.js';
import { effectsOn, journalOf, payInBrowser } from '../support/payment-facts.js';
import { assertProblem } from '../support/problem.js';
import { type OrderJson, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.close());

const cancel = (orderId: string, options: Parameters<typeof command>[4] = {}): Promise<Answer> =>
  command(stack, orderId, 'cancel', undefined, options);

async function unpaid(): Promise<OrderJson> {
  return stack.orderIn((await stack.order({ paymentMethod: undefined })).id, 'requires_payment');
}

/** An order in a state, brought there the way a shop would. */
async function orderThatIs(status: string): Promise<OrderJson> {
  switch (status) {
    case 'requires_payment':
      return unpaid();
    case 'requires_action':
      return stack.orderIn((await stack.order({ paymentMethod: 'pm_card_authenticationRequired' })).id, status);
    case 'authorized':
      return stack.orderIn((await stack.order({ captureMethod: 'manual' })).id, status);
    case 'processing': {
      const order = await stack.orderIn((await stack.order({ paymentMethod: 'pm_simulator_processing' })).id, status);
      await operationIn(stack, order.id, 'confirm', 'done');
      return order;
    }
    case 'paid':
      return stack.orderIn((await stack.order()).id, status);
    case 'partially_refunded':
    case 'refunded': {
      const { id } = await orderThatIs('paid');
      await command(stack, id, 'refunds', status === 'refunded' ? {} : { amount: 1 });
      return stack.orderIn(id, status);
    }
    case 'canceled': {
      const { id } = await unpaid();
      await cancel(id);
      return stack.orderIn(id, status);
    }
    case 'failed':
      await stack.control('/_sim/faults', { route: 'POST /v1/payment_intents', action: 'error', status: 400, count: 1 });
      return stack.orderIn((await stack.order()).id, status);
    default:
      throw new Error(`no way to ${status}`);
  }
}

describe('POST /v1/orders/{id}/cancel', () => {
  for (const [status, effects] of [
    ['requires_payment', []],
    ['requires_action', []],
    ['authorized', ['authorized 2000 usd', 'released 2000 usd']],
  ] as const) {
    it(`of an order that is ${status} cancels the intent at Stripe, then the order`, async () => {
      const order = await orderThatIs(status);
      const answer = await cancel(order.id);
      assert.equal(answer.status, 200, answer.text);
      const ordered: OrderJson = JSON.parse(answer.text);
      assert.deepEqual(
        [ordered.status, ordered.payment.pendingOperation, answer.headers.get('Location')],
        [status, 'cancel', `/v1/orders/${order.id}`],
      );

      const canceled = await stack.orderIn(order.id, 'canceled');
      assert.deepEqual(
        [canceled.payment.status, canceled.payment.pendingOperation, canceled.payment.nextAction, canceled.amountCaptured],
        ['canceled', null, null, 0],
      );
      const intent = await stack.stripe.paymentIntents.retrieve(intentOf(order));
      assert.deepEqual([intent.status, intent.cancellation_reason], ['canceled', 'requested_by_customer']);
      assert.deepEqual(await effectsOn(stack, intent.id), effects);
    });
  }

  it('of an order whose create nobody claimed cancels it at once, and Stripe never hears of it', async () => {
    await stack.stopWorker();
    const order = await stack.order();
    const key = crypto.randomUUID();
    const answer = await cancel(order.id, { key });
    assert.equal(answer.status, 200, answer.text);
    const canceled: OrderJson = JSON.parse(answer.text);
    assert.deepEqual(
      [canceled.status, canceled.payment.status, canceled.payment.pendingOperation, canceled.payment.stripePaymentIntentId],
      ['canceled', 'canceled', null, null],
    );
    assert.deepEqual(
      (await timelineOf(stack, order.id)).filter(({ type }) => type === 'order.canceled').map(({ cause }) => cause),
      ['command:cancel'],
    );

    await stack.startWorker();
    await orderThatIs('paid');
    const operations = await operationsOf(stack, order.id);
    assert.deepEqual(
      operations.map(({ kind, status }) => [kind, status]),
      [
        ['create', 'withdrawn'],
        ['confirm', 'withdrawn'],
      ],
    );
    for (const operation of operations) assert.deepEqual(await journalOf(stack, `kind=request&key=${operation.key}`), []);
    assert.equal((await stack.readOrder(order.id)).status, 'canceled');
    assert.equal((await cancel(order.id, { key })).text, answer.text);
  });

  for (const status of ['paid', 'partially_refunded', 'refunded', 'canceled', 'failed']) {
    it(`of an order that is ${status} is refused for ever: byte for byte under its key, with the first requestId`, async () => {
      const { id } = await orderThatIs(status);
      const key = crypto.randomUUID();
      const refused = await cancel(id, { key });
      assertProblem(refused, 409, 'order_not_cancelable');

      const again = await cancel(id, { key });
      assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [409, refused.text, 'true']);
      assert.match(again.headers.get('Content-Type') ?? '', /^application\/problem\+json\b/);
      assert.notEqual(again.headers.get('X-Request-Id'), refused.headers.get('X-Request-Id'));
      assert.equal((await stack.readOrder(id)).status, status);
    });
  }

  it('of an order that is processing is refused, but not for ever', async () => {
    const order = await orderThatIs('processing');
    const key = crypto.randomUUID();
    assertProblem(await cancel(order.id, { key }), 409, 'order_not_cancelable');
    await stack.control(`/_sim/payment_intents/${intentOf(order)}/settle`, { outcome: 'failed' });
    await stack.orderIn(order.id, 'requires_payment');

    const answer = await cancel(order.id, { key });
    assert.deepEqual([answer.status, answer.headers.get('Idempotency-Replayed')], [200, null], answer.text);
    await stack.orderIn(order.id, 'canceled');
  });

  it('while an operation is open is refused with operation_in_progress, but not for ever', async () => {
    const order = await unpaid();
    await stack.stopWorker();
    await command(stack, order.id, 'pay', { paymentMethod: 'pm_card_chargeDeclined' });
    const key = crypto.randomUUID();
    const refused = await cancel(order.id, { key });
    assertProblem(refused, 409, 'operation_in_progress');
    assert.equal(refused.headers.get('Retry-After'), '1');
    await stack.startWorker();
    await stack.orderIn(order.id, 'requires_payment');

    assert.equal((await cancel(order.id, { key })).status, 200);
    await stack.orderIn(order.id, 'canceled');
  });

  it('of an order whose create was claimed is refused while the outcome is unknown', async () => {
    await stack.control('/_sim/faults', { route: 'POST /v1/payment_intents', phase: 'after', action: 'error', status: 503, count: 1 });
    await stack.control('/_sim/faults', { route: 'POST /v1/payment_intents', action: 'lock_timeout' });
    const order = await stack.order();
    await operationIn(stack, order.id, 'create', 'unknown');
    assertProblem(await cancel(order.id), 409, 'operation_in_progress');

    await stack.control('/_sim/faults', undefined, 'DELETE');
    await stack.orderIn(order.id, 'paid');
  });

  it('is carried out once, and answered alike, when it is sent 32 times at once under one key', async () => {
    const order = await unpaid();
    const key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 32 }, () => cancel(order.id, { key })));
    assert.deepEqual([new Set(answers.map(({ text }) => text)).size, answers[0]?.status], [1, 200]);
    await stack.orderIn(order.id, 'canceled');
    assert.equal((await operationsOf(stack, order.id)).filter(({ kind }) => kind === 'cancel').length, 1);
  });

  it('is carried out once when the reply to it is lost', async () => {
    const order = await unpaid();
    await stack.control('/_sim/faults', {
      path: `/v1/payment_intents/${intentOf(order)}/cancel`,
      phase: 'after',
      action: 'reset',
      count: 1,
    });
    await cancel(order.id);

    await stack.orderIn(order.id, 'canceled');
    await operationIn(stack, order.id, 'cancel', 'done');
    assert.equal(
      (await stack.stripe.events.list({ type: 'payment_intent.canceled', limit: 100 })).data.filter(
        ({ data }) => 'id' in data.object && data.object.id === intentOf(order),
      ).length,
      1,
    );
  });

  it('that the buyer outruns ends paid: Stripe refuses it, and the timeline says so', async () => {
    const order = await unpaid();
    await stack.control('/_sim/webhooks', { action: 'drop' });
    assert.equal((await payInBrowser(stack, order, 'pm_card_visa')).status, 200);
    await cancel(order.id);

    const paid = await stack.orderIn(order.id, 'paid');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    assert.deepEqual([paid.amountCaptured, paid.payment.pendingOperation], [2_000, null]);
    const refusal = (await timelineOf(stack, order.id)).find(({ type }) => type === 'operation.rejected');
    assert.equal(refusal?.data['operation'], 'cancel');
  });

  it("that someone in Stripe's dashboard outran ends well", async () => {
    const order = await unpaid();
    await stack.control('/_sim/webhooks', { action: 'drop' });
    await stack.stripe.paymentIntents.cancel(intentOf(order));
    await cancel(order.id);

    await stack.orderIn(order.id, 'canceled');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    await operationIn(stack, order.id, 'cancel', 'done');
  });

  it('right after the creation leaves every order canceled without money, or busy and then paid: 20 races', async () => {
    const ended = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { id } = await stack.order();
        const { status } = await cancel(id);
        return { id, status };
      }),
    );
    for (const { id, status } of ended) {
      assert.ok(status === 200 || status === 409);
      const order = await stack.orderIn(id, status === 200 ? 'canceled' : 'paid');
      const intent = order.payment.stripePaymentIntentId;
      if (status === 200) assert.equal(intent, null);
      else assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
    }
  });

  it('takes no body', async () => {
    const order = await unpaid();
    assertProblem(await command(stack, order.id, 'cancel', { amount: 1 }), 400, 'validation_failed');
    assert.equal((await command(stack, order.id, 'cancel', {})).status, 200);
  });

  it("does not find another account's order, nor one that is not there, and stores neither answer", async () => {
    const order = await unpaid();
    const key = crypto.randomUUID();
    assertProblem(
      await stack.call(`/v1/orders/${order.id}/cancel`, { method: 'POST', key: SECRET_KEYS[1], idempotencyKey: key }),
      404,
      'not_found',
    );
    const nowhere = `/v1/orders/${order.id.slice(0, -4)}0000/cancel`;
    assertProblem(await stack.call(nowhere, { method: 'POST', idempotencyKey: key }), 404, 'not_found');
    assert.equal((await cancel(order.id, { key })).status, 200);
  });
});

describe('If-Match of a command', () => {
  const etagOf = async (id: string): Promise<string> => (await stack.call(`/v1/orders/${id}`)).headers.get('ETag') ?? '';

  it('lets it pass when the order is as it was seen', async () => {
    const order = await unpaid();
    assert.equal((await cancel(order.id, { headers: { 'If-Match': await etagOf(order.id) } })).status, 200);
  });

  it('lets it pass as * and in a list', async () => {
    const [one, two] = [await unpaid(), await unpaid()];
    assert.equal((await cancel(one.id, { headers: { 'If-Match': '*' } })).status, 200);
    assert.equal((await cancel(two.id, { headers: { 'If-Match': `"other", ${await etagOf(two.id)}` } })).status, 200);
  });

  it('refuses it with 412 when the order has changed, which is not stored', async () => {
    const order = await unpaid();
    const seen = await etagOf(order.id);
    await command(stack, order.id, 'pay', { paymentMethod: 'pm_card_chargeDeclined' });
    await stack.orderIn(order.id, 'requires_payment');
    await operationIn(stack, order.id, 'confirm', 'declined');
    const key = crypto.randomUUID();
    assertProblem(await cancel(order.id, { key, headers: { 'If-Match': seen } }), 412, 'precondition_failed');
    assertProblem(await cancel(order.id, { key, headers: { 'If-Match': `W/${await etagOf(order.id)}` } }), 412, 'precondition_failed');
    assert.equal(
      (await operationsOf(stack, order.id)).some(({ kind }) => kind === 'cancel'),
      false,
    );

    assert.equal((await cancel(order.id, { key, headers: { 'If-Match': await etagOf(order.id) } })).status, 200);
  });

  it('keeps a payment and a capture from an order that has changed', async () => {
    const { id } = await unpaid();
    for (const [name, body] of [
      ['pay', { paymentMethod: 'pm_card_visa' }],
      ['capture', {}],
    ] as const)
      assertProblem(await command(stack, id, name, body, { headers: { 'If-Match': '"other"' } }), 412, 'precondition_failed');
    const headers = { 'If-Match': await etagOf(id) };
    assert.equal((await command(stack, id, 'pay', { paymentMethod: 'pm_card_visa' }, { headers })).status, 200);
    await stack.orderIn(id, 'paid');
  });

  it('does not stand in the way of a replay', async () => {
    const order = await unpaid();
    const key = crypto.randomUUID();
    const headers = { 'If-Match': await etagOf(order.id) };
    const first = await cancel(order.id, { key, headers });
    await stack.orderIn(order.id, 'canceled');

    const again = await cancel(order.id, { key, headers });
    assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [200, first.text, 'true']);
  });
});
