import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { PROBLEMS } from '../../apps/api/src/http/problem-catalogue.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type DatabaseRoute, routeTo } from '../support/database-route.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const UP = { status: 'up' };

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

const get = (path: string): Promise<Awaited<ReturnType<ApiAlone['call']>>> => api.call(path, { key: 'none is needed' });

describe('GET /health', () => {
  it('live answers as long as the process turns, also without a database', async () => {
    assert.equal((await get('/health/live')).status, 200);
    await route.refuse();
    const without = await get('/health/live');
    await route.pass();
    assert.deepEqual([without.status, without.json['status']], [200, 'ok']);
  });

  it('ready names the database, the migrations, whether requests are accepted, and the queue', async () => {
    const { status, json, headers } = await get('/health/ready');
    assert.deepEqual(
      [status, json['details'], headers.get('Cache-Control')],
      [200, { database: UP, migrations: UP, accepting: UP, queue: UP }, 'no-store'],
    );
  });

  it('ready is 503 without the database, without telling where it is, and recovers', async () => {
    await route.refuse();
    const { status, text, json } = await get('/health/ready');
    await route.pass();
    assert.deepEqual([status, Object(json['details']).database], [503, { status: 'down' }]);
    assert.ok(!text.includes(new URL(route.url).port) && !text.includes('127.0.0.1'), text);
    await waitFor('the API to be ready again', async () => (await get('/health/ready')).status === 200);
  });

  it('ready is 503 when a migration is missing', async () => {
    await database.query('ALTER TABLE _prisma_migrations RENAME TO away');
    const missing = await get('/health/ready');
    await database.query('ALTER TABLE away RENAME TO _prisma_migrations');
    assert.deepEqual([missing.status, Object(missing.json['details']).migrations], [503, { status: 'down' }]);
    assert.equal((await get('/health/ready')).status, 200);
  });

  it('backlog tells how long the oldest operation, outbox row and event are overdue, and is 503 past a threshold', async () => {
    const empty = await get('/health/backlog');
    const { thresholdSeconds, ...ages } = Object(Object(empty.json['details']).backlog);
    assert.deepEqual([empty.status, ages], [200, { status: 'up', operationSeconds: 0, outboxSeconds: 0, eventSeconds: 0 }]);

    await api.order(crypto.randomUUID(), AN_ORDER);
    await database.query(
      `INSERT INTO webhook_events (id, type, status, livemode, payload, received_at, next_attempt_at) VALUES ('evt_old', 'x', 'held', false, '{}', now(), now())`,
    );
    const due: readonly (readonly [string, string])[] = [
      ['operation', `UPDATE payment_operations SET next_attempt_at = now() - make_interval(secs => $1)`],
      ['outbox', `UPDATE outbox SET created_at = now() - make_interval(secs => $1)`],
      ['event', `UPDATE webhook_events SET next_attempt_at = now() - make_interval(secs => $1)`],
    ];
    for (const [what, sql] of due) {
      const threshold = Number(thresholdSeconds[what]);
      for (const [seconds, status] of [
        [threshold - 5, 200],
        [threshold + 5, 503],
      ] as const) {
        await database.query(sql, [seconds]);
        const late = await get('/health/backlog');
        const shown = Object(Object(late.json['details']).backlog)[`${what}Seconds`];
        assert.equal(late.status, status, late.text);
        assert.ok(shown >= seconds && shown < seconds + 5, `${what}: ${shown}`);
      }
      await database.query(sql, [0]);
    }
  });
});

