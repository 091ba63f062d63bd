import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Database, isMigrated, migrate, MigrationError, MIGRATIONS_FOLDER } from '#libs/database';
import { StripeGateway } from '#libs/payments';
import { emptyDatabase, freshDatabase, type TestDatabase } from '../support/database.js';
import { CONSTRAINTS, INDEXES } from './database-catalogue.js';

const FIRST = readdirSync(MIGRATIONS_FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();

describe('the database guards by itself', () => {
  let database: TestDatabase;
  before(async () => {
    database = await freshDatabase();
  });
  after(() => database.drop());

  it('every amount, status and relation: the constraints are exactly these', async () => {
    const rows = await database.query<{ line: string }>(
      `SELECT format('%s %s', conname, pg_get_constraintdef(oid)) AS line FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u') AND conrelid <> '_prisma_migrations'::regclass`,
    );
    assert.deepEqual(rows.map(({ line }) => line).toSorted(), CONSTRAINTS.toSorted());
  });

  it('every "once" and every search: the indexes are exactly these', async () => {
    const rows = await database.query<{ line: string }>(
      `SELECT regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\\S+) ON public\\.', '\\2 \\1ON ') AS line FROM pg_indexes
       WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' AND indexname NOT LIKE '%\\_pkey'`,
    );
    assert.deepEqual(rows.map(({ line }) => line).toSorted(), INDEXES.toSorted());
  });
});

describe('migrations', () => {
  let database: TestDatabase;
  let folder: string;
  beforeEach(async () => {
    database = await emptyDatabase();
    folder = mkdtempSync(join(tmpdir(), 'oncepay-migrations-'));
    cpSync(MIGRATIONS_FOLDER, folder, { recursive: true });
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true, force: true });
    await database.drop();
  });

  function write(name: string, sql: string): void {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'migration.sql'), sql);
  }
  const tables = async (): Promise<readonly string[]> =>
    (await database.query<{ name: string }>(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)).map(
      ({ name }) => name,
    );
  const refuses =
    (message: RegExp) =>
    (error: unknown): boolean =>
      error instanceof MigrationError && message.test(error.message);

  it('are applied in order, once', async () => {
    write('29990101000000_second', 'CREATE TABLE second (order_id UUID REFERENCES orders(id))');
    assert.equal(await isMigrated(database.url, folder), false);
    assert.deepEqual(await migrate(database.url, folder), [...FIRST, '29990101000000_second']);
    assert.equal(await isMigrated(database.url, folder), true);
    assert.deepEqual(await migrate(database.url, folder), []);
    assert.ok((await tables()).includes('second'));
  });

  it('are applied once when four processes start together', async () => {
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(database.url, folder)));
    assert.deepEqual(applied.flat(), FIRST);
    assert.equal(await isMigrated(database.url, folder), true);
  });

  it('are refused when one was edited after it was applied, and nothing is changed', async () => {
    write('29990101000000_second', 'CREATE TABLE second ()');
    await migrate(database.url, folder);
    const before = await tables();
    write('29990101000000_second', 'CREATE TABLE second (id INT)');
    write('29990102000000_third', 'CREATE TABLE third ()');

    await assert.rejects(migrate(database.url, folder), refuses(/29990101000000_second was edited/));
    await assert.rejects(isMigrated(database.url, folder), refuses(/edited/));
    assert.deepEqual(await tables(), before);
  });

  it('leave nothing of one that fails, are refused until a person has looked, and go on when told that it was rolled back', async () => {
    write('29990101000000_second', 'CREATE TABLE second (); SELECT 1 / 0;');
    await assert.rejects(migrate(database.url, folder), /division by zero/);
    assert.ok(!(await tables()).includes('second'));
    for (const look of [migrate, isMigrated])
      await assert.rejects(look(database.url, folder), refuses(/29990101000000_second was left half applied/));

    write('29990101000000_second', 'CREATE TABLE second ()');
    await assert.rejects(migrate(database.url, folder), refuses(/half applied/));
    await database.query('UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL');
    assert.deepEqual(await migrate(database.url, folder), ['29990101000000_second']);
  });

  it('of a newer version do not stop an older process during a rolling deployment', async () => {
    write('29990101000000_second', 'CREATE TABLE second ()');
    await migrate(database.url, folder);
    assert.equal(await isMigrated(database.url, MIGRATIONS_FOLDER), true);
    assert.deepEqual(await migrate(database.url, MIGRATIONS_FOLDER), []);
  });
});

describe('a transaction', () => {
  let database: TestDatabase;
  let ours: Database;
  before(async () => {
    database = await freshDatabase();
    ours = new Database({ url: database.url, behindPooler: false, onError: () => undefined });
  });
  after(async () => {
    await ours.close();
    await database.drop();
  });

  it('is wholly undone when anything in it throws', async () => {
    const work = ours.transaction(async (tx) => {
      await tx.$executeRaw`INSERT INTO outbox (id, kind, payload) VALUES (gen_random_uuid(), 'webhook-event', '{}')`;
      throw new Error('on purpose');
    });
    await assert.rejects(work, /on purpose/);
    assert.deepEqual(await database.query('SELECT 1 FROM outbox'), []);
  });

  it('is never open during a call to Stripe: every call refuses before a byte leaves', async () => {
    let requests = 0;
    const stripe = createServer((_, response) => {
      requests += 1;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(stripe, 'listening');
    const address = stripe.address();
    const apiBase = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const gateway = new StripeGateway({ secretKey: 'sk_test_x', apiBase, timeoutMs: 1_000 });
    const methods = Object.getOwnPropertyNames(StripeGateway.prototype).filter((name) => name !== 'constructor');
    assert.ok(methods.includes('createPaymentIntent') && methods.includes('createRefund'));
    try {
      for (const name of methods) {
        const given = name.startsWith('list') ? [new Date(), null] : ['pi_1', new Date(), 'key'];
        const inside = ours.transaction(async () => Reflect.apply(Reflect.get(gateway, name), gateway, given));
        await assert.rejects(inside, /bug: calling Stripe while a database transaction is open/, name);
      }
      assert.equal(requests, 0);
      // Outside, a call does reach Stripe; that it answers nonsense is another matter.
      await assert.rejects(gateway.retrievePaymentIntent('pi_1'), { name: 'StripeFailure' });
      assert.equal(requests, 1);
    } finally {
      stripe.close();
      stripe.closeAllConnections();
    }
  });
});
