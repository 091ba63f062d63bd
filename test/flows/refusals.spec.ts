import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { after, before, describe, it } from 'node:test';
import { storeApiKey } from '../support/api-keys.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem, fieldsOf } from '../support/problem.js';
import { AN_ORDER, PUBLISHABLE_KEYS, SECRET_KEYS } from '../support/stack.js';

let database: TestDatabase;
let api: ApiAlone;

before(async () => {
  database = await freshDatabase();
  api = await startApiAlone(database.url);
  await api.call('/v1/prices/tshirt', { method: 'PUT', body: { name: 'T-shirt', currency: 'usd', unitAmount: 2_000 } });
});
after(async () => {
  // Whatever was refused in this file left nothing behind.
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM orders WHERE reference IS DISTINCT FROM 'accepted'`,
  );
  await api.close();
  await database.drop();
  assert.equal(row?.count, 0);
});

const post = (body: unknown, key: string = SECRET_KEYS[0]): Promise<Answer> => api.order(crypto.randomUUID(), body, { key });
const item = (overrides: object): object => ({ ...AN_ORDER, items: [{ name: 'T-shirt', unitAmount: 2_000, quantity: 1, ...overrides }] });
const without = (member: keyof typeof AN_ORDER): object => ({ ...AN_ORDER, [member]: undefined });

describe('an order is refused as not valid', () => {
  const cases: readonly (readonly [string, object])[] = [
    ['currency', without('currency')],
    ...['USD', 'usd ', 'us', 'xxx', '', 'uѕd', 1, null, ['usd']].map((currency) => ['currency', { ...AN_ORDER, currency }] as const),
    ['items', without('items')],
    ['items', { ...AN_ORDER, items: [] }],
    ['items', { ...AN_ORDER, items: Array.from({ length: 101 }, () => AN_ORDER.items[0]) }],
    ['items', { ...AN_ORDER, items: 'tshirt' }],
    ...[-1, 0.5, 1.005, '100', true, [], {}, 9_007_199_254_740_993, 1e300].map(
      (unitAmount) => ['items.0.unitAmount', item({ unitAmount })] as const,
    ),
    ...[0, -1, 1.5, 10_001, '1', null].map((quantity) => ['items.0.quantity', item({ quantity })] as const),
    ...['', 'a\u0000b', 'a\nb', 'n'.repeat(201), 7].map((name) => ['items.0.name', item({ name })] as const),
    ['items.0', item({ price: 'tshirt' })],
    ['items.0', item({ unitAmount: undefined })],
    ['items.0', { ...AN_ORDER, items: [{ price: 'tshirt', unitAmount: 1, quantity: 1 }] }],
    ['items.0', { ...AN_ORDER, items: [{ quantity: 1 }] }],
    ...['ada', 'ada@', '@example.com', 'a@b\u0000.com', `${'a'.repeat(250)}@example.com`].map(
      (email) => ['customer.email', { ...AN_ORDER, customer: { email } }] as const,
    ),
    ['customer.name', { ...AN_ORDER, customer: { name: '\u007f' } }],
    ['customer', { ...AN_ORDER, customer: 'Ada' }],
    ...['', '\u0000', 'r'.repeat(201), 5].map((reference) => ['reference', { ...AN_ORDER, reference }] as const),
    ...[
      { oncepay_order: 'x' },
      { 'a[b]': 'x' },
      { ['k'.repeat(41)]: 'x' },
      { '': 'x' },
      { k: 'v'.repeat(501) },
      { k: '' },
      { k: 1 },
      { k: null },
      { k: { l: 'm' } },
      { k: '\u0000' },
      ['v'],
      'k=v',
    ].map((metadata) => ['metadata', { ...AN_ORDER, metadata }] as const),
    ['metadata', { ...AN_ORDER, metadata: Object.fromEntries(Array.from({ length: 46 }, (_, index) => [`k${index}`, 'v'])) }],
    ...['card_visa', 'pm_', 'pm_a/b', 'tok_visa', 4_242].map((paymentMethod) => ['paymentMethod', { ...AN_ORDER, paymentMethod }] as const),
    ['captureMethod', { ...AN_ORDER, captureMethod: 'automatic_async' }],
    ['checkout', { ...AN_ORDER, checkout: 'embedded' }],
    ...['shop.example', 'javascript:alert(1)', 'ftp://shop.example', '/return', `https://shop.example/${'r'.repeat(2_000)}`].map(
      (returnUrl) => ['returnUrl', { ...AN_ORDER, returnUrl }] as const,
    ),
    ...['status', 'amount', 'amountRefunded', 'accountId', 'livemode', 'id', 'clientSecret'].map(
      (member) => [member, { ...AN_ORDER, [member]: 1 }] as const,
    ),
    ['items.0.amount', item({ amount: 1 })],
    ['customer.id', { ...AN_ORDER, customer: { id: 'cus_1' } }],
  ];
  for (const [field, order] of cases) {
    const text = JSON.stringify(order, (_, value: unknown) =>
      typeof value === 'string' && value.length > 60 ? `${value.slice(0, 9)}…` : value,
    ).slice(0, 200);
    it(`for ${field} of ${text}`, async () => {
      const answer = await post(order);
      assertProblem(answer, 400, 'validation_failed');
      assert.deepEqual([...new Set(fieldsOf(answer))], [field]);
    });
  }

  it('with every wrong field at once', async () => {
    const answer = await post({
      currency: 'xyz',
      items: [{ quantity: 0 }, { price: 'tshirt', quantity: 1, free: true }],
      metadata: 1,
      extra: 1,
    });
    assert.deepEqual(new Set(fieldsOf(answer)), new Set(['currency', 'extra', 'items.0.quantity', 'items.1.free', 'metadata']));
  });

  const bodies: readonly (readonly [string, string | Uint8Array])[] = [
    ['nothing', ''],
    ['cut off', '{"currency":"usd"'],
    ['two documents', '{}{}'],
    ['a trailing comma', '{"currency":"usd",}'],
    ['an array', '[]'],
    ['a text', '"order"'],
    ['null', 'null'],
    ['a number', '1'],
    ['NaN', '{"currency":NaN}'],
    ['a prototype', '{"__proto__":{"admin":true}}'],
    ['a constructor', '{"constructor":{"prototype":{"admin":true}}}'],
    ['depth', `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
    ['half a surrogate pair', '{"currency":"usd","reference":"\\ud800"}'],
    ['an infinite amount', JSON.stringify(item({})).replace('2000', '1e400')],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['UTF-16', Buffer.from('{"currency":"usd"}', 'utf16le')],
  ];
  for (const [what, body] of bodies) {
    it(`with a body that is ${what}`, async () => {
      const response = await fetch(`${api.url}/v1/orders`, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${SECRET_KEYS[0]}`, 'Idempotency-Key': crypto.randomUUID() },
      });
      const text = await response.text();
      assertProblem({ status: response.status, headers: response.headers, text, json: JSON.parse(text) }, 400, 'validation_failed');
    });
  }
});

