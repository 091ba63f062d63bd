import { deepStrictEqual, strictEqual } from 'node:assert';
import { describe, it } from 'node:test';
import type { Stripe } from 'stripe';
import { NO_REDIRECTS, refusal, simulate } from './harness.js';

const sim = await simulate();
let accounts = 0;

/** A client on an account of its own, so that its lists hold this test's objects only. */
function newAccount(): Stripe {
  return sim.stripe(`sk_test_pi${++accounts}`);
}

async function eventTypes(stripe: Stripe): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: 100 });
  return data.map(({ type }) => type).reverse();
}

const create = (stripe: Stripe, more: Partial<Stripe.PaymentIntentCreateParams> = {}): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create({ amount: 2000, currency: 'usd', automatic_payment_methods: NO_REDIRECTS, ...more });

describe('a payment intent', () => {
  it('begins without a method in requires_payment_method', async () => {
    const stripe = newAccount();
    const intent = await create(stripe, { metadata: { order: '1' } });
    strictEqual(intent.status, 'requires_payment_method');
    deepStrictEqual(intent.metadata, { order: '1' });
    deepStrictEqual(await eventTypes(stripe), ['payment_intent.created']);
  });

  it('begins with a method in requires_confirmation', async () => {
    const intent = await create(newAccount(), { payment_method: 'pm_card_visa' });
    strictEqual(intent.status, 'requires_confirmation');
  });

  it('succeeds when its card is charged', async () => {
    const stripe = newAccount();
    const intent = await create(stripe, { capture_method: 'automatic' });
    const paid = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa', expand: ['latest_charge'] });
    strictEqual(paid.status, 'succeeded');
    strictEqual(paid.amount_received, 2000);
    const charge = paid.latest_charge as Stripe.Charge;
    strictEqual(charge.status, 'succeeded');
    strictEqual(charge.amount_captured, 2000);
    strictEqual(typeof charge.balance_transaction, 'string');
    deepStrictEqual(await eventTypes(stripe), ['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded']);
  });

  it('gets its balance transaction later where capture is asynchronous, told by charge.updated', async () => {
    const stripe = newAccount();
    const paid = await create(stripe, { payment_method: 'pm_card_visa', confirm: true });
    const charge = await stripe.charges.retrieve(paid.latest_charge as string);
    strictEqual(charge.balance_transaction, null);
    await sim.control('/clock', { advanceSeconds: 2 });
    const [event] = (await stripe.events.list({ type: 'charge.updated' })).data;
    deepStrictEqual(event?.data.previous_attributes, { balance_transaction: null });
  });

  it('is authorized, not charged, with manual capture', async () => {
    const stripe = newAccount();
    const held = await create(stripe, { capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true });
    strictEqual(held.status, 'requires_capture');
    strictEqual(held.amount_capturable, 2000);
    strictEqual(held.amount_received, 0);
    strictEqual((await stripe.charges.retrieve(held.latest_charge as string)).captured, false);
    deepStrictEqual((await eventTypes(stripe)).slice(1), ['charge.succeeded', 'payment_intent.amount_capturable_updated']);
  });

  it('is captured in part, and the rest is released', async () => {
    const stripe = newAccount();
    const held = await create(stripe, { capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true });
    const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500 });
    strictEqual(captured.status, 'succeeded');
    strictEqual(captured.amount_received, 1500);
    strictEqual(captured.amount_capturable, 0);
    strictEqual((await stripe.charges.retrieve(held.latest_charge as string)).amount_captured, 1500);
    deepStrictEqual((await eventTypes(stripe)).slice(3), ['charge.captured', 'payment_intent.succeeded']);
  });

  it('is never captured for more than was authorized, nor twice', async () => {
    const stripe = newAccount();
    const held = await create(stripe, { capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true });
    strictEqual((await refusal(stripe.paymentIntents.capture(held.id, { amount_to_capture: 2001 }))).code, 'amount_too_large');
    await stripe.paymentIntents.capture(held.id);
    strictEqual((await refusal(stripe.paymentIntents.capture(held.id))).code, 'payment_intent_unexpected_state');
  });

  it('releases its authorization when canceled', async () => {
    const stripe = newAccount();
    const held = await create(stripe, { capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true });
    const canceled = await stripe.paymentIntents.cancel(held.id, { cancellation_reason: 'requested_by_customer' });
    strictEqual(canceled.status, 'canceled');
    strictEqual(canceled.cancellation_reason, 'requested_by_customer');
    strictEqual((await stripe.charges.retrieve(held.latest_charge as string)).refunded, true);
    strictEqual((await eventTypes(stripe)).at(-1), 'payment_intent.canceled');
  });

  it('lapses after seven days without capture', async () => {
    const stripe = newAccount();
    const held = await create(stripe, { capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true });
    await sim.control('/clock', { advanceSeconds: 7 * 24 * 3600 - 60 });
    strictEqual((await stripe.paymentIntents.retrieve(held.id)).status, 'requires_capture');
    await sim.control('/clock', { advanceSeconds: 61 });
    const lapsed = await stripe.paymentIntents.retrieve(held.id);
    strictEqual(lapsed.status, 'canceled');
    strictEqual(lapsed.cancellation_reason, 'automatic');
    deepStrictEqual((await eventTypes(stripe)).slice(-2), ['charge.expired', 'payment_intent.canceled']);
  });

  it('may be canceled in every state before the money is taken', async () => {
    const stripe = newAccount();
    const states = [
      await create(stripe),
      await create(stripe, { payment_method: 'pm_card_visa' }),
      await create(stripe, { payment_method: 'pm_card_threeDSecure2Required', confirm: true }),
    ];
    deepStrictEqual(
      states.map(({ status }) => status),
      ['requires_payment_method', 'requires_confirmation', 'requires_action'],
    );
    for (const { id } of states) strictEqual((await stripe.paymentIntents.cancel(id)).status, 'canceled');
  });

  it('refuses to be confirmed, captured or canceled where its state forbids it, and shows itself', async () => {
    const stripe = newAccount();
    const paid = await create(stripe, { payment_method: 'pm_card_visa', confirm: true });
    for (const call of [
      stripe.paymentIntents.confirm(paid.id, { payment_method: 'pm_card_visa' }),
      stripe.paymentIntents.capture(paid.id),
      stripe.paymentIntents.cancel(paid.id),
      stripe.paymentIntents.update(paid.id, { amount: 1 }),
    ]) {
      const error = await refusal(call);
      strictEqual(error.type, 'StripeInvalidRequestError');
      strictEqual(error.code, 'payment_intent_unexpected_state');
      strictEqual(error.payment_intent?.status, 'succeeded');
    }
    strictEqual((await stripe.charges.list({ payment_intent: paid.id })).data.length, 1);
  });

  it('needs a method to be confirmed', async () => {
    const stripe = newAccount();
    const error = await refusal(stripe.paymentIntents.confirm((await create(stripe)).id));
    strictEqual(error.code, 'payment_intent_unexpected_state');
  });

  it('needs a return_url when a method might redirect', async () => {
    const stripe = newAccount();
    const open = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd' });
    deepStrictEqual(open.automatic_payment_methods, { enabled: true, allow_redirects: 'always' });
    strictEqual((await refusal(stripe.paymentIntents.confirm(open.id, { payment_method: 'pm_card_visa' }))).statusCode, 400);
    const confirmed = await stripe.paymentIntents.confirm(open.id, { payment_method: 'pm_card_visa', return_url: 'https://shop.example/' });
    strictEqual(confirmed.status, 'succeeded');
  });

  it('changes by update until it is paid', async () => {
    const stripe = newAccount();
    const intent = await create(stripe, { metadata: { a: '1', b: '2' } });
    const updated = await stripe.paymentIntents.update(intent.id, {
      amount: 3000,
      metadata: { a: '', c: '3' },
      payment_method: 'pm_card_visa',
    });
    strictEqual(updated.amount, 3000);
    strictEqual(updated.status, 'requires_confirmation');
    deepStrictEqual(updated.metadata, { b: '2', c: '3' });
  });

  it('refuses payment_method_types since 2026-09-30', async () => {
    const error = await refusal(
      newAccount().rawRequest('POST', '/v1/payment_intents', { amount: 2000, currency: 'usd', payment_method_types: ['card'] }),
    );
    strictEqual(error.code, 'payment_method_types_no_longer_supported');
  });

  it('refuses amounts too small or too large for the currency', async () => {
    const stripe = newAccount();
    strictEqual((await refusal(stripe.paymentIntents.create({ amount: 49, currency: 'usd' }))).code, 'amount_too_small');
    strictEqual((await refusal(stripe.paymentIntents.create({ amount: 100_000_000, currency: 'usd' }))).code, 'amount_too_large');
    strictEqual((await refusal(stripe.paymentIntents.create({ amount: 150, currency: 'isk' }))).param, 'amount');
    strictEqual((await refusal(stripe.paymentIntents.create({ amount: 1001, currency: 'kwd' }))).param, 'amount');
    strictEqual((await refusal(stripe.paymentIntents.create({ amount: 100, currency: 'zzz' }))).param, 'currency');
  });

  it('settles a delayed payment when its bank answers', async () => {
    const stripe = newAccount();
    const pending = await create(stripe, { payment_method: 'pm_usBankAccount_success', confirm: true });
    strictEqual(pending.status, 'processing');
    strictEqual((await refusal(stripe.paymentIntents.cancel(pending.id))).code, 'payment_intent_unexpected_state');
    strictEqual((await sim.control(`/payment_intents/${pending.id}/settle`, { outcome: 'succeeded' }))['status'], 'succeeded');
    deepStrictEqual((await eventTypes(stripe)).slice(1), [
      'payment_intent.processing',
      'charge.pending',
      'charge.succeeded',
      'payment_intent.succeeded',
    ]);
  });

  it('returns to requires_payment_method when a delayed payment fails', async () => {
    const stripe = newAccount();
    const pending = await create(stripe, { payment_method: 'pm_usBankAccount_insufficientFunds', confirm: true });
    await sim.control('/clock', { advanceSeconds: 3 * 24 * 3600 + 1 });
    const failed = await stripe.paymentIntents.retrieve(pending.id);
    strictEqual(failed.status, 'requires_payment_method');
    strictEqual(failed.last_payment_error?.code, 'payment_intent_payment_attempt_failed');
    deepStrictEqual((await eventTypes(stripe)).slice(-2), ['charge.failed', 'payment_intent.payment_failed']);
  });

  it('is found by search over its metadata', async () => {
    const stripe = newAccount();
    const intent = await create(stripe, { metadata: { order: 'A-1' } });
    await create(stripe, { metadata: { order: 'A-2' } });
    const found = await stripe.paymentIntents.search({ query: "metadata['order']:'A-1' AND status:'requires_payment_method'" });
    deepStrictEqual(
      found.data.map(({ id }) => id),
      [intent.id],
    );
    strictEqual((await stripe.paymentIntents.search({ query: 'metadata["order"]:"none"' })).data.length, 0);
    strictEqual((await refusal(stripe.paymentIntents.search({ query: 'nonsense' }))).statusCode, 400);
  });
});
