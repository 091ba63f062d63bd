import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { redisNodes } from '#libs/config';

/** Redis, or one node or another of a Redis Cluster. */
export type RedisConnection = Redis | Cluster;

/** Longer than BullMQ lets a command block: on a connection that is silent for longer, nobody is there. */
const SILENT_MS = 15_000;
const KEEP_ALIVE_MS = 2_000;
/** How long a start waits for a Redis that may be down: it is no reason not to start. */
const READY_WAIT_MS = 3_000;
/** What a connection that is being made may take before whoever asks is told that there is none. */
const CONNECT_WAIT_MS = 500;
const CONNECTING: ReadonlySet<string> = new Set(['wait', 'connecting', 'connect']);

/** Redis may throw jobs away: it is set up as a cache. */
class EvictingRedisError extends Error {
  override readonly name = 'EvictingRedisError';
}

/** Opens a connection. `maxRetries` null: a command waits for as long as Redis is away, else it fails after so many reconnects. */
export function openRedis(url: string, maxRetries: number | null): RedisConnection {
  const patience = { maxRetriesPerRequest: maxRetries, enableOfflineQueue: maxRetries === null };
  const options = { ...patience, socketTimeout: SILENT_MS, keepAlive: KEEP_ALIVE_MS };
  const nodes = redisNodes(url);
  if (nodes === null) return new Redis(url, options);
  const { username, password, protocol } = new URL(nodes[0] ?? '');
  const secrets = {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
  return new Cluster([...nodes], {
    enableOfflineQueue: patience.enableOfflineQueue,
    redisOptions: { ...options, ...secrets, ...(protocol === 'rediss:' ? { tls: {} } : {}) },
  });
}

/**
 * Makes sure that Redis throws no job away when its memory is full. One that cannot be asked now is taken as it is.
 * Throws EvictingRedisError.
 */
export async function assertKeepsJobs(redis: RedisConnection): Promise<void> {
  const isReady = redis.status === 'ready' || (await Promise.race([becomesReady(redis), delay(READY_WAIT_MS, false, { ref: false })]));
  if (!isReady) return;
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
  for (const node of nodes) {
    const policy = await policyOf(node);
    if (policy !== null && policy !== 'noeviction') {
      throw new EvictingRedisError(
        `Redis is set up as a cache: its maxmemory-policy is "${policy}", so it throws jobs away when its memory is full. Set maxmemory-policy to noeviction.`,
      );
    }
  }
}

/** Asks whether Redis is there. Rejects at once while a lost connection waits for its next try. */
export async function ping(redis: RedisConnection): Promise<void> {
  if (CONNECTING.has(redis.status)) await Promise.race([becomesReady(redis), delay(CONNECT_WAIT_MS, null, { ref: false })]);
  if (redis.status !== 'ready') throw new Error(`the connection to Redis is ${redis.status}`);
  await redis.ping();
}

function becomesReady(redis: RedisConnection): Promise<true> {
  return new Promise((resolve) => {
    redis.once('ready', () => resolve(true));
  });
}

/** null when Redis does not say. */
async function policyOf(node: Redis): Promise<string | null> {
  const info = await node.info('memory').catch(() => '');
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? null;
}
