import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, it } from 'node:test';
import { NO_REDIRECTS, refusal, simulate } from './harness.js';

const sim = await simulate();
const stripe = sim.stripe();

describe('a setup intent', () => {
  it('keeps a card for its customer, to be charged later without them', async () => {
    const { id: customer } = await stripe.customers.create({});
    const intent = await stripe.setupIntents.create({ customer });
    strictEqual(intent.status, 'requires_payment_method');
    const waiting = await stripe.setupIntents.confirm(intent.id, {
      payment_method: 'pm_card_authenticationRequiredOnSetup',
      return_url: 'https://shop.example/',
    });
    strictEqual(waiting.status, 'requires_action');
    const page = waiting.next_action?.redirect_to_url?.url ?? '';
    const back = await fetch(page, { method: 'POST', body: new URLSearchParams({ outcome: 'complete' }), redirect: 'manual' });
    strictEqual(new URL(back.headers.get('location') ?? '').searchParams.get('setup_intent'), intent.id);
    const { payment_method: method, status } = await stripe.setupIntents.retrieve(intent.id);
    strictEqual(status, 'succeeded');
    const paid = await stripe.paymentIntents.create({
      amount: 2000,
      currency: 'usd',
      customer,
      payment_method: method as string,
      off_session: true,
      confirm: true,
      automatic_payment_methods: NO_REDIRECTS,
    });
    strictEqual(paid.status, 'succeeded');
  });

  it('fails with the card, and takes another', async () => {
    const { id: customer } = await stripe.customers.create({});
    const intent = await stripe.setupIntents.create({ customer });
    const error = await refusal(stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_chargeDeclined' }));
    deepStrictEqual([error.statusCode, error.setup_intent?.status], [402, 'requires_payment_method']);
    strictEqual((await stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })).status, 'succeeded');
    strictEqual((await stripe.customers.listPaymentMethods(customer)).data.length, 1);
  });

  it('may be canceled until it has succeeded', async () => {
    const intent = await stripe.setupIntents.create({});
    strictEqual((await stripe.setupIntents.cancel(intent.id)).status, 'canceled');
    const error = await refusal(stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }));
    strictEqual(error.code, 'setup_intent_unexpected_state');
    ok((await stripe.events.list({ types: ['setup_intent.*'] })).data.length > 0);
  });
});
