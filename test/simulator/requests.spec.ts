import { deepStrictEqual, match, ok, strictEqual } from 'node:assert';
import { describe, it } from 'node:test';
import { errorOf, type Json, parsed, refusal, simulate } from './harness.js';

const sim = await simulate();
const stripe = sim.stripe();

describe('authentication', () => {
  it('takes the key as bearer token or as name of basic authentication', async () => {
    const bearer = await sim.api('GET', '/v1/account');
    const basic = await sim.api('GET', '/v1/account', undefined, {
      key: '',
      headers: { Authorization: `Basic ${Buffer.from('sk_test_a:').toString('base64')}` },
    });
    strictEqual(bearer.status, 200);
    strictEqual(basic.body['id'], bearer.body['id']);
  });

  it('makes every secret key an account of its own', async () => {
    const [a, b] = [await sim.api('GET', '/v1/account'), await sim.api('GET', '/v1/account', undefined, { key: 'sk_test_b' })];
    ok(a.body['id'] !== b.body['id']);
    const { id } = await stripe.customers.create({});
    strictEqual((await refusal(sim.stripe('sk_test_b').customers.retrieve(id))).statusCode, 404);
  });

  it('refuses a missing and a malformed key with 401', async () => {
    for (const key of ['', 'nonsense', 'sk_live_a', 'sk_test_']) {
      const answer = await sim.api('GET', '/v1/account', undefined, { key });
      strictEqual(answer.status, 401);
      strictEqual(errorOf(answer)['type'], 'invalid_request_error');
      ok(!answer.text.includes('sk_live_a'));
    }
  });
});

describe('an answer', () => {
  it('carries a request id and the version asked for', async () => {
    const answer = await sim.api('GET', '/v1/account', undefined, { headers: { 'Stripe-Version': '2026-10-28.endive' } });
    match(answer.headers.get('request-id') ?? '', /^req_\w+$/);
    strictEqual(answer.headers.get('stripe-version'), '2026-10-28.endive');
    strictEqual((await sim.api('GET', '/v1/account', undefined, { headers: { 'Stripe-Version': 'latest' } })).status, 400);
  });

  it('explains an error in Stripe’s words', async () => {
    const answer = await sim.api('GET', '/v1/payment_intents/pi_none');
    strictEqual(answer.status, 404);
    const error = errorOf(answer);
    deepStrictEqual(
      { code: error['code'], message: error['message'], param: error['param'], type: error['type'] },
      { code: 'resource_missing', message: "No such payment_intent: 'pi_none'", param: 'intent', type: 'invalid_request_error' },
    );
    match(String(error['doc_url']), /resource-missing$/);
    match(String(error['request_log_url']), /req_/);
  });

  it('to an unknown URL is 404 without a code', async () => {
    const answer = await sim.api('GET', '/v1/unicorns');
    strictEqual(answer.status, 404);
    match(String(errorOf(answer)['message']), /Unrecognized request URL \(GET: \/v1\/unicorns\)/);
  });
});

