import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Database } from '#libs/database';
import { type Payments, StripeGateway } from '#libs/payments';
import { systemClock, systemEntropy, uuidOf } from '#libs/primitives';
import { createLogger } from '#libs/telemetry';
import { observe } from '../../libs/payments/src/observe.js';
import { loadPayment } from '../../libs/payments/src/payments.store.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';

let stack: Stack;
let database: Database;
let payments: Payments;

before(async () => {
  stack = await startStack();
  database = new Database({ url: stack.database.url, behindPooler: false, onError: assert.fail });
  const gateway = new StripeGateway({ secretKey: stack.stripeKey, apiBase: stack.simulatorUrl, timeoutMs: 10_000 });
  payments = { database, gateway, clock: systemClock, entropy: systemEntropy, logger: createLogger('test', 'silent') };
});
after(async () => {
  await database.close();
  await stack.close();
});

/** A fact of the order's intent as Stripe has it now. */
async function factOf({ payment }: OrderJson): Promise<Parameters<typeof observe>[2]['fact']> {
  return { of: 'intent', seen: await payments.gateway.retrievePaymentIntent(payment.stripePaymentIntentId ?? '') };
}

async function readPayment({ id }: OrderJson): Promise<NonNullable<Awaited<ReturnType<typeof loadPayment>>>> {
  const payment = await loadPayment(database.autocommit, uuidOf('ord', id) ?? '');
  return payment ?? assert.fail(`there is no ${id}`);
}

describe('a fact that is weighed against the payment as it was read before', () => {
  it('is written to the payment as it is now', async () => {
    const open = await stack.orderIn((await stack.order({ paymentMethod: null })).id, 'requires_payment');
    const before = await readPayment(open);
    await stack.stopWorker();
    await stack.stripe.paymentIntents.confirm(open.payment.stripePaymentIntentId ?? '', { payment_method: 'pm_card_visa' });
    // Somebody else moves the order meanwhile.
    await stack.database.query('UPDATE orders SET version = version + 1 WHERE id = $1::uuid', [before.orderId]);
    const sighting = { payment: before, fact: await factOf(open), notedVersion: null, cause: 'reconciliation:test', operation: null };
    const observed = await observe(payments, before.orderId, sighting);
    assert.equal(observed.result, 'applied');
    const { version, orderStatus } = await readPayment(open);
    assert.deepEqual([version, orderStatus], [before.version + 2, 'paid']);
    await stack.startWorker();
  });

  it('contradicts it only if it contradicts what is so now', async () => {
    const paid = await stack.orderIn((await stack.order()).id, 'paid');
    const now = await readPayment(paid);
    const before = { ...now, amount: now.amount + 1 };
    const sighting = { payment: before, fact: await factOf(paid), notedVersion: null, cause: 'reconciliation:test', operation: null };
    assert.equal((await observe(payments, now.orderId, sighting)).result, 'known');
    assert.deepEqual(await stack.database.query('SELECT 1 FROM discrepancies'), []);
  });
});