describe('a card number', () => {
  const CARD = '4242 4242 4242 4242';
  const cases: readonly (readonly [string, object])[] = [
    ['customer.name', { ...AN_ORDER, customer: { name: `Ada ${CARD}` } }],
    ['customer.email', { ...AN_ORDER, customer: { email: '4242424242424242@example.com' } }],
    ['customer.phone', { ...AN_ORDER, customer: { phone: 4_242_424_242_424_242 } }],
    ['customer', { ...AN_ORDER, customer: '378282246310005' }],
    ['items.0.name', item({ name: CARD.replaceAll(' ', '-') })],
  ];
  for (const [field, order] of cases) {
    it(`is refused in ${field}`, async () => {
      const answer = await post(order);
      assertProblem(answer, 400, 'card_number_refused');
      assert.deepEqual(fieldsOf(answer), [field]);
      // The port in the address of its type may hold four such digits, and so may the number of the request.
      const { type: _type, requestId: _requestId, ...said } = answer.json;
      assert.doesNotMatch(JSON.stringify(said), /4242|3782/);
    });
  }

  it('is refused in the name of a price', async () => {
    const body = { name: `Card ${CARD}`, currency: 'usd', unitAmount: 100 };
    const answer = await api.call('/v1/prices/card', { method: 'PUT', body });
    assertProblem(answer, 400, 'card_number_refused');
    assert.deepEqual(fieldsOf(answer), ['name']);
    assert.deepEqual(await database.query(`SELECT 1 FROM prices WHERE id = 'card'`), []);
  });

  it('is none of our business where any number may stand, and no number is refused for its length alone', async () => {
    const texts = { reference: 'accepted', metadata: { barcode: '4242424242424242' } };
    for (const name of ['Part 4242424242424241', 'Part 424242424242'])
      assert.equal((await post({ ...item({ name }), ...texts })).status, 201);
  });
});

