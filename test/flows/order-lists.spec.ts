import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem, fieldsOf } from '../support/problem.js';
import { AN_ORDER, SECRET_KEYS } from '../support/stack.js';

const COUNT = 23;

let database: TestDatabase;
let api: ApiAlone;
/** The ids of the first account's orders, newest first. */
let ids: readonly string[];

before(async () => {
  database = await freshDatabase();
  api = await startApiAlone(database.url);
  const oldestFirst: string[] = [];
  for (let index = 0; index < COUNT; index += 1) oldestFirst.push(await order({ reference: `cart-${index % 3}` }));
  ids = oldestFirst.toReversed();
  await order({ reference: 'cart-0' }, SECRET_KEYS[1]);
  // One order a day, the newest today, and every fifth of them paid.
  await database.query(`WITH numbered AS (SELECT id, row_number() OVER (ORDER BY id DESC) - 1 AS age FROM orders WHERE account_id::text LIKE '%1')
    UPDATE orders o SET created_at = '2026-03-31T12:00:00Z'::timestamptz - make_interval(days => age::int),
      status = CASE WHEN age % 5 = 0 THEN 'paid' ELSE status END, amount_captured = CASE WHEN age % 5 = 0 THEN amount ELSE 0 END
    FROM numbered WHERE o.id = numbered.id`);
});
after(async () => {
  await api.close();
  await database.drop();
});

async function order(overrides: object, key: string = SECRET_KEYS[0]): Promise<string> {
  const answer = await api.order(crypto.randomUUID(), { ...AN_ORDER, ...overrides }, { key });
  assert.equal(answer.status, 201, answer.text);
  return String(answer.json['id']);
}

