import { setTimeout as delay } from 'node:timers/promises';
import {
  createPostgresBackend,
  DelayedError,
  isPgPool,
  type Job,
  type JobsOptions,
  type PgPool,
  Queue,
  runMigrations,
  UnrecoverableError,
  withBackend,
  Worker,
} from 'bullmq';
import pg from 'pg';
import { KEEP_ALIVE, watchConnection } from '#libs/database';
import { type JobKind, isJobKind, JOBS, type JobPayloads, type QueueName, QUEUES } from './catalogue.js';
import { Connected, type Opened } from './connected.js';
import { type ClaimedMessage } from './outbox.store.js';
import { openRedis, type RedisConnection, RedisWatch } from './redis.js';

/** What became of one run of a job. */
export type JobOutcome =
  | { readonly outcome: 'done' }
  /** Not yet: comes again then, without spending an attempt. */
  | { readonly outcome: 'snooze'; readonly until: Date }
  /** Failed in a way that a later attempt may mend. */
  | { readonly outcome: 'retry'; readonly at: Date; readonly reason: string };

/** What runs the jobs of one kind. May run twice, or twice at once, for one id: the database decides what is still to do. */
export type JobHandlers = { readonly [K in JobKind]: (payload: JobPayloads[K]) => Promise<JobOutcome> };

interface QueueOptions {
  readonly redisUrl: string | null;
  readonly databaseUrl: string;
  /** Installations that share a Redis do not take each other's jobs. */
  readonly instance: string;
  readonly onError: (error: Error) => void;
}

/** BullMQ gives up here; the sweeper queues what is still open in the database anew. */
const ATTEMPTS = 100;
/** A stalled job has lost its worker, not its right to run: the lease in the database decides, so BullMQ must never fail it. */
const MAX_STALLED = 1_000_000;
/** After a lost connection the default of 15 s would leave paid-for work lying. */
const RECONNECT_MS = 500;
/** Failed jobs stay a week for operators to look at. */
const KEEP_FAILED_SECONDS = 7 * 86_400;
/**
 * In PostgreSQL BullMQ makes two temporary tables for each bulk, however small, and leaves dead rows in the system's catalogs: one job by
 * itself takes an eighth of a bulk of one, eight take three quarters of a bulk of eight, and from twelve on the bulk is quicker.
 */
const ADDED_SINGLY_MAX = 8;
/** Whoever asks how long a line is does not wait for a queue that is away. */
const COUNT_WAIT_MS = 1_000;
/** What the queue asks of PostgreSQL takes milliseconds; the answer to more comes never. */
const QUERY_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** An attempt whose next one is due at a time the database already knows. */
class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed';
  constructor(
    reason: string,
    readonly at: Date,
  ) {
    super(reason);
  }
}

type Producer = Pick<Queue, 'add' | 'addBulk' | 'close' | 'getFailed' | 'getWaitingCount' | 'remove' | 'clean'>;
type Consumer = Pick<Worker, 'run' | 'close'>;
type Seen = 'id' | 'name' | 'data' | 'failedReason' | 'attemptsMade' | 'finishedOn' | 'timestamp';

/** A job that BullMQ gave up. `payload` holds ids. */
export interface FailedJob {
  readonly id: string;
  readonly queue: QueueName;
  readonly kind: string;
  readonly payload: unknown;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: Date;
}

/** BullMQ on PostgreSQL or, with a Redis URL, on Redis: the same queues and the same jobs. */
export class JobQueues {
  readonly #producers: ReadonlyMap<QueueName, Connected<Producer>>;
  readonly #consumers: Connected<Consumer>[] = [];
  #isStopping = false;
  readonly #pool: PgPool | null;
  /** The clients that BullMQ has, with what ends the watch over each: it takes from a client it gives back all who listen for its end. */
  readonly #held = new Map<pg.PoolClient, () => void>();
  readonly #redis: RedisConnection[] = [];
  /** Over the first connection that jobs are given by; null before it is opened, and on PostgreSQL. */
  #watch: RedisWatch | null = null;

  constructor(private readonly options: QueueOptions) {
    this.#pool = options.redisUrl === null ? this.#openPool() : null;
    this.#producers = new Map(QUEUES.map((name) => [name, new Connected(this.#reach, () => this.#openQueue(name))]));
  }

  /** Hands messages to the queue in one call a queue. Safe to repeat while the jobs exist: their ids are the rows' ids. Throws while Redis may evict jobs. */
  async add(messages: readonly ClaimedMessage[]): Promise<void> {
    for (const [name, producer] of this.#producers) {
      const batch = messages.filter(({ kind }) => queueOf(kind) === name);
      if (batch.length === 0) continue;
      const queue = await producer.get();
      await this.#watch?.assertKeepsJobs();
      const jobs = batch.map(jobOf);
      if (this.#pool !== null && jobs.length <= ADDED_SINGLY_MAX) {
        // One after another, so that they stand in the line as they came.
        for (const { name: kind, data, opts } of jobs) await queue.add(kind, data, opts);
      } else await queue.addBulk(jobs);
    }
  }

