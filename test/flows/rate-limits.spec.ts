import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Database } from '#libs/database';
import { Limiter } from '../../libs/payments/src/gate/limiter.js';
import { GLOBAL, openBuckets, reserveTokens, shrinkBucket } from '../../libs/payments/src/gate/rate-limits.store.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { assertRulesHold } from '../support/invariants.js';
import { journalOf } from '../support/payment-facts.js';
import { type Stack, startStack } from '../support/stack.js';

describe('the token buckets in the database', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  before(async () => {
    testDatabase = await freshDatabase();
    database = new Database({ url: testDatabase.url, behindPooler: false, onError: () => undefined });
  });
  after(async () => {
    await database.close();
    await testDatabase.drop();
  });

  it('give out no more than their rate, whoever asks, and a place in the line when they are empty', async () => {
    const { autocommit } = database;
    const slow = [{ name: 'slow', perSecond: 0.01 }];
    await openBuckets(autocommit, ['slow']);
    const startedAt = performance.now();
    const asked = await Promise.all(Array.from({ length: 5 }, () => reserveTokens(autocommit, slow, { tokens: 1, places: 1 })));
    assert.equal(asked.filter(({ granted }) => granted).length, 1);
    const places = asked.filter(({ granted }) => !granted).map(({ startsInMs }) => startsInMs);
    // Each counts from when it asked itself, which may be before whoever got the token did.
    const apartMs = performance.now() - startedAt;
    for (const [index, place] of places.toSorted((a, b) => a - b).entries())
      assert.ok(place > (index + 1) * 100_000 - 60_000 && place <= (index + 1) * 100_000 + apartMs, `place ${index} after ${place} ms`);
  });

  it('take from the bucket of all and from the endpoint together', async () => {
    const { autocommit } = database;
    const buckets = [
      { name: 'all', perSecond: 1_000 },
      { name: 'one', perSecond: 0.01 },
    ];
    await openBuckets(autocommit, ['all', 'one']);
    assert.equal((await reserveTokens(autocommit, buckets, { tokens: 1, places: 1 })).granted, true);
    const next = async (): Promise<unknown> => (await testDatabase.query(`SELECT next_at FROM rate_limits WHERE name = 'all'`))[0];
    const before = await next();
    assert.equal((await reserveTokens(autocommit, buckets, { tokens: 1, places: 1 })).granted, false);
    assert.deepEqual(await next(), before);
  });

  it('halve when Stripe refuses, and give nothing before Retry-After', async () => {
    const { autocommit } = database;
    await openBuckets(autocommit, [GLOBAL]);
    const share = async (): Promise<number> =>
      (await testDatabase.query<{ share: number }>('SELECT share FROM rate_limits WHERE name = $1', [GLOBAL]))[0]?.share ?? 0;
    await shrinkBucket(autocommit, GLOBAL, 50_000);
    assert.equal(await share(), 0.5);
    const { granted, startsInMs } = await reserveTokens(autocommit, [{ name: GLOBAL, perSecond: 100 }], { tokens: 1, places: 1 });
    assert.equal(granted, false);
    assert.ok(startsInMs > 0 && startsInMs <= 50_000);
  });

  it('leave half of all calls to those that move money, however much is read', async () => {
    await testDatabase.query('DELETE FROM rate_limits');
    await new Limiter(database.autocommit, 4).take('reads');
    const rows = await testDatabase.query<{ name: string; ahead: number }>(
      `SELECT name, extract(epoch FROM next_at - (SELECT min(next_at) FROM rate_limits))::float8 AS ahead FROM rate_limits WHERE name IN ('reads', $1)`,
      [GLOBAL],
    );
    const ahead = Object.fromEntries(rows.map((row) => [row.name, row.ahead]));
    // One read is half a second of the two a second that reads have, and a quarter of one of the four that all have.
    const more = Number(ahead['reads']) - Number(ahead[GLOBAL]);
    assert.ok(Math.abs(more - 0.25) < 0.001, `${more} s`);
  });

  it('serve two processes, each with few statements', async () => {
    await testDatabase.query('DELETE FROM rate_limits');
    const limiters = [new Limiter(database.autocommit, 1_000), new Limiter(database.autocommit, 1_000)];
    const turns = await Promise.all(limiters.flatMap((limiter) => Array.from({ length: 20 }, () => limiter.take('reads'))));
    for (const { granted } of turns) assert.equal(granted, true);
    for (const limiter of limiters) assert.deepEqual(await limiter.ready('reads'), { granted: true });
  });
});

describe('a worker that Stripe tells to slow down', () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack({ env: { STRIPE_RATE_PER_SECOND: '200' } });
  });
  after(() => stack.close());

  it('takes less than before, gives up no order, and sends no request twice for it', async () => {
    const refused = 6;
    await stack.control('/_sim/faults', { path: '/v1/payment_intents', action: '429', reason: 'global-rate', count: refused });
    const orders = await Promise.all(Array.from({ length: 20 }, () => stack.order()));
    for (const { id } of orders) await stack.orderIn(id, 'paid');
    const [bucket] = await stack.database.query<{ shrunk: boolean }>('SELECT share < 1 AS shrunk FROM rate_limits WHERE name = $1', [
      GLOBAL,
    ]);
    assert.equal(bucket?.shrunk, true);
    const breakers = await stack.database.query(`SELECT 1 FROM breakers WHERE state <> 'closed' OR failures > 0`);
    assert.deepEqual(breakers, [], 'a limit of rate is no outage');
    const sent = (await journalOf(stack, 'kind=request&limit=10000')).filter(({ path }) => path === '/v1/payment_intents');
    assert.equal(sent.length, orders.length + refused);
    await assertRulesHold(stack);
  });
});
