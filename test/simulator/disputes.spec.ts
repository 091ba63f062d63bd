import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, it } from 'node:test';
import type { Stripe } from 'stripe';
import { NO_REDIRECTS, refusal, simulate } from './harness.js';

const sim = await simulate();
let accounts = 0;

/** An account with one payment by this card, after the dispute it causes. */
async function disputed(card: string): Promise<{ stripe: Stripe; dispute: Stripe.Dispute; intent: Stripe.PaymentIntent }> {
  const stripe = sim.stripe(`sk_test_d${++accounts}`);
  const intent = await stripe.paymentIntents.create({
    amount: 2000,
    currency: 'usd',
    automatic_payment_methods: NO_REDIRECTS,
    confirm: true,
    payment_method: card,
  });
  await sim.control('/clock', { advanceSeconds: 2 });
  const [dispute] = (await stripe.disputes.list({ payment_intent: intent.id })).data;
  ok(dispute);
  return { stripe, dispute, intent };
}

async function disputeEvents(stripe: Stripe): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: 20 });
  return data.flatMap(({ type }) => (type.startsWith('charge.dispute') ? [type] : [])).reverse();
}

describe('a dispute', () => {
  it('takes the money at once and marks the charge', async () => {
    const { stripe, dispute, intent } = await disputed('pm_card_createDispute');
    deepStrictEqual([dispute.status, dispute.reason, dispute.amount], ['needs_response', 'fraudulent', 2000]);
    strictEqual((await stripe.charges.retrieve(intent.latest_charge as string)).disputed, true);
    deepStrictEqual(await disputeEvents(stripe), ['charge.dispute.created', 'charge.dispute.funds_withdrawn']);
    strictEqual((await refusal(stripe.refunds.create({ payment_intent: intent.id }))).code, 'charge_disputed');
  });

  it('is won with the winning test evidence, and the money returns', async () => {
    const { stripe, dispute } = await disputed('pm_card_createDispute');
    const won = await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'winning_evidence' } });
    strictEqual(won.status, 'won');
    deepStrictEqual((await disputeEvents(stripe)).slice(2), [
      'charge.dispute.updated',
      'charge.dispute.funds_reinstated',
      'charge.dispute.closed',
    ]);
  });

  it('is lost when the merchant closes it, and moves nothing further', async () => {
    const { stripe, dispute } = await disputed('pm_card_createDisputeProductNotReceived');
    strictEqual((await stripe.disputes.close(dispute.id)).status, 'lost');
    deepStrictEqual((await disputeEvents(stripe)).slice(2), ['charge.dispute.closed']);
    strictEqual((await refusal(stripe.disputes.close(dispute.id))).code, 'dispute_already_closed');
  });

  it('that is an inquiry takes nothing, and the charge may still be refunded', async () => {
    const { stripe, dispute, intent } = await disputed('pm_card_createDisputeInquiry');
    strictEqual(dispute.status, 'warning_needs_response');
    deepStrictEqual(await disputeEvents(stripe), ['charge.dispute.created']);
    strictEqual((await stripe.refunds.create({ payment_intent: intent.id })).status, 'succeeded');
  });

  it('lets a pending refund of its charge fail', async () => {
    const stripe = sim.stripe('sk_test_overtaken');
    const intent = await stripe.paymentIntents.create({
      amount: 2000,
      currency: 'usd',
      automatic_payment_methods: NO_REDIRECTS,
      confirm: true,
      payment_method: 'pm_card_pendingRefund',
    });
    const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 500 });
    await sim.control(`/charges/${intent.latest_charge as string}/dispute`, { reason: 'fraudulent' });
    strictEqual((await stripe.refunds.retrieve(refund.id)).failure_reason, 'charge_for_pending_refund_disputed');
  });
});
