import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertRulesHold } from '../support/invariants.js';
import { historyOf, keepHistory, type LaidOrder, layOrder, sentFor, strike, type Struck } from '../support/laid-orders.js';
import { effectsOn } from '../support/payment-facts.js';
import { type Stack, startStack, WITHOUT_BREAKER } from '../support/stack.js';
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
