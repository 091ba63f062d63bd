import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { command, intentOf, operationIn, operationsOf } from '../support/commands.js';
import { effectsOn, journalOf, payInBrowser } from '../support/payment-facts.js';
import { assertProblem } from '../support/problem.js';
import { type OrderJson, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';

const DECLINED = { paymentMethod: 'pm_card_chargeDeclined' };
const ANOTHER = { paymentMethod: 'pm_card_mastercard' };
const AUTHENTICATED = { paymentMethod: 'pm_card_authenticationRequired' };

let stack: Stack;
/** An order that nothing is ever paid of. */
let untouched: OrderJson;
before(async () => {
  stack = await startStack();
  untouched = await unpaid();
});
after(() => stack.close());

async function unpaid(overrides: object = { paymentMethod: undefined }): Promise<OrderJson> {
  return stack.orderIn((await stack.order(overrides)).id, 'requires_payment');
}

async function pay(orderId: string, body: object = ANOTHER): Promise<void> {
  const answer = await command(stack, orderId, 'pay', body);
  assert.equal(answer.status, 200, answer.text);
}

describe('POST /v1/orders/{id}/pay', () => {
  it('after a decline is a new operation under a new key on the same intent, and the other card pays', async () => {
    const order = await unpaid(DECLINED);
    assert.deepEqual(
      JSON.stringify(order.payment.lastError),
      JSON.stringify({ code: 'card_declined', declineCode: 'generic_decline', message: 'Your card was declined.' }),
    );
    const intent = intentOf(order);
    const answer = await command(stack, order.id, 'pay', ANOTHER);

    assert.equal(answer.status, 200, answer.text);
    const ordered: OrderJson = JSON.parse(answer.text);
    assert.deepEqual(
      [ordered.status, ordered.payment.pendingOperation, ordered.payment.stripePaymentIntentId],
      ['processing', 'confirm', intent],
    );
    const paid = await stack.orderIn(order.id, 'paid');
    assert.deepEqual([paid.payment.stripePaymentIntentId, paid.payment.lastError, paid.amountCaptured], [intent, null, 2_000]);

    const confirms = (await operationsOf(stack, order.id)).filter(({ kind }) => kind === 'confirm');
    assert.deepEqual(
      confirms.map(({ status, ordered_by: by }) => [by, status]),
      [
        ['create', 'declined'],
        ['pay', 'done'],
      ],
    );
    assert.equal(new Set(confirms.map(({ key }) => key)).size, 2);
    for (const { key } of confirms) assert.equal((await journalOf(stack, `kind=request&key=${key}`)).length, 1);
    assert.deepEqual(await effectsOn(stack, intent), ['declined 2000 usd', 'authorized 2000 usd', 'captured 2000 usd']);
  });

  it('with the same card again is a new attempt too, never the replay of the old decline', async () => {
    const order = await unpaid(DECLINED);
    await pay(order.id, DECLINED);
    await operationIn(stack, order.id, 'confirm', 'declined');
    await stack.orderIn(order.id, 'requires_payment');
    await pay(order.id, DECLINED);
    await stack.orderIn(order.id, 'requires_payment');

    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['declined 2000 usd', 'declined 2000 usd', 'declined 2000 usd']);
    await pay(order.id);
    await stack.orderIn(order.id, 'paid');
  });

  it('of an order created without a payment method makes it processing at once', async () => {
    const order = await unpaid();
    await stack.stopWorker();
    const answer = await command(stack, order.id, 'pay', ANOTHER);
    assert.deepEqual(
      [answer.status, answer.json['status'], Object(answer.json['payment'])['pendingOperation']],
      [200, 'processing', 'confirm'],
    );
    assert.equal((await stack.readOrder(order.id)).status, 'processing');
    await stack.startWorker();

    await stack.orderIn(order.id, 'paid');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
  });

  it('while an operation is open is refused with operation_in_progress, which is not stored', async () => {
    const order = await unpaid();
    await stack.stopWorker();
    await pay(order.id, DECLINED);
    const key = crypto.randomUUID();
    for (const [name, body] of [
      ['pay', ANOTHER],
      ['capture', {}],
      ['cancel', undefined],
      ['refunds', {}],
    ] as const) {
      const refused = await command(stack, order.id, name, body, { key: name === 'pay' ? key : crypto.randomUUID() });
      assertProblem(refused, 409, 'operation_in_progress');
      assert.equal(refused.headers.get('Retry-After'), '1');
    }
    await stack.startWorker();
    await stack.orderIn(order.id, 'requires_payment');

    const answer = await command(stack, order.id, 'pay', ANOTHER, { key });
    assert.deepEqual([answer.status, answer.headers.get('Idempotency-Replayed')], [200, null]);
    await stack.orderIn(order.id, 'paid');
  });

  it('lets one of 32 concurrent attempts begin, and one charge be made', async () => {
    const order = await unpaid();
    const answers = await Promise.all(Array.from({ length: 32 }, () => command(stack, order.id, 'pay', ANOTHER)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal(answers.filter(({ status }) => status === 409).length, 31);
    await stack.orderIn(order.id, 'paid');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
  });

  it('is answered with the first answer when its key repeats, whatever became of the order', async () => {
    const order = await unpaid();
    const key = crypto.randomUUID();
    const first = await command(stack, order.id, 'pay', ANOTHER, { key });
    await stack.orderIn(order.id, 'paid');

    const again = await command(stack, order.id, 'pay', ANOTHER, { key });
    assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [200, first.text, 'true']);
    assertProblem(await command(stack, order.id, 'pay', DECLINED, { key }), 422, 'idempotency_key_reused');
  });

  it('with a payment method that Stripe does not know leaves the order to be paid, and says why', async () => {
    const order = await unpaid();
    await pay(order.id, { paymentMethod: 'pm_of_another_account' });
    const refused = await stack.orderIn(order.id, 'requires_payment');
    assert.equal(refused.payment.lastError?.code, 'resource_missing');

    await pay(order.id);
    await stack.orderIn(order.id, 'paid');
  });

  it('that comes after the buyer has paid in the browser ends well: the order is paid once, and no error is shown', async () => {
    const order = await unpaid();
    await stack.control('/_sim/webhooks', { action: 'drop' });
    assert.equal((await payInBrowser(stack, order, 'pm_card_visa')).status, 200);
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    await pay(order.id);

    const paid = await stack.orderIn(order.id, 'paid');
    assert.deepEqual([paid.payment.lastError, paid.amountCaptured], [null, 2_000]);
    assert.equal((await operationIn(stack, order.id, 'confirm', 'done')).ordered_by, 'pay');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
  });

  for (const body of [undefined, {}, { paymentMethod: '' }, { paymentMethod: 'visa' }, { paymentMethod: 'pm_card_visa', amount: 1 }]) {
    it(`refuses ${JSON.stringify(body) ?? 'no body'}`, async () => {
      assertProblem(await command(stack, untouched.id, 'pay', body), 400, 'validation_failed');
      assert.equal((await stack.readOrder(untouched.id)).status, 'requires_payment');
    });
  }

  it("does not find another account's order", async () => {
    assertProblem(
      await stack.call(`/v1/orders/${untouched.id}/pay`, { key: SECRET_KEYS[1], idempotencyKey: crypto.randomUUID(), body: ANOTHER }),
      404,
      'not_found',
    );
  });
});

describe('an order that is', () => {
  const final = ['paid', 'partially_refunded', 'refunded', 'canceled', 'failed'] as const;
  for (const status of final) {
    it(`${status} cannot be paid, and the refusal is stored`, async () => {
      const { id } = await orderThatIs(status);
      const key = crypto.randomUUID();
      const refused = await command(stack, id, 'pay', ANOTHER, { key });
      assertProblem(refused, 409, 'order_not_payable');

      const again = await command(stack, id, 'pay', ANOTHER, { key });
      assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [409, refused.text, 'true']);
    });
  }

  for (const [status, overrides] of [
    ['requires_action', AUTHENTICATED],
    ['processing', { paymentMethod: 'pm_simulator_processing' }],
    ['authorized', { captureMethod: 'manual' }],
  ] as const) {
    it(`${status} cannot be paid`, async () => {
      const { id } = await stack.orderIn((await stack.order(overrides)).id, status);
      assertProblem(await command(stack, id, 'pay', ANOTHER), 409, 'order_not_payable');
    });
  }

  async function orderThatIs(status: (typeof final)[number]): Promise<OrderJson> {
    switch (status) {
      case 'paid':
        return stack.orderIn((await stack.order()).id, 'paid');
      case 'partially_refunded':
      case 'refunded': {
        const { id } = await stack.orderIn((await stack.order()).id, 'paid');
        await command(stack, id, 'refunds', status === 'refunded' ? {} : { amount: 1 });
        return stack.orderIn(id, status);
      }
      case 'canceled': {
        const { id } = await unpaid();
        await command(stack, id, 'cancel');
        return stack.orderIn(id, 'canceled');
      }
      case 'failed': {
        await stack.control('/_sim/faults', { route: 'POST /v1/payment_intents', action: 'error', status: 400, count: 1 });
        return stack.orderIn((await stack.order()).id, 'failed');
      }
    }
  }
});

