import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { loadConfig } from '#libs/config';
import { Database } from '#libs/database';
import { systemClock, systemEntropy, uuidOf } from '#libs/primitives';
import { createLogger } from '#libs/telemetry';
import { layOrder, sentFor, strike } from '../../../test/support/laid-orders.js';
import { type Stack, startStack } from '../../../test/support/stack.js';
import { waitFor } from '../../../test/support/wait-for.js';
import { claimOperation, postpone, renewLease } from './operations.store.js';
import { type Payments } from './payments.js';
import { runOperation } from './run-operation.js';
import { StripeGateway } from './stripe/stripe-gateway.js';

describe('an operation', () => {
  let stack: Stack;
  let payments: Payments;
  before(async () => {
    stack = await startStack({ withWorker: false });
    const onError = assert.fail;
    const { stripe } = loadConfig({
      DATABASE_URL: stack.database.url,
      STRIPE_SECRET_KEY: stack.stripeKey,
      STRIPE_WEBHOOK_SECRETS: stack.webhookSecret,
      STRIPE_API_BASE: stack.simulatorUrl,
    });
    payments = {
      database: new Database({ url: stack.database.url, behindPooler: false, onError }),
      gateway: new StripeGateway(stripe),
      clock: systemClock,
      entropy: systemEntropy,
      logger: createLogger('test', 'silent'),
    };
  });
  after(async () => {
    await payments.database.close();
    await stack.close();
  });

  it('that follows from another is tried again by the job that tried it first, when it is due', async () => {
    const laid = await layOrder(stack);
    await strike(stack, laid, 'confirm', { action: 'rate_limit', retryAfterSeconds: 30, nth: [1] });
    const job = uuidOf('op', laid.operations.create) ?? '';
    assert.equal((await runOperation(payments, job)).outcome, 'snooze');
    assert.equal((await runOperation(payments, job)).outcome, 'snooze', 'it is not due');
    await stack.database.query(`UPDATE payment_operations SET next_attempt_at = now() WHERE status = 'queued'`);
    assert.deepEqual(await runOperation(payments, job), { outcome: 'done' });
    assert.equal((await stack.readOrder(laid.id)).status, 'paid');
    assert.equal((await sentFor(stack, laid, 'confirm')).length, 2);
  });

  it('that was given back can be claimed at once, also when a renewal of its lease comes late', async () => {
    const { autocommit } = payments.database;
    const id = uuidOf('op', (await layOrder(stack)).operations.create) ?? '';
    const claimed = (await claimOperation(autocommit, id)) ?? assert.fail();
    assert.equal(await renewLease(autocommit, claimed), true);
    await postpone(autocommit, claimed, { status: 'queued', delayMs: 0, error: { code: null, declineCode: null, message: null } });
    assert.equal(await renewLease(autocommit, claimed), false);
    assert.equal((await claimOperation(autocommit, id))?.fence, claimed.fence + 1);
  });
});

describe('an operation that is sent again under its key', () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack({ withWorker: false });
  });
  after(() => stack.close());

  it('takes the stored answer for what it is: as old as the first send, and no reason to take the payment back', async () => {
    const laid = await layOrder(stack, { paymentMethod: 'pm_card_authenticationRequired', returnUrl: 'https://shop.example/return' });
    await strike(stack, laid, 'confirm', { action: 'reset', phase: 'after', nth: [1] });
    await strike(stack, laid, 'confirm', { action: 'rate_limit', retryAfterSeconds: 4, nth: [2] });
    await stack.startWorker();

    // Meanwhile the buyer fails to authenticate: Stripe's word goes from requires_action back to requires_payment_method.
    const { payment } = await waitFor('the action', async () => {
      const order = await stack.readOrder(laid.id);
      return order.payment.status === 'requires_action' ? order : null;
    });
    await waitFor('the second send', async () => (await sentFor(stack, laid, 'confirm')).length === 2);
    assert.equal(
      (await stack.control(`/_sim/payment_intents/${payment.stripePaymentIntentId}/next_action`, { outcome: 'fail' })).status,
      200,
    );
    await waitFor('the failure', async () => (await stack.readOrder(laid.id)).payment.status === 'requires_payment_method');

    const order = await waitFor('the end of the operation', async () => {
      const now = await stack.readOrder(laid.id);
      return now.payment.pendingOperation === null ? now : null;
    });
    assert.equal((await sentFor(stack, laid, 'confirm')).length, 3);
    assert.deepEqual([order.status, order.payment.status], ['requires_payment', 'requires_payment_method']);
    assert.equal((await stack.stripe.paymentIntents.retrieve(payment.stripePaymentIntentId ?? '')).status, order.payment.status);
  });
});
