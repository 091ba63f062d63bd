import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertRulesHold } from '../support/invariants.js';
import { historyOf, keepHistory, type LaidOrder, layOrder, sentFor, strike, type Struck } from '../support/laid-orders.js';
import { effectsOn } from '../support/payment-facts.js';
import { readRefund, refund, refundIn } from '../support/commands.js';
import { type OrderJson, type Stack, startStack, WITHOUT_BREAKER } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const HOUR_SECONDS = 3_600;
const PAID_ONCE = ['authorized 2000 usd', 'captured 2000 usd'];

/** The first send is cut, before or after its effect; from then on Stripe only asks for patience. */
const CASES = (['create', 'confirm'] as const).flatMap((struck) => (['before', 'after'] as const).map((phase) => ({ struck, phase })));

let stack: Stack;
const laid = new Map<string, LaidOrder>();

before(async () => {
  // Orders must not expire while the clock runs ahead.
  stack = await startStack({
    withWorker: false,
    virtualClock: true,
    env: { ORDER_EXPIRES_AFTER_SECONDS: String(365 * 24 * HOUR_SECONDS), ...WITHOUT_BREAKER },
  });
  await keepHistory(stack.database);
});
after(() => stack.close());

async function layInDoubt(struck: Struck, phase: string): Promise<LaidOrder> {
  const order = await layOrder(stack);
  await strike(stack, order, struck, { action: 'reset', phase, nth: [1] });
  await strike(stack, order, struck, { action: 'rate_limit', retryAfterSeconds: 0.2 });
  return order;
}

const advance = (hours: number): Promise<unknown> => stack.control('/_sim/clock', { advanceSeconds: hours * HOUR_SECONDS });

async function attemptsOf({ operations }: LaidOrder): Promise<number> {
  const [row] = await stack.database.query<{ attempts: number }>(
    `SELECT attempts FROM payment_operations WHERE stripe_idempotency_key LIKE $1 || '-%'`,
    [operations.confirm],
  );
  return row?.attempts ?? Number.NaN;
}

/** Whether the operation has sent once into the void and at least once into the wall. */
const isHeld = async (order: LaidOrder, struck: Struck): Promise<boolean> => (await sentFor(stack, order, struck)).length >= 2;

describe('an operation that is unknown', () => {
  it('keeps its key for 23 h, and is settled by reading after that', async () => {
    for (const { struck, phase } of CASES) laid.set(`${struck} ${phase}`, await layInDoubt(struck, phase));
    await stack.startWorker();
    for (const [name, order] of laid)
      await waitFor(`${name} to be held up`, () => isHeld(order, name.startsWith('create') ? 'create' : 'confirm'));
    await advance(22.9);
    const before = await Promise.all([...laid.values()].map(async (order) => (await sentFor(stack, order, 'create')).length));
    const first = laid.get('create before') ?? assert.fail();
    await waitFor(
      'the same key to be sent after 22.9 h',
      async () => (await sentFor(stack, first, 'create')).length > (before[0] ?? 0) + 1,
    );

    await stack.stopWorker();
    const sent = await Promise.all(
      [...laid].map(async ([name, order]) => (await sentFor(stack, order, name.startsWith('create') ? 'create' : 'confirm')).length),
    );
    await advance(0.2);
    await stack.control('/_sim/faults', undefined, 'DELETE');
    await stack.startWorker();

    for (const [index, { struck, phase }] of CASES.entries()) {
      const order = laid.get(`${struck} ${phase}`) ?? assert.fail();
      const { payment } = await stack.orderIn(order.id, 'paid');
      assert.deepEqual(await effectsOn(stack, payment.stripePaymentIntentId ?? ''), PAID_ONCE);
      const later = (await sentFor(stack, order, struck)).slice(sent[index]);
      assert.deepEqual(
        later.map(({ generation }) => generation),
        phase === 'after' ? [] : [2],
        `${struck} ${phase}`,
      );
    }
  });

  it('for 72 h is parked for a person, who finds the order as it was', async () => {
    const order = await layInDoubt('confirm', 'before');
    await waitFor('the confirm to be held up', () => isHeld(order, 'confirm'));
    await stack.control('/_sim/faults', { method: 'GET', path: '/v1/**', action: 'error', status: 503 });
    await advance(71.9);
    const attempts = await attemptsOf(order);
    await waitFor('two further looks after 71.9 h', async () => (await attemptsOf(order)) >= attempts + 2);
    assert.doesNotMatch(await historyOf(stack, order, 'confirm'), /parked/);

    await advance(0.2);
    await waitFor('the confirm to be parked', async () => (await historyOf(stack, order, 'confirm')).endsWith('parked?'));
    await stack.control('/_sim/faults', undefined, 'DELETE');
    const { status, payment, amountCaptured } = await stack.readOrder(order.id);
    assert.deepEqual([status, payment.pendingOperation, amountCaptured], ['pending', 'confirm', 0]);
    const { json } = await stack.call(`/v1/orders/${order.id}/events`);
    assert.ok(JSON.stringify(json['data']).includes('"outcome_unknown"'));
  });

  it('for 72 h is looked at once more before it is given up, as only the outage may have kept us from knowing', async () => {
    // An event would tell of it too.
    await stack.control('/_sim/webhooks', { action: 'drop' });
    const order = await layInDoubt('confirm', 'after');
    await waitFor('the confirm to be held up', () => isHeld(order, 'confirm'));
    await stack.stopWorker();
    await advance(72.1);
    await stack.control('/_sim/faults', undefined, 'DELETE');
    await stack.startWorker();
    const { payment } = await stack.orderIn(order.id, 'paid');
    assert.deepEqual(await effectsOn(stack, payment.stripePaymentIntentId ?? ''), PAID_ONCE);
    assert.doesNotMatch(await historyOf(stack, order, 'confirm'), /parked/);

    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    const { data } = await stack.stripe.events.list({ limit: 100 });
    for (const { id } of data) await stack.control('/_sim/webhooks', { action: 'resend', event: id });
  });

  it('leaves the rules kept', () => assertRulesHold(stack));
});

