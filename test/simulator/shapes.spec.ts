import { deepStrictEqual, ok, throws } from 'node:assert';
import { it } from 'node:test';
import type { Stripe } from 'stripe';
import { errorOf, NO_REDIRECTS, parsed, simulate } from './harness.js';
import { Shapes } from './shapes.js';
import { StripeDeclarations } from './stripe-schemas.js';

const sim = await simulate();
const stripe = sim.stripe();

/** Every call of the simulator, with what the client declares to be its parameters. */
const CALLS = {
  'POST /v1/payment_intents': 'Stripe.PaymentIntentCreateParams',
  'GET /v1/payment_intents': 'Stripe.PaymentIntentListParams',
  'GET /v1/payment_intents/search': 'Stripe.PaymentIntentSearchParams',
  'GET /v1/payment_intents/x': 'Stripe.PaymentIntentRetrieveParams',
  'POST /v1/payment_intents/x': 'Stripe.PaymentIntentUpdateParams',
  'POST /v1/payment_intents/x/confirm': 'Stripe.PaymentIntentConfirmParams',
  'POST /v1/payment_intents/x/capture': 'Stripe.PaymentIntentCaptureParams',
  'POST /v1/payment_intents/x/cancel': 'Stripe.PaymentIntentCancelParams',
  'GET /v1/charges': 'Stripe.ChargeListParams',
  'POST /v1/charges/x': 'Stripe.ChargeUpdateParams',
  'POST /v1/refunds': 'Stripe.RefundCreateParams',
  'GET /v1/refunds': 'Stripe.RefundListParams',
  'POST /v1/refunds/x': 'Stripe.RefundUpdateParams',
  'GET /v1/events': 'Stripe.EventListParams',
  'POST /v1/webhook_endpoints': 'Stripe.WebhookEndpointCreateParams',
  'POST /v1/webhook_endpoints/x': 'Stripe.WebhookEndpointUpdateParams',
  'POST /v1/customers': 'Stripe.CustomerCreateParams',
  'POST /v1/customers/x': 'Stripe.CustomerUpdateParams',
  'GET /v1/customers': 'Stripe.CustomerListParams',
  'GET /v1/payment_methods': 'Stripe.PaymentMethodListParams',
  'POST /v1/payment_methods/x/attach': 'Stripe.PaymentMethodAttachParams',
  'POST /v1/setup_intents': 'Stripe.SetupIntentCreateParams',
  'POST /v1/setup_intents/x/confirm': 'Stripe.SetupIntentConfirmParams',
  'POST /v1/checkout/sessions': 'Stripe.Checkout.SessionCreateParams',
  'GET /v1/checkout/sessions': 'Stripe.Checkout.SessionListParams',
  'POST /v1/disputes/x': 'Stripe.DisputeUpdateParams',
  'GET /v1/disputes': 'Stripe.DisputeListParams',
  'GET /v1/balance_transactions': 'Stripe.BalanceTransactionListParams',
};

const declarations = new StripeDeclarations(Object.values(CALLS));
const shapes = new Shapes(declarations);

const pay = (card: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create({
    amount: 2000,
    currency: 'usd',
    automatic_payment_methods: NO_REDIRECTS,
    confirm: true,
    payment_method: card,
    ...more,
  });

/** Makes objects of every kind in every state the simulator knows. */
async function populate(): Promise<void> {
  const shipping = { name: 'Ada', address: { line1: '1 Main St', city: 'Paris', country: 'FR' } };
  const customer = await stripe.customers.create({
    email: 'a@b.c',
    name: 'Ada',
    shipping,
    address: shipping.address,
    metadata: { a: '1' },
  });
  await stripe.paymentMethods.attach('pm_card_amex', { customer: customer.id });
  await pay('pm_card_visa', {
    customer: customer.id,
    setup_future_usage: 'off_session',
    shipping,
    receipt_email: 'a@b.c',
    description: 'order',
  });
  await pay('pm_card_visa', { capture_method: 'automatic' });
  const [held, canceled] = [
    await pay('pm_card_visa', { capture_method: 'manual' }),
    await pay('pm_card_visa', { capture_method: 'manual' }),
  ];
  await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1000 });
  await stripe.paymentIntents.cancel(canceled.id, { cancellation_reason: 'duplicate' });
  await pay('pm_card_visa', { capture_method: 'manual' });
  await pay('pm_card_chargeDeclinedInsufficientFunds').catch(() => undefined);
  await pay('pm_card_radarBlock').catch(() => undefined);
  await pay('pm_card_threeDSecure2Required', { return_url: 'https://a.example' });
  await pay('pm_card_threeDSecure2Required', { use_stripe_sdk: true });
  const [failing, authenticated] = [await pay('pm_card_authenticationRequired'), await pay('pm_card_authenticationRequired')];
  await sim.control(`/payment_intents/${failing.id}/next_action`, { outcome: 'failed' });
  await sim.control(`/payment_intents/${authenticated.id}/next_action`, { outcome: 'succeeded' });
  for (const method of ['pm_usBankAccount_success', 'pm_simulator_processingFailed', 'pm_simulator_processing']) await pay(method);
  for (const card of ['pm_card_pendingRefund', 'pm_card_refundFail', 'pm_card_visa']) {
    await stripe.refunds.create({ payment_intent: (await pay(card)).id, amount: 700, reason: 'duplicate', metadata: { a: '1' } });
  }
  await stripe.refunds.create({ payment_intent: (await pay('pm_card_pendingRefund')).id });
  for (const card of ['pm_card_createDispute', 'pm_card_createDisputeInquiry']) await pay(card);
  await stripe.webhookEndpoints.create({ url: 'http://127.0.0.1:9/', enabled_events: ['plan.created'], metadata: { a: '1' } });
  for (const card of ['pm_card_visa', 'pm_card_authenticationRequired', 'pm_card_chargeDeclined']) {
    await stripe.setupIntents
      .create({ customer: customer.id, payment_method: card, confirm: true, return_url: 'https://a.example' })
      .catch(() => undefined);
  }
  const sessions = await Promise.all(Array.from({ length: 4 }, newSession));
  await sim.control(`/checkout/sessions/${sessions[0]?.id}/pay`, { paymentMethod: 'pm_card_visa' });
  await sim.control(`/checkout/sessions/${sessions[1]?.id}/pay`, { paymentMethod: 'pm_simulator_processingSucceeded' });
  await stripe.checkout.sessions.expire(sessions[2]?.id ?? '');
}

