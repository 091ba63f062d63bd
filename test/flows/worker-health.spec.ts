import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfig } from '#libs/config';
import { createLogger } from '#libs/telemetry';
import { startWorker } from '../../apps/worker/src/worker.js';
import { freshDatabase } from '../support/database.js';
import { type Answer, call } from '../support/http-client.js';
import { queueSettings } from '../support/queue-backend.js';

const NO_BACKLOG = {
  operationSeconds: 0,
  outboxSeconds: 0,
  eventSeconds: 0,
  thresholdSeconds: { operation: 60, outbox: 30, event: 60 },
};

describe("the worker's health", () => {
  it('is live while its loops turn, ready while all it needs is there, and names the part that is not', async () => {
    const database = await freshDatabase();
    const queue = await queueSettings();
    const settings = { DATABASE_URL: database.url, ADMIN_PORT: '0', ...queue };
    const worker = await startWorker(loadConfig(settings), createLogger('test', 'silent'));
    const url = `http://127.0.0.1:${worker.healthPort ?? 0}`;
    try {
      const ask = (path: string): Promise<Answer> => call(`${url}/health/${path}`);
      const turning = { status: 'ok', details: { relay: { status: 'up' }, sweeper: { status: 'up' } } };
      const allUp = { database: { status: 'up' }, migrations: { status: 'up' }, queue: { status: 'up' }, accepting: { status: 'up' } };
      assert.deepEqual((await ask('live')).json, turning);
      const ready = await ask('ready');
      assert.deepEqual([ready.status, ready.json['details']], [200, allUp]);
      const backlog = await ask('backlog');
      assert.deepEqual([backlog.status, Object(backlog.json['details']).backlog], [200, { status: 'up', ...NO_BACKLOG }]);

      await database.query(
        'DELETE FROM "_prisma_migrations" WHERE migration_name = (SELECT max(migration_name) FROM "_prisma_migrations")',
      );
      const behind = await ask('ready');
      assert.deepEqual([behind.status, behind.json['details']], [503, { ...allUp, migrations: { status: 'down' } }]);

      await database.drop();
      const down = await ask('ready');
      const inDatabase = queue['REDIS_URL'] === undefined ? 'down' : 'up';
      const without = { database: { status: 'down' }, migrations: { status: 'down' }, queue: { status: inDatabase } };
      assert.deepEqual([down.status, down.json['details']], [503, { ...allUp, ...without }]);
      assert.deepEqual((await ask('backlog')).json, { status: 'error', details: { backlog: { status: 'down' } } });
      assert.deepEqual((await ask('live')).json, turning, 'a process begun anew would find no database either');
    } finally {
      await worker.close();
    }
  });
});
