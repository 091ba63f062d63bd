import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem, fieldsOf } from '../support/problem.js';
import { AN_ORDER, PUBLISHABLE_KEYS, SECRET_KEYS } from '../support/stack.js';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const SUFFIX = '[0-7][0-9a-hjkmnp-tv-z]{25}';

let database: TestDatabase;
let api: ApiAlone;

before(async () => {
  database = await freshDatabase();
  api = await startApiAlone(database.url, { STRIPE_PUBLISHABLE_KEY: 'pk_test_of_the_tests', ORDER_EXPIRES_AFTER_SECONDS: '7200' });
  await putPrice('tshirt', { name: 'T-shirt', currency: 'usd', unitAmount: 2_000 });
});
after(async () => {
  await api.close();
  await database.drop();
});

async function putPrice(id: string, price: object, key: string = SECRET_KEYS[0]): Promise<void> {
  assert.equal((await api.call(`/v1/prices/${id}`, { method: 'PUT', key, body: price })).status, 200);
}

async function createOrder(body: object = AN_ORDER, key: string = SECRET_KEYS[0]): Promise<Answer> {
  const answer = await api.order(crypto.randomUUID(), body, { key });
  assert.equal(answer.status, 201, answer.text);
  return answer;
}

describe('POST /v1/orders', () => {
  it('answers the whole order', async () => {
    const answer = await createOrder({
      currency: 'usd',
      items: [
        { price: 'tshirt', quantity: 2 },
        { name: 'Gift wrap', unitAmount: 300, quantity: 1 },
      ],
      customer: { email: 'ada@example.com', name: 'Ada' },
      reference: 'cart-4711',
      metadata: { k: 'v' },
      paymentMethod: 'pm_card_visa',
      captureMethod: 'manual',
      checkout: 'elements',
      returnUrl: 'https://shop.example/return',
    });
    const { id, clientSecret, payment, createdAt, updatedAt, expiresAt, ...rest } = answer.json;

    assert.deepEqual(rest, {
      object: 'order',
      status: 'pending',
      amount: 4_300,
      currency: 'usd',
      amountCaptured: 0,
      amountRefunded: 0,
      amountRefundPending: 0,
      items: [
        { price: 'tshirt', name: 'T-shirt', unitAmount: 2_000, quantity: 2 },
        { price: null, name: 'Gift wrap', unitAmount: 300, quantity: 1 },
      ],
      customer: { email: 'ada@example.com', name: 'Ada', stripeCustomerId: null },
      reference: 'cart-4711',
      metadata: { k: 'v' },
      captureMethod: 'manual',
      checkout: 'elements',
      dispute: null,
    });
    const { id: paymentId, ...paymentRest } = Object(payment);
    assert.deepEqual(paymentRest, {
      status: 'pending',
      stripePaymentIntentId: null,
      stripePublishableKey: 'pk_test_of_the_tests',
      clientSecret: null,
      url: null,
      paymentMethod: 'pm_card_visa',
      pendingOperation: 'confirm',
      nextAction: null,
      lastError: null,
    });
    assert.match(String(id), new RegExp(`^ord_${SUFFIX}$`));
    assert.match(String(paymentId), new RegExp(`^pay_${SUFFIX}$`));
    assert.match(String(clientSecret), new RegExp(`^${String(id)}_secret_[\\w-]{32}$`));
    for (const instant of [createdAt, updatedAt, expiresAt]) assert.match(String(instant), INSTANT);
    assert.equal(Date.parse(String(expiresAt)) - Date.parse(String(createdAt)), 7_200_000);
    assert.equal(answer.headers.get('Location'), `/v1/orders/${String(id)}`);
    assert.match(answer.headers.get('Content-Type') ?? '', /^application\/json\b/);
    assert.match(answer.headers.get('ETag') ?? '', /^"[^"]+"$/);
  });

  it('needs no more than a currency and an item, and leaves the payment to the browser', async () => {
    const { json } = await createOrder({ currency: 'eur', items: [{ name: 'Pen', unitAmount: 150, quantity: 1 }] });
    const { customer, reference, metadata, captureMethod, checkout, status } = json;
    assert.deepEqual(
      { customer, reference, metadata, captureMethod, checkout, status },
      { customer: null, reference: null, metadata: {}, captureMethod: 'automatic', checkout: 'elements', status: 'pending' },
    );
    const { paymentMethod, pendingOperation } = Object(json['payment']);
    assert.deepEqual({ paymentMethod, pendingOperation }, { paymentMethod: null, pendingOperation: 'create' });
  });

  it('gives ids that sort by time, and no two secrets alike', async () => {
    const orders = [];
    for (let index = 0; index < 5; index += 1) orders.push((await createOrder()).json);
    const ids = orders.map(({ id }) => String(id));
    assert.deepEqual(ids.toSorted(), ids);
    assert.equal(new Set(orders.map(({ clientSecret }) => clientSecret)).size, 5);
  });

  it('keeps the name and amount a price had when it was ordered', async () => {
    await putPrice('mug', { name: 'Mug', currency: 'usd', unitAmount: 900 });
    const { json } = await createOrder({ currency: 'usd', items: [{ price: 'mug', quantity: 1 }] });
    await putPrice('mug', { name: 'Cup', currency: 'usd', unitAmount: 1_000 });

    const read = await api.call(`/v1/orders/${String(json['id'])}`);
    assert.deepEqual(read.json['items'], [{ price: 'mug', name: 'Mug', unitAmount: 900, quantity: 1 }]);
    assert.equal(read.json['amount'], 900);
  });

  for (const [currency, unitAmount] of [
    ['jpy', 50],
    ['krw', 1_000],
    ['kwd', 1_230],
    ['isk', 700],
    ['huf', 17_500],
    ['usd', 99_999_999],
  ] as const) {
    it(`takes ${unitAmount} in ${currency}`, async () => {
      const { json } = await createOrder({ currency, items: [{ name: 'It', unitAmount, quantity: 1 }] });
      assert.deepEqual([json['amount'], json['currency']], [unitAmount, currency]);
    });
  }

  it('takes a hundred items, ten thousand of one, 45 metadata and any plain text', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 45 }, (_, index) => [`${index}`.padStart(40, 'k'), 'v'.repeat(500)]));
    const items = Array.from({ length: 100 }, (_, index) => ({
      name: `№ ${index} “Łódź” 🎁 日本 <b>;--`,
      unitAmount: 1,
      quantity: index === 0 ? 10_000 : 1,
    }));
    const { json } = await createOrder({ currency: 'usd', items, metadata, reference: '../%00\u202E' });

    const read = await api.call(`/v1/orders/${String(json['id'])}`);
    assert.deepEqual(
      [read.json['metadata'], Object(read.json['items'])[99].name, read.json['amount']],
      [metadata, items[99]?.name, 10_099],
    );
  });
});

