import assert from 'node:assert/strict';
import { request as post } from 'node:http';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { AN_ORDER, SECRET_KEYS } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const AT_ONCE = 64;
/** Any number: the lock at which held orders wait. */
const GATE = 4_711_001;

let database: TestDatabase;
let apis: readonly [ApiAlone, ApiAlone];
let gate: pg.Client;

before(async () => {
  database = await freshDatabase();
  apis = [await startApiAlone(database.url), await startApiAlone(database.url)];
  gate = new pg.Client({ connectionString: database.url });
  await gate.connect();
  // An order with this reference waits in the middle of its own statement while the gate is shut: a slow first request.
  await gate.query(
    `CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(${GATE}); RETURN NEW; END $$`,
  );
  await gate.query(
    `CREATE TRIGGER gate BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.reference = 'held') EXECUTE FUNCTION wait_at_gate()`,
  );
});
after(async () => {
  await gate.end();
  await Promise.all(apis.map((api) => api.close()));
  await database.drop();
});

const newKey = (): string => crypto.randomUUID();
const HELD = { ...AN_ORDER, reference: 'held' };

const shut = (): Promise<unknown> => gate.query('SELECT pg_advisory_lock($1)', [GATE]);
const open = (): Promise<unknown> => gate.query('SELECT pg_advisory_unlock($1)', [GATE]);

