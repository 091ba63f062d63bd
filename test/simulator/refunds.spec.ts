import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, it } from 'node:test';
import type { Stripe } from 'stripe';
import { NO_REDIRECTS, refusal, simulate } from './harness.js';

const sim = await simulate();
const stripe = sim.stripe();

const paid = (card = 'pm_card_visa', more: Partial<Stripe.PaymentIntentCreateParams> = {}): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create({
    amount: 2000,
    currency: 'usd',
    automatic_payment_methods: NO_REDIRECTS,
    confirm: true,
    payment_method: card,
    ...more,
  });

const chargeOf = (intent: Stripe.PaymentIntent): Promise<Stripe.Charge> => stripe.charges.retrieve(intent.latest_charge as string);

/** Without `charge.updated`, which comes by itself once the fee is known, before or after what a test does. */
async function newestEvents(count: number): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: count + 1 });
  const types = data.map(({ type }) => type).filter((type) => type !== 'charge.updated');
  return types.slice(0, count).reverse();
}

describe('a refund', () => {
  it('gives back part, then all of what is left', async () => {
    const intent = await paid();
    const part = await stripe.refunds.create({
      payment_intent: intent.id,
      amount: 500,
      reason: 'requested_by_customer',
      metadata: { a: '1' },
    });
    deepStrictEqual([part.status, part.amount, part.reason, part.metadata], ['succeeded', 500, 'requested_by_customer', { a: '1' }]);
    deepStrictEqual(await newestEvents(2), ['refund.created', 'charge.refunded']);
    const rest = await stripe.refunds.create({ charge: intent.latest_charge as string });
    strictEqual(rest.amount, 1500);
    const charge = await chargeOf(intent);
    deepStrictEqual([charge.amount_refunded, charge.refunded], [2000, true]);
    const listed = await stripe.refunds.list({ payment_intent: intent.id });
    deepStrictEqual(
      listed.data.map(({ id }) => id),
      [rest.id, part.id],
    );
  });

  it('never exceeds what was captured', async () => {
    const intent = await paid('pm_card_visa', { capture_method: 'manual' });
    await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1500 });
    const over = await refusal(stripe.refunds.create({ payment_intent: intent.id, amount: 1501 }));
    deepStrictEqual([over.statusCode, over.param], [400, 'amount']);
    await stripe.refunds.create({ payment_intent: intent.id });
    strictEqual((await refusal(stripe.refunds.create({ payment_intent: intent.id }))).code, 'charge_already_refunded');
  });

  it('is refused where nothing was captured', async () => {
    const held = await paid('pm_card_visa', { capture_method: 'manual' });
    strictEqual((await refusal(stripe.refunds.create({ payment_intent: held.id }))).statusCode, 400);
    const open = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd' });
    strictEqual((await refusal(stripe.refunds.create({ payment_intent: open.id }))).statusCode, 400);
    strictEqual((await refusal(stripe.refunds.create({ payment_intent: 'pi_none' }))).code, 'resource_missing');
    strictEqual((await refusal(stripe.refunds.create({}))).code, 'parameter_missing');
  });

  it('of the pending test card succeeds later', async () => {
    const intent = await paid('pm_card_pendingRefund');
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    strictEqual(refund.status, 'pending');
    strictEqual((await chargeOf(intent)).amount_refunded, 2000);
    await sim.control('/clock', { advanceSeconds: 10 });
    strictEqual((await stripe.refunds.retrieve(refund.id)).status, 'succeeded');
    const [update] = (await stripe.events.list({ type: 'refund.updated', limit: 1 })).data;
    ok(update?.type === 'refund.updated' && update.data.object.id === refund.id);
  });

  it('of the failing test card succeeds first and fails later, and its money is free again', async () => {
    const intent = await paid('pm_card_refundFail');
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    strictEqual(refund.status, 'succeeded');
    await sim.control('/clock', { advanceSeconds: 10 });
    const failed = await stripe.refunds.retrieve(refund.id);
    strictEqual(failed.status, 'failed');
    strictEqual(typeof failed.failure_reason, 'string');
    strictEqual(typeof failed.failure_balance_transaction, 'string');
    strictEqual((await stripe.events.list({ type: 'refund.failed', limit: 1 })).data.length, 1);
    const charge = await chargeOf(intent);
    deepStrictEqual([charge.amount_refunded, charge.refunded], [0, false]);
  });

  it('under way counts against what is left', async () => {
    const intent = await paid('pm_card_pendingRefund');
    await stripe.refunds.create({ payment_intent: intent.id, amount: 1500 });
    strictEqual((await refusal(stripe.refunds.create({ payment_intent: intent.id, amount: 501 }))).statusCode, 400);
  });

  it('under way may be canceled, a succeeded one may not', async () => {
    const intent = await paid('pm_card_pendingRefund');
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    strictEqual((await stripe.refunds.cancel(refund.id)).status, 'canceled');
    strictEqual((await chargeOf(intent)).amount_refunded, 0);
    const done = await stripe.refunds.create({ payment_intent: (await paid()).id });
    strictEqual((await refusal(stripe.refunds.cancel(done.id))).statusCode, 400);
  });

  it('is settled by hand', async () => {
    const refund = await stripe.refunds.create({ payment_intent: (await paid('pm_card_pendingRefund')).id });
    strictEqual((await sim.control(`/refunds/${refund.id}/settle`, { outcome: 'failed' }))['status'], 'failed');
  });

  it('takes money from the balance, and its failure brings it back', async () => {
    const account = sim.stripe('sk_test_balance');
    const intent = await account.paymentIntents.create({
      amount: 2000,
      currency: 'usd',
      capture_method: 'automatic',
      automatic_payment_methods: NO_REDIRECTS,
      confirm: true,
      payment_method: 'pm_card_refundFail',
    });
    await account.refunds.create({ payment_intent: intent.id });
    await sim.control('/clock', { advanceSeconds: 10 });
    const { data } = await account.balanceTransactions.list();
    deepStrictEqual(
      data.map(({ type, amount, net }) => [type, amount, net]),
      [
        ['refund_failure', 2000, 2000],
        ['refund', -2000, -2000],
        ['charge', 2000, 1912],
      ],
    );
    strictEqual((await account.balance.retrieve()).pending[0]?.amount, 1912);
  });
});