describe('GET /v1/orders/{id}', () => {
  it('answers what the creation answered, with its ETag, until something changes', async () => {
    const created = await createOrder({ ...AN_ORDER, metadata: { second: '1', first: '2', a: '3' } });
    const path = created.headers.get('Location') ?? '';
    const read = await api.call(path);

    assert.deepEqual([read.status, read.json], [200, created.json]);
    assert.equal(read.headers.get('ETag'), created.headers.get('ETag'));
    await database.query(`UPDATE orders SET amount_refund_pending = 1, version = version + 1 WHERE client_secret = $1`, [
      created.json['clientSecret'],
    ]);
    assert.notEqual((await api.call(path)).headers.get('ETag'), created.headers.get('ETag'));
  });

  it('answers 304 without a body to whoever names the current ETag', async () => {
    const path = (await createOrder()).headers.get('Location') ?? '';
    const etag = (await api.call(path)).headers.get('ETag') ?? '';
    for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await api.call(path, { headers: { 'If-None-Match': header } });
      assert.deepEqual([answer.status, answer.text, answer.headers.get('ETag')], [304, '', etag], header);
      assert.equal((await api.call(path, { method: 'HEAD', headers: { 'If-None-Match': header } })).status, 304, header);
    }
    for (const header of ['"other"', etag.replaceAll('"', '')]) {
      assert.equal((await api.call(path, { headers: { 'If-None-Match': header } })).status, 200, header);
    }
  });

  it('answers 404 for what is no order, and the same for an order of another account', async () => {
    const { json } = await createOrder(AN_ORDER, SECRET_KEYS[1]);
    const id = String(json['id']);
    const absent = `${id.slice(0, -4)}zzzz`;
    const answers = await Promise.all(
      [id, absent, id.toUpperCase(), id.replace('ord_', 'pay_'), `${id}0`, 'ord_', 'x', "ord_' OR 1=1 --", 'ord_'.padEnd(150, '0')].map(
        (path) => api.call(`/v1/orders/${encodeURIComponent(path)}`),
      ),
    );
    for (const answer of answers) assertProblem(answer, 404, 'not_found');
    assert.equal(answers[0]?.json['detail'], answers[1]?.json['detail']);
    assert.equal((await api.call(`/v1/orders/${id}`, { key: SECRET_KEYS[1] })).status, 200);
    assertProblem(await api.call(`/v1/orders/${id}/events`), 404, 'not_found');
  });
});