  /** Starts to run the jobs of one queue, `concurrency` at a time, until `close`. */
  consume(queue: QueueName, concurrency: number, handlers: JobHandlers): void {
    const run = async (job: Job, token?: string): Promise<void> => {
      const result = await dispatch(handlers, job.name, job.data);
      if (result.outcome === 'done') return;
      if (result.outcome === 'retry') throw new AttemptFailed(result.reason, result.at);
      await job.moveToDelayed(result.until.getTime(), token);
      throw new DelayedError();
    };
    const options = {
      concurrency,
      autorun: false,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: RECONNECT_MS,
      settings: {
        backoffStrategy: (_made: number, _type?: string, error?: Error) =>
          error instanceof AttemptFailed ? Math.max(0, error.at.getTime() - Date.now()) : 1_000,
      },
    };
    const consumer = new Connected<Consumer>(this.#reach, () => {
      const worker = this.#pool
        ? new (withBackend(createPostgresBackend).Worker)(queue, run, { ...options, connection: this.#pool })
        : new Worker(queue, run, { ...options, connection: this.#openRedis(null), prefix: this.#prefix(queue) });
      worker.on('error', this.options.onError);
      return { made: worker, ready: this.#pool ? worker.waitUntilReady() : Promise.resolve() };
    });
    this.#consumers.push(consumer);
    void this.#begin(consumer);
  }

  /** Redis is waited for by its own client. */
  readonly #reach = async (): Promise<void> => {
    if (this.#pool) await this.#pool.query('SELECT 1');
  };

  /** Runs a consumer as soon as it can connect. */
  async #begin(consumer: Connected<Consumer>): Promise<void> {
    while (!this.#isStopping) {
      try {
        const worker = await consumer.get();
        if (!this.#isStopping) await worker.run();
        return;
      } catch (error) {
        this.options.onError(error instanceof Error ? error : new Error(String(error)));
        await delay(RECONNECT_MS, undefined, { ref: false });
      }
    }
  }

  /** Whether jobs of a queue wait for a free slot; true as well when the queue does not say, as then it runs nothing either. */
  async hasLine(name: QueueName): Promise<boolean> {
    const count = async (): Promise<number | null> => (await (await this.#producers.get(name)?.get())?.getWaitingCount()) ?? null;
    const counted = await Promise.race([count().catch(() => null), delay(COUNT_WAIT_MS, null, { ref: false })]);
    return counted === null || counted > 0;
  }

  /** The latest `limit` jobs of each queue that failed for good, the newest first. */
  async listFailed(limit: number): Promise<readonly FailedJob[]> {
    const failed = await Promise.all(
      [...this.#producers].map(async ([queue, producer]) =>
        (await (await producer.get()).getFailed(0, limit - 1)).map((job) => failedJob(queue, job)),
      ),
    );
    return failed.flat().toSorted((a, b) => b.failedAt.getTime() - a.failedAt.getTime());
  }

  /** Forgets a job. Safe to repeat. */
  async remove({ queue, id }: Pick<FailedJob, 'queue' | 'id'>): Promise<void> {
    await (await this.#producers.get(queue)?.get())?.remove(id);
  }

  /** Forgets up to `limit` jobs of each queue that ended longer than `ageMs` ago, by real time. Returns how many. Safe to repeat. */
  async forgetFinished(ageMs: number, limit: number): Promise<number> {
    let count = 0;
    for (const producer of this.#producers.values()) {
      for (const state of ['completed', 'failed'] as const) count += (await (await producer.get()).clean(ageMs, limit, state)).length;
    }
    return count;
  }

  /** Makes sure that Redis keeps what it is given; one that is away is asked when it is there. Throws EvictingRedisError. */
  async untilReady(): Promise<void> {
    if (this.#pool) return;
    await this.#producers.get('payments')?.get();
    await this.#watch?.assertMayStart();
  }

  /** Resolves when the queue can be reached and keeps its jobs, rejects when not. */
  async ping(): Promise<void> {
    if (this.#pool) {
      await this.#pool.query('SELECT 1');
      return;
    }
    await this.#producers.get('payments')?.get();
    await this.#watch?.ping();
  }

  /** Stops taking jobs and waits for those under way. Safe to repeat. */
  async stopConsuming(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
  }

  /** Stops taking jobs and waits for those under way; afterwards closes the connections. */
  async close(): Promise<void> {
    await this.stopConsuming();
    await Promise.all([...this.#producers.values()].map((producer) => producer.close()));
    await Promise.all(this.#redis.map((redis) => closeRedis(redis).catch(this.options.onError)));
    await this.#closePool();
  }

  #openQueue(name: QueueName): Opened<Producer> {
    const queue = this.#pool
      ? new (withBackend(createPostgresBackend).Queue)(name, { connection: this.#pool })
      : new Queue(name, { connection: this.#openProducerRedis(), prefix: this.#prefix(name) });
    queue.on('error', this.options.onError);
    return { made: queue, ready: this.#pool ? queue.waitUntilReady() : Promise.resolve() };
  }

  #openPool(): PgPool {
    const pool = new pg.Pool({
      connectionString: this.options.databaseUrl,
      // Each worker keeps one connection for LISTEN; the rest is shared by all.
      max: QUEUES.length + 4,
      ...KEEP_ALIVE,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: QUERY_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS + 1_000,
      options: '-c search_path=bullmq,public',
      application_name: 'oncepay queue',
    });
    pool.on('connect', (client) => {
      // BullMQ holds clients without listening; one that is cut would end the process. Whoever uses it hears of it by its query.
      client.on('error', () => undefined);
    });
    // BullMQ listens on some, for up to an hour. What is taken for one query has been given back before it is asked the first time.
    pool.on('acquire', (client) => void this.#held.set(client, watchConnection(client)));
    pool.on('release', (_error, client) => {
      this.#held.get(client)?.();
      this.#held.delete(client);
    });
    if (!isPgPool(pool)) throw new Error('bug: BullMQ does not take a pool of pg');
    pool.on('error', this.options.onError);
    return pool;
  }

  /** BullMQ may take a connection while it closes and never give it back, for which the pool would wait without end. */
  async #closePool(): Promise<void> {
    if (this.#pool === null) return;
    void this.#pool.end();
    await Promise.all(
      [...this.#held].map(([client, stopWatching]) => {
        stopWatching();
        return client.end();
      }),
    );
  }

  #openRedis(maxRetries: number | null): RedisConnection {
    const redis = openRedis(this.options.redisUrl ?? '', maxRetries);
    redis.on('error', this.options.onError);
    this.#redis.push(redis);
    return redis;
  }

  #openProducerRedis(): RedisConnection {
    const redis = this.#openRedis(1);
    this.#watch ??= new RedisWatch(redis, this.options.onError);
    return redis;
  }

  /** The braces keep all keys of one queue on one node of a Redis Cluster, as BullMQ's scripts need; the queues may lie on several. */
  #prefix(queue: QueueName): string {
    return `{oncepay:${this.options.instance}:${queue}}`;
  }
}

/** One that is away would never hear that we leave. */
async function closeRedis(redis: RedisConnection): Promise<void> {
  if (redis.status === 'ready') await redis.quit();
  else redis.disconnect();
}

function jobOf({ id, kind, payload, ahead = false }: ClaimedMessage): { name: string; data: unknown; opts: JobsOptions } {
  return {
    name: kind,
    data: payload,
    opts: {
      jobId: id,
      attempts: ATTEMPTS,
      backoff: { type: 'due' },
      lifo: ahead,
      removeOnComplete: true,
      removeOnFail: { age: KEEP_FAILED_SECONDS },
    },
  };
}

/** Makes BullMQ's own tables where the queue lives in PostgreSQL. Safe to repeat and to run in several processes at once. */
export async function migrateQueue(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'oncepay migrate' });
  await client.connect();
  try {
    await runMigrations(client);
    // BullMQ makes a queue's sequence when it is first needed, which whoever may only change rows could not.
    await client.query('SELECT bullmq.next_job_id(name) FROM unnest($1::text[]) AS name', [QUEUES]);
  } finally {
    await client.end();
  }
}

function failedJob(queue: QueueName, { id, name, data, failedReason, attemptsMade, finishedOn, timestamp }: Pick<Job, Seen>): FailedJob {
  const payload: unknown = data;
  return {
    id: id ?? '',
    queue,
    kind: name,
    payload,
    reason: failedReason ?? '',
    attempts: attemptsMade,
    failedAt: new Date(finishedOn ?? timestamp),
  };
}

/** A kind that only another version knows goes where it fails visibly and delays nothing. */
function queueOf(kind: string): QueueName {
  return isJobKind(kind) ? JOBS[kind].queue : 'maintenance';
}

async function dispatch(handlers: JobHandlers, kind: string, data: unknown): Promise<JobOutcome> {
  if (!isJobKind(kind)) throw new UnrecoverableError(`no handler for a job of kind "${kind}"`);
  return handle(handlers, kind, data);
}

function handle<K extends JobKind>(handlers: JobHandlers, kind: K, data: unknown): Promise<JobOutcome> {
  const payload = JOBS[kind].parse(data);
  if (payload === null) throw new UnrecoverableError(`a job of kind "${kind}" carries what is no payload of it`);
  return handlers[kind](payload);
}
