import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type DatabaseRoute, routeTo } from '../support/database-route.js';
import { type Answer } from '../support/http-client.js';
import { everythingListens, listenersOf } from '../support/listeners.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

/** More than any pool of ours has connections. */
const CROWD = 64;

describe('a crowd of commands on one order', () => {
  let database: TestDatabase;
  let api: ApiAlone;
  let orderId = '';

  before(async () => {
    database = await freshDatabase();
    api = await startApiAlone(database.url);
    orderId = String((await api.order(crypto.randomUUID(), AN_ORDER)).json['id']);
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const cancel = (): Promise<Answer> => api.call(`/v1/orders/${orderId}/cancel`, { method: 'POST', idempotencyKey: crypto.randomUUID() });

  /** Keeps every order's row locked, as a process does that hangs in a command. */
  async function locked(work: () => Promise<void>): Promise<void> {
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM orders FOR UPDATE');
      await work();
    } finally {
      await holder.end();
    }
  }

  it('is told to come again when the order is held for longer than any command takes', async () => {
    await locked(async () => {
      const answers = await Promise.all([cancel(), cancel()]);
      for (const answer of answers) {
        assertProblem(answer, 409, 'operation_in_progress');
        assert.equal(answer.headers.get('Retry-After'), '1');
      }
    });
  });

  it('leaves room for all other orders while it waits, and is then answered one by one', async () => {
    let crowd: Promise<Answer[]> = Promise.resolve([]);
    await locked(async () => {
      crowd = Promise.all(Array.from({ length: CROWD }, cancel));
      await waitFor(
        'the first of them to wait for the order',
        async () =>
          (await database.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`))
            .length === 1,
      );
      for (let count = 0; count < 10; count += 1) assert.equal((await api.order(crypto.randomUUID(), AN_ORDER)).status, 201);
      const waiting = await database.query(
        `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      assert.equal(waiting.length, 1, 'one connection waits, for all of them');
    });
    const answers = await crowd;
    assert.equal(answers.filter(({ status }) => status === 200).length, 1, 'one of them canceled the order');
    for (const { status, text } of answers) assert.ok(status === 200 || status === 409, text);
  });
});

describe('a database whose connections go silent', () => {
  let route: DatabaseRoute;
  let stack: Stack;

  before(async () => {
    stack = await startStack({
      prepare: async ({ url }) => {
        route = await routeTo(url);
        return route.url;
      },
    });
  });
  after(() => stack.close(() => route.close()));

  const order = (key: string): Promise<Answer> => stack.call('/v1/orders', { idempotencyKey: key, body: AN_ORDER });

  it('is answered for by a 503 that says when to come again, no silent connection is used twice, and everything listens again', async () => {
    await everythingListens(stack.database);
    const silent = await listenersOf(stack.database);
    const key = crypto.randomUUID();
    const first = await order(key);
    const firstId = String(first.json['id']);
    await stack.orderIn(firstId, 'paid');
    route.blackhole();
    const ready = await stack.call('/health/ready', { key: 'none is needed' });
    assert.equal(ready.status, 503);
    const refund = stack.call(`/v1/orders/${firstId}/refunds`, { idempotencyKey: crypto.randomUUID(), body: {} });
    for (const answer of [await order(crypto.randomUUID()), await refund]) {
      assertProblem(answer, 503, 'unavailable');
      assert.match(answer.headers.get('Retry-After') ?? '', /^\d+$/);
    }
    await route.pass();
    const again = await waitFor('orders to be taken again', async () => {
      const answer = await order(crypto.randomUUID());
      return answer.status === 201 ? answer : null;
    });
    assert.equal((await order(key)).text, first.text);
    await stack.orderIn(String(again.json['id']), 'paid');
    // PostgreSQL does not know that nobody hears it by the old ones.
    await everythingListens(stack.database, silent);
  });
});

describe('a database that ends every connection at once', () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack();
  });
  after(() => stack.close());

  it('loses nothing that was acknowledged, is answered for by 503s alone, and is listened to again', async () => {
    await everythingListens(stack.database);
    const accepted: string[] = [];
    const post = async (): Promise<void> => {
      for (let count = 0; count < 10; count += 1) {
        const answer = await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body: AN_ORDER });
        if (answer.status === 201) accepted.push(String(answer.json['id']));
        else assertProblem(answer, 503, 'unavailable');
      }
    };
    const posting = Promise.all([post(), post(), post()]);
    await stack.database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await posting;
    for (const id of accepted) await stack.orderIn(id, 'paid', 60_000);
    await everythingListens(stack.database);
  });
});
