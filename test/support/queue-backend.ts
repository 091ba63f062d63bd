import { Redis } from 'ioredis';

/** Shared by all test processes of a run: the next logical database that nobody has taken. */
const COUNTER = 'oncepay-tests:databases';

/**
 * What tells API and worker where the queue lives: in PostgreSQL, or, in a run of `npm test -- --redis`, in a logical database of Redis
 * that no other stack uses at the same time.
 */
export async function queueSettings(): Promise<Readonly<Record<string, string>>> {
  const url = process.env['ONCEPAY_TEST_REDIS_URL'];
  if (process.env['ONCEPAY_TEST_QUEUE'] !== 'redis' || url === undefined) return {};
  const redis = new Redis(url);
  try {
    const [, databases = '16'] = await redis.config('GET', 'databases');
    const index = 1 + ((await redis.incr(COUNTER)) % (Number(databases) - 1));
    await redis.select(index);
    await redis.flushdb();
    const own = new URL(url);
    own.pathname = `/${index}`;
    return { REDIS_URL: own.href };
  } finally {
    redis.disconnect();
  }
}