interface Page {
  readonly data: readonly {
    readonly id: string;
    readonly status: string;
    readonly reference: string | null;
    readonly clientSecret: string | null;
    readonly payment: { readonly clientSecret: string | null };
  }[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
}

function pageOf(answer: Answer): Page {
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
}

async function idsOf(query: string): Promise<readonly string[]> {
  return pageOf(await api.call(`/v1/orders?${query}`)).data.map(({ id }) => id);
}

function nextLink({ headers }: Answer): string | null {
  return /^<([^>]+)>; rel="next"$/.exec(headers.get('Link') ?? '')?.[1] ?? null;
}

describe('GET /v1/orders', () => {
  it('answers the ten newest of the account, newest first', async () => {
    const answer = await api.call('/v1/orders');
    const { data, ...rest } = pageOf(answer);

    assert.deepEqual(
      data.map(({ id }) => id),
      ids.slice(0, 10),
    );
    assert.deepEqual(rest, { object: 'list', hasMore: true, nextCursor: ids[9] });
    assert.match(answer.headers.get('Content-Type') ?? '', /^application\/json\b/);
  });

  it('shows what GET by id shows, without the secrets', async () => {
    const { data } = pageOf(await api.call('/v1/orders?limit=1'));
    const { json } = await api.call(`/v1/orders/${ids[0]}`);
    assert.ok(json['clientSecret'] !== null);
    assert.deepEqual(data, [{ ...json, clientSecret: null }]);
  });

  for (const limit of [1, 7, 10, 100]) {
    it(`leads through all orders, each once, ${limit} at a time, by Link and by nextCursor`, async () => {
      const [byLink, byCursor]: [string[], string[]] = [[], []];
      let path: string | null = `/v1/orders?limit=${limit}`;
      while (path !== null) {
        const answer = await api.call(path);
        const page = pageOf(answer);
        assert.notEqual(page.data.length, 0, 'a page was announced that is empty');
        byLink.push(...page.data.map(({ id }) => id));
        path = nextLink(answer);
        assert.equal(path !== null, page.hasMore);
      }
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Page = pageOf(await api.call(`/v1/orders?limit=${limit}${cursor === '' ? '' : `&startingAfter=${cursor}`}`));
        byCursor.push(...page.data.map(({ id }) => id));
        assert.equal(page.nextCursor !== null, page.hasMore);
        cursor = page.nextCursor;
      }
      assert.deepEqual(byLink, ids);
      assert.deepEqual(byCursor, ids);
    });
  }

  it('keeps the filters in its Link', async () => {
    const seen: (string | null)[] = [];
    let path: string | null = '/v1/orders?limit=3&reference=cart-1';
    while (path !== null) {
      const answer = await api.call(path);
      seen.push(...pageOf(answer).data.map(({ reference }) => reference));
      path = nextLink(answer);
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 8 }, () => 'cart-1'),
    );
  });

  it('shows each order once although new ones arrive between the pages', async () => {
    const first = pageOf(await api.call('/v1/orders?limit=20', { key: SECRET_KEYS[0] }));
    const arrived = await order({ reference: 'between' });
    try {
      const rest = pageOf(await api.call(`/v1/orders?limit=20&startingAfter=${first.nextCursor}`));
      assert.deepEqual(
        [...first.data, ...rest.data].map(({ id }) => id),
        ids,
      );
      assert.deepEqual(await idsOf('limit=1'), [arrived]);
    } finally {
      await database.query(`DELETE FROM orders WHERE reference = 'between'`);
    }
  });

  it('is empty where there is nothing, also after the last', async () => {
    const empty = { object: 'list', data: [], hasMore: false, nextCursor: null };
    const injected = `reference=${encodeURIComponent(`none' OR '1'='1`)}`;
    for (const query of [
      `startingAfter=${ids.at(-1)}`,
      'reference=none',
      injected,
      'status=refunded',
      'createdFrom=2030-01-01T00:00:00Z',
    ]) {
      const answer = await api.call(`/v1/orders?${query}`);
      assert.deepEqual([answer.json, answer.headers.get('Link')], [empty, null], query);
    }
  });

  it('filters by status, reference and both', async () => {
    const paid = ids.filter((_, age) => age % 5 === 0);
    assert.deepEqual(await idsOf('limit=100&status=paid'), paid);
    assert.deepEqual(
      await idsOf('limit=100&reference=cart-2'),
      ids.filter((_, age) => (COUNT - 1 - age) % 3 === 2),
    );
    assert.deepEqual(
      await idsOf('limit=100&reference=cart-2&status=paid'),
      paid.filter((id) => (COUNT - 1 - ids.indexOf(id)) % 3 === 2),
    );
  });

  it('filters by the time of creation, both ends included', async () => {
    assert.deepEqual(await idsOf('limit=100&createdFrom=2026-03-29T12:00:00Z'), ids.slice(0, 3));
    assert.deepEqual(await idsOf('limit=100&createdFrom=2026-03-29T12:00:00.001Z'), ids.slice(0, 2));
    assert.deepEqual(await idsOf('limit=100&createdTo=2026-03-10T12:00:00Z'), ids.slice(21));
    assert.deepEqual(await idsOf('limit=100&createdTo=2026-03-10T11:59:59.999Z'), ids.slice(22));
    assert.deepEqual(
      await idsOf(`limit=100&createdFrom=${encodeURIComponent('2026-03-29T14:00:00+02:00')}&createdTo=2026-03-30T12:00:00Z`),
      ids.slice(1, 3),
    );
  });

  it('never shows an order of another account, whatever is asked', async () => {
    const foreign = pageOf(await api.call('/v1/orders', { key: SECRET_KEYS[1] })).data;
    assert.equal(foreign.length, 1);
    assert.ok(foreign[0] !== undefined && !ids.includes(foreign[0].id));
    assert.deepEqual(await idsOf(`limit=100&startingAfter=${foreign[0].id}`), ids);
  });

  it('answers 304 to whoever has the page', async () => {
    const etag = (await api.call('/v1/orders')).headers.get('ETag') ?? '';
    assert.equal((await api.call('/v1/orders', { headers: { 'If-None-Match': etag } })).status, 304);
  });

  const refused: readonly (readonly [string, string])[] = [
    ...['0', '101', '-1', '1.5', '1e1', 'ten', '', '\u0663'].map((limit) => ['limit', `limit=${encodeURIComponent(limit)}`] as const),
    ['limit', 'limit=1&limit=2'],
    ...['x', 'pay_01kax3k6wbf3e9tmgb0jv3c2q4', 'ord_', ''].map((cursor) => ['startingAfter', `startingAfter=${cursor}`] as const),
    ['status', 'status=settled'],
    ['status', 'status=paid&status=failed'],
    ['reference', 'reference='],
    ...[
      'yesterday',
      '2026-03-29',
      '2026-W13-1',
      '2026-088',
      '2026-03-29T12:00:00',
      '2026-02-30T00:00:00Z',
      '12026-03-29T12:00:00Z',
      '2026-03-29T12:00Z',
      '0000-01-01T00:00:00Z',
      '2026-03-29T24:00:00Z',
      '2026-03-29T23:59:60Z',
    ].map((at) => ['createdFrom', `createdFrom=${at}`] as const),
    ['createdTo', 'createdTo=0'],
    ['createdTo', 'createdFrom=2026-03-29T12:00:00Z&createdTo=2026-03-29T11:59:59Z'],
    ['page', 'page=2'],
    ...["1'--", '1;SELECT 1', '1 OR 1=1'].map((limit) => ['limit', `limit=${encodeURIComponent(limit)}`] as const),
    ['startingAfter', `startingAfter=${encodeURIComponent(`' OR '1'='1`)}`],
    ['status', `status=${encodeURIComponent(`paid'; DROP TABLE orders; --`)}`],
    ['createdFrom', `createdFrom=${encodeURIComponent(`2026-03-29T12:00:00Z'::text; --`)}`],
    ['orderBy', `orderBy=${encodeURIComponent('amount DESC; --')}`],
  ];
  for (const [field, query] of refused) {
    it(`refuses ?${query}`, async () => {
      const answer = await api.call(`/v1/orders?${query}`);
      assertProblem(answer, 400, 'validation_failed');
      assert.deepEqual([...new Set(fieldsOf(answer))], [field]);
    });
  }
});

describe('GET /v1/orders/{id}/events', () => {
  it('begins with the creation, its cause and its time', async () => {
    const id = await order({ reference: 'timeline' });
    const { json } = await api.call(`/v1/orders/${id}`);
    const answer = await api.call(`/v1/orders/${id}/events`);
    const { data, ...rest } = answer.json;
    await database.query(`DELETE FROM orders WHERE reference = 'timeline'`);

    assert.deepEqual(rest, { object: 'list', hasMore: false, nextCursor: null });
    assert.ok(Array.isArray(data) && data.length === 1);
    const { id: eventId, ...event } = Object(data[0]);
    assert.match(eventId, /^oev_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    assert.deepEqual(event, {
      type: 'order.created',
      at: json['createdAt'],
      cause: 'command:create',
      data: { to: 'pending', amount: 2_000, currency: 'usd' },
    });
  });
});
