import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  becomeDue,
  command,
  intentOf,
  operationIn,
  operationsOf,
  readRefund,
  refund,
  refundIn,
  refundsOf,
  timelineOf,
} from '../support/commands.js';
import { effectsOn, journalOf, payInBrowser } from '../support/payment-facts.js';
import { assertProblem } from '../support/problem.js';
import { type OrderJson, SECRET_KEYS, type Stack, startStack, WITHOUT_BREAKER } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.close());

async function paid(overrides: object = {}): Promise<OrderJson> {
  return stack.orderIn((await stack.order(overrides)).id, 'paid');
}

/** captured, refunded, pending */
async function amountsOf(id: string): Promise<readonly unknown[]> {
  const { json } = await stack.call(`/v1/orders/${id}`);
  return [json['amountCaptured'], json['amountRefunded'], json['amountRefundPending']];
}

/** How many refunds Stripe was asked for that were carried out. */
async function refundsAtStripe(order: OrderJson, of: Stack = stack): Promise<number> {
  return (await of.stripe.refunds.list({ payment_intent: intentOf(order), limit: 100 })).data.length;
}

describe('POST /v1/orders/{id}/refunds', () => {
  it('answers 201 with a pending refund and its Location, and Stripe returns the money once', async () => {
    const order = await paid();
    const answer = await command(stack, order.id, 'refunds', { amount: 500, reason: 'requested_by_customer' });

    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(Object.keys(answer.json), [
      'id',
      'object',
      'order',
      'amount',
      'currency',
      'status',
      'reason',
      'failureReason',
      'stripeRefundId',
      'createdAt',
    ]);
    const { id, createdAt, ...rest } = answer.json;
    assert.match(String(id), /^ref_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      object: 'refund',
      order: order.id,
      amount: 500,
      currency: 'usd',
      status: 'pending',
      reason: 'requested_by_customer',
      failureReason: null,
      stripeRefundId: null,
    });
    assert.equal(answer.headers.get('Location'), `/v1/refunds/${String(id)}`);

    const done = await refundIn(stack, String(id), 'succeeded');
    assert.equal(done.createdAt, createdAt);
    const atStripe = await stack.stripe.refunds.retrieve(String(done.stripeRefundId));
    assert.deepEqual(
      [atStripe.amount, atStripe.status, atStripe.reason, atStripe.metadata?.['oncepay_order']],
      [500, 'succeeded', 'requested_by_customer', order.id],
    );
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd', 'refunded 500 usd']);
  });

  it('without an amount, and even without a body, returns all that is left, and the order is refunded', async () => {
    const order = await paid();
    assert.equal((await refund(stack, order.id, { amount: 300 })).amount, 300);
    const rest = await command(stack, order.id, 'refunds');

    assert.deepEqual([rest.status, rest.json['amount']], [201, 1_700], rest.text);
    await stack.orderIn(order.id, 'refunded');
    assert.deepEqual(await amountsOf(order.id), [2_000, 2_000, 0]);
  });

  it('is carried out twice when two equal partial refunds follow each other', async () => {
    const order = await paid();
    const [one, two] = [await refund(stack, order.id, { amount: 700 }), await refund(stack, order.id, { amount: 700 })];

    assert.notEqual(one.id, two.id);
    const [first, second] = [await refundIn(stack, one.id, 'succeeded'), await refundIn(stack, two.id, 'succeeded')];
    assert.notEqual(first.stripeRefundId, second.stripeRefundId);
    assert.equal((await stack.readOrder(order.id)).status, 'partially_refunded');
    assert.deepEqual(await amountsOf(order.id), [2_000, 1_400, 0]);
    assert.equal(await refundsAtStripe(order), 2);
    assert.deepEqual(
      (await refundsOf(stack, order.id)).map(({ id }) => id),
      [two.id, one.id],
    );
  });

  it('runs many refunds beside each other, which add up to what was captured', async () => {
    const order = await paid();
    await Promise.all(Array.from({ length: 20 }, () => refund(stack, order.id, { amount: 100 })));

    await stack.orderIn(order.id, 'refunded');
    assert.deepEqual(await amountsOf(order.id), [2_000, 2_000, 0]);
    assert.equal(await refundsAtStripe(order), 20);
  });

  it('lets exactly one of 64 concurrent full refunds win, and sends nothing for the others', async () => {
    const order = await paid();
    const answers = await Promise.all(Array.from({ length: 64 }, () => command(stack, order.id, 'refunds', { amount: 2_000 })));

    const refused = answers.filter(({ status }) => status !== 201);
    assert.equal(refused.length, 63);
    for (const answer of refused) assertProblem(answer, 409, 'refund_exceeds_captured');
    await stack.orderIn(order.id, 'refunded');
    assert.equal((await refundsOf(stack, order.id)).length, 1);
    const asked = (await operationsOf(stack, order.id)).filter(({ kind }) => kind === 'refund');
    assert.equal(asked.length, 1);
    assert.equal((await journalOf(stack, `kind=request&key=${asked[0]?.key}`)).length, 1);
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd', 'captured 2000 usd', 'refunded 2000 usd']);
  });

  it('lets 64 concurrent requests under one key order one refund', async () => {
    const order = await paid();
    const key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 64 }, () => command(stack, order.id, 'refunds', { amount: 100 }, { key })));

    assert.deepEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1, answers[0]?.text);
    assert.equal(answers[0]?.status, 201);
    assert.equal((await refundsOf(stack, order.id)).length, 1);
  });

  it('is refused when it is larger than what is left, what is pending included', async () => {
    const order = await paid({ paymentMethod: 'pm_card_pendingRefund' });
    await refund(stack, order.id, { amount: 1_500 });

    const refused = await command(stack, order.id, 'refunds', { amount: 501 });
    assertProblem(refused, 409, 'refund_exceeds_captured');
    assert.equal((await refundsOf(stack, order.id)).length, 1);
    await refund(stack, order.id, { amount: 500 });
    assertProblem(await command(stack, order.id, 'refunds'), 409, 'refund_exceeds_captured');
  });

  it('is refused for too much, but the refusal is not stored: what failed leaves room for the same request', async () => {
    const order = await paid();
    const first = await refundIn(stack, (await refund(stack, order.id, { amount: 2_000 })).id, 'succeeded');
    const key = crypto.randomUUID();
    assertProblem(await command(stack, order.id, 'refunds', { amount: 1_200 }, { key }), 409, 'refund_exceeds_captured');
    await stack.control(`/_sim/refunds/${String(first.stripeRefundId)}/settle`, { outcome: 'failed' });
    await stack.orderIn(order.id, 'paid');

    const answer = await command(stack, order.id, 'refunds', { amount: 1_200 }, { key });
    assert.deepEqual([answer.status, answer.headers.get('Idempotency-Replayed')], [201, null], answer.text);
    await stack.orderIn(order.id, 'partially_refunded');
  });

  it('is refused before anything was captured, while that may still happen without being stored', async () => {
    const order = await stack.orderIn((await stack.order({ captureMethod: 'manual' })).id, 'authorized');
    const key = crypto.randomUUID();
    assertProblem(await command(stack, order.id, 'refunds', {}, { key }), 409, 'order_not_refundable');
    await command(stack, order.id, 'capture');
    await stack.orderIn(order.id, 'paid');

    assert.equal((await command(stack, order.id, 'refunds', {}, { key })).status, 201);
  });

  it('is refused for ever for an order that can never be paid, byte for byte under its key', async () => {
    const order = await stack.orderIn((await stack.order({ paymentMethod: undefined })).id, 'requires_payment');
    await command(stack, order.id, 'cancel');
    await stack.orderIn(order.id, 'canceled');
    const key = crypto.randomUUID();
    const first = await command(stack, order.id, 'refunds', {}, { key });
    assertProblem(first, 409, 'order_not_refundable');

    const again = await command(stack, order.id, 'refunds', {}, { key });
    assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [409, first.text, 'true']);
  });

  it('gives the same refund when its key repeats, and refuses another amount under the key', async () => {
    const order = await paid();
    const key = crypto.randomUUID();
    const first = await command(stack, order.id, 'refunds', { amount: 800 }, { key });
    await refundIn(stack, String(first.json['id']), 'succeeded');

    const again = await command(stack, order.id, 'refunds', { amount: 800 }, { key });
    assert.deepEqual([again.status, again.text, again.headers.get('Location')], [201, first.text, first.headers.get('Location')]);
    assert.equal(again.headers.get('Idempotency-Replayed'), 'true');
    assertProblem(await command(stack, order.id, 'refunds', { amount: 801 }, { key }), 422, 'idempotency_key_reused');
    assertProblem(await command(stack, order.id, 'refunds', {}, { key }), 422, 'idempotency_key_reused');
    const other = await paid();
    assertProblem(await command(stack, other.id, 'refunds', { amount: 800 }, { key }), 422, 'idempotency_key_reused');
    assert.equal(await refundsAtStripe(order), 1);
  });

  for (const body of [
    { amount: 0 },
    { amount: -1 },
    { amount: 1.5 },
    { amount: '5' },
    { amount: null },
    { amount: 1_000_000_000_000 },
    { reason: 'because' },
    { amount: 5, currency: 'usd' },
    [],
    null,
  ]) {
    it(`refuses ${JSON.stringify(body)}`, async () => {
      const [{ id } = { id: '' }] = await stack
        .call('/v1/orders?status=paid&limit=1')
        .then(({ text }): OrderJson[] => JSON.parse(text).data);
      assertProblem(await command(stack, id, 'refunds', body), 400, 'validation_failed');
    });
  }

  it("of another account's order or refund is not found", async () => {
    const order = await paid();
    const made = await refund(stack, order.id, { amount: 100 });
    const other = { key: SECRET_KEYS[1] };
    assertProblem(
      await stack.call(`/v1/orders/${order.id}/refunds`, { ...other, idempotencyKey: crypto.randomUUID(), body: {} }),
      404,
      'not_found',
    );
    assertProblem(await stack.call(`/v1/orders/${order.id}/refunds`, other), 404, 'not_found');
    assertProblem(await stack.call(`/v1/refunds/${made.id}`, other), 404, 'not_found');
    assertProblem(await stack.call('/v1/refunds/ref_nonsense'), 404, 'not_found');
  });
});

