import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, it } from 'node:test';
import type { Stripe } from 'stripe';
import { NO_REDIRECTS, refusal, simulate } from './harness.js';

const sim = await simulate();
const stripe = sim.stripe();

const intent = (more: Partial<Stripe.PaymentIntentCreateParams> = {}): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create({ amount: 2000, currency: 'usd', automatic_payment_methods: NO_REDIRECTS, ...more });

const pay = (card: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}): Promise<Stripe.PaymentIntent> =>
  intent({ payment_method: card, confirm: true, ...more });

describe('a declined card', () => {
  for (const [card, code, declineCode] of [
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['pm_card_visa_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', ''],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', ''],
    ['pm_card_chargeDeclinedProcessingError', 'processing_error', ''],
    ['pm_card_visa_chargeDeclinedVelocityLimitExceeded', 'card_declined', 'card_velocity_exceeded'],
    ['pm_card_chargeCustomerFail', 'card_declined', 'generic_decline'],
  ] as const) {
    it(`${card} answers 402 ${code} ${declineCode}`, async () => {
      const error = await refusal(pay(card));
      strictEqual(error.type, 'StripeCardError');
      strictEqual(error.statusCode, 402);
      strictEqual(error.code, code);
      strictEqual(error.decline_code, declineCode);
    });
  }

  it('leaves the intent open, with the error and the method that failed', async () => {
    const error = await refusal(pay('pm_card_chargeDeclined'));
    const left = error.payment_intent;
    strictEqual(left?.status, 'requires_payment_method');
    strictEqual(left?.payment_method, null);
    strictEqual(left?.last_payment_error?.code, 'card_declined');
    strictEqual(left?.last_payment_error?.payment_method?.type, 'card');
    const charge = await stripe.charges.retrieve(error.charge ?? '');
    strictEqual(charge.status, 'failed');
    strictEqual(charge.failure_code, 'card_declined');
    const types = (await stripe.events.list({ limit: 3 })).data.map(({ type }) => type);
    deepStrictEqual(types, ['payment_intent.payment_failed', 'charge.failed', 'payment_intent.created']);
  });

  it('does not keep the intent from being paid with another card', async () => {
    const { id } = await intent();
    await refusal(stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_chargeDeclined' }));
    const paid = await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' });
    strictEqual(paid.status, 'succeeded');
    strictEqual(paid.last_payment_error, null);
  });
});

describe('authentication', () => {
  it('is asked for by redirect, and finished on its page', async () => {
    const waiting = await pay('pm_card_threeDSecure2Required', { return_url: 'https://shop.example/back?order=1' });
    strictEqual(waiting.status, 'requires_action');
    const action = waiting.next_action?.redirect_to_url;
    strictEqual(action?.return_url, 'https://shop.example/back?order=1');
    strictEqual(waiting.latest_charge, null);
    const page = await (await fetch(action?.url ?? '')).text();
    match(page, /value="complete"/);
    match(page, /value="fail"/);
    const back = await fetch(action?.url ?? '', { method: 'POST', body: new URLSearchParams({ outcome: 'complete' }), redirect: 'manual' });
    strictEqual(back.status, 303);
    const location = new URL(back.headers.get('location') ?? '');
    strictEqual(location.searchParams.get('order'), '1');
    strictEqual(location.searchParams.get('payment_intent'), waiting.id);
    strictEqual(location.searchParams.get('redirect_status'), 'succeeded');
    strictEqual((await stripe.paymentIntents.retrieve(waiting.id)).status, 'succeeded');
  });

  it('fails without a charge', async () => {
    const waiting = await pay('pm_card_authenticationRequired');
    await sim.control(`/payment_intents/${waiting.id}/next_action`, { outcome: 'failed' });
    const failed = await stripe.paymentIntents.retrieve(waiting.id);
    strictEqual(failed.status, 'requires_payment_method');
    strictEqual(failed.last_payment_error?.code, 'payment_intent_authentication_failure');
    strictEqual(failed.latest_charge, null);
    const told = (await stripe.events.list({ type: 'payment_intent.payment_failed', limit: 1 })).data[0]?.data.object;
    strictEqual(told && 'id' in told ? told.id : null, waiting.id);
  });

  it('may be followed by a decline', async () => {
    const waiting = await pay('pm_card_authenticationRequiredChargeDeclinedInsufficientFunds');
    strictEqual(waiting.status, 'requires_action');
    await sim.control(`/payment_intents/${waiting.id}/next_action`, { outcome: 'succeeded' });
    const declined = await stripe.paymentIntents.retrieve(waiting.id);
    strictEqual(declined.status, 'requires_payment_method');
    strictEqual(declined.last_payment_error?.decline_code, 'insufficient_funds');
  });

  it('is needed at each payment, or until set up, or on session only, by card', async () => {
    const { id: customer } = await stripe.customers.create({});
    const status = async (card: string, offSession: boolean): Promise<string> => {
      try {
        return (await pay(card, { customer, ...(offSession ? { off_session: true } : {}) })).status;
      } catch {
        return 'declined';
      }
    };
    strictEqual(await status('pm_card_authenticationRequired', false), 'requires_action');
    strictEqual(await status('pm_card_authenticationRequired', true), 'declined');
    strictEqual(await status('pm_card_authenticationRequiredSetupForOffSession', false), 'requires_action');
    strictEqual(await status('pm_card_authenticationRequiredSetupForOffSession', true), 'succeeded');
    strictEqual(await status('pm_card_authenticationRequiredOnSetup', false), 'requires_action');
    strictEqual(await status('pm_card_threeDSecureOptional', false), 'succeeded');
  });

  it('once done for future use, lets the saved card be charged off session', async () => {
    const { id: customer } = await stripe.customers.create({ email: 'ada@example.com' });
    const first = await pay('pm_card_authenticationRequiredOnSetup', { customer, setup_future_usage: 'off_session' });
    await sim.control(`/payment_intents/${first.id}/next_action`, { outcome: 'succeeded' });
    const [saved] = (await stripe.paymentMethods.list({ customer })).data;
    ok(saved);
    strictEqual((await pay(saved.id, { customer, off_session: true })).status, 'succeeded');
  });

  it('off session is a decline with authentication_required', async () => {
    const { id: customer } = await stripe.customers.create({});
    const error = await refusal(pay('pm_card_authenticationRequired', { customer, off_session: true }));
    strictEqual(error.statusCode, 402);
    strictEqual(error.code, 'authentication_required');
    strictEqual(error.payment_intent?.status, 'requires_payment_method');
  });

  it('is an error for who cannot handle it', async () => {
    const error = await refusal(pay('pm_card_authenticationRequired', { error_on_requires_action: true }));
    strictEqual(error.code, 'authentication_required');
    strictEqual(error.payment_intent?.status, 'requires_payment_method');
  });

  it('with manual confirmation hands the intent back to the server', async () => {
    const waiting = await pay('pm_card_threeDSecure2Required', { confirmation_method: 'manual' });
    await sim.control(`/payment_intents/${waiting.id}/next_action`, { outcome: 'succeeded' });
    strictEqual((await stripe.paymentIntents.retrieve(waiting.id)).status, 'requires_confirmation');
    strictEqual((await stripe.paymentIntents.confirm(waiting.id)).status, 'succeeded');
  });
});

describe('a payment method', () => {
  it('is made anew at each use of a magic id', async () => {
    const [one, other] = [await pay('pm_card_visa'), await pay('pm_card_visa')];
    notStrictEqual(one.payment_method, other.payment_method);
  });

  it('is spent once it paid without a customer', async () => {
    const method = await stripe.paymentMethods.create({
      type: 'card',
      card: { number: '4242424242424242', exp_month: 12, exp_year: 2040, cvc: '123' },
    });
    strictEqual((await pay(method.id)).status, 'succeeded');
    match((await refusal(pay(method.id))).message, /may not be used again/);
  });

  it('of a customer pays for that customer only', async () => {
    const [{ id: ada }, { id: bob }] = [await stripe.customers.create({}), await stripe.customers.create({})];
    const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: ada });
    strictEqual(method.customer, ada);
    strictEqual((await pay(method.id, { customer: ada })).status, 'succeeded');
    strictEqual((await pay(method.id, { customer: ada })).status, 'succeeded');
    strictEqual((await stripe.customers.retrievePaymentMethod(ada, method.id)).id, method.id);
    strictEqual((await refusal(stripe.customers.retrievePaymentMethod(bob, method.id))).code, 'resource_missing');
    strictEqual((await refusal(pay(method.id, { customer: bob }))).statusCode, 400);
    strictEqual((await refusal(pay(method.id))).statusCode, 400);
    await stripe.paymentMethods.detach(method.id);
    strictEqual((await refusal(pay(method.id))).statusCode, 400);
    strictEqual((await stripe.paymentMethods.list({ customer: ada })).data.length, 0);
  });

  it('goes with its customer, who can still be read', async () => {
    const { id: customer } = await stripe.customers.create({ email: 'ada@example.com' });
    const method = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    const paid = await pay(method.id, { customer });
    await stripe.customers.del(customer);
    deepStrictEqual({ ...(await stripe.customers.retrieve(customer)) }, { id: customer, object: 'customer', deleted: true });
    const { customer: expanded } = await stripe.paymentIntents.retrieve(paid.id, { expand: ['customer'] });
    deepStrictEqual(expanded, { id: customer, object: 'customer', deleted: true });
    strictEqual((await refusal(pay(method.id))).statusCode, 400);
    strictEqual((await refusal(pay('pm_card_visa', { customer }))).code, 'resource_missing');
  });

  it('that declines is not kept by a customer, but for the one made for that', async () => {
    const { id: customer } = await stripe.customers.create({});
    strictEqual((await refusal(stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer }))).code, 'card_declined');
    strictEqual((await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })).customer, customer);
  });

  it('is checked like a card: number, expiry and code', async () => {
    const make = (card: Partial<Stripe.PaymentMethodCreateParams.Card>): Promise<Stripe.StripeRawError | { code?: string }> =>
      refusal(stripe.paymentMethods.create({ type: 'card', card: { number: '4242424242424242', exp_month: 12, exp_year: 2040, ...card } }));
    strictEqual((await make({ number: '4242424242424241' })).code, 'incorrect_number');
    strictEqual((await make({ exp_month: 13 })).code, 'invalid_expiry_month');
    strictEqual((await make({ exp_year: 2020 })).code, 'invalid_expiry_year');
    strictEqual((await make({ cvc: '1' })).code, 'invalid_cvc');
    strictEqual((await make({ number: '4111111111111111' })).code, 'card_declined');
  });
});