/** The connections that wait at the gate, once there are as many. */
async function waitingAtGate(count = 1): Promise<readonly number[]> {
  return waitFor(`${count} at the gate`, async () => {
    const rows = await database.query<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ${GATE} AND NOT granted`,
    );
    return rows.length === count && rows.map(({ pid }) => pid);
  });
}

/** What a key has made, table by table. */
async function effectsOf(key: string): Promise<object | undefined> {
  const [row] = await database.query<object>(
    `WITH made AS (SELECT o.id FROM idempotency_keys k JOIN orders o ON o.client_secret = (k.body::jsonb ->> 'clientSecret') WHERE k.key = $1)
     SELECT (SELECT count(*) FROM idempotency_keys WHERE key = $1)::int AS keys, (SELECT count(*) FROM made)::int AS orders,
       (SELECT count(*) FROM payments WHERE order_id IN (SELECT id FROM made))::int AS payments,
       (SELECT count(*) FROM payment_operations WHERE order_id IN (SELECT id FROM made))::int AS operations,
       (SELECT count(*) FROM order_events WHERE order_id IN (SELECT id FROM made))::int AS events,
       (SELECT count(*) FROM outbox WHERE payload ->> 'operationId' IN (SELECT id::text FROM payment_operations WHERE order_id IN (SELECT id FROM made)))::int AS outbox`,
    [key],
  );
  return row;
}

const ONE_ORDER = { keys: 1, orders: 1, payments: 1, operations: 2, events: 1, outbox: 1 };

async function countOrders(): Promise<number> {
  const [row] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM orders');
  return row?.count ?? Number.NaN;
}

/** All are the same 201, and all but one are marked as its replay. */
function assertOneAnswer(answers: readonly Answer[]): void {
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]), answers.find(({ status }) => status !== 201)?.text);
  assert.equal(new Set(answers.map(({ text, headers }) => `${headers.get('Location')} ${text}`)).size, 1);
  assert.equal(answers.filter(({ headers }) => headers.get('Idempotency-Replayed') === null).length, 1);
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

describe('requests with one key that arrive together', () => {
  it('make one order and get one answer, 64 of them', async () => {
    const key = newKey();
    const before = await countOrders();
    assertOneAnswer(await Promise.all(times(AT_ONCE, () => apis[0].order(key, AN_ORDER))));

    assert.deepEqual(await effectsOf(key), ONE_ORDER);
    assert.equal(await countOrders(), before + 1);
  });

  it('make one order and get one answer when 32 reach each of two APIs', async () => {
    for (let round = 0; round < 5; round += 1) {
      const key = newKey();
      const before = await countOrders();
      assertOneAnswer(await Promise.all(times(AT_ONCE, (index) => apis[index % 2 === 0 ? 0 : 1].order(key, AN_ORDER))));

      assert.deepEqual(await effectsOf(key), ONE_ORDER);
      assert.equal(await countOrders(), before + 1);
    }
  });

  it('execute one of two different requests, and refuse the other for ever', async () => {
    const key = newKey();
    const before = await countOrders();
    const bodies = [
      { ...AN_ORDER, reference: 'heads' },
      { ...AN_ORDER, reference: 'tails' },
    ] as const;
    const answers = await Promise.all(times(AT_ONCE, (index) => apis[index % 2 === 0 ? 0 : 1].order(key, bodies[index % 4 < 2 ? 0 : 1])));

    const accepted = answers.filter(({ status }) => status === 201);
    assert.equal(accepted.length, AT_ONCE / 2);
    assertOneAnswer(accepted);
    assert.deepEqual(
      new Set(answers.filter((answer) => !accepted.includes(answer)).map(({ status, json }) => `${status} ${String(json['code'])}`)),
      new Set(['422 idempotency_key_reused']),
    );
    assert.deepEqual(await effectsOf(key), ONE_ORDER);
    assert.equal(await countOrders(), before + 1);
  });

  it('are all refused where the order is, and leave the key free', async () => {
    const key = newKey();
    const order = { ...HELD, currency: 'xyz' };
    const answers = await Promise.all(times(8, (index) => apis[index % 2 === 0 ? 0 : 1].order(key, order)));

    assert.deepEqual(new Set(answers.map(({ status, json }) => `${status} ${String(json['code'])}`)), new Set(['400 validation_failed']));
    assert.equal((await apis[0].order(key, HELD)).status, 201);
  });

  it('are as many orders as there are keys', async () => {
    const before = await countOrders();
    const answers = await Promise.all(times(AT_ONCE, (index) => apis[index % 2 === 0 ? 0 : 1].order(newKey(), AN_ORDER)));

    assert.equal(new Set(answers.map(({ json }) => json['id'])).size, AT_ONCE);
    assert.equal(await countOrders(), before + AT_ONCE);
  });
});

describe('while the first request with a key is slow', () => {
  it('those that wait for it hold no connection: other orders pass', async () => {
    await shut();
    const key = newKey();
    const waiting = times(AT_ONCE, (index) => apis[index % 2 === 0 ? 0 : 1].order(key, HELD));
    const held = await waitingAtGate();

    const others = await Promise.all(times(32, (index) => apis[index % 2 === 0 ? 0 : 1].order(newKey(), AN_ORDER)));
    assert.deepEqual(await waitingAtGate(), held, 'they passed while the first was still waiting');
    await open();

    assert.deepEqual(new Set(others.map(({ status }) => status)), new Set([201]));
    // On a busy machine some of them have waited for two seconds by now.
    const answers = await Promise.all(waiting);
    assertOneAnswer(answers.filter(({ json }) => json['code'] !== 'idempotency_key_in_progress'));
    assert.deepEqual(await effectsOf(key), ONE_ORDER);
  });

  it('its repetition is told after 2 s to come again, in either process, and is then answered', async () => {
    await shut();
    const key = newKey();
    const first = apis[0].order(key, HELD);
    await waitingAtGate();

    const startedAt = performance.now();
    const early = await Promise.all([apis[0].order(key, HELD), apis[1].order(key, HELD), apis[1].order(key, { ...HELD, currency: 'eur' })]);
    const tookMs = performance.now() - startedAt;
    await open();

    for (const answer of early) {
      assert.deepEqual([answer.status, answer.json['code'], answer.headers.get('Retry-After')], [409, 'idempotency_key_in_progress', '1']);
    }
    assert.ok(tookMs > 1_800 && tookMs < 4_500, `they were kept for ${tookMs} ms`);
    assertOneAnswer([await first, await apis[0].order(key, HELD), await apis[1].order(key, HELD)]);
    assert.deepEqual(await effectsOf(key), ONE_ORDER);
  });

  it('and then fails, one of those that wait takes its place', async () => {
    await shut();
    const key = newKey();
    const requests = times(8, (index) => apis[index % 2 === 0 ? 0 : 1].order(key, HELD));
    const [pid] = await waitingAtGate();
    await database.query('SELECT pg_terminate_backend($1)', [pid]);
    await open();

    const answers = await Promise.all(requests);
    const failed = answers.filter(({ status }) => status !== 201);
    assert.deepEqual(
      failed.map(({ status, json }) => `${status} ${String(json['code'])}`),
      ['503 unavailable'],
    );
    assertOneAnswer(answers.filter(({ status }) => status === 201));
    assert.deepEqual(await effectsOf(key), ONE_ORDER);
  });

  it('and its client goes away, it is carried out, and the client that comes back gets its answer', async () => {
    await shut();
    const key = newKey();
    const request = post(`${apis[0].url}/v1/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key, Authorization: `Bearer ${SECRET_KEYS[0]}` },
    });
    request.on('error', () => undefined).end(JSON.stringify(HELD));
    await waitingAtGate();
    request.destroy();
    await open();

    const back = await apis[1].order(key, HELD);
    assert.deepEqual([back.status, back.headers.get('Idempotency-Replayed')], [201, 'true']);
    assert.deepEqual(await effectsOf(key), ONE_ORDER);
  });
});
