import { type Config } from '#libs/config';
import { Database, isMigrated, MIGRATIONS_FOLDER, readBacklog, readVitalSigns } from '#libs/database';
import { EvictingRedisError, type JobHandlers, JobQueues } from '#libs/jobs';
import { BREAKERS, type Payments, runOperation, runReconciliation } from '#libs/payments';
import { systemClock, systemEntropy, virtualClock } from '#libs/primitives';
import { type Logger, renderMetrics } from '#libs/telemetry';
import { applyEvent } from './apply-event.js';
import { startHealthServer } from './health-server.js';
import { openStripe } from './open-stripe.js';
import { type Loop } from './loop.js';
import { startRelay } from './relay.js';
import { startSchedule } from './schedule.js';
import { scheduledTasks } from './scheduled-tasks.js';
import { startSweeper } from './sweeper.js';

/** Slots are cheap while they wait for Stripe; needed are orders per second times seconds per call. */
const PAYMENT_CONCURRENCY = 32;
/** Refunds are rare, and nobody stands at a till for them. */
const REFUND_CONCURRENCY = 8;
/** Events rarely wait for anything but the database. */
const EVENT_CONCURRENCY = 8;
/** What is long and in no hurry. */
const MAINTENANCE_CONCURRENCY = 1;
/** A turn ends at its first statement without an answer, after 16 s, so this is no busy machine and no database that is away. */
const LIVE_WITHIN_MS = 120_000;

/** A worker at work. */
export interface RunningWorker {
  /** Where /health/live and /health/ready are, if ADMIN_PORT asks for them. */
  readonly healthPort: number | null;
  /** Rejects when Stripe tells, after the start, that our key is another account's. Never resolves. */
  readonly refused: Promise<never>;
  /** Says that it is not ready, takes no more jobs, finishes those under way, lets go of everything. */
  close(): Promise<void>;
}

interface HealthParts {
  readonly database: Database;
  readonly queues: JobQueues;
  readonly relay: Loop;
  readonly sweeper: Loop;
  readonly isDraining: () => boolean;
}

/** Starts relay, consumers, sweeper and schedule of one worker process. */
export async function startWorker(config: Config, logger: Logger): Promise<RunningWorker> {
  const clock = config.development.clockUrl === null ? systemClock : virtualClock(config.development.clockUrl);
  await clock.refresh();
  const onError = (error: Error): void =>
    error instanceof EvictingRedisError
      ? logger.error({ error }, 'Redis is given no jobs until it keeps them')
      : logger.warn({ error }, 'a connection was lost');
  const database = new Database({ url: config.database.url, behindPooler: config.database.url !== config.database.directUrl, onError });
  await database.warmUp();
  const queues = await openQueues(config, database, onError);
  const relay = startRelay(database, queues, config.database.directUrl, logger);
  const stripe = await openStripe(config, database, logger, () => relay.wake()).catch(async (error: unknown) => {
    await relay.stop();
    await Promise.all([queues.close(), database.close()]);
    throw error;
  });
  const payments: Payments = { database, gateway: stripe.gateway, clock, entropy: systemEntropy, logger };
  const own = { instance: config.instance, mode: config.stripe.mode };
  let isDraining = false;
  const handlers: JobHandlers = {
    'payment-operation': ({ operationId }) => runOperation(payments, operationId),
    'refund-operation': ({ operationId }) => runOperation(payments, operationId),
    'webhook-event': ({ eventId }) => applyEvent(payments, own, eventId),
    reconciliation: ({ reconciliationId }) => runReconciliation(payments, config.instance, reconciliationId, () => isDraining),
  };
  queues.consume('payments', PAYMENT_CONCURRENCY, handlers);
  queues.consume('refunds', REFUND_CONCURRENCY, handlers);
  queues.consume('webhook-events', EVENT_CONCURRENCY, handlers);
  queues.consume('maintenance', MAINTENANCE_CONCURRENCY, handlers);
  const sweeper = startSweeper(payments, queues, relay);
  const schedules = scheduledTasks(payments, config, { relay, queues }).map((task) => startSchedule(database, logger, task));
  const health = await serveHealth(config, { database, queues, relay, sweeper, isDraining: () => isDraining });
  return {
    healthPort: health?.port ?? null,
    refused: stripe.refused,
    close: async () => {
      isDraining = true;
      stripe.close();
      // What the last jobs leave in the outbox still reaches the queue.
      await Promise.all([...schedules.map((schedule) => schedule.stop()), sweeper.stop(), queues.stopConsuming()]);
      await relay.stop();
      await queues.close();
      await health?.close();
      await database.close();
    },
  };
}

/** Tells how the worker is, if ADMIN_PORT asks for it. */
async function serveHealth(
  { adminPort, database: { directUrl } }: Config,
  { database, queues, relay, sweeper, isDraining }: HealthParts,
): Promise<Awaited<ReturnType<typeof startHealthServer>> | null> {
  if (adminPort === null) return null;
  return startHealthServer(adminPort, {
    live: {
      relay: async () => relay.isTurning(LIVE_WITHIN_MS),
      sweeper: async () => sweeper.isTurning(LIVE_WITHIN_MS),
    },
    ready: {
      database: () => database.warmUp(),
      migrations: () => isMigrated(directUrl, MIGRATIONS_FOLDER),
      queue: () => queues.ping(),
      accepting: async () => !isDraining(),
    },
    backlog: () => readBacklog(database.autocommit),
    metrics: () => renderMetrics(() => readVitalSigns(database.autocommit, BREAKERS)),
  });
}

/** The queue, which is there to be used or makes the start fail. */
async function openQueues(config: Config, database: Database, onError: (error: Error) => void): Promise<JobQueues> {
  const queues = new JobQueues({ redisUrl: config.redisUrl, databaseUrl: config.database.directUrl, instance: config.instance, onError });
  try {
    await queues.untilReady();
    return queues;
  } catch (error) {
    await Promise.all([queues.close(), database.close()]);
    throw error;
  }
}
