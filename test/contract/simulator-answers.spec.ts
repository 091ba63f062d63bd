import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Stripe } from 'stripe';
import { waitFor } from '../support/wait-for.js';
import { eventViolations, type RecordedStripe, recordedStripe, routeOf, ROUTES, violationsOf } from './recorded-stripe.js';
import { ShapeCheck } from './shape-check.js';

// The official client drives the simulator through everything it can do. Each answer and each event, as it crossed the wire, is
// then held against Stripe's own types.

const DAY_SECONDS = 86_400;
const RETURN_URL = 'https://shop.example/return';
const SHIPPING = { name: 'Ada', phone: '+1', address: { line1: '1 Main St', city: 'London', country: 'GB', postal_code: 'N1' } };

let recorded: RecordedStripe;
let stripe: Stripe;
let shapes: ShapeCheck;
let webhookSecret: string;

before(async () => {
  shapes = await ShapeCheck.load();
  recorded = await recordedStripe();
  stripe = recorded.stripe;
  const endpoint = await stripe.webhookEndpoints.create({ url: recorded.webhookUrl, enabled_events: ['*'] });
  webhookSecret = endpoint.secret ?? '';
});

after(() => recorded.close());

describe('the simulator answers as Stripe declares', () => {
  asDeclared('to a payment intent from its creation to its payment', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 4_300, currency: 'usd', metadata: { cart: '1' } });
    await stripe.paymentIntents.update(intent.id, {
      payment_method: 'pm_card_visa',
      shipping: SHIPPING,
      description: 'Two shirts',
      receipt_email: 'ada@example.com',
    });
    await stripe.paymentIntents.confirm(intent.id, { return_url: RETURN_URL });
    await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge.balance_transaction.source', 'payment_method.customer'] });
    await stripe.paymentIntents.list({ limit: 1, expand: ['data.latest_charge'] });
    await stripe.paymentIntents.search({ query: "metadata['cart']:'1'" });
  });

  asDeclared('to a payment intent that is canceled', async () => {
    const reasons = ['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'] as const;
    for (const cancellation_reason of reasons) {
      const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'jpy', allowed_payment_method_types: ['card'] });
      await stripe.paymentIntents.cancel(intent.id, { cancellation_reason });
    }
  });

  asDeclared('to a payment that is authorized first', async () => {
    const [captured, canceled, lapsing] = [await authorized(), await authorized(), await authorized()];
    await stripe.paymentIntents.retrieve(captured.id, { expand: ['latest_charge'] });
    await stripe.paymentIntents.capture(captured.id, { amount_to_capture: 700, metadata: { parcel: '1' } });
    await stripe.paymentIntents.cancel(canceled.id);
    await recorded.control('/clock', { advanceSeconds: 8 * DAY_SECONDS });
    await stripe.paymentIntents.retrieve(lapsing.id, { expand: ['latest_charge'] });
  });

  asDeclared('to every test card and every delayed method', async () => {
    const { cards, delayedMethods } = await recorded.control('');
    for (const method of [...(cards as string[]), ...(delayedMethods as string[])]) {
      const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' });
      await stripe.paymentIntents.confirm(intent.id, { payment_method: method, return_url: RETURN_URL }).catch(expectRefusal);
    }
    await stripe.paymentIntents.list({ limit: 100, expand: ['data.latest_charge', 'data.payment_method'] });
    await recorded.control('/clock', { advanceSeconds: 4 * DAY_SECONDS });
    await stripe.paymentIntents.list({ limit: 100, expand: ['data.latest_charge', 'data.payment_method'] });
  });

  asDeclared('to a buyer who has to authenticate', async () => {
    const [authenticated, failed] = [await paid('pm_card_authenticationRequired'), await paid('pm_card_authenticationRequired')];
    await recorded.control(`/payment_intents/${authenticated.id}/next_action`, { outcome: 'succeeded' });
    await recorded.control(`/payment_intents/${failed.id}/next_action`, { outcome: 'failed' });
    for (const { id } of [authenticated, failed]) await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
    await paid('pm_card_threeDSecure2Required', { use_stripe_sdk: true });
    await refused(paid('pm_card_authenticationRequired', { off_session: true }));
    await refused(paid('pm_card_authenticationRequired', { error_on_requires_action: true }));
  });

  asDeclared('to a browser with a client secret', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' });
    const path = `/v1/payment_intents/${intent.id}`;
    const method = await recorded.raw(
      'POST /v1/payment_methods',
      'type=card&card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=40&card[cvc]=123',
    );
    await recorded.raw(`GET ${path}?client_secret=${intent.client_secret}`);
    await recorded.raw(`POST ${path}/confirm`, `client_secret=${intent.client_secret}&payment_method=${String(method['id'])}`);
    const setup = await stripe.setupIntents.create();
    await recorded.raw(`GET /v1/setup_intents/${setup.id}?client_secret=${setup.client_secret}`);
    await recorded.raw(`POST /v1/setup_intents/${setup.id}/confirm`, `client_secret=${setup.client_secret}&payment_method=pm_card_visa`);
    const refusals = recorded.exchanges.filter(({ authorization, status }) => authorization.startsWith('Bearer pk_') && status !== 200);
    assert.deepEqual(refusals, []);
  });

  asDeclared('to bank debits', async () => {
    const billing_details = { name: 'Ada', email: 'ada@example.com' };
    const sepa = await stripe.paymentMethods.create({
      type: 'sepa_debit',
      sepa_debit: { iban: 'DE89370400440532013000' },
      billing_details,
    });
    const ach = await stripe.paymentMethods.create({
      type: 'us_bank_account',
      us_bank_account: { account_number: '000123456789', routing_number: '110000000', account_holder_type: 'individual' },
      billing_details,
    });
    const [settled, failed] = [await paid(sepa.id, { currency: 'eur' }), await paid(ach.id)];
    await recorded.control(`/payment_intents/${settled.id}/settle`, { outcome: 'succeeded' });
    await recorded.control(`/payment_intents/${failed.id}/settle`, { outcome: 'failed' });
    for (const { id } of [settled, failed]) await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
    await stripe.refunds.create({ payment_intent: settled.id });
  });

  asDeclared('to charges', async () => {
    const intent = await paid('pm_card_visa');
    const [charge] = (await stripe.charges.list({ payment_intent: intent.id })).data;
    assert(charge);
    await stripe.refunds.create({ charge: charge.id, amount: 100 });
    await stripe.charges.update(charge.id, { description: 'A shirt', metadata: { cart: '1' }, shipping: SHIPPING });
    await stripe.charges.retrieve(charge.id, { expand: ['refunds', 'payment_intent', 'balance_transaction', 'customer'] });
  });

  asDeclared('to refunds of every outcome', async () => {
    const whole = await refundOf('pm_card_visa', { metadata: { operation: '1' }, reason: 'requested_by_customer' });
    await stripe.refunds.update(whole.id, { metadata: { operation: '2' } });
    const canceled = await refundOf('pm_card_pendingRefund', { amount: 300 });
    await stripe.refunds.cancel(canceled.id);
    const settled = await refundOf('pm_card_pendingRefund', { amount: 300, reason: 'duplicate' });
    const failed = await refundOf('pm_card_refundFail', { amount: 300, reason: 'fraudulent' });
    await recorded.control(`/refunds/${settled.id}/settle`, { outcome: 'succeeded' });
    await recorded.control(`/refunds/${failed.id}/settle`, { outcome: 'failed' });
    await stripe.refunds.retrieve(failed.id, {
      expand: ['charge', 'payment_intent', 'balance_transaction', 'failure_balance_transaction'],
    });
    await stripe.refunds.list({ limit: 100 });
  });

  asDeclared('to disputes of every outcome', async () => {
    const won = await disputeOf({ reason: 'product_not_received' });
    await stripe.disputes.update(won.id, { evidence: { uncategorized_text: 'Delivered.' }, metadata: { case: '1' } });
    await stripe.disputes.update(won.id, { evidence: { uncategorized_text: 'winning_evidence' }, submit: true });
    const lost = await disputeOf({ reason: 'fraudulent' });
    await stripe.disputes.close(lost.id);
    const inquiry = await disputeOf({ reason: 'product_not_received', inquiry: true });
    await stripe.disputes.update(inquiry.id, { evidence: { customer_name: 'Ada' }, submit: true });
    await stripe.disputes.close(inquiry.id);
    await stripe.disputes.retrieve(won.id, { expand: ['charge', 'payment_intent'] });
    await disputeOf({ inquiry: true });
    await stripe.disputes.list();
  });

  asDeclared('to cards that are kept for later', async () => {
    const customer = await stripe.customers.create({ name: 'Ada' });
    const kept = await stripe.setupIntents.create({ customer: customer.id, metadata: { a: '1' } });
    await stripe.setupIntents.update(kept.id, { payment_method: 'pm_card_visa', description: 'A card' });
    await stripe.setupIntents.confirm(kept.id, { return_url: RETURN_URL });
    await stripe.setupIntents.retrieve(kept.id, { expand: ['customer', 'payment_method.customer'] });
    const canceled = await stripe.setupIntents.create({ usage: 'on_session', allowed_payment_method_types: ['card'] });
    await stripe.setupIntents.cancel(canceled.id, { cancellation_reason: 'abandoned' });
    for (const outcome of ['succeeded', 'failed']) {
      const { id } = await setUp('pm_card_authenticationRequired');
      await recorded.control(`/setup_intents/${id}/next_action`, { outcome });
    }
    await refused(setUp('pm_card_chargeDeclined'));
    await stripe.setupIntents.list({ limit: 100, expand: ['data.payment_method'] });
  });

  asDeclared('to customers and their payment methods', async () => {
    const customer = await stripe.customers.create({
      email: 'ada@example.com',
      name: 'Ada',
      shipping: SHIPPING,
      address: SHIPPING.address,
      phone: '+1',
      metadata: { a: '1' },
    });
    const method = await stripe.paymentMethods.attach('pm_card_mastercard', { customer: customer.id });
    await stripe.paymentMethods.update(method.id, { billing_details: { email: 'ada@example.com' }, metadata: { a: '1' } });
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id }, preferred_locales: ['en'] });
    await paid(method.id, { customer: customer.id, setup_future_usage: 'off_session' });
    await stripe.paymentIntents.list({ customer: customer.id, expand: ['data.customer', 'data.payment_method.customer'] });
    await stripe.paymentMethods.list({ customer: customer.id, type: 'card' });
    await stripe.customers.listPaymentMethods(customer.id);
    await stripe.customers.retrievePaymentMethod(customer.id, method.id);
    await stripe.paymentMethods.retrieve(method.id, { expand: ['customer'] });
    await stripe.paymentMethods.detach(method.id);
    await stripe.customers.list({ email: 'ada@example.com' });
    await stripe.customers.retrieve(customer.id);
    await stripe.customers.del(customer.id);
    await stripe.customers.retrieve(customer.id).catch(expectRefusal);
    await stripe.paymentIntents.list({ customer: customer.id, expand: ['data.customer'] });
  });

  asDeclared('to checkout sessions', async () => {
    const [paidSession, later, expired] = [await session(), await session({ customer_creation: 'always' }), await session()];
    await recorded.control(`/checkout/sessions/${paidSession.id}/pay`, { paymentMethod: 'pm_card_visa' });
    await recorded.control(`/checkout/sessions/${later.id}/pay`, { paymentMethod: 'pm_simulator_processingSucceeded' });
    const failing = await session({ payment_intent_data: { setup_future_usage: 'off_session' } });
    await recorded.control(`/checkout/sessions/${failing.id}/pay`, { paymentMethod: 'pm_simulator_processingFailed' });
    await stripe.checkout.sessions.expire(expired.id);
    await stripe.checkout.sessions.update(paidSession.id, { metadata: { cart: '1' } });
    await recorded.control('/clock', { advanceSeconds: 4 * DAY_SECONDS });
    for (const { id } of [paidSession, later, failing])
      await stripe.checkout.sessions.retrieve(id, { expand: ['line_items', 'payment_intent.latest_charge', 'customer'] });
    await stripe.checkout.sessions.listLineItems(paidSession.id);
    await stripe.checkout.sessions.list();
  });

  asDeclared('to account and balance', async () => {
    const account = await stripe.accounts.retrieveCurrent();
    await stripe.accounts.retrieve(account.id);
    await stripe.balance.retrieve();
    const { data } = await stripe.balanceTransactions.list({ limit: 100, expand: ['data.source'] });
    assert(data[0]);
    await stripe.balanceTransactions.retrieve(data[0].id);
  });

  asDeclared('to webhook endpoints', async () => {
    const endpoint = await stripe.webhookEndpoints.create({
      url: 'https://shop.example/hook',
      enabled_events: ['refund.created'],
      api_version: '2026-10-28.endive',
    });
    await stripe.webhookEndpoints.update(endpoint.id, { disabled: true, description: 'Shop' });
    await stripe.webhookEndpoints.retrieve(endpoint.id);
    await stripe.webhookEndpoints.list();
    await stripe.webhookEndpoints.del(endpoint.id);
  });

  asDeclared('with every kind of refusal', async () => {
    const done = await paid('pm_card_visa');
    const idempotencyKey = 'contract';
    await stripe.customers.create({}, { idempotencyKey });
    await refused(stripe.customers.create({ name: 'Ada' }, { idempotencyKey }));
    await refused(stripe.paymentIntents.confirm(done.id));
    await refused(stripe.paymentIntents.capture(done.id));
    await refused(stripe.paymentIntents.create({ amount: 1, currency: 'usd' }));
    await refused(stripe.paymentIntents.retrieve('pi_missing'));
    await refused(stripe.paymentIntents.list({ expand: ['data.amount'] }));
    await refused(stripe.refunds.create({ payment_intent: done.id, amount: 99_999 }));
    await stripe.refunds.create({ payment_intent: done.id });
    await refused(stripe.refunds.create({ payment_intent: done.id }));
    for (const form of [
      'amount=x&currency=usd',
      'currency=usd',
      'amount=100&currency=usd&colour=red',
      'amount=100&currency=usd&payment_method_types[]=card',
    ])
      await recorded.raw('POST /v1/payment_intents', form, 'sk_test_contract');
    await recorded.raw('GET /v1/payment_intents', undefined, 'no_key');
    await recorded.raw('GET /v1/payment_intents');
    await recorded.raw('GET /v1/nothing', undefined, 'sk_test_contract');
    for (const action of ['401', '403', '409', '429', 'lock_timeout', '500']) {
      await recorded.control('/faults', { path: '/v1/balance', action, count: 1 });
      await refused(stripe.balance.retrieve());
    }
  });
});