describe('the total of an order', () => {
  for (const [currency, unitAmount, quantity, status, code] of [
    ['usd', 49, 1, 400, 'amount_too_small'],
    ['usd', 25, 2, 201, null],
    ['usd', 0, 1, 400, 'amount_too_small'],
    ['gbp', 29, 1, 400, 'amount_too_small'],
    ['jpy', 49, 1, 400, 'amount_too_small'],
    ['usd', 99_999_999, 1, 201, null],
    ['usd', 50_000_000, 2, 400, 'amount_too_large'],
    ['usd', 100_000_000, 1, 400, 'amount_too_large'],
    ['usd', 9_007_199_254_740_991, 10_000, 400, 'amount_too_large'],
    ['usd', 99_999_999, 10_000, 400, 'amount_too_large'],
    ['kwd', 1_235, 1, 400, 'validation_failed'],
    ['isk', 150, 1, 400, 'validation_failed'],
    ['kwd', 1_235, 2, 201, null],
  ] as const) {
    it(`of ${quantity} times ${unitAmount} in ${currency} is answered ${code ?? status}`, async () => {
      const answer = await post({ currency, items: [{ name: 'It', unitAmount, quantity }], reference: 'accepted' });
      if (code === null) assert.equal(answer.status, status, answer.text);
      else assertProblem(answer, status, code);
    });
  }
});

describe('a caller', () => {
  it('is told 401 and how to authenticate when the key is absent, unknown, malformed, expired, revoked or of the other mode', async () => {
    const [live, expired, revoked, good] = [
      await storeApiKey(database, { mode: 'live' }),
      await storeApiKey(database, { expiresAt: new Date(Date.now() - 1_000) }),
      await storeApiKey(database),
      await storeApiKey(database),
    ];
    await database.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [revoked.id]);
    const wrongChecksum = good.key.slice(0, -1) + (good.key.endsWith('0') ? '1' : '0');
    const headers: readonly { readonly Authorization?: string }[] = [
      {},
      { Authorization: '' },
      { Authorization: 'Bearer' },
      { Authorization: SECRET_KEYS[0] },
      { Authorization: `Basic ${btoa(`${SECRET_KEYS[0]}:`)}` },
      { Authorization: `Bearer ${SECRET_KEYS[0]} more` },
      ...['x', live.key, expired.key, revoked.key, wrongChecksum, `${good.key}0`, good.key.replace('_sk_', '_pk_')].map((key) => ({
        Authorization: `Bearer ${key}`,
      })),
    ];
    for (const header of headers) {
      const response = await fetch(`${api.url}/v1/orders?key=${SECRET_KEYS[0]}`, { headers: header });
      const text = await response.text();
      assertProblem({ status: response.status, headers: response.headers, text, json: JSON.parse(text) }, 401, 'unauthenticated');
      const isShown = /^Bearer \S+$/.test(header.Authorization ?? '');
      assert.equal(response.headers.get('WWW-Authenticate'), `Bearer realm="oncepay"${isShown ? ', error="invalid_token"' : ''}`);
    }
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      assert.equal((await fetch(`${api.url}/v1/orders`, { headers: { Authorization: `${scheme} ${good.key}` } })).status, 200);
    }
  });

  it('is not known by a key in the query, and may not put one there either', async () => {
    const path = `/v1/orders?key=${SECRET_KEYS[0]}`;
    assert.equal((await fetch(`${api.url}${path}`)).status, 401);
    assertProblem(await api.call(path), 400, 'validation_failed');
  });

  it('is told 401 before anything of the request is looked at', async () => {
    assertProblem(await api.call('/v1/orders', { key: 'x', body: { wrong: true } }), 401, 'unauthenticated');
    assertProblem(await api.call('/v1/orders/ord_x', { key: 'x' }), 401, 'unauthenticated');
  });

  const routes: readonly (readonly [string, string, string, object | undefined])[] = [
    ['orders:write', 'POST', '/v1/orders', { ...AN_ORDER, reference: 'accepted' }],
    ['orders:read', 'GET', '/v1/orders', undefined],
    ['orders:read', 'GET', '/v1/orders/ord_x', undefined],
    ['orders:read', 'GET', '/v1/orders/ord_x/events', undefined],
    ['prices:write', 'PUT', '/v1/prices/scoped', { name: 'Scoped', currency: 'usd', unitAmount: 100 }],
    ['prices:read', 'GET', '/v1/prices', undefined],
    ['ops', 'GET', '/v1/ops/webhook-events', undefined],
    ['ops', 'GET', '/v1/ops/operations', undefined],
    ['ops', 'GET', '/v1/ops/audit', undefined],
    ['ops', 'POST', '/v1/ops/operations/op_x/retry', {}],
  ];
  for (const [scope, method, path, body] of routes) {
    it(`needs the scope ${scope}, and no other, to ${method} ${path}`, async () => {
      const others = ['orders:write', 'orders:read', 'prices:write', 'prices:read', 'ops'].filter((one) => one !== scope);
      const [lacking, having] = [await storeApiKey(database, { scopes: others }), await storeApiKey(database, { scopes: [scope] })];
      const options = { method, idempotencyKey: crypto.randomUUID(), ...(body === undefined ? {} : { body }) };

      const refused = await api.call(path, { ...options, key: lacking.key });
      assertProblem(refused, 403, 'forbidden');
      assert.match(String(refused.json['detail']), new RegExp(scope));
      const allowed = await api.call(path, { ...options, key: having.key });
      assert.ok([200, 201, 404].includes(allowed.status), allowed.text);
    });
  }

  it('with a publishable key gets no more than browsers may have, whatever its row says', async () => {
    const { key } = await storeApiKey(database, { audience: 'publishable' });
    for (const [method, path] of [
      ['PUT', '/v1/prices/x'],
      ['GET', '/v1/orders'],
      ['GET', '/v1/ops/webhook-events'],
    ] as const) {
      assertProblem(
        await api.call(path, { key, method, ...(method === 'PUT' ? { body: { name: 'X', currency: 'usd', unitAmount: 1 } } : {}) }),
        403,
        'forbidden',
      );
    }
  });

  it('with a publishable key sends buyers back to its own origins only', async () => {
    const { key } = await storeApiKey(database, { audience: 'publishable', origins: ['https://shop.example', 'http://localhost:5173'] });
    const order = { currency: 'usd', items: [{ price: 'tshirt', quantity: 1 }], reference: 'accepted' };
    for (const returnUrl of ['https://shop.example/return?cart=1', 'https://shop.example', 'http://localhost:5173/done']) {
      assert.equal((await post({ ...order, returnUrl }, key)).status, 201, returnUrl);
    }
    for (const returnUrl of [
      'https://evil.example/',
      'http://shop.example/',
      'https://shop.example.evil.example/',
      'https://shop.example:8443/',
      'https://shop.example@evil.example/',
    ]) {
      const answer = await post({ ...order, returnUrl }, key);
      assertProblem(answer, 400, 'validation_failed');
      assert.deepEqual(fieldsOf(answer), ['returnUrl'], returnUrl);
    }
    assert.equal((await post({ ...order, returnUrl: 'https://any.example/' }, SECRET_KEYS[0])).status, 201);
  });
});