describe('a refund', () => {
  it('whose reply is lost after the effect is one refund at Stripe', async () => {
    const order = await paid();
    await stack.control('/_sim/faults', { route: 'POST /v1/refunds', phase: 'after', action: 'reset', count: 1 });
    const made = await refund(stack, order.id, { amount: 900 });

    await refundIn(stack, made.id, 'succeeded');
    await operationIn(stack, order.id, 'refund', 'done');
    assert.equal(await refundsAtStripe(order), 1);
    assert.deepEqual(await amountsOf(order.id), [2_000, 900, 0]);
  });

  it('that is pending at Stripe is pending here, then succeeds', async () => {
    const order = await paid({ paymentMethod: 'pm_card_pendingRefund' });
    const made = await refund(stack, order.id, { amount: 400 });
    const pending = await waitFor('Stripe to have taken it', async () => {
      const seen = await readRefund(stack, made.id);
      return seen.stripeRefundId !== null && seen;
    });
    assert.equal(pending.status, 'pending');
    assert.equal((await stack.readOrder(order.id)).status, 'paid');
    assert.deepEqual(await amountsOf(order.id), [2_000, 0, 400]);

    await stack.control(`/_sim/refunds/${String(pending.stripeRefundId)}/settle`, { outcome: 'succeeded' });
    await refundIn(stack, made.id, 'succeeded');
    assert.equal((await stack.readOrder(order.id)).status, 'partially_refunded');
    assert.deepEqual(await amountsOf(order.id), [2_000, 400, 0]);
  });

  it('that succeeded and fails later gives amounts and order status back, and says why', async () => {
    const order = await paid({ paymentMethod: 'pm_card_refundFail' });
    const made = await refund(stack, order.id, {});
    assert.equal(made.amount, 2_000);
    await stack.orderIn(order.id, 'refunded');
    await stack.control('/_sim/clock', { advanceSeconds: 4 });

    const failed = await refundIn(stack, made.id, 'failed');
    assert.equal(failed.failureReason, 'expired_or_canceled_card');
    assert.equal((await stack.readOrder(order.id)).status, 'paid');
    assert.deepEqual(await amountsOf(order.id), [2_000, 0, 0]);
    const moves = (await timelineOf(stack, order.id)).filter(({ type }) => /^(order|refund)\./.test(type)).map(({ type }) => type);
    assert.deepEqual(moves, [
      'order.created',
      'order.paid',
      'refund.pending',
      'refund.succeeded',
      'order.refunded',
      'refund.failed',
      'order.paid',
    ]);
  });

  it("made in Stripe's dashboard becomes a refund of ours, and counts", async () => {
    const order = await paid();
    const ours = await refund(stack, order.id, { amount: 600 });
    const theirs = await stack.stripe.refunds.create({ payment_intent: intentOf(order), amount: 600, reason: 'duplicate' });

    await waitFor('both to be known', async () => (await refundsOf(stack, order.id)).length === 2);
    await refundIn(stack, ours.id, 'succeeded');
    const found = (await refundsOf(stack, order.id)).find(({ stripeRefundId }) => stripeRefundId === theirs.id);
    assert.deepEqual([found?.amount, found?.status, found?.reason], [600, 'succeeded', 'duplicate']);
    assert.deepEqual(await amountsOf(order.id), [2_000, 1_200, 0]);
    assertProblem(await command(stack, order.id, 'refunds', { amount: 801 }), 409, 'refund_exceeds_captured');
    assert.equal(await refundsAtStripe(order), 2);
  });

  it('that is heard of before the payment it returns leads to the payment: its intent is read', async () => {
    await stack.control('/_sim/webhooks', { action: 'drop', type: 'payment_intent.*' });
    const order = await stack.orderIn((await stack.order({ paymentMethod: undefined })).id, 'requires_payment');
    await payInBrowser(stack, order, 'pm_card_visa');
    await stack.stripe.refunds.create({ payment_intent: intentOf(order), amount: 600 });
    await stack.orderIn(order.id, 'partially_refunded');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    assert.deepEqual(await amountsOf(order.id), [2_000, 600, 0]);
  });

  it('that one made elsewhere has made impossible ends failed when Stripe refuses it', async () => {
    const order = await paid();
    await stack.stopWorker();
    const made = await refund(stack, order.id, { amount: 1_500 });
    await stack.stripe.refunds.create({ payment_intent: intentOf(order), amount: 1_000 });
    await stack.startWorker();

    assert.equal((await refundIn(stack, made.id, 'failed')).stripeRefundId, null);
    await stack.orderIn(order.id, 'partially_refunded');
    assert.deepEqual(await amountsOf(order.id), [2_000, 1_000, 0]);
  });
});

