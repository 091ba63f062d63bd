import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfig } from '#libs/config';
import { createLogger } from '#libs/telemetry';
import { startWorker } from '../../apps/worker/src/worker.js';
import { findProgram } from '../../tools/test-services.js';
import { RedisServer } from '../storm/redis-server.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { call } from '../support/http-client.js';
import { type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const skip = findProgram(['redis-server']) === undefined && 'no redis-server here';

describe('a Redis that holds the queue', { skip, timeout: 100_000 }, () => {
  let folder: string;
  let redis: RedisServer;
  let stack: Stack;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'oncepay-redis-'));
    const opened = await RedisServer.open(folder);
    assert.ok(opened);
    redis = opened;
    stack = await startStack({ env: { REDIS_URL: redis.url, ADMIN_PORT: '0' } });
  });
  after(async () => {
    await stack.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const unpaid = async (id: string): Promise<void> => assert.equal((await stack.readOrder(id)).status, 'pending');

  it('is refused at the start of a worker while it may throw jobs away', async () => {
    await redis.command('CONFIG SET maxmemory-policy allkeys-lru');
    const config = loadConfig({ DATABASE_URL: stack.database.url, REDIS_URL: redis.url });
    await assert.rejects(
      startWorker(config, createLogger('test', 'silent')),
      /maxmemory-policy is "allkeys-lru"[^]*Set maxmemory-policy to noeviction/,
    );
    await redis.command('CONFIG SET maxmemory-policy noeviction');
  });

  it('is given no jobs when it begins to throw them away, until it is set up again', async () => {
    const queueOf = async (): Promise<unknown> => Object((await call(`${stack.workerUrl()}/health/ready`)).json['details']).queue;
    await redis.command('CONFIG SET maxmemory-policy allkeys-lru');
    // One that was set up anew is known by its new connections.
    await redis.command('CLIENT KILL TYPE normal');
    await waitFor('the worker to say so', async () => Object(await queueOf()).status === 'down');
    const { id } = await stack.order();
    await waitFor(
      'the relay to have tried',
      async () => (await stack.database.query('SELECT 1 FROM outbox WHERE claimed_until IS NOT NULL')).length > 0,
    );
    await unpaid(id);
    assert.deepEqual(await queueOf(), { status: 'down' });
    await redis.command('CONFIG SET maxmemory-policy noeviction');
    await stack.orderIn(id, 'paid', 60_000);
    assert.deepEqual(await queueOf(), { status: 'up' });
  });

  it('may be full: orders are accepted, wait, and are paid when there is room again', async () => {
    await redis.command('CONFIG SET maxmemory 1');
    const { id } = await stack.order();
    await waitFor(
      'the relay to have tried',
      async () => (await stack.database.query('SELECT 1 FROM outbox WHERE claimed_until IS NOT NULL')).length > 0,
    );
    await unpaid(id);
    await redis.command('CONFIG SET maxmemory 0');
    await stack.orderIn(id, 'paid', 60_000);
  });

  it('may die and come back empty: orders are accepted meanwhile, and everything is found in the database', async () => {
    await redis.kill();
    redis.forget();
    const { id } = await stack.order();
    const without = await stack.call('/health/ready');
    assert.deepEqual([without.status, without.json['status'], Object(without.json['details']).queue], [200, 'ok', { status: 'down' }]);
    await unpaid(id);
    await redis.start();
    await stack.orderIn(id, 'paid', 60_000);
    await waitFor(
      'the API to report the queue again',
      async () => Object((await stack.call('/health/ready')).json['details']).queue.status === 'up',
    );
  });
});

describe('a Redis Cluster of three nodes', { skip, timeout: 100_000 }, () => {
  let cluster: RedisCluster;
  let stack: Stack;

  before(async () => {
    cluster = await startRedisCluster();
    stack = await startStack({ env: { REDIS_URL: cluster.url } });
  });
  after(async () => {
    await stack.close();
    await cluster.stop();
  });

  it('holds the queue: orders are paid, refunds and events go through, and each queue lies on one node', async () => {
    const { id } = await stack.order();
    await stack.orderIn(id, 'paid', 60_000);
    const refunded = await stack.call(`/v1/orders/${id}/refunds`, { idempotencyKey: crypto.randomUUID(), body: {} });
    assert.equal(refunded.status, 201, refunded.text);
    await stack.orderIn(id, 'refunded', 60_000);

    const keys = await cluster.keysByNode();
    const tags = keys.flat().map((key) => /^\{(oncepay:tests:[a-z-]+)\}:/.exec(key)?.[1] ?? key);
    assert.ok(new Set(tags).has('oncepay:tests:payments') && new Set(tags).has('oncepay:tests:webhook-events'), tags.join());
    for (const tag of new Set(tags)) {
      assert.equal(keys.filter((ofNode) => ofNode.some((key) => key.startsWith(`{${tag}}:`))).length, 1, `${tag} lies on one node`);
    }
    assert.ok(keys.filter((ofNode) => ofNode.length > 0).length > 1, 'the queues lie on several nodes');
  });
});