describe('a request that reaches no route is a problem too', () => {
  const cases: readonly (readonly [string, number, string, () => Promise<Answer>])[] = [
    ['an unknown path', 404, 'not_found', () => api.call('/v1/nothing')],
    ['a path that ends in a slash', 404, 'not_found', () => api.call('/v1/orders/')],
    ['a malformed escape', 400, 'validation_failed', () => api.call('/v1/orders/%zz')],
    ['an id without end', 404, 'not_found', () => api.call(`/v1/orders/${'o'.repeat(3_000)}`)],
    ['a method no route has', 405, 'method_not_allowed', () => api.call('/v1/orders', { method: 'DELETE' })],
    [
      'a form',
      415,
      'unsupported_media_type',
      () => api.order(crypto.randomUUID(), 'currency=usd', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
    ],
    [
      'plain text',
      415,
      'unsupported_media_type',
      () => api.order(crypto.randomUUID(), JSON.stringify(AN_ORDER), { headers: { 'Content-Type': 'text/plain' } }),
    ],
    ['a body above 256 KiB', 413, 'payload_too_large', () => api.order(crypto.randomUUID(), `{"reference":"${'r'.repeat(262_144)}"}`)],
  ];
  for (const [what, status, code, send] of cases) {
    it(`${status} for ${what}`, async () => {
      assertProblem(await send(), status, code);
    });
  }

  it('415 for a compressed body, which would be unpacked before it is counted', async () => {
    const response = await fetch(`${api.url}/v1/orders`, {
      method: 'POST',
      body: gzipSync(JSON.stringify(AN_ORDER)),
      headers: {
        'Content-Type': 'application/json',
        'Content-Encoding': 'gzip',
        Authorization: `Bearer ${SECRET_KEYS[0]}`,
        'Idempotency-Key': crypto.randomUUID(),
      },
    });
    const text = await response.text();
    assertProblem({ status: response.status, headers: response.headers, text, json: JSON.parse(text) }, 415, 'unsupported_media_type');
  });

  it('and every one of them has a page behind its type, also for browsers', async () => {
    const problems = [
      await api.call('/v1/nothing'),
      await post({}),
      await api.call('/v1/orders', { key: 'x' }),
      await api.call('/v1/orders', { key: PUBLISHABLE_KEYS[0] }),
      await api.call('/v1/orders', { body: AN_ORDER }),
    ];
    assert.deepEqual(
      problems.map(({ json }) => json['code']),
      ['not_found', 'validation_failed', 'unauthenticated', 'forbidden', 'idempotency_key_missing'],
    );
    for (const { json } of problems) {
      const page = await fetch(String(json['type']));
      assert.deepEqual([page.status, page.headers.get('Content-Type')], [200, 'text/html; charset=utf-8']);
      assert.ok((await page.text()).includes(`<code>${String(json['code'])}</code>`));
    }
  });
});
