import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type JobHandlers, JobQueues } from '#libs/jobs';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { routeTo } from '../support/database-route.js';
import { waitFor } from '../support/wait-for.js';

/** A database of the tests' Redis that no other test uses. */
const REDIS_URL = process.env['ONCEPAY_TEST_REDIS_URL']?.replace(/\/\d*$/, '/6');

let database: TestDatabase;

before(async () => {
  database = await freshDatabase();
});
after(async () => {
  await database.drop();
});

/** Handlers that only note whose job ran. */
function noting(seen: string[]): JobHandlers {
  const see = async (id: string): Promise<{ outcome: 'done' }> => {
    seen.push(id);
    return { outcome: 'done' };
  };
  return {
    'payment-operation': ({ operationId }) => see(operationId),
    'refund-operation': ({ operationId }) => see(operationId),
    'webhook-event': ({ eventId }) => see(eventId),
    reconciliation: ({ reconciliationId }) => see(reconciliationId),
  };
}

const jobOf = (operationId: string, ahead = false) => ({
  id: crypto.randomUUID(),
  kind: 'payment-operation',
  payload: { operationId },
  ahead,
});

describe('the queues', () => {
  for (const redisUrl of [null, REDIS_URL]) {
    it(
      `run what goes ahead before what waits, in ${redisUrl === null ? 'PostgreSQL' : 'Redis'}`,
      { skip: redisUrl === undefined && 'no redis-server here' },
      async () => {
        const seen: string[] = [];
        const onError = (error: Error): never => assert.fail(error);
        const queues = new JobQueues({ redisUrl: redisUrl ?? null, databaseUrl: database.url, instance: crypto.randomUUID(), onError });
        await waitFor('the queue to take jobs', () => queues.ping().then(() => true));
        await queues.add([jobOf('first'), jobOf('second')]);
        await queues.add([jobOf('third'), jobOf('orphan', true)]);
        queues.consume('payments', 1, noting(seen));
        await waitFor('all to run', () => seen.length === 4);
        assert.deepEqual(seen, ['orphan', 'first', 'second', 'third']);
        await queues.close();
      },
    );
  }

  for (const count of [3, 30]) {
    it(`take ${count} jobs at once in the order they come, and each once however often it is added, in PostgreSQL`, async () => {
      const seen: string[] = [];
      const onError = (error: Error): never => assert.fail(error);
      const queues = new JobQueues({ redisUrl: null, databaseUrl: database.url, instance: crypto.randomUUID(), onError });
      await waitFor('the queue to take jobs', () => queues.ping().then(() => true));
      const names = Array.from({ length: count }, (_, index) => `job ${index}`);
      const jobs = names.map((name) => jobOf(name));
      await queues.add(jobs);
      await queues.add(jobs);
      await queues.add(jobs.slice(0, 2));
      await queues.add([jobOf('last')]);
      queues.consume('payments', 1, noting(seen));
      await waitFor('all to run', () => seen.includes('last'));
      assert.deepEqual(seen, [...names, 'last']);
      await queues.close();
    });
  }

  it('work once the database can be reached, though it could not when they were opened', async () => {
    const route = await routeTo(database.url);
    await route.refuse();
    const errors: Error[] = [];
    const queues = new JobQueues({ redisUrl: null, databaseUrl: route.url, instance: 'queues', onError: (error) => errors.push(error) });
    const seen: string[] = [];
    queues.consume('payments', 1, noting(seen));
    const message = jobOf('op');
    await assert.rejects(queues.add([message]));
    await waitFor('the consumer to fail', () => errors.length > 0);

    await route.pass();
    await waitFor('the job to be taken', () => queues.add([message]).then(() => true));
    await waitFor('the job to run', () => seen.length > 0);
    assert.deepEqual(seen, ['op']);
    assert.ok(errors.length < 100, `${errors.length} failures: it spins`);
    await queues.close();
    await route.close();
  });

  it('ask whether somebody is still there by connections that listen, never by one that runs a query of others', async (t) => {
    const warned: string[] = [];
    const note = ({ message }: Error): void => void warned.push(message);
    process.on('warning', note);
    t.after(() => process.off('warning', note));
    const onError = (error: Error): never => assert.fail(error);
    const queues = new JobQueues({ redisUrl: null, databaseUrl: database.url, instance: crypto.randomUUID(), onError });
    queues.consume('payments', 8, noting([]));
    await waitFor('the listener to be asked', async () => {
      await queues.add(Array.from({ length: 100 }, () => jobOf('op')));
      const asked = await database.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT 1' AND application_name = 'payments'`,
      );
      return asked.length === 1;
    });
    await queues.close();
    assert.deepEqual(warned, []);
  });

  it('leave no timer behind when they are closed, though BullMQ takes its listeners from the connections it gives back', async (t) => {
    const started = t.mock.method(globalThis, 'setInterval');
    const ended = t.mock.method(globalThis, 'clearInterval');
    const seen: string[] = [];
    const onError = (error: Error): never => assert.fail(error);
    const queues = new JobQueues({ redisUrl: null, databaseUrl: database.url, instance: crypto.randomUUID(), onError });
    queues.consume('payments', 1, noting(seen));
    await waitFor('the queue to take jobs', () => queues.add([jobOf('op')]).then(() => true));
    await waitFor('the job to run', () => seen.length > 0);
    await queues.close();
    const timers = started.mock.calls.map(({ result }) => result);
    assert.ok(timers.length > 0);
    const cleared = new Set<unknown>(ended.mock.calls.map(({ arguments: [timer] }) => timer));
    assert.deepEqual(
      timers.filter((timer) => !cleared.has(timer)),
      [],
    );
  });
});