describe('a payment that its holder must authenticate', () => {
  async function asked(): Promise<OrderJson> {
    const order = await unpaid();
    await pay(order.id, AUTHENTICATED);
    const waiting = await stack.orderIn(order.id, 'requires_action');
    assert.match(waiting.payment.nextAction?.url ?? '', /^http/);
    return waiting;
  }

  it('is charged once when the holder completes it', async () => {
    const order = await asked();
    await stack.control(`/_sim/payment_intents/${intentOf(order)}/next_action`, { outcome: 'succeeded' });

    const paid = await stack.orderIn(order.id, 'paid');
    assert.equal(paid.payment.nextAction, null);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
  });

  it('can be paid otherwise when the holder fails it', async () => {
    const order = await asked();
    await stack.control(`/_sim/payment_intents/${intentOf(order)}/next_action`, { outcome: 'failed' });
    const failed = await stack.orderIn(order.id, 'requires_payment');
    assert.equal(failed.payment.lastError?.code, 'payment_intent_authentication_failure');

    await pay(order.id);
    const paid = await stack.orderIn(order.id, 'paid');
    assert.equal(paid.payment.stripePaymentIntentId, intentOf(order));
  });

  it('is paid by another card in the browser, on the same intent, when the holder abandons it', async () => {
    const order = await asked();
    assert.equal((await payInBrowser(stack, order, 'pm_card_visa')).status, 200);
    const paid = await stack.orderIn(order.id, 'paid');
    assert.deepEqual([paid.payment.stripePaymentIntentId, paid.payment.nextAction], [intentOf(order), null]);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
  });

  it('stays open when the holder abandons it, until it is canceled; then completing it charges nothing', async () => {
    const order = await asked();
    assertProblem(await command(stack, order.id, 'pay', ANOTHER), 409, 'order_not_payable');
    assert.equal((await command(stack, order.id, 'cancel')).status, 200);
    await stack.orderIn(order.id, 'canceled');

    const late = await stack.control(`/_sim/payment_intents/${intentOf(order)}/next_action`, { outcome: 'succeeded' });
    assert.equal(late.status, 400);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), []);
  });
});

