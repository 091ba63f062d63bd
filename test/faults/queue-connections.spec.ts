import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type JobHandlers, JobQueues } from '#libs/jobs';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { routeTo } from '../support/database-route.js';
import { waitFor } from '../support/wait-for.js';

let database: TestDatabase;

before(async () => {
  database = await freshDatabase();
});
after(async () => {
  await database.drop();
});

describe('the queues', () => {
  it('work once the database can be reached, though it could not when they were opened', async () => {
    const route = await routeTo(database.url);
    await route.refuse();
    const errors: Error[] = [];
    const queues = new JobQueues({ redisUrl: null, databaseUrl: route.url, instance: 'queues', onError: (error) => errors.push(error) });
    const seen: string[] = [];
    const see = async (id: string): Promise<{ outcome: 'done' }> => {
      seen.push(id);
      return { outcome: 'done' };
    };
    const handlers: JobHandlers = {
      'payment-operation': ({ operationId }) => see(operationId),
      'refund-operation': ({ operationId }) => see(operationId),
      'webhook-event': ({ eventId }) => see(eventId),
      reconciliation: ({ reconciliationId }) => see(reconciliationId),
    };
    queues.consume('payments', 1, handlers);
    const message = { id: crypto.randomUUID(), kind: 'payment-operation', payload: { operationId: 'op' } };
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
});