function newSession(): Promise<Stripe.Checkout.Session> {
  return stripe.checkout.sessions.create({
    mode: 'payment',
    customer_email: 'a@b.c',
    client_reference_id: 'cart',
    success_url: 'https://a.example',
    cancel_url: 'https://a.example',
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 2000, product_data: { name: 'Mug' } } }],
  });
}

/** Every object of a list, as it stood on the wire. */
async function everyObject(path: string): Promise<object[]> {
  const found: { id: string }[] = [];
  for (let after = ''; ; after = `&starting_after=${found.at(-1)?.id}`) {
    const page = parsed((await sim.api('GET', `${path}?limit=100${after}`)).text) as { data: { id: string }[]; has_more: boolean };
    found.push(...page.data);
    if (!page.has_more) return found;
  }
}

it('every object and event has exactly the members the pinned client declares', { timeout: 60_000 }, async () => {
  await populate();
  const check = async (): Promise<void> => {
    for (const path of [
      'payment_intents',
      'charges',
      'refunds',
      'customers',
      'disputes',
      'balance_transactions',
      'webhook_endpoints',
      'checkout/sessions',
      'payment_methods',
      'events',
    ]) {
      const objects = await everyObject(`/v1/${path}`);
      ok(objects.length > 0, path);
      for (const object of objects) shapes.check(object);
    }
  };
  await check();
  // The later states: settled, lapsed, expired, disputed, decided.
  await sim.control('/clock', { advanceSeconds: 5 });
  const { data: disputes } = await stripe.disputes.list();
  for (const { id } of disputes) await stripe.disputes.update(id, { evidence: { uncategorized_text: 'winning_evidence' } });
  await sim.control('/clock', { advanceSeconds: 8 * 24 * 3600 });
  await check();
  for (const path of ['/v1/account', '/v1/balance']) shapes.check((await sim.api('GET', path)).body);
  const [session] = (await stripe.checkout.sessions.list({ limit: 1 })).data;
  for (const item of await everyObject(`/v1/checkout/sessions/${session?.id}/line_items`)) shapes.check(item);
  const expanded = await sim.api(
    'GET',
    '/v1/payment_intents?limit=100&expand[]=data.latest_charge.refunds&expand[]=data.customer&expand[]=data.payment_method',
  );
  shapes.check(expanded.body);
});

it('the check of members fails for one too many, one too few and an unknown word', async () => {
  const intent = (await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=usd')).body;
  const { amount: _, ...lacking } = intent;
  throws(() => shapes.check({ ...intent, surprise: 1 }), /additional properties/);
  throws(() => shapes.check(lacking), /required property 'amount'/);
  throws(() => shapes.check({ ...intent, status: 'paid' }));
});

it('no parameter the pinned client declares is unknown to the simulator', { timeout: 60_000 }, async () => {
  const unknown: string[] = [];
  for (const [call, declaration] of Object.entries(CALLS)) {
    const [method = '', path = ''] = call.split(' ');
    for (const name of declarations.parameterNames(declaration)) {
      const answer = method === 'GET' ? await sim.api(method, `${path}?${name}=x`) : await sim.api(method, path, `${name}=x`);
      if (errorOf(answer)['code'] === 'parameter_unknown') unknown.push(`${call} ${name}`);
    }
  }
  deepStrictEqual(unknown, []);
  ok(declarations.parameterNames('Stripe.PaymentIntentCreateParams').includes('amount'));
});
