import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { becomeDue, operationIn, operationsOf, refund, refundIn } from '../support/commands.js';
import { assertRulesHold } from '../support/invariants.js';
import { historyOf, keepHistory, layOrder, sentFor, strike } from '../support/laid-orders.js';
import { journalOf } from '../support/payment-facts.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

// 401 and 403: the fault is ours. What they mean for one operation stands in libs/payments/src/attempt-plan.spec.ts.

const ORDERS = 12;

let stack: Stack;

before(async () => {
  stack = await startStack();
  await keepHistory(stack.database);
});
after(() => stack.close());

const isOpen = async (name: string): Promise<boolean> =>
  (await stack.database.query(`SELECT 1 FROM breakers WHERE name = $1 AND cause = 'credentials'`, [name])).length === 1;

/** The requests of our operations to a path, so far. */
async function sends(path: RegExp): Promise<number> {
  const requests = await journalOf(stack, 'kind=request&limit=10000');
  return requests.filter((entry) => String(entry['idempotencyKey']).startsWith('op_') && path.test(String(entry['path']))).length;
}

/** Lets the half minute pass after which our credentials are tried again. */
async function letProbe(name: string): Promise<void> {
  await stack.database.query('UPDATE breakers SET open_until = now() WHERE name = $1', [name]);
}

/** Keeps the half minute from passing by itself while a busy machine takes its time. */
async function holdOpen(name: string): Promise<void> {
  await stack.database.query(`UPDATE breakers SET open_until = now() + interval '1 hour' WHERE name = $1 AND open_until > now()`, [name]);
}

/** Waits until nothing is under way, and everything of this kind that is left waits for the breaker. */
async function allWait(kind: string, name: string): Promise<void> {
  await waitFor(`every ${kind} to wait`, async () => {
    const [row] = await stack.database.query<{ others: number }>(
      `SELECT count(*)::int AS others FROM payment_operations WHERE kind = $1 AND finished_at IS NULL AND (delayed_by IS DISTINCT FROM $2 OR lease_until IS NOT NULL)`,
      [kind, name],
    );
    return row?.others === 0;
  });
}

describe('401 to everything', () => {
  let orders: readonly OrderJson[];

  it('fails no order: one refusal opens the breaker of that class, and the others are not sent', async () => {
    await stack.control('/_sim/faults', { path: '/v1/**', key: 'op_*', action: '401' });
    orders = await Promise.all(Array.from({ length: ORDERS }, () => stack.order()));
    await waitFor('the breaker to open', () => isOpen('payment_intents'));
    const [row] = await stack.database.query<{ seconds: number; trips: number; failures: number }>(
      `SELECT extract(epoch FROM open_until - opened_at)::float8 AS seconds, trips, failures FROM breakers WHERE name = 'payment_intents'`,
    );
    assert.deepEqual(row && { ...row }, { seconds: 30, trips: 1, failures: 1 });
    await holdOpen('payment_intents');
    await allWait('create', 'payment_intents');
    orders = [...orders, await stack.order()];
    await allWait('create', 'payment_intents');
    for (const { id } of orders) {
      const { status, payment } = await stack.readOrder(id);
      assert.deepEqual([status, payment.pendingOperation, payment.lastError], ['pending', 'confirm', null]);
    }
  });

  it('is tried again by one call, not by each operation', async () => {
    const before = await sends(/./);
    for (const { id } of orders) for (const operation of await operationsOf(stack, id)) await becomeDue(stack, operation.id);
    await letProbe('payment_intents');
    await waitFor('the probe to be refused', async () => {
      const rows = await stack.database.query(`SELECT 1 FROM breakers WHERE name = 'payment_intents' AND trips = 2`);
      return rows.length === 1;
    });
    await holdOpen('payment_intents');
    await allWait('create', 'payment_intents');
    assert.equal((await sends(/./)) - before, 1);
  });

  it('is over for all of them when one call is answered', async () => {
    await stack.control('/_sim/faults', undefined, 'DELETE');
    const [first = assert.fail()] = orders;
    const [operation = assert.fail()] = await operationsOf(stack, first.id);
    await letProbe('payment_intents');
    await becomeDue(stack, operation.id);
    for (const { id } of orders) await stack.orderIn(id, 'paid', 30_000);
    assert.equal(await isOpen('payment_intents'), false);
  });
});

describe('403', () => {
  it('to refunds, as to a restricted key, holds back refunds and no payment', async () => {
    const paid = await stack.orderIn((await stack.order()).id, 'paid');
    await stack.control('/_sim/faults', { route: 'POST /v1/refunds', action: '403' });
    const made = await refund(stack, paid.id, { amount: 700 });
    await waitFor('the breaker to open', () => isOpen('refunds'));
    await allWait('refund', 'refunds');
    const other = await refund(stack, paid.id, { amount: 300 });
    await allWait('refund', 'refunds');
    await stack.orderIn((await stack.order()).id, 'paid');
    assert.equal((await refundIn(stack, made.id, 'pending')).failureReason, null);
    assert.equal(await sends(/refunds/), 1);

    await stack.control('/_sim/faults', undefined, 'DELETE');
    await letProbe('refunds');
    await becomeDue(stack, (await operationIn(stack, paid.id, 'refund', 'queued')).id);
    await refundIn(stack, made.id, 'succeeded');
    await refundIn(stack, other.id, 'succeeded');
  });

  it('to an operation in doubt leaves it in doubt, under its key', async () => {
    await stack.stopWorker();
    const laid = await layOrder(stack);
    await strike(stack, laid, 'confirm', { action: 'reset', phase: 'after', nth: [1] });
    await strike(stack, laid, 'confirm', { action: '403', nth: [2] });
    await stack.startWorker();
    await waitFor('the breaker to open', () => isOpen('payment_intents'));
    await allWait('confirm', 'payment_intents');
    await letProbe('payment_intents');
    await becomeDue(stack, (await operationIn(stack, laid.id, 'confirm', 'unknown')).id);
    await operationIn(stack, laid.id, 'confirm', 'done');
    await stack.orderIn(laid.id, 'paid');
    assert.match(
      await historyOf(stack, laid, 'confirm'),
      /^in_flight unknown in_flight\? unknown( in_flight\? unknown)* in_flight\? done\?$/,
    );
    for (const { generation } of await sentFor(stack, laid, 'confirm')) assert.equal(generation, 1);
  });

  it('leaves the rules kept', () => assertRulesHold(stack));
});
