import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Database } from '#libs/database';
import { listBreakers } from '#libs/payments';
import { BREAKERS, type BreakerChange, CLOSED } from '../../libs/payments/src/gate/breaker.js';
import { changeBreaker, claimProbe, loadBreakers, renewProbe, yieldProbe } from '../../libs/payments/src/gate/breakers.store.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';

const OPENED: BreakerChange = { cause: 'outage', failures: 10, trips: 1, openForMs: 60_000 };

describe('the breakers in the database', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  before(async () => {
    testDatabase = await freshDatabase();
    database = new Database({ url: testDatabase.url, behindPooler: false, onError: () => undefined });
  });
  beforeEach(() => testDatabase.query('DELETE FROM breakers'));
  after(async () => {
    await database.close();
    await testDatabase.drop();
  });

  const seen = async (name = 'stripe') => (await loadBreakers(database.autocommit)).get(name) ?? CLOSED;
  const pass = (): Promise<unknown> => testDatabase.query(`UPDATE breakers SET open_until = now() - interval '1 ms', probe_until = NULL`);

  const leaseEnd = async (): Promise<number> =>
    (await testDatabase.query<{ at: Date }>('SELECT probe_until AS at FROM breakers'))[0]?.at.getTime() ?? 0;
  const renewed = async (version: number): Promise<number> => {
    await renewProbe(database.autocommit, 'stripe', version);
    return leaseEnd();
  };

  it('are all listed, closed until something happens', async () => {
    assert.deepEqual(
      (await listBreakers(database.autocommit)).map(({ name, state }) => `${name} ${state}`),
      BREAKERS.map((name) => `${name} closed`),
    );
    await changeBreaker(database.autocommit, 'stripe', CLOSED, OPENED, 'no answer within 10000 ms');
    const [stripe = assert.fail()] = await listBreakers(database.autocommit);
    assert.deepEqual([stripe.state, stripe.cause, stripe.lastError], ['open', 'outage', 'no answer within 10000 ms']);
    assert.ok((stripe.openUntil ?? 0) > (stripe.openedAt ?? 0));
    await pass();
    assert.equal((await listBreakers(database.autocommit))[0]?.state, 'half_open');
  });

  it('change from the version alone that the decision was made on', async () => {
    const { autocommit } = database;
    const [one, other] = await Promise.all([
      changeBreaker(autocommit, 'refunds', CLOSED, OPENED, null),
      changeBreaker(autocommit, 'refunds', CLOSED, OPENED, null),
    ]);
    assert.equal([one, other].filter((changed) => changed === null).length, 1);
    const current = one ?? other ?? assert.fail();
    assert.equal((await seen('refunds')).version, current.version);
    const closed = await changeBreaker(autocommit, 'refunds', current, { ...CLOSED, openForMs: 0 }, null);
    assert.equal(closed?.cause, null);
    assert.equal(await changeBreaker(autocommit, 'refunds', current, OPENED, null), null);
  });

  it('give the right to probe to one of many, and to another when its lease is over', async () => {
    const { autocommit } = database;
    await changeBreaker(autocommit, 'stripe', CLOSED, OPENED, null);
    assert.equal(await claimProbe(autocommit, 'stripe', await seen()), null);
    await pass();
    const halfOpen = await seen();
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimProbe(autocommit, 'stripe', halfOpen)));
    assert.equal(claims.filter((claimed) => claimed !== null).length, 1);
    assert.ok((await seen()).probeLeftMs > 0);
    assert.equal(await claimProbe(autocommit, 'stripe', await seen()), null);

    await testDatabase.query(`UPDATE breakers SET probe_until = now() - interval '1 ms'`);
    const next = (await claimProbe(autocommit, 'stripe', await seen())) ?? assert.fail();
    // The one that was late prolongs nothing.
    const [before, late, inTime] = [await leaseEnd(), await renewed(next - 1), await renewed(next)];
    assert.equal(late, before);
    assert.ok(inTime > before);
    await yieldProbe(autocommit, 'stripe', next);
    assert.equal((await seen()).probeLeftMs, 0);
  });
});
