import assert from 'node:assert/strict';
import { createServer, request as rawRequest } from 'node:http';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { storeApiKey } from '../support/api-keys.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type DatabaseRoute, routeTo } from '../support/database-route.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, SECRET_KEYS } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const DAY_MS = 86_400_000;

let database: TestDatabase;
let route: DatabaseRoute;
let api: ApiAlone;

before(async () => {
  database = await freshDatabase();
  route = await routeTo(database.url);
  api = await startApiAlone(route.url);
});
after(async () => {
  await api.close();
  await route.close();
  await database.drop();
});

const newKey = (): string => crypto.randomUUID();

/** How many orders there are under a reference, past everything that is tested. */
async function ordersWith(reference: string): Promise<number> {
  const [row] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM orders WHERE reference = $1', [reference]);
  return row?.count ?? Number.NaN;
}

function assertReplay(first: Answer, again: Answer): void {
  assert.equal(again.headers.get('Idempotency-Replayed'), 'true', again.text);
  assert.deepEqual([again.status, again.text, again.headers.get('Location')], [first.status, first.text, first.headers.get('Location')]);
}

describe('a request with an Idempotency-Key', () => {
  it('runs the first time, without the mark of a replay', async () => {
    const answer = await api.order(newKey(), AN_ORDER);

    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('Location'), `/v1/orders/${String(answer.json['id'])}`);
    assert.equal(answer.headers.get('Idempotency-Replayed'), null);
  });

  it('is answered with the same status, body and Location when it repeats, and orders nothing', async () => {
    const key = newKey();
    const order = { ...AN_ORDER, reference: 'replayed', customer: { name: 'Łucja “Ada” 🎁 日本' }, metadata: { z: '1', a: '2' } };
    const first = await api.order(key, order);

    const again = await api.order(key, order);
    assert.equal(first.status, 201);
    assertReplay(first, again);
    assert.deepEqual(
      [again.headers.get('Content-Type'), again.headers.get('ETag')],
      [first.headers.get('Content-Type'), first.headers.get('ETag')],
    );
    assert.equal(await ordersWith('replayed'), 1);
  });

  it('is answered with the order as it was accepted, whatever became of it since', async () => {
    const key = newKey();
    const first = await api.order(key, { ...AN_ORDER, reference: 'moved on' });
    await database.query(`UPDATE orders SET status = 'failed', amount = amount + 1 WHERE reference = 'moved on'`);

    assertReplay(first, await api.order(key, { ...AN_ORDER, reference: 'moved on' }));
  });

  it('is the same request whatever the order of members, the white space, the escapes and the form of numbers', async () => {
    const key = newKey();
    const first = await api.order(
      key,
      '{"currency":"usd","items":[{"name":"Ada","unitAmount":2000,"quantity":1}],"reference":"rewritten"}',
    );
    const variants = [
      '{"reference":"rewritten","items":[{"quantity":1,"unitAmount":2000,"name":"Ada"}],"currency":"usd"}',
      '{ "currency" : "usd",\n\t"items" : [ { "name" : "Ada", "unitAmount" : 2000, "quantity" : 1 } ], "reference" : "rewritten" }\n',
      '{"currency":"\\u0075sd","items":[{"name":"\\u0041da","unitAmount":2e3,"quantity":1.0}],"reference":"rewritten"}',
    ];

    for (const variant of variants) assertReplay(first, await api.order(key, variant));
    assert.equal(await ordersWith('rewritten'), 1);
  });

  it('is the same request with another Prefer, Accept or User-Agent', async () => {
    const key = newKey();
    const first = await api.order(key, AN_ORDER);

    assertReplay(first, await api.order(key, AN_ORDER, { headers: { Prefer: 'wait=0' } }));
    assertReplay(first, await api.order(key, AN_ORDER, { headers: { Accept: '*/*', 'User-Agent': 'another' } }));
  });

  const others: readonly (readonly [string, unknown])[] = [
    ['another amount', { ...AN_ORDER, items: [{ name: 'T-shirt', unitAmount: 2_001, quantity: 1 }] }],
    ['another currency', { ...AN_ORDER, currency: 'eur' }],
    ['one member more', { ...AN_ORDER, reference: 'more' }],
    ['a default spelled out', { ...AN_ORDER, captureMethod: 'automatic' }],
    ['an item twice', { ...AN_ORDER, items: [...AN_ORDER.items, ...AN_ORDER.items] }],
    ['a number as text', { ...AN_ORDER, items: [{ name: 'T-shirt', unitAmount: '2000', quantity: 1 }] }],
    ['nothing of it valid', { neither: 'this', nor: 'that' }],
    ['an empty object', {}],
  ];
  for (const [what, other] of others) {
    it(`is refused when the key comes with ${what}, which is not executed`, async () => {
      const key = newKey();
      const first = await api.order(key, AN_ORDER);
      const [before] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM orders');

      const refused = await api.order(key, other);
      assertProblem(refused, 422, 'idempotency_key_reused');
      assert.equal(refused.headers.get('Idempotency-Replayed'), null);
      const [since] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM orders');
      assert.deepEqual(since, before);
      assertReplay(first, await api.order(key, AN_ORDER));
    });
  }

  it('tells items apart by their order', async () => {
    const [one, two] = [
      { name: 'one', unitAmount: 100, quantity: 1 },
      { name: 'two', unitAmount: 200, quantity: 1 },
    ];
    const key = newKey();
    await api.order(key, { ...AN_ORDER, items: [one, two] });

    assertProblem(await api.order(key, { ...AN_ORDER, items: [two, one] }), 422, 'idempotency_key_reused');
  });
});