describe('a refund whose key is older than 23 hours', () => {
  let late: Stack;
  before(async () => {
    late = await startStack({ env: WITHOUT_BREAKER, virtualClock: true });
  });
  after(() => late.close());

  /** A refund that was sent, and of which nobody knows what became. */
  async function inDoubt(effect: 'after' | 'before'): Promise<{ order: OrderJson; refundId: string; operationId: string; key: string }> {
    const order = await late.orderIn((await late.order()).id, 'paid');
    await late.control('/_sim/webhooks', { action: 'drop', type: 'refund.*' });
    await late.control('/_sim/webhooks', { action: 'drop', type: 'charge.*' });
    await late.stopWorker();
    const { id: refundId } = await refund(late, order.id, { amount: 700 });
    const key = (await operationsOf(late, order.id)).at(-1)?.key ?? '';
    await late.control('/_sim/faults', { key, phase: effect, action: 'reset', count: 1 });
    await late.control('/_sim/faults', { key, phase: 'before', action: 'error', status: 503 });
    await late.startWorker();
    const { id: operationId } = await operationIn(late, order.id, 'refund', 'unknown');
    return { order, refundId, operationId, key };
  }

  /** Lets time pass for Stripe and for us, with nothing between them any more. */
  async function pass(seconds: number): Promise<void> {
    await late.control('/_sim/clock', { advanceSeconds: seconds });
    await late.control('/_sim/faults', undefined, 'DELETE');
  }

  const postsUnder = async (key: string): Promise<number> => (await journalOf(late, `kind=request&key=${key}`)).length;

  it('is looked up, and found, and not sent again', async () => {
    const { order, refundId, operationId, key } = await inDoubt('after');
    await pass(25 * 3_600);
    const sent = await postsUnder(key);
    await becomeDue(late, operationId);

    await refundIn(late, refundId, 'succeeded');
    await operationIn(late, order.id, 'refund', 'done');
    assert.equal(await postsUnder(key), sent);
    assert.equal(await refundsAtStripe(order, late), 1);
  });

  it('is sent under a new key only after two complete lists, 10 minutes apart, did not have it', async () => {
    const { order, refundId, operationId, key } = await inDoubt('before');
    await pass(25 * 3_600);
    const [sent, lists] = [await postsUnder(key), await listsSeen()];
    const looked = async (): Promise<void> => {
      const { length } = await lists();
      await becomeDue(late, operationId);
      await waitFor('a look at the list', async () => (await lists()).length > length);
      await waitFor('the look to be over', async () => {
        const [row] = await late.database.query<{ waits: boolean }>(
          'SELECT next_attempt_at > now() AND lease_until IS NULL AS waits FROM payment_operations WHERE id = $1::uuid',
          [operationId],
        );
        return row?.waits;
      });
    };
    await looked();
    await pass(540);
    await looked();
    assert.equal((await readRefund(late, refundId)).status, 'pending');
    assert.deepEqual([await postsUnder(key), await refundsAtStripe(order, late)], [sent, 0]);

    await pass(61);
    await becomeDue(late, operationId);
    await refundIn(late, refundId, 'succeeded');
    const renewed = (await operationIn(late, order.id, 'refund', 'done')).key;
    assert.notEqual(renewed, key);
    assert.deepEqual([await postsUnder(key), await postsUnder(renewed), await refundsAtStripe(order, late)], [sent, 1, 1]);
  });

  async function listsSeen(): Promise<() => Promise<readonly unknown[]>> {
    const seen = await journalOf(late, 'kind=request');
    const from = Number(seen.at(-1)?.['seq'] ?? 0);
    return async () =>
      (await journalOf(late, `kind=request&afterSeq=${from}`)).filter(({ method, path }) => method === 'GET' && path === '/v1/refunds');
  }
});