describe('parameters', () => {
  const refused = async (params: string): Promise<Json> => {
    const answer = await sim.api('POST', '/v1/payment_intents', params);
    strictEqual(answer.status, 400);
    const { code, param } = errorOf(answer);
    return { code, param };
  };

  it('are refused when missing, unknown, empty or no integer', async () => {
    deepStrictEqual(await refused('currency=usd'), { code: 'parameter_missing', param: 'amount' });
    deepStrictEqual(await refused('amount=2000&currency=usd&colour=red'), { code: 'parameter_unknown', param: 'colour' });
    deepStrictEqual(await refused('amount=2000&currency='), { code: 'parameter_invalid_empty', param: 'currency' });
    deepStrictEqual(await refused('amount=20.5&currency=usd'), { code: 'parameter_invalid_integer', param: 'amount' });
  });

  it('are refused by their full name when nested', async () => {
    const automatic = 'amount=2000&currency=usd&automatic_payment_methods';
    deepStrictEqual(await refused(`${automatic}[enabled]=true&automatic_payment_methods[foo]=1`), {
      code: 'parameter_unknown',
      param: 'automatic_payment_methods[foo]',
    });
    deepStrictEqual(await refused(`${automatic}[allow_redirects]=never`), {
      code: 'parameter_missing',
      param: 'automatic_payment_methods[enabled]',
    });
  });

  it('are read with literal and encoded brackets, and with both spellings of a list', async () => {
    const made = await sim.api('POST', '/v1/payment_intents', 'amount=2000&currency=eur&metadata%5Ba%5D=1&metadata[b]=%C3%A4+%26', {});
    deepStrictEqual(made.body['metadata'], { a: '1', b: 'ä &' });
    for (const spelling of ['allowed_payment_method_types[]=card', 'allowed_payment_method_types[0]=card']) {
      const answer = await sim.api('POST', '/v1/payment_intents', `amount=2000&currency=eur&${spelling}`);
      deepStrictEqual(answer.body['allowed_payment_method_types'], ['card']);
    }
  });

  it('must be form-encoded', async () => {
    const answer = await sim.api('POST', '/v1/customers', '{"email":"a@b.c"}', { headers: { 'Content-Type': 'application/json' } });
    strictEqual(answer.status, 400);
  });

  it('of metadata obey its limits and are unset by an empty value', async () => {
    const { id } = await stripe.customers.create({ metadata: { a: '1', b: '2' } });
    deepStrictEqual((await stripe.customers.update(id, { metadata: { a: '' } })).metadata, { b: '2' });
    deepStrictEqual((await stripe.customers.update(id, { metadata: '' })).metadata, {});
    strictEqual((await refusal(stripe.customers.update(id, { metadata: { ['k'.repeat(41)]: '1' } }))).statusCode, 400);
    strictEqual((await refusal(stripe.customers.update(id, { metadata: { k: 'v'.repeat(501) } }))).statusCode, 400);
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']));
    strictEqual((await refusal(stripe.customers.update(id, { metadata: many }))).statusCode, 400);
  });

  it('that name a missing object are refused with resource_missing', async () => {
    const error = await refusal(stripe.paymentIntents.create({ amount: 2000, currency: 'usd', customer: 'cus_none' }));
    strictEqual(error.statusCode, 400);
    strictEqual(error.code, 'resource_missing');
    strictEqual(error.param, 'customer');
  });
});

describe('a list', () => {
  const lister = sim.stripe('sk_test_lists');

  it('is newest first, ten at a time, and pages both ways', async () => {
    const ids: string[] = [];
    for (let made = 0; made < 12; made++) ids.unshift((await lister.customers.create({ email: `c${made}@example.com` })).id);
    const first = await lister.customers.list();
    deepStrictEqual(
      first.data.map(({ id }) => id),
      ids.slice(0, 10),
    );
    strictEqual(first.has_more, true);
    strictEqual(first.url, '/v1/customers');
    const next = await lister.customers.list({ starting_after: ids[9] ?? '' });
    deepStrictEqual([next.data.map(({ id }) => id), next.has_more], [ids.slice(10), false]);
    const back = await lister.customers.list({ ending_before: ids[9] ?? '', limit: 3 });
    deepStrictEqual([back.data.map(({ id }) => id), back.has_more], [ids.slice(6, 9), true]);
    const all: string[] = [];
    for await (const customer of lister.customers.list({ limit: 5 })) all.push(customer.id);
    deepStrictEqual(all, ids);
    deepStrictEqual(
      (await lister.customers.list({ email: 'c3@example.com' })).data.map(({ id }) => id),
      [ids[8]],
    );
  });

  it('keeps its limit between 1 and 100', async () => {
    strictEqual((await lister.customers.list({ limit: 0 })).data.length, 1);
    strictEqual((await lister.customers.list({ limit: 1000 })).data.length, 12);
  });

  it('refuses both cursors at once, and one that does not exist', async () => {
    strictEqual((await refusal(lister.customers.list({ starting_after: 'cus_1', ending_before: 'cus_2' }))).statusCode, 400);
    strictEqual((await refusal(lister.customers.list({ starting_after: 'cus_1' }))).code, 'resource_missing');
  });

  it('is narrowed by created', async () => {
    const { created } = await lister.customers.create({});
    strictEqual((await lister.customers.list({ created: { gt: created } })).data.length, 0);
    ok((await lister.customers.list({ created: { gte: created, lte: created } })).data.length >= 1);
    await sim.control('/clock', { advanceSeconds: 100 });
    const later = await lister.customers.create({});
    deepStrictEqual(
      (await lister.customers.list({ created: { gte: created + 100 } })).data.map(({ id }) => id),
      [later.id],
    );
    ok(!(await lister.customers.list({ created: { lt: created + 100 } })).data.some(({ id }) => id === later.id));
  });
});