describe('the simulator tells of events as Stripe declares them', () => {
  asDeclared('in their list and one by one', async () => {
    const [event] = (await stripe.events.list()).data;
    assert(event);
    await stripe.events.retrieve(event.id);
    await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 });
  });

  it('in every webhook, signed', async () => {
    await waitFor('every webhook to be delivered', async () => (await stripe.events.list({ delivery_success: false })).data.length === 0);
    for (const { body, headers } of recorded.deliveries)
      stripe.webhooks.constructEvent(body, headers['stripe-signature'] ?? '', webhookSecret);
    none(recorded.deliveries.flatMap(({ body }) => eventViolations(JSON.parse(body), shapes)));
  });

  it('of every type it knows', () => {
    const told = new Set(recorded.deliveries.map(({ body }) => (JSON.parse(body) as Stripe.Event).type as string));
    assert.deepEqual([...told].sort(), EVENT_TYPES.sort());
  });
});

describe('the answers above', () => {
  it('come from every route of the simulator', () => {
    const asked = new Set(recorded.exchanges.filter(({ status }) => status === 200).map(routeOf));
    none(ROUTES.filter((route) => !asked.has(route)));
  });

  it('show every status that Stripe documents of these objects, and no other', () => {
    const kinds = new Set(STATUSES.map(kindOf));
    const seen = new Set(recorded.exchanges.flatMap(({ answer }) => statusesIn(JSON.parse(answer))));
    assert.deepEqual([...seen].filter((status) => kinds.has(kindOf(status))).sort(), STATUSES.sort());
  });
});

