import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { command, intentOf, operationIn, operationsOf, timelineOf } from '../support/commands.js';
import { effectsOn, journalOf } from '../support/payment-facts.js';
import { assertProblem, fieldsOf } from '../support/problem.js';
import { type OrderJson, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';

const SEVEN_DAYS_SECONDS = 7 * 86_400;

let stack: Stack;
/** An authorized order of which nothing is ever captured. */
let untouched: OrderJson;
before(async () => {
  stack = await startStack();
  untouched = await authorized();
});
after(() => stack.close());

async function authorized(overrides: object = {}): Promise<OrderJson> {
  return stack.orderIn((await stack.order({ captureMethod: 'manual', ...overrides })).id, 'authorized');
}

describe('POST /v1/orders/{id}/capture', () => {
  it('answers with the order, still authorized and with the capture ordered, and takes all of the money', async () => {
    const order = await authorized();
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd']);
    const answer = await command(stack, order.id, 'capture');

    assert.equal(answer.status, 200, answer.text);
    const ordered: OrderJson = JSON.parse(answer.text);
    assert.deepEqual(
      [ordered.id, ordered.status, ordered.amountCaptured, ordered.payment.pendingOperation],
      [order.id, 'authorized', 0, 'capture'],
    );
    assert.equal(answer.headers.get('Location'), `/v1/orders/${order.id}`);
    const paid = await stack.orderIn(order.id, 'paid');
    assert.deepEqual([paid.amountCaptured, paid.payment.status, paid.payment.pendingOperation], [2_000, 'succeeded', null]);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd']);
  });

  it('takes a part, releases the rest, and only the part can be refunded', async () => {
    const order = await authorized();
    await command(stack, order.id, 'capture', { amount: 1_200 });

    assert.equal((await stack.orderIn(order.id, 'paid')).amountCaptured, 1_200);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 1200 usd', 'released 800 usd']);
    assertProblem(await command(stack, order.id, 'refunds', { amount: 1_201 }), 409, 'refund_exceeds_captured');
    const refunded = await command(stack, order.id, 'refunds');
    assert.deepEqual([refunded.status, refunded.json['amount']], [201, 1_200]);
    await stack.orderIn(order.id, 'refunded');
  });

  it('takes the part of a currency without decimals as it stands', async () => {
    const order = await authorized({ currency: 'jpy' });
    await command(stack, order.id, 'capture', { amount: 999 });
    assert.equal((await stack.orderIn(order.id, 'paid')).amountCaptured, 999);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 jpy', 'captured 999 jpy', 'released 1001 jpy']);
  });

  it('refuses more than was authorized, naming the field, and the order stays as it is', async () => {
    const order = await authorized();
    const key = crypto.randomUUID();
    const refused = await command(stack, order.id, 'capture', { amount: 2_001 }, { key });
    assertProblem(refused, 400, 'validation_failed');
    assert.deepEqual(fieldsOf(refused), ['amount']);
    assert.equal((await operationsOf(stack, order.id)).filter(({ kind }) => kind === 'capture').length, 0);

    assert.equal((await command(stack, order.id, 'capture', { amount: 2_000 }, { key })).status, 200);
    await stack.orderIn(order.id, 'paid');
  });

  for (const body of [
    { amount: 0 },
    { amount: -5 },
    { amount: 1.5 },
    { amount: '5' },
    { amount: null },
    { amount: 5, currency: 'usd' },
    [],
    null,
  ]) {
    it(`refuses ${JSON.stringify(body)}`, async () => {
      assertProblem(await command(stack, untouched.id, 'capture', body), 400, 'validation_failed');
      assert.equal((await stack.readOrder(untouched.id)).status, 'authorized');
    });
  }

  it('is refused a second time, for ever, byte for byte under its key', async () => {
    const order = await authorized();
    await command(stack, order.id, 'capture', { amount: 700 });
    await stack.orderIn(order.id, 'paid');
    const key = crypto.randomUUID();
    const refused = await command(stack, order.id, 'capture', { amount: 700 }, { key });
    assertProblem(refused, 409, 'order_not_capturable');

    const again = await command(stack, order.id, 'capture', { amount: 700 }, { key });
    assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [409, refused.text, 'true']);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 700 usd', 'released 1300 usd']);
  });

  it('gives its first answer again under its key after the money was taken', async () => {
    const order = await authorized();
    const key = crypto.randomUUID();
    const first = await command(stack, order.id, 'capture', { amount: 500 }, { key });
    await stack.orderIn(order.id, 'paid');

    const again = await command(stack, order.id, 'capture', { amount: 500 }, { key });
    assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [200, first.text, 'true']);
    assertProblem(await command(stack, order.id, 'capture', { amount: 600 }, { key }), 422, 'idempotency_key_reused');
  });

  it('is refused to an order that waits for its buyer, without being stored', async () => {
    const order = await stack.orderIn((await stack.order({ captureMethod: 'manual', paymentMethod: undefined })).id, 'requires_payment');
    const key = crypto.randomUUID();
    assertProblem(await command(stack, order.id, 'capture', {}, { key }), 409, 'order_not_capturable');
    await command(stack, order.id, 'pay', { paymentMethod: 'pm_card_visa' });
    await stack.orderIn(order.id, 'authorized');

    assert.equal((await command(stack, order.id, 'capture', {}, { key })).status, 200);
  });

  it('is refused to an order captured automatically', async () => {
    const order = await stack.orderIn((await stack.order()).id, 'paid');
    assertProblem(await command(stack, order.id, 'capture'), 409, 'order_not_capturable');
  });

  it("does not find another account's order", async () => {
    assertProblem(
      await stack.call(`/v1/orders/${untouched.id}/capture`, { key: SECRET_KEYS[1], idempotencyKey: crypto.randomUUID(), body: {} }),
      404,
      'not_found',
    );
  });
});