describe('expand', () => {
  it('puts objects in place of their ids, in lists too', async () => {
    const { id: customer } = await stripe.customers.create({});
    const made = await sim.api(
      'POST',
      '/v1/payment_intents',
      `amount=2000&currency=usd&customer=${customer}&capture_method=automatic&confirm=true&payment_method=pm_card_visa&return_url=https://a.example&expand[]=latest_charge.balance_transaction&expand[]=customer&expand[]=payment_method`,
    );
    const intent = made.body as { latest_charge: { balance_transaction: Json }; customer: Json; payment_method: Json };
    strictEqual(intent.latest_charge.balance_transaction['object'], 'balance_transaction');
    strictEqual(intent.customer['object'], 'customer');
    strictEqual(intent.payment_method['object'], 'payment_method');
    const page = await stripe.paymentIntents.list({ limit: 1, expand: ['data.latest_charge'] });
    strictEqual(typeof page.data[0]?.latest_charge, 'object');
    const charges = await stripe.charges.list({ limit: 1, expand: ['data.payment_intent.customer'] });
    strictEqual(typeof charges.data[0]?.payment_intent, 'object');
  });

  it('refuses before it does anything', async () => {
    const lonely = sim.stripe('sk_test_expand');
    for (const path of ['charges', 'latest_charge.customer.email', 'a.b.c.d.e']) {
      strictEqual((await refusal(lonely.paymentIntents.create({ amount: 2000, currency: 'usd', expand: [path] }))).param, 'expand');
    }
    strictEqual((await lonely.paymentIntents.list()).data.length, 0);
  });

  it('refuses what cannot be expanded, and more than four levels', async () => {
    strictEqual((await refusal(stripe.paymentIntents.list({ expand: ['latest_charge'] }))).statusCode, 400);
    const { id } = await stripe.customers.create({});
    strictEqual((await refusal(stripe.customers.retrieve(id, { expand: ['email'] }))).statusCode, 400);
    strictEqual((await refusal(stripe.paymentIntents.list({ expand: ['data.a.b.c.d'] }))).statusCode, 400);
  });
});

describe('a publishable key', () => {
  const key = 'pk_test_a';

  it('reaches an intent of its account with the client secret, and nothing else', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd', metadata: { internal: 'yes' } });
    const path = `/v1/payment_intents/${intent.id}`;
    const seen = await sim.api('GET', `${path}?client_secret=${intent.client_secret ?? ''}`, undefined, { key });
    strictEqual(seen.body['status'], 'requires_payment_method');
    strictEqual(seen.body['metadata'], undefined);
    strictEqual((await sim.api('GET', path, undefined, { key })).status, 404);
    strictEqual((await sim.api('GET', `${path}?client_secret=${intent.id}_secret_guess`, undefined, { key })).status, 404);
    const refused = await sim.api('GET', '/v1/payment_intents', undefined, { key });
    strictEqual(refused.status, 403);
    strictEqual(errorOf(refused)['code'], 'secret_key_required');
    strictEqual((await sim.api('POST', `${path}/cancel`, '', { key })).status, 403);
  });

  it('confirms as a browser does, without a return_url', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd' });
    const form = `key=${key}&client_secret=${intent.client_secret ?? ''}&payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242&payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=40&payment_method_data[card][cvc]=123`;
    const confirmed = await sim.api('POST', `/v1/payment_intents/${intent.id}/confirm`, form, { key: '' });
    strictEqual(confirmed.body['status'], 'succeeded');
  });

  it('may be used from any page', async () => {
    const preflight = await fetch(`${sim.url}/v1/payment_intents/pi_1/confirm`, {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://shop.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      },
    });
    strictEqual(preflight.status, 204);
    strictEqual(preflight.headers.get('access-control-allow-origin'), '*');
    strictEqual(preflight.headers.get('access-control-allow-headers'), 'authorization');
    strictEqual((await sim.api('GET', '/v1/account')).headers.get('access-control-allow-origin'), '*');
  });
});

it('GET /_sim lists every control with what it does', async () => {
  const handbook = parsed(await (await fetch(`${sim.url}/_sim`)).text()) as {
    controls: { control: string; does: string }[];
    cards: string[];
  };
  for (const control of ['faults', 'webhooks', 'clock', 'journal', 'next_action', 'settle', 'reset']) {
    ok(
      handbook.controls.some((entry) => entry.control.includes(control) && entry.does.length > 0),
      control,
    );
  }
  ok(handbook.cards.includes('pm_card_visa'));
});