describe('a payment that takes days', () => {
  async function underWay(): Promise<OrderJson> {
    const order = await unpaid();
    await pay(order.id, { paymentMethod: 'pm_simulator_processing' });
    await operationIn(stack, order.id, 'confirm', 'done');
    const processing = await stack.orderIn(order.id, 'processing');
    assert.deepEqual([processing.payment.status, processing.payment.pendingOperation], ['processing', null]);
    return processing;
  }

  it('is paid when the bank says yes', async () => {
    const order = await underWay();
    await stack.control(`/_sim/payment_intents/${intentOf(order)}/settle`, { outcome: 'succeeded' });
    assert.equal((await stack.orderIn(order.id, 'paid')).amountCaptured, 2_000);
  });

  it('requires a payment when the bank says no, and another card pays it', async () => {
    const order = await underWay();
    await stack.control(`/_sim/payment_intents/${intentOf(order)}/settle`, { outcome: 'failed' });
    const failed = await stack.orderIn(order.id, 'requires_payment');
    assert.notEqual(failed.payment.lastError, null);

    await pay(order.id);
    await stack.orderIn(order.id, 'paid');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), [
      'debit_pending 2000 usd',
      'debit_failed 2000 usd',
      'authorized 2000 usd',
      'captured 2000 usd',
    ]);
  });
});