describe('the API describes itself', () => {
  it('in OpenAPI 3.1, with every route callers have', async () => {
    const { status, json, headers } = await get('/openapi.json');
    assert.deepEqual([status, String(json['openapi']).slice(0, 3)], [200, '3.1']);
    assert.match(headers.get('Content-Type') ?? '', /^application\/json/);
    const routes = Object.entries<object>(Object(json['paths'])).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    for (const known of [
      'post /v1/orders',
      'get /v1/orders',
      'get /v1/orders/{id}',
      'get /v1/orders/{id}/events',
      'put /v1/prices/{id}',
      'get /v1/prices',
    ])
      assert.ok(routes.includes(known), known);
  });

  it('with a reference of every operation and every problem, which needs no network', async () => {
    const { status, text, headers } = await get('/docs');
    assert.deepEqual([status, headers.get('Content-Type')], [200, 'text/html; charset=utf-8']);
    assert.equal((await get('/')).text, text, 'the root leads there');
    const { json } = await get('/openapi.json');
    for (const operation of Object.values<Record<string, { operationId: string }>>(Object(json['paths'])).flatMap((methods) =>
      Object.values(methods),
    ))
      assert.ok(text.includes(`<article id="${operation.operationId}"`), operation.operationId);
    for (const code of Object.keys(PROBLEMS)) assert.ok(text.includes(`href="/problems/${code}"`), code);
    assert.ok(text.includes('oncepay_sk_') && text.includes('items[].unitAmount') && text.includes('cart-4711'));
    assert.doesNotMatch(text, /<(script|link|img|iframe)|@import|url\(/);
  });

  for (const [code, { title, remedy }] of Object.entries(PROBLEMS)) {
    it(`with a page for ${code} that says how to mend it`, async () => {
      const { status, text, headers } = await get(`/problems/${code}`);
      assert.deepEqual([status, headers.get('Content-Type')], [200, 'text/html; charset=utf-8']);
      const shown = text
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&#39;', "'");
      for (const words of [code, title, remedy.replaceAll('`', '')]) assert.ok(shown.includes(words), words);
    });
  }

  it('but has no page for what is no code', async () => {
    for (const code of ['nothing', 'constructor', '__proto__']) assertProblem(await get(`/problems/${code}`), 404, 'not_found');
  });
});

describe('every answer', () => {
  it('has an X-Request-Id of its own', async () => {
    const order = await api.order(crypto.randomUUID(), AN_ORDER);
    const path = order.headers.get('Location') ?? '';
    const etag = order.headers.get('ETag') ?? '';
    const answers = [
      order,
      await api.call(path),
      await api.call(path, { headers: { 'If-None-Match': etag } }),
      await api.call('/v1/orders'),
      await api.call('/v1/nothing'),
      await api.order('', {}),
      await api.order('k', '{"cut'),
      await api.order('k', 'x'.repeat(1_100_000)),
      await get('/v1/orders'),
      await get('/health/live'),
      await get('/openapi.json'),
      await get('/problems/forbidden'),
      await api.call('/webhooks/stripe', { body: {} }),
      await api.call('/v1/orders/%zz'),
    ];
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 201, 304, 400, 401, 404, 413]));
    const ids = answers.map(({ headers }) => headers.get('X-Request-Id') ?? '');
    for (const [index, id] of ids.entries()) assert.match(id, /^req_[\w-]{16}$/, `answer ${index}`);
    assert.equal(new Set(ids).size, ids.length);
  });
});

describe('an API that is closed', () => {
  it('finishes what is under way and waits for no connection that asks nothing', async () => {
    const closing = await startApiAlone(database.url);
    const silent = connect(Number(new URL(closing.url).port), '127.0.0.1');
    await once(silent, 'connect');
    await database.query('CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$');
    await database.query(`CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.reference = 'slow') EXECUTE FUNCTION slow()`);
    const order = closing.order(crypto.randomUUID(), { ...AN_ORDER, reference: 'slow' });
    await waitFor(
      'the order to be under way',
      async () => (await database.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)).length === 1,
    );

    const startedAt = performance.now();
    await closing.close();
    const tookMs = performance.now() - startedAt;
    assert.equal((await order).status, 201);
    assert.ok(tookMs < 15_000, `it took ${tookMs} ms`);
    await assert.rejects(closing.call('/health/live'));
  });
});