describe('a publishable caller', () => {
  const orderOf = (key: string): Promise<Answer> => createOrder({ currency: 'usd', items: [{ price: 'tshirt', quantity: 1 }] }, key);
  const readBy = (key: string, path: string, headers: Record<string, string> = {}): Promise<Answer> => api.call(path, { key, headers });

  it('orders from the catalogue and reads its order with the client secret', async () => {
    const created = await orderOf(PUBLISHABLE_KEYS[0]);
    const { id, clientSecret } = created.json;

    const read = await readBy(PUBLISHABLE_KEYS[0], `/v1/orders/${String(id)}`, { 'Oncepay-Client-Secret': String(clientSecret) });
    assert.deepEqual([read.status, read.json], [200, created.json]);
  });

  it('finds no order with a wrong secret, without one, or with one in the query', async () => {
    const [mine, other] = [(await orderOf(PUBLISHABLE_KEYS[0])).json, (await orderOf(PUBLISHABLE_KEYS[0])).json];
    const [id, secret] = [String(mine['id']), String(mine['clientSecret'])];
    const attempts: readonly (readonly [string, Record<string, string>])[] = [
      ['', {}],
      ['', { 'Oncepay-Client-Secret': '' }],
      ['', { 'Oncepay-Client-Secret': secret.slice(0, -1) }],
      ['', { 'Oncepay-Client-Secret': `${secret}x` }],
      ['', { 'Oncepay-Client-Secret': String(other['clientSecret']) }],
      [`?clientSecret=${secret}`, {}],
      [`?Oncepay-Client-Secret=${secret}`, {}],
    ];
    for (const [query, headers] of attempts)
      assertProblem(await readBy(PUBLISHABLE_KEYS[0], `/v1/orders/${id}${query}`, headers), 404, 'not_found');
    assertProblem(await readBy(PUBLISHABLE_KEYS[1], `/v1/orders/${id}`, { 'Oncepay-Client-Secret': secret }), 404, 'not_found');
  });

  it('is seen whole by the secret keys of its account, and only by those', async () => {
    const id = String((await orderOf(PUBLISHABLE_KEYS[0])).json['id']);
    assert.equal((await readBy(SECRET_KEYS[0], `/v1/orders/${id}`)).status, 200);
    assert.equal((await readBy(SECRET_KEYS[0], `/v1/orders/${id}/events`)).status, 200);
    assertProblem(await readBy(SECRET_KEYS[1], `/v1/orders/${id}`), 404, 'not_found');
  });

  it('names no amount, alone or beside a price', async () => {
    const wrap = { name: 'Gift wrap', unitAmount: 300, quantity: 1 };
    for (const items of [[wrap], [{ price: 'tshirt', quantity: 1 }, wrap], [{ price: 'tshirt', unitAmount: 1, quantity: 1 }]]) {
      assertProblem(
        await api.order(crypto.randomUUID(), { currency: 'usd', items }, { key: PUBLISHABLE_KEYS[0] }),
        400,
        'validation_failed',
      );
    }
  });

  it('may neither list orders nor write a price', async () => {
    const { clientSecret } = (await orderOf(PUBLISHABLE_KEYS[0])).json;
    const headers = { 'Oncepay-Client-Secret': String(clientSecret) };
    assertProblem(await readBy(PUBLISHABLE_KEYS[0], '/v1/orders', headers), 403, 'forbidden');
    const put = await api.call('/v1/prices/own', {
      method: 'PUT',
      key: PUBLISHABLE_KEYS[0],
      body: { name: 'Own', currency: 'usd', unitAmount: 1 },
    });
    assertProblem(put, 403, 'forbidden');
  });
});