describe('the Idempotency-Key header', () => {
  it('is required by every POST under /v1', async () => {
    const { json } = await api.call('/openapi.json');
    const { id } = (await api.order(newKey(), AN_ORDER)).json;
    const paths = Object.entries<object>(Object(json['paths'])).filter(
      ([path, methods]) => path.startsWith('/v1/') && !path.startsWith('/v1/ops/') && 'post' in methods,
    );
    assert.ok(paths.length > 0);
    for (const [path] of paths) {
      const answer = await api.call(path.replace('{id}', String(id)), { body: AN_ORDER });
      assertProblem(answer, 400, 'idempotency_key_missing');
    }
  });

  const malformed = ['', ' ', 'a b', 'a\tb', 'k\u00e9y', 'k'.repeat(256), '""', '"abc', '"a"b"', '"a\\b"', `"${'k'.repeat(256)}"`];
  for (const value of malformed) {
    it(`is refused as ${JSON.stringify(value.length > 20 ? `${value.slice(0, 3)}… (${value.length})` : value)}`, async () => {
      assertProblem(await api.order(value, AN_ORDER), 400, 'idempotency_key_invalid');
    });
  }

  for (const value of ['k', '!', '~', 'a,b', 'a"b', 'x'.repeat(255), `"${'y'.repeat(255)}"`]) {
    it(`is taken as ${value.length > 20 ? `${value.slice(0, 3)}… (${value.length})` : value}`, async () => {
      const answer = await api.order(value, AN_ORDER);
      assert.equal(answer.status, 201, answer.text);
    });
  }

  it('is one key, quoted or bare', async () => {
    const key = newKey();
    const first = await api.order(key, AN_ORDER);
    assertReplay(first, await api.order(`"${key}"`, AN_ORDER));

    const quoted = await api.order(`"${key}\\"\\\\"`, AN_ORDER);
    assert.equal(quoted.headers.get('Idempotency-Replayed'), null);
    assertReplay(quoted, await api.order(`${key}"\\`, AN_ORDER));
  });

  it('is told apart by case', async () => {
    const first = await api.order('Case-Matters', AN_ORDER);
    const other = await api.order('case-matters', AN_ORDER);
    assert.deepEqual([first.status, other.status], [201, 201]);
    assert.notEqual(other.json['id'], first.json['id']);
  });

  for (const values of [
    ['one', 'two'],
    ['same', 'same'],
  ]) {
    it(`is refused when sent twice: ${values.join(', ')}`, async () => {
      assert.match(await sendRaw(values), /^400 .*"idempotency_key_invalid"/);
      // The raw request is a good one but for the second header.
      assert.match(await sendRaw([newKey()]), /^201 /);
    });
  }

  it('is needed neither for reading nor for writing a price', async () => {
    const price = await api.call('/v1/prices/keyless', { method: 'PUT', body: { name: 'Keyless', currency: 'usd', unitAmount: 100 } });
    assert.equal(price.status, 200);
    assert.equal((await api.call('/v1/orders')).status, 200);
  });
});