const EVENT_TYPES = [
  ...named('charge', 'captured expired failed pending refunded succeeded updated'),
  ...named('charge.dispute', 'closed created funds_reinstated funds_withdrawn updated'),
  ...named('checkout.session', 'async_payment_failed async_payment_succeeded completed expired'),
  ...named('customer', 'created deleted updated'),
  ...named('payment_intent', 'amount_capturable_updated canceled created payment_failed processing requires_action succeeded'),
  ...named('payment_method', 'attached detached updated'),
  ...named('refund', 'created failed updated'),
  ...named('setup_intent', 'canceled created requires_action setup_failed succeeded'),
];

/** Of what we keep a record of. Stripe's types leave some of these open: a refund's status is just a string there. */
const STATUSES = [
  ...named(
    'payment_intent',
    'requires_payment_method requires_confirmation requires_action processing requires_capture succeeded canceled',
  ),
  ...named('charge', 'pending succeeded failed'),
  ...named('refund', 'pending succeeded failed canceled'),
  ...named('checkout.session', 'open complete expired'),
  ...named('setup_intent', 'requires_payment_method requires_confirmation requires_action succeeded canceled'),
  ...named('dispute', 'needs_response under_review won lost warning_needs_response warning_under_review warning_closed'),
];

function named(object: string, words: string): string[] {
  return words.split(' ').map((word) => `${object}.${word}`);
}

