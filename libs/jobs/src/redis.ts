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
export class EvictingRedisError extends Error {
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
 * Watches over a connection that jobs are given by: they must go to no Redis that throws some away when its memory is full. Asks at each
 * connect, as what answers then may be another or set up anew, and until the answer is right, as it is mended without a new connection.
 */
export class RedisWatch {
  #keepsJobs = false;

  constructor(
    private readonly redis: RedisConnection,
    onEvicting: (error: EvictingRedisError) => void,
  ) {
    const ask = (): void => {
      this.#keepsJobs = false;
      this.assertKeepsJobs().catch((error: unknown) => {
        if (error instanceof EvictingRedisError) onEvicting(error);
      });
    };
    redis.on('ready', ask);
    if (redis instanceof Cluster) redis.on('+node', ask);
  }

  /** Throws EvictingRedisError, or says why Redis cannot be asked. */
  async assertKeepsJobs(): Promise<void> {
    if (this.#keepsJobs) return;
    await isConnected(this.redis);
    const nodes = this.redis instanceof Cluster ? this.redis.nodes('master') : [this.redis];
    for (const node of nodes) await assertPolicy(node);
    this.#keepsJobs = true;
  }

  /** At a start, one that cannot be asked now is taken as it is: it will be when it is there. Throws EvictingRedisError. */
  async assertMayStart(): Promise<void> {
    if (this.redis.status !== 'ready') await Promise.race([becomesReady(this.redis), delay(READY_WAIT_MS, null, { ref: false })]);
    await this.assertKeepsJobs().catch((error: unknown) => {
      if (error instanceof EvictingRedisError) throw error;
    });
  }

  /** Asks whether Redis is there and keeps jobs. Rejects at once while a lost connection waits for its next try. */
  async ping(): Promise<void> {
    await this.assertKeepsJobs();
    await isConnected(this.redis);
    await this.redis.ping();
  }
}

async function isConnected(redis: RedisConnection): Promise<void> {
  if (CONNECTING.has(redis.status)) await Promise.race([becomesReady(redis), delay(CONNECT_WAIT_MS, null, { ref: false })]);
  if (redis.status !== 'ready') throw new Error(`the connection to Redis is ${redis.status}`);
}

function becomesReady(redis: RedisConnection): Promise<true> {
  return new Promise((resolve) => {
    redis.once('ready', () => resolve(true));
  });
}

async function assertPolicy(node: Redis): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await node.info('memory'))?.[1];
  if (policy === 'noeviction') return;
  const isSetUp =
    policy === undefined
      ? 'does not tell its maxmemory-policy, so it may throw'
      : `is set up as a cache: its maxmemory-policy is "${policy}", so it throws`;
  throw new EvictingRedisError(`Redis ${isSetUp} jobs away when its memory is full. Set maxmemory-policy to noeviction.`);
}
