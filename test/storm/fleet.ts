import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { migrate, MIGRATIONS_FOLDER } from '#libs/database';
import { migrateQueue } from '#libs/jobs';
import { type App, bundleApp } from '../../tools/bundle.js';
import { freePort } from '../../tools/free-port.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type FrontDoor, openFrontDoor } from './front-door.js';
import { Member } from './member.js';
import { PostgresServer } from './postgres-server.js';
import { RedisServer } from './redis-server.js';
import { ACCOUNTS, CANARIES, STRIPE_TIMEOUT_MS } from './secrets.js';

/** Where the queue lives. */
export type Backend = 'postgres' | 'redis';

export interface FleetOptions {
  readonly folder: string;
  readonly backend: Backend;
  /** The compiled repository whose processes run: this one, or a copy with a bug planted. */
  readonly root: string;
  /** Run on the migrated database before anything starts. */
  readonly sql: string | null;
}

const APPS: readonly App[] = ['api', 'worker', 'stripe-simulator'];

/** The compiled repository of this file. */
export const OWN_ROOT = resolve(import.meta.dirname, '../../..');

/** Everything that runs: two APIs, two workers, the simulator, PostgreSQL, Redis if asked for, and the ways between them. */
export interface Fleet {
  readonly apis: readonly Member[];
  readonly workers: readonly Member[];
  readonly simulator: Member;
  readonly simulatorUrl: string;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer | null;
  /** Between the workers and Stripe. */
  readonly stripeWay: FaultProxy;
  /** Between everybody and the APIs. */
  readonly door: FrontDoor;
  readonly logFiles: readonly string[];
  readonly metricsUrls: readonly string[];
  members(): readonly Member[];
  stop(): Promise<void>;
}

/** Starts an installation as users run it, process by process; of one file each, since processes are killed and started all the time. */
export async function startFleet({ folder, backend, root, sql }: FleetOptions): Promise<Fleet> {
  mkdirSync(folder, { recursive: true });
  const postgres = await PostgresServer.open(join(folder, 'pg'), CANARIES.databasePassword);
  const redis = backend === 'redis' ? await RedisServer.open(join(folder, 'redis')) : null;
  if (backend === 'redis' && redis === null) throw new Error('there is no redis-server on this machine');
  await migrate(postgres.url, MIGRATIONS_FOLDER);
  if (redis === null) await migrateQueue(postgres.url);
  if (sql !== null) await postgres.query(sql);
  const fileOf = (app: App): string => join(folder, `${app}.cjs`);
  await Promise.all(APPS.map((app) => bundleApp({ root, app, outfile: fileOf(app) })));

  const simulatorPort = await freePort();
  const apiPorts = [await freePort(), await freePort()];
  const door = await openFrontDoor(apiPorts);
  const stripeWay = await startFaultProxy({ host: '127.0.0.1', port: simulatorPort });
  const settings = settingsOf(postgres, redis, stripeWay);
  const logFiles: string[] = [];
  const member = (name: string, app: App, readyUrl: string, env: NodeJS.ProcessEnv): Member => {
    const logFile = join(folder, `${name}.log`);
    if (app !== 'stripe-simulator') logFiles.push(logFile);
    return new Member({
      name,
      command: [process.execPath, join(root, 'dist/tools/run-bundle.js'), fileOf(app)],
      cwd: root,
      env: { PATH: process.env['PATH'], ...env },
      logFile,
      readyUrl,
    });
  };
  const simulatorUrl = `http://127.0.0.1:${simulatorPort}`;
  const simulator = member('simulator', 'stripe-simulator', `${simulatorUrl}/_sim/clock`, {
    SIMULATOR_PORT: String(simulatorPort),
    SIMULATOR_STATE_FILE: join(folder, 'stripe.jsonl'),
    SIMULATOR_WEBHOOK_URL: `${door.url}/webhooks/stripe`,
    SIMULATOR_WEBHOOK_SECRET: CANARIES.webhookSecret,
  });
  const apis = apiPorts.map((port, n) =>
    member(`api-${n + 1}`, 'api', `http://127.0.0.1:${port}/health/ready`, { ...settings, PORT: String(port) }),
  );
  const workerPorts = [await freePort(), await freePort()];
  const workers = workerPorts.map((port, n) =>
    member(`worker-${n + 1}`, 'worker', `http://127.0.0.1:${port}/health/ready`, { ...settings, ADMIN_PORT: String(port) }),
  );
  const members = (): readonly Member[] => [simulator, ...apis, ...workers];
  await Promise.all(members().map((each) => each.start()));
  return {
    apis,
    workers,
    simulator,
    simulatorUrl,
    postgres,
    redis,
    stripeWay,
    door,
    logFiles,
    metricsUrls: [...apiPorts, ...workerPorts].map((port) => `http://127.0.0.1:${port}/metrics`),
    members,
    stop: async () => {
      await Promise.all(members().map((each) => each.kill()));
      await stripeWay.close();
      await door.close();
      await redis?.stop();
      await postgres.crash();
    },
  };
}

function settingsOf(postgres: PostgresServer, redis: RedisServer | null, stripeWay: FaultProxy): NodeJS.ProcessEnv {
  return {
    NODE_ENV: 'development',
    DATABASE_URL: postgres.url,
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
    MIGRATE_ON_START: 'false',
    STRIPE_SECRET_KEY: `sk_test_${CANARIES.stripeAccount}`,
    STRIPE_PUBLISHABLE_KEY: `pk_test_${CANARIES.stripeAccount}`,
    STRIPE_API_BASE: `http://127.0.0.1:${stripeWay.port}`,
    STRIPE_WEBHOOK_SECRETS: CANARIES.webhookSecret,
    STRIPE_TIMEOUT_MS: String(STRIPE_TIMEOUT_MS),
    ONCEPAY_INSTANCE: 'storm',
    ONCEPAY_KEY_PEPPER: CANARIES.pepper,
    ONCEPAY_DEV_SECRET_KEY: ACCOUNTS.map(({ secret }) => secret).join(','),
    ONCEPAY_DEV_PUBLISHABLE_KEY: ACCOUNTS.map(({ publishable }) => publishable).join(','),
    LOG_LEVEL: 'info',
  };
}