/** A test that does things with Stripe and asks of every answer on the way that it is as declared. */
function asDeclared(what: string, drive: () => Promise<void>): void {
  it(what, async () => {
    const from = recorded.exchanges.length;
    await drive();
    none(recorded.exchanges.slice(from).flatMap((exchange) => violationsOf(exchange, shapes)));
  });
}

function none(violations: readonly string[]): void {
  const different = [...new Set(violations)];
  assert.ok(different.length === 0, `\n  ${different.join('\n  ')}`);
}

function paid(payment_method: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}): Promise<Stripe.PaymentIntent> {
  return stripe.paymentIntents.create({ amount: 2_000, currency: 'usd', confirm: true, payment_method, return_url: RETURN_URL, ...more });
}

function setUp(payment_method: string): Promise<Stripe.SetupIntent> {
  return stripe.setupIntents.create({ confirm: true, payment_method, return_url: RETURN_URL });
}

function authorized(): Promise<Stripe.PaymentIntent> {
  return paid('pm_card_visa', { capture_method: 'manual' });
}

async function refundOf(payment_method: string, params: Stripe.RefundCreateParams): Promise<Stripe.Refund> {
  const { id } = await paid(payment_method);
  return stripe.refunds.create({ payment_intent: id, ...params });
}

async function disputeOf(how: object): Promise<Stripe.Dispute> {
  const { id } = await paid('pm_card_visa');
  const [charge] = (await stripe.charges.list({ payment_intent: id })).data;
  await recorded.control(`/charges/${charge?.id}/dispute`, how);
  const [dispute] = (await stripe.disputes.list({ payment_intent: id })).data;
  assert(dispute);
  return dispute;
}

function session(more: Partial<Stripe.Checkout.SessionCreateParams> = {}): Promise<Stripe.Checkout.Session> {
  return stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ quantity: 2, price_data: { currency: 'usd', unit_amount: 2_000, product_data: { name: 'T-shirt' } } }],
    success_url: RETURN_URL,
    cancel_url: RETURN_URL,
    client_reference_id: 'cart',
    customer_email: 'ada@example.com',
    ...more,
  });
}

function expectRefusal(error: unknown): void {
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
}

function refused(call: Promise<unknown>): Promise<void> {
  return assert.rejects(call, Stripe.errors.StripeError);
}

function kindOf(status: string): string {
  return status.slice(0, status.lastIndexOf('.'));
}

/** Every `object.status` anywhere in an answer. */
function statusesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { object, status } = value as { object?: unknown; status?: unknown };
  const own = typeof object === 'string' && typeof status === 'string' ? [`${object}.${status}`] : [];
  return [...own, ...Object.values(value).flatMap(statusesIn)];
}
