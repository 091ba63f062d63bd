import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { loadConfig } from '#libs/config';
import { createLogger } from '#libs/telemetry';
import { startWorker } from '../../apps/worker/src/worker.js';
import { assertRulesHold, keepOutbox } from '../support/invariants.js';
import { allIn } from '../support/many-orders.js';
import { effectAsText, journalOf } from '../support/payment-facts.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const ORDERS = 50;

let folder: string;
let stack: Stack;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'oncepay-outages-'));
  stack = await startStack({ stateFile: join(folder, 'stripe.jsonl') });
  await keepOutbox(stack.database);
});
after(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await stack.startSimulator();
  await stack.startWorker();
});

/** Accepted together; each of another amount, so that a charge of the wrong order shows. */
async function acceptOrders(count: number): Promise<readonly OrderJson[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => stack.order({ items: [{ name: 'T-shirt', unitAmount: 1_000 + index, quantity: 1 }] })),
  );
}

async function assertPaidOnce(orders: readonly OrderJson[]): Promise<void> {
  const paid = await allIn(stack, orders, 'paid');
  const effects = await journalOf(stack, 'kind=effect');
  for (const [index, { amount }] of orders.entries()) {
    const { amountCaptured, payment } = paid[index] ?? assert.fail();
    assert.equal(amountCaptured, amount);
    assert.deepEqual(effects.filter(({ paymentIntent }) => paymentIntent === payment.stripePaymentIntentId).map(effectAsText), [
      `authorized ${amount} usd`,
      `captured ${amount} usd`,
    ]);
  }
}

describe('with Stripe away', () => {
  it('50 orders are accepted at once, show that they wait, and are all paid once when it is back', async () => {
    await stack.stopSimulator();
    const orders = await acceptOrders(ORDERS);
    for (const { status, payment } of await allIn(stack, orders, 'pending')) {
      assert.deepEqual([status, payment.status, payment.pendingOperation, payment.lastError], ['pending', 'pending', 'confirm', null]);
    }
    assert.equal((await stack.call('/health/ready')).status, 200);
    await waitFor('the worker to have tried each, or to hold it back', async () => {
      const untouched = await stack.database.query(`SELECT 1 FROM payment_operations WHERE kind = 'create' AND fence = 0`);
      return untouched.length === 0;
    });
    // A connection that was refused carried nothing: there is no doubt to resolve.
    assert.deepEqual(
      await stack.database.query(`SELECT 1 FROM payment_operations WHERE in_doubt OR first_sent_at IS NOT NULL AND status = 'queued'`),
      [],
    );

    await stack.startSimulator();
    await assertPaidOnce(orders);
  });
});

describe('without a worker', () => {
  it('orders are accepted and wait; a worker that starts carries them out', async () => {
    await stack.stopWorker();
    const orders = await acceptOrders(20);
    const [{ waiting } = { waiting: 0 }] = await stack.database.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM outbox WHERE kind = 'payment-operation'`,
    );
    assert.equal(waiting, orders.length);
    for (const { status } of await allIn(stack, orders, 'pending')) assert.equal(status, 'pending');

    await stack.startWorker();
    await assertPaidOnce(orders);
  });

  it('what one worker leaves behind when it stops in the middle, the next one finishes', async () => {
    const orders = await acceptOrders(30);
    for (let stops = 0; stops < 3; stops += 1) {
      await stack.stopWorker();
      await stack.startWorker();
    }
    await assertPaidOnce(orders);
  });

  it('and without its jobs everything still happens: the queue is a hint', async () => {
    await stack.stopWorker();
    const orders = await acceptOrders(20);
    await stack.database.query('DELETE FROM outbox');
    assert.deepEqual(await stack.database.query('SELECT 1 FROM outbox'), []);

    await stack.startWorker();
    await assertPaidOnce(orders);
  });

  it('and with every job four times nothing happens twice', async () => {
    await stack.stopWorker();
    const lastSeq = Number((await journalOf(stack, 'kind=request')).at(-1)?.['seq']);
    const orders = await acceptOrders(20);
    await stack.database.query(
      'INSERT INTO outbox (id, kind, payload) SELECT gen_random_uuid(), kind, payload FROM outbox, generate_series(1, 3)',
    );

    await stack.startWorker();
    await assertPaidOnce(orders);
    // Not even asked for twice: the lease lets one of them send.
    const asked = (await journalOf(stack, 'kind=request&limit=10000')).filter(
      ({ seq, method }) => Number(seq) > lastSeq && method === 'POST',
    );
    assert.equal(asked.length, 2 * orders.length);
  });

  it('and a second relay, sweeper and consumer beside the first do no harm', async () => {
    const config = loadConfig({
      DATABASE_URL: stack.database.url,
      STRIPE_SECRET_KEY: stack.stripeKey,
      STRIPE_API_BASE: stack.simulatorUrl,
      STRIPE_WEBHOOK_SECRETS: stack.webhookSecret,
      ONCEPAY_INSTANCE: 'tests',
    });
    const second = await startWorker(config, createLogger('test', 'silent'));
    try {
      await assertPaidOnce(await acceptOrders(ORDERS));
    } finally {
      await second.close();
    }
  });
});

it('Everything that happened above keeps the rules', () => assertRulesHold(stack));