describe('an authorized order', () => {
  it('can be canceled instead, which releases all of the money', async () => {
    const order = await authorized();
    const answer = await command(stack, order.id, 'cancel');
    assert.deepEqual(
      [answer.status, answer.json['status'], Object(answer.json['payment'])['pendingOperation']],
      [200, 'authorized', 'cancel'],
    );

    await stack.orderIn(order.id, 'canceled');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'released 2000 usd']);
    assertProblem(await command(stack, order.id, 'capture'), 409, 'order_not_capturable');
  });

  it('lets one of 32 captures and 32 cancellations win and refuses the others', async () => {
    const order = await authorized();
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, index) => command(stack, order.id, index % 2 === 0 ? 'capture' : 'cancel')),
    );

    const won = answers.filter(({ status }) => status === 200);
    assert.deepEqual([won.length, answers.filter(({ status }) => status === 409).length], [1, 63]);
    for (const { json } of answers.filter(({ status }) => status === 409)) {
      assert.ok(
        ['operation_in_progress', 'order_not_capturable', 'order_not_cancelable'].includes(String(json['code'])),
        String(json['code']),
      );
    }
    const winner = Object(won[0]?.json['payment'])['pendingOperation'];
    await stack.orderIn(order.id, winner === 'capture' ? 'paid' : 'canceled');
    const sent = (await operationsOf(stack, order.id)).filter(({ kind }) => kind === 'capture' || kind === 'cancel');
    assert.deepEqual(
      sent.map(({ kind, status }) => [kind, status]),
      [[winner, 'done']],
    );
    assert.deepEqual(await effectsOn(stack, intentOf(order)), [
      'authorized 2000 usd',
      winner === 'capture' ? 'captured 2000 usd' : 'released 2000 usd',
    ]);
  });

  it('is captured once when the reply to the capture is lost', async () => {
    const order = await authorized();
    await stack.control('/_sim/faults', {
      path: `/v1/payment_intents/${intentOf(order)}/capture`,
      phase: 'after',
      action: 'reset',
      count: 1,
    });
    await command(stack, order.id, 'capture', { amount: 1_500 });

    await stack.orderIn(order.id, 'paid');
    await operationIn(stack, order.id, 'capture', 'done');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 1500 usd', 'released 500 usd']);
  });

  it("that was canceled in Stripe's dashboard while a capture was on its way ends canceled, the refusal on its timeline", async () => {
    const order = await authorized();
    await stack.stopWorker();
    await command(stack, order.id, 'capture');
    await stack.stripe.paymentIntents.cancel(intentOf(order));
    await stack.startWorker();

    await stack.orderIn(order.id, 'canceled');
    await operationIn(stack, order.id, 'capture', 'rejected');
    const [refusal] = (await timelineOf(stack, order.id)).filter(({ type }) => type === 'operation.rejected');
    assert.equal(Object(refusal?.data['error'])['code'], 'payment_intent_unexpected_state');
  });

  it("that was captured in Stripe's dashboard is paid, and our capture of it ends well", async () => {
    const order = await authorized();
    await stack.stopWorker();
    await command(stack, order.id, 'capture');
    await stack.stripe.paymentIntents.capture(intentOf(order));
    await stack.startWorker();

    assert.equal((await stack.orderIn(order.id, 'paid')).amountCaptured, 2_000);
    await operationIn(stack, order.id, 'capture', 'done');
  });

  it('is canceled when its authorization lapses after 7 days, and the timeline says that it expired', async () => {
    const order = await authorized();
    await stack.control('/_sim/clock', { advanceSeconds: SEVEN_DAYS_SECONDS - 60 });
    assert.equal((await stack.stripe.paymentIntents.retrieve(intentOf(order))).status, 'requires_capture');
    await stack.control('/_sim/clock', { advanceSeconds: 120 });

    const lapsed = await stack.orderIn(order.id, 'canceled');
    assert.equal(lapsed.amountCaptured, 0);
    const end = (await timelineOf(stack, order.id)).findLast(({ type }) => type === 'order.canceled');
    assert.equal(end?.cause, 'authorization_expired');
    assertProblem(await command(stack, order.id, 'capture'), 409, 'order_not_capturable');
    assert.deepEqual(
      (await journalOf(stack, `kind=effect&paymentIntent=${intentOf(order)}`)).map(({ type, origin }) => [type, origin]),
      [
        ['authorized', 'api'],
        ['released', 'clock'],
      ],
    );
  });
});