describe('a price', () => {
  it('is written, written over and listed by id, by each account for itself', async () => {
    await putPrice('b-price', { name: 'B', currency: 'usd', unitAmount: 0 }, SECRET_KEYS[1]);
    await putPrice('a-price', { name: 'A', currency: 'eur', unitAmount: 5, active: false }, SECRET_KEYS[1]);
    const answer = await api.call('/v1/prices/b-price', {
      method: 'PUT',
      key: SECRET_KEYS[1],
      body: { name: 'B2', currency: 'jpy', unitAmount: 7 },
    });
    const b = { id: 'b-price', name: 'B2', currency: 'jpy', unitAmount: 7, active: true };
    assert.deepEqual(answer.json, b);
    const path = '/v1/prices/b-price';
    assert.deepEqual((await api.call(path, { method: 'PUT', key: SECRET_KEYS[1], body: b })).json, b, 'as it was read');
    assertProblem(await api.call(path, { method: 'PUT', key: SECRET_KEYS[1], body: { ...b, id: 'a-price' } }), 400, 'validation_failed');

    for (const key of [SECRET_KEYS[1], PUBLISHABLE_KEYS[1]]) {
      const { json } = await api.call('/v1/prices', { key });
      assert.deepEqual(json, {
        object: 'list',
        data: [{ id: 'a-price', name: 'A', currency: 'eur', unitAmount: 5, active: false }, b],
        hasMore: false,
        nextCursor: null,
      });
    }
    assert.ok(!(await api.call('/v1/prices')).text.includes('b-price'));
  });

  const refusals: readonly (readonly [string, string, object])[] = [
    ['unknown', 'items.0.price', { items: [{ price: 'no-such-price', quantity: 1 }] }],
    ['of another account', 'items.0.price', { items: [{ price: 'theirs', quantity: 1 }] }],
    [
      'inactive',
      'items.1.price',
      {
        items: [
          { price: 'tshirt', quantity: 1 },
          { price: 'gone', quantity: 1 },
        ],
      },
    ],
    ['of another currency', 'items.0.price', { currency: 'eur', items: [{ price: 'tshirt', quantity: 1 }] }],
  ];
  for (const [what, field, order] of refusals) {
    it(`that is ${what} cannot be ordered`, async () => {
      await putPrice('theirs', { name: 'Theirs', currency: 'usd', unitAmount: 500 }, SECRET_KEYS[1]);
      await putPrice('gone', { name: 'Gone', currency: 'usd', unitAmount: 500, active: false });
      const answer = await api.order(crypto.randomUUID(), { currency: 'usd', ...order });
      assertProblem(answer, 400, 'validation_failed');
      assert.deepEqual(fieldsOf(answer), [field]);
    });
  }

  for (const [path, body] of [
    ['ok', { name: 'N', currency: 'usd', unitAmount: -1 }],
    ['ok', { name: 'N', currency: 'usd', unitAmount: 1.5 }],
    ['ok', { name: 'N', currency: 'USD', unitAmount: 1 }],
    ['ok', { name: '', currency: 'usd', unitAmount: 1 }],
    ['ok', { name: 'N', currency: 'usd', unitAmount: 100_000_000 }],
    ['ok', { name: 'N', currency: 'usd', unitAmount: 1, id: 'x' }],
    ['a%2Fb', { name: 'N', currency: 'usd', unitAmount: 1 }],
    ['x'.repeat(101), { name: 'N', currency: 'usd', unitAmount: 1 }],
  ] as const) {
    it(`is refused as ${path.slice(0, 9)} ${JSON.stringify(body)}`, async () => {
      assertProblem(await api.call(`/v1/prices/${path}`, { method: 'PUT', body }), 400, 'validation_failed');
    });
  }
});