/** The key, metadata and parameters of an operation, as the worker sends them. */
async function requestOf(kind: string): Promise<{ id: string; key: string; params: object }> {
  const [row] = await stack.database.query<{ id: string; key: string; params: object }>(
    `SELECT id, stripe_idempotency_key AS key, params FROM payment_operations WHERE kind = $1 AND status = 'queued' ORDER BY created_at DESC LIMIT 1`,
    [kind],
  );
  return row ?? assert.fail(`no ${kind} is queued`);
}

/** What a worker did after the backup was made from which the database has been restored: the rows know nothing of it. */
describe('an operation that is queued for a day', () => {
  let paid: OrderJson;
  before(async () => {
    await stack.control('/_sim/faults', undefined, 'DELETE');
    await stack.startWorker();
    paid = await stack.orderIn((await stack.order()).id, 'paid');
    await stack.stopWorker();
  });

  it('is looked up before it is sent: an order that Stripe has charged is not charged again', async () => {
    const order = await stack.order();
    const { key, params } = await requestOf('create');
    const intent = await stack.stripe.paymentIntents.create({ ...params, amount: 2_000, currency: 'usd' }, { idempotencyKey: key });
    await stack.stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' });
    await advance(24.1);
    await stack.startWorker();

    const { payment } = await stack.orderIn(order.id, 'paid');
    assert.equal(payment.stripePaymentIntentId, intent.id);
    const made = await stack.stripe.paymentIntents.list({ limit: 100 });
    assert.equal(made.data.filter(({ metadata }) => metadata['oncepay_order'] === order.id).length, 1);
    await stack.stopWorker();
  });

  it('returns nothing twice: a refund is found, or sent when two lists 10 minutes apart lack it', async () => {
    const found = await refund(stack, paid.id, { amount: 300 });
    const { key, params } = await requestOf('refund');
    const sent = await stack.stripe.refunds.create(
      { ...params, payment_intent: paid.payment.stripePaymentIntentId ?? '' },
      { idempotencyKey: key },
    );
    const lacking = await refund(stack, paid.id, { amount: 500 });
    const { id } = await requestOf('refund');
    await advance(24.1);
    await stack.startWorker();

    assert.equal((await refundIn(stack, found.id, 'succeeded')).stripeRefundId, sent.id);
    const absentSince = (): Promise<object[]> =>
      stack.database.query(`SELECT 1 FROM payment_operations WHERE id = $1::uuid AND absent_since IS NOT NULL AND lease_until IS NULL`, [
        id,
      ]);
    await waitFor('the first list to lack the second refund', async () => (await absentSince()).length === 1);
    assert.equal((await readRefund(stack, lacking.id)).stripeRefundId, null);
    await advance(0.2);
    await stack.database.query(`UPDATE payment_operations SET next_attempt_at = now() - interval '3 seconds' WHERE id = $1::uuid`, [id]);
    await refundIn(stack, lacking.id, 'succeeded');
    const made = await stack.stripe.refunds.list({ payment_intent: paid.payment.stripePaymentIntentId ?? '' });
    assert.deepEqual(
      made.data.map(({ amount }) => amount).toSorted((a, b) => a - b),
      [300, 500],
    );
  });

  it('leaves the rules kept', () => assertRulesHold(stack));
});
