import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfig } from '#libs/config';
import { createLogger } from '#libs/telemetry';
import { startWorker } from '../../apps/worker/src/worker.js';
import { freshDatabase } from '../support/database.js';
import { call } from '../support/http-client.js';
import { queueSettings } from '../support/queue-backend.js';

describe("the worker's health", () => {
  it('is live and ready while database and queue answer, and names the part that does not', async () => {
    const database = await freshDatabase();
    const queue = await queueSettings();
    const settings = { DATABASE_URL: database.url, ADMIN_PORT: '0', ...queue };
    const worker = await startWorker(loadConfig(settings), createLogger('test', 'silent'));
    const url = `http://127.0.0.1:${worker.healthPort ?? 0}`;
    try {
      assert.equal((await call(`${url}/health/live`)).status, 200);
      const ready = await call(`${url}/health/ready`);
      assert.equal(ready.status, 200);
      assert.deepEqual(ready.json['details'], { database: { status: 'up' }, queue: { status: 'up' }, accepting: { status: 'up' } });

      await database.drop();
      const down = await call(`${url}/health/ready`);
      assert.equal(down.status, 503);
      const inDatabase = queue['REDIS_URL'] === undefined ? 'down' : 'up';
      assert.deepEqual(down.json['details'], { database: { status: 'down' }, queue: { status: inDatabase }, accepting: { status: 'up' } });
      assert.equal((await call(`${url}/health/live`)).status, 200);
    } finally {
      await worker.close();
    }
  });
});