describe('a failure', () => {
  it('of validation leaves the key free', async () => {
    const key = newKey();
    assertProblem(await api.order(key, { ...AN_ORDER, currency: 'xyz' }), 400, 'validation_failed');
    assertProblem(await api.order(key, { ...AN_ORDER, items: [{ name: 'x', unitAmount: 1, quantity: 1 }] }), 400, 'amount_too_small');
    assertProblem(await api.order(key, '{"currency":'), 400, 'validation_failed');

    assert.equal((await api.order(key, AN_ORDER)).status, 201);
  });

  it('that later turns out well leaves the key free: a price that appears', async () => {
    const key = newKey();
    const order = { currency: 'usd', items: [{ price: 'late-price', quantity: 1 }] };
    assertProblem(await api.order(key, order), 400, 'validation_failed');
    await api.call('/v1/prices/late-price', { method: 'PUT', body: { name: 'Late', currency: 'usd', unitAmount: 700 } });

    const accepted = await api.order(key, order);
    assert.deepEqual([accepted.status, accepted.json['amount']], [201, 700]);
  });

  it('of authentication or permission leaves the key free', async () => {
    const key = newKey();
    const reader = await storeApiKey(database, { scopes: ['orders:read'] });
    assertProblem(await api.order(key, AN_ORDER, { key: 'unknown' }), 401, 'unauthenticated');
    assertProblem(await api.order(key, AN_ORDER, { key: reader.key }), 403, 'forbidden');

    assert.equal((await api.order(key, AN_ORDER)).status, 201);
  });

  it('to read the body leaves the key free', async () => {
    const key = newKey();
    assertProblem(
      await api.order(key, 'currency=usd', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      415,
      'unsupported_media_type',
    );
    assertProblem(await api.order(key, { ...AN_ORDER, reference: 'r'.repeat(1_100_000) }), 413, 'payload_too_large');

    assert.equal((await api.order(key, AN_ORDER)).status, 201);
  });

  it('of the database is 503 with Retry-After and leaves the key free', async () => {
    const key = newKey();
    await route.refuse();
    const refused = await api.order(key, { ...AN_ORDER, reference: 'while down' });
    await route.pass();
    assertProblem(refused, 503, 'unavailable');
    assert.match(refused.headers.get('Retry-After') ?? '', /^\d+$/);

    const accepted = await api.order(key, { ...AN_ORDER, reference: 'while down' });
    assert.deepEqual([accepted.status, accepted.headers.get('Idempotency-Replayed')], [201, null]);
    assert.equal(await ordersWith('while down'), 1);
  });

  it('to hear of its own commit is 503, and the repetition is answered with what was committed', async () => {
    const key = newKey();
    const order = { ...AN_ORDER, reference: 'lost commit' };
    route.loseNextAnswerTo('lost commit');
    assertProblem(await api.order(key, order), 503, 'unavailable');

    const again = await api.order(key, order);
    assert.deepEqual([again.status, again.headers.get('Idempotency-Replayed')], [201, 'true']);
    assert.equal(again.headers.get('Location'), `/v1/orders/${String(again.json['id'])}`);
    assert.equal(await ordersWith('lost commit'), 1);
  });
});

describe('a refusal gives way to the stored answer', () => {
  const order = (price: string): object => ({ currency: 'usd', items: [{ price, quantity: 3 }] });
  const changes: readonly (readonly [string, string])[] = [
    ['was deactivated', 'UPDATE prices SET active = false WHERE id = $1'],
    ['was deleted', 'DELETE FROM prices WHERE id = $1'],
    ['changed its currency', `UPDATE prices SET currency = 'eur' WHERE id = $1`],
    ['became too small to charge', 'UPDATE prices SET unit_amount = 1 WHERE id = $1'],
  ];
  for (const [what, sql] of changes) {
    it(`when the price ${what} since`, async () => {
      const [key, price] = [newKey(), `once-${crypto.randomUUID()}`];
      await api.call(`/v1/prices/${price}`, { method: 'PUT', body: { name: 'Once', currency: 'usd', unitAmount: 500 } });
      const first = await api.order(key, order(price));
      await database.query(sql, [price]);

      assert.equal((await api.order(newKey(), order(price))).status, 400);
      assertReplay(first, await api.order(key, order(price)));
      assertProblem(await api.order(key, { ...order(price), reference: 'other' }), 422, 'idempotency_key_reused');
    });
  }
});

describe('after the retention', () => {
  const forget: readonly (readonly [string, string])[] = [
    ['purged', 'UPDATE idempotency_keys SET body = NULL WHERE key = $1'],
    ['31 days old', `UPDATE idempotency_keys SET created_at = now() - interval '31 days' WHERE key = $1`],
  ];
  for (const [what, sql] of forget) {
    it(`a request whose answer is ${what} is told where its order is, and orders nothing`, async () => {
      const [key, reference] = [newKey(), `forgotten ${what}`];
      const first = await api.order(key, { ...AN_ORDER, reference });
      await database.query(sql, [key]);

      const expired = await api.order(key, { ...AN_ORDER, reference });
      assertProblem(expired, 409, 'idempotency_key_expired');
      assert.equal(expired.headers.get('Location'), first.headers.get('Location'));
      assertProblem(await api.order(key, { ...AN_ORDER, reference: 'other' }), 422, 'idempotency_key_reused');
      assert.equal(await ordersWith(reference), 1);
      assert.equal((await api.call(expired.headers.get('Location') ?? '')).json['id'], first.json['id']);
    });
  }

  it('comes no sooner than after 30 days', async () => {
    const key = newKey();
    const first = await api.order(key, AN_ORDER);
    await database.query(`UPDATE idempotency_keys SET created_at = now() - interval '29 days 23 hours' WHERE key = $1`, [key]);
    assertReplay(first, await api.order(key, AN_ORDER));
  });

  it('is IDEMPOTENCY_RETENTION_DAYS later on the virtual clock', async () => {
    let offsetMs = 0;
    const clock = createServer((_, response) => response.end(JSON.stringify({ offsetMs }))).listen(0, '127.0.0.1');
    await once(clock, 'listening');
    const address = clock.address();
    const clockUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const timely = await startApiAlone(database.url, { ONCEPAY_CLOCK_URL: clockUrl, IDEMPOTENCY_RETENTION_DAYS: '2' });
    try {
      const key = newKey();
      const first = await timely.order(key, AN_ORDER);
      assertReplay(first, await timely.order(key, AN_ORDER));

      offsetMs = 2 * DAY_MS + 60_000;
      const expired = await waitFor('the API to see its clock', async () => {
        const answer = await timely.order(key, AN_ORDER);
        return answer.status === 409 && answer;
      });
      assertProblem(expired, 409, 'idempotency_key_expired');
      assert.equal(expired.headers.get('Location'), first.headers.get('Location'));
    } finally {
      await timely.close();
      clock.close();
      clock.closeAllConnections();
    }
  });
});

/** Sends an order with the header as often as there are values, which fetch would join; gives status and body. */
async function sendRaw(idempotencyKeys: readonly string[]): Promise<string> {
  const request = rawRequest(`${api.url}/v1/orders`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${SECRET_KEYS[0]}`, 'Idempotency-Key': [...idempotencyKeys] },
  });
  request.end(JSON.stringify(AN_ORDER));
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return `${response.statusCode} ${text}`;
}
