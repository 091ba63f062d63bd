import { deepStrictEqual, match, ok, strictEqual } from 'node:assert';
import { describe, it } from 'node:test';
import type { Stripe } from 'stripe';
import { refusal, simulate } from './harness.js';

const sim = await simulate();
let accounts = 0;

function newAccount(): Stripe {
  return sim.stripe(`sk_test_c${++accounts}`);
}

const open = (stripe: Stripe, more: Partial<Stripe.Checkout.SessionCreateParams> = {}): Promise<Stripe.Checkout.Session> =>
  stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ quantity: 2, price_data: { currency: 'usd', unit_amount: 1500, product_data: { name: 'T-shirt' } } }],
    success_url: 'https://shop.example/done?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'https://shop.example/cart',
    payment_intent_data: { metadata: { order: '1' } },
    ...more,
  });

/** Sends the form of the session's page; redirects are left to the caller. */
const submit = (session: Stripe.Checkout.Session, fields: Record<string, string>): Promise<Response> =>
  fetch(session.url ?? '', { method: 'POST', body: new URLSearchParams({ method: 'card', ...fields }), redirect: 'manual' });

async function sessionEvents(stripe: Stripe): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: 50 });
  return data.flatMap(({ type }) => (type.startsWith('checkout') ? [type] : [])).reverse();
}

describe('a checkout session', () => {
  it('begins open and unpaid, without an intent', async () => {
    const session = await open(newAccount());
    deepStrictEqual([session.status, session.payment_status, session.payment_intent, session.amount_total], ['open', 'unpaid', null, 3000]);
    match(await (await fetch(session.url ?? '')).text(), /T-shirt/);
  });

  it('is paid with a card typed into its page', async () => {
    const stripe = newAccount();
    const session = await open(stripe);
    const answer = await submit(session, { number: '4242 4242 4242 4242', expiry: '12/40', cvc: '123', email: 'ada@example.com' });
    strictEqual(answer.headers.get('location'), `https://shop.example/done?session=${session.id}`);
    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent', 'line_items'] });
    deepStrictEqual([done.status, done.payment_status, done.customer_details?.email], ['complete', 'paid', 'ada@example.com']);
    const intent = done.payment_intent as Stripe.PaymentIntent;
    deepStrictEqual([intent.status, intent.amount, intent.metadata], ['succeeded', 3000, { order: '1' }]);
    strictEqual(done.line_items?.data[0]?.quantity, 2);
    deepStrictEqual(await sessionEvents(stripe), ['checkout.session.completed']);
  });

  it('stays open after a decline, and is paid with another card by the same intent', async () => {
    const stripe = newAccount();
    const session = await open(stripe);
    const declined = await submit(session, { number: '4000000000000002' });
    strictEqual(declined.status, 402);
    match(await declined.text(), /Your card was declined/);
    strictEqual((await stripe.checkout.sessions.retrieve(session.id)).status, 'open');
    await submit(session, { number: '4242424242424242' });
    strictEqual((await stripe.checkout.sessions.retrieve(session.id)).payment_status, 'paid');
    strictEqual((await stripe.paymentIntents.list()).data.length, 1);
  });

  it('shows a mistyped number on the page', async () => {
    match(await (await submit(await open(newAccount()), { number: '4242424242424241' })).text(), /card number is incorrect/);
  });

  it('sends the buyer to authenticate and back', async () => {
    const stripe = newAccount();
    const session = await open(stripe);
    const away = await submit(session, { number: '4000000000003220' });
    const page = away.headers.get('location') ?? '';
    match(page, /authenticate/);
    const back = await fetch(page, { method: 'POST', body: new URLSearchParams({ outcome: 'complete' }), redirect: 'manual' });
    const last = await fetch(back.headers.get('location') ?? '', { redirect: 'manual' });
    match(last.headers.get('location') ?? '', /^https:\/\/shop\.example\/done/);
    strictEqual((await stripe.checkout.sessions.retrieve(session.id)).payment_status, 'paid');
  });

  for (const [outcome, event, paymentStatus] of [
    ['succeeded', 'checkout.session.async_payment_succeeded', 'paid'],
    ['failed', 'checkout.session.async_payment_failed', 'unpaid'],
  ] as const) {
    it(`with a delayed method is complete but unpaid until the bank answers: ${outcome}`, async () => {
      const stripe = newAccount();
      const session = await open(stripe);
      await submit(session, { method: 'debit' });
      const complete = await stripe.checkout.sessions.retrieve(session.id);
      deepStrictEqual([complete.status, complete.payment_status], ['complete', 'unpaid']);
      await sim.control(`/payment_intents/${complete.payment_intent as string}/settle`, { outcome });
      strictEqual((await stripe.checkout.sessions.retrieve(session.id)).payment_status, paymentStatus);
      deepStrictEqual(await sessionEvents(stripe), ['checkout.session.completed', event]);
    });
  }

  it('is expired by its merchant or by time, and then takes no payment', async () => {
    const stripe = newAccount();
    const [byHand, byTime] = [await open(stripe), await open(stripe)];
    strictEqual((await stripe.checkout.sessions.expire(byHand.id)).status, 'expired');
    strictEqual((await refusal(stripe.checkout.sessions.expire(byHand.id))).statusCode, 400);
    await sim.control('/clock', { advanceSeconds: 24 * 3600 + 1 });
    strictEqual((await stripe.checkout.sessions.retrieve(byTime.id)).status, 'expired');
    strictEqual((await submit(byTime, {})).status, 410);
    deepStrictEqual(await sessionEvents(stripe), ['checkout.session.expired', 'checkout.session.expired']);
  });

  it('owns its intent: that is confirmed by the page alone, and ended by expiring the session', async () => {
    const stripe = newAccount();
    const session = await open(stripe);
    await submit(session, { number: '4000000000000002' });
    const { payment_intent: id } = await stripe.checkout.sessions.retrieve(session.id);
    strictEqual((await refusal(stripe.paymentIntents.cancel(id as string))).statusCode, 400);
    const confirm = { payment_method: 'pm_card_visa', return_url: 'https://shop.example' };
    strictEqual((await refusal(stripe.paymentIntents.confirm(id as string, confirm))).statusCode, 400);
    await stripe.checkout.sessions.expire(session.id);
    strictEqual((await stripe.paymentIntents.retrieve(id as string)).status, 'canceled');
  });

  it('is listed by its intent and status, with its lines', async () => {
    const stripe = newAccount();
    const session = await open(stripe);
    await sim.control(`/checkout/sessions/${session.id}/pay`, { paymentMethod: 'pm_card_visa' });
    await open(stripe);
    const { payment_intent: id } = await stripe.checkout.sessions.retrieve(session.id);
    deepStrictEqual(
      (await stripe.checkout.sessions.list({ payment_intent: id as string })).data.map((found) => found.id),
      [session.id],
    );
    strictEqual((await stripe.checkout.sessions.list({ status: 'open' })).data.length, 1);
    ok((await stripe.checkout.sessions.listLineItems(session.id)).data[0]?.description === 'T-shirt');
  });

  it('lives between half an hour and a day', async () => {
    const now = Math.floor(Number((await sim.control('/clock'))['nowMs']) / 1000);
    strictEqual((await refusal(open(newAccount(), { expires_at: now + 60 }))).param, 'expires_at');
    strictEqual((await refusal(open(newAccount(), { expires_at: now + 25 * 3600 }))).param, 'expires_at');
    strictEqual((await open(newAccount(), { expires_at: now + 3600 })).expires_at, now + 3600);
  });
});
