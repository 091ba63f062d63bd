import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { layOrder, sentFor, strike } from '../../../test/support/laid-orders.js';
import { type Stack, startStack } from '../../../test/support/stack.js';
import { waitFor } from '../../../test/support/wait-for.js';

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
