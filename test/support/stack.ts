import { Stripe } from 'stripe';
import { loadConfig } from '#libs/config';
import { type Clock } from '#libs/primitives';
import { createLogger } from '#libs/telemetry';
import { type RunningApi, startApi } from '../../apps/api/src/api.js';
import { CLOCK } from '../../apps/api/src/tokens.js';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { type RunningWorker, startWorker } from '../../apps/worker/src/worker.js';
import { freePort } from '../../tools/free-port.js';
import { freshDatabase, type TestDatabase } from './database.js';
import { type Answer, call } from './http-client.js';
import { queueSettings } from './queue-backend.js';
import { statusOf } from './status-of.js';
import { waitFor } from './wait-for.js';

/** The n-th of each belong to one account; the first is the one tests use unless they say otherwise. */
export const SECRET_KEYS = ['secret-key-of-account-one', 'secret-key-of-account-two'] as const;
export const PUBLISHABLE_KEYS = ['publishable-key-of-account-one', 'publishable-key-of-account-two'] as const;

const WEBHOOK_SECRET = 'whsec_of_the_tests';

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

/** API, worker, simulator and database of one test file, all real, all in this process. */
export interface Stack {
  readonly database: TestDatabase;
  readonly apiUrl: string;
  /** Where metrics and ops live when `env` sets ADMIN_PORT. */
  readonly adminUrl: string | null;
  /** Where the worker answers then. */
  workerUrl(): string | null;
  readonly simulatorUrl: string;
  readonly webhookSecret: string;
  /** The worker's key at Stripe; `pk_` instead of `sk_` is its browser side. */
  readonly stripeKey: string;
  /** The official client, on the account the worker uses. */
  readonly stripe: Stripe;
  /** Sends a request to the API, by the first account's secret key unless `key` says otherwise. */
  call(path: string, options?: Parameters<typeof call>[1]): Promise<Answer>;
  /** Posts to the simulator's control plane. */
  control(path: string, body?: object, method?: string): Promise<Answer>;
  /** Creates an order that must be accepted. */
  order(overrides?: object, idempotencyKey?: string): Promise<OrderJson>;
  readOrder(id: string): Promise<OrderJson>;
  /** Waits until the order has this status. */
  orderIn(id: string, status: string, timeoutMs?: number): Promise<OrderJson>;
  /** One more worker beside the stack's own, which the caller closes. */
  anotherWorker(): Promise<RunningWorker>;
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  /** On the same port. */
  restartApi(): Promise<void>;
  stopSimulator(): Promise<void>;
  /** On the same port; its memory is new unless the stack was started with `stateFile`. */
  startSimulator(): Promise<void>;
  /** `finish` has the database to itself before it is dropped. */
  close(finish?: (database: TestDatabase) => Promise<void>): Promise<void>;
}

/** What tests read of an order. */
export interface OrderJson {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly amountCaptured: number;
  readonly amountRefunded: number;
  readonly clientSecret: string | null;
  readonly payment: {
    readonly id: string;
    readonly status: string;
    readonly stripePaymentIntentId: string | null;
    readonly clientSecret: string | null;
    readonly url: string | null;
    readonly pendingOperation: string | null;
    readonly nextAction: { readonly type: string; readonly url: string | null } | null;
    readonly lastError: { readonly code: string | null; readonly declineCode: string | null; readonly message: string | null } | null;
  };
}

interface StackOptions {
  /** One on a server of the test's own, instead of a fresh one on the server of all tests. */
  readonly database?: TestDatabase;
  /** Further environment variables of API and worker. */
  readonly env?: Readonly<Record<string, string>>;
  readonly withWorker?: boolean;
  readonly stateFile?: string;
  /** API and worker live by the simulator's clock, which `control('/_sim/clock', { advanceSeconds })` moves. */
  readonly virtualClock?: boolean;
  /** The API hands out the browser side of the simulator's account and knows where it is, as after `npm start`. */
  readonly forBrowsers?: boolean;
  /** Has the database to itself first; returns the address by which API and worker reach it. */
  readonly prepare?: (database: TestDatabase) => Promise<string>;
}

/** An order of one item. */
export const AN_ORDER = { currency: 'usd', items: [{ name: 'T-shirt', unitAmount: 2_000, quantity: 1 }], paymentMethod: 'pm_card_visa' };

/** For stacks whose answers many tests spoil at once: what is spoilt for one must not hold the others back. */
export const WITHOUT_BREAKER = { STRIPE_BREAKER_FAILURES: '1000000' };

/** Starts everything on free ports and an own database. */
export async function startStack({
  database: given,
  env = {},
  withWorker = true,
  stateFile,
  virtualClock = false,
  forBrowsers = false,
  prepare = async ({ url }) => url,
}: StackOptions = {}): Promise<Stack> {
  const database = given ?? (await freshDatabase());
  const simulatorPort = virtualClock || forBrowsers ? await freePort() : 0;
  const stripeKey = `sk_test_${crypto.randomUUID().replaceAll('-', '')}`;
  const settings = {
    DATABASE_URL: await prepare(database),
    PORT: '0',
    STRIPE_SECRET_KEY: stripeKey,
    STRIPE_WEBHOOK_SECRETS: WEBHOOK_SECRET,
    ONCEPAY_INSTANCE: 'tests',
    ONCEPAY_DEV_SECRET_KEY: SECRET_KEYS.join(','),
    ONCEPAY_DEV_PUBLISHABLE_KEY: PUBLISHABLE_KEYS.join(','),
    // Tests lose webhooks on purpose, and look at what is known then.
    EVENTS_BACKFILL_EVERY_SECONDS: '0',
    LOG_LEVEL: 'silent',
    ...(await queueSettings()),
    ...(virtualClock ? { ONCEPAY_CLOCK_URL: `http://127.0.0.1:${simulatorPort}/_sim/clock` } : {}),
    ...(forBrowsers
      ? { STRIPE_API_BASE: `http://127.0.0.1:${simulatorPort}`, STRIPE_PUBLISHABLE_KEY: stripeKey.replace('sk_', 'pk_') }
      : {}),
    ...env,
  };
  const logger = createLogger('test', settings.LOG_LEVEL);
  // Forgotten once closed, as worker and simulator are: the tests of a file keep their stack in memory until the process ends.
  let api: RunningApi | null = await startApi(loadConfig(settings), logger);
  const { url: apiUrl, adminUrl } = api;
  const simulate = (port: number): Promise<Simulator> =>
    startSimulator({
      port,
      webhookUrl: `${apiUrl}/webhooks/stripe`,
      webhookSecret: WEBHOOK_SECRET,
      ...(stateFile === undefined ? {} : { stateFile }),
    });
  let simulator: Simulator | null = await simulate(simulatorPort);
  const { port, url: simulatorUrl } = simulator;
  const work = (): Promise<RunningWorker> => startWorker(loadConfig({ ...settings, STRIPE_API_BASE: simulatorUrl }), logger);
  let worker: RunningWorker | null = withWorker ? await work() : null;
  const stripe = new Stripe(stripeKey, { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });

  const send = (path: string, options: Parameters<typeof call>[1] = {}): Promise<Answer> =>
    call(`${apiUrl}${path}`, { key: SECRET_KEYS[0], ...options });
  const readOrder = async (id: string): Promise<OrderJson> => JSON.parse((await send(`/v1/orders/${id}`)).text);
  return {
    database,
    apiUrl,
    adminUrl,
    workerUrl: () => (worker?.healthPort == null ? null : `http://127.0.0.1:${worker.healthPort}`),
    simulatorUrl,
    webhookSecret: WEBHOOK_SECRET,
    stripeKey,
    stripe,
    call: send,
    control: async (path, body, method) => {
      const answer = await call(`${simulatorUrl}${path}`, {
        key: stripeKey,
        ...(body === undefined ? {} : { body }),
        ...(method === undefined ? {} : { method }),
      });
      // The API looks at the clock now and then; what a test does next is to happen after the jump.
      if (path === '/_sim/clock') await api?.app.get<Clock>(CLOCK).refresh();
      return answer;
    },
    order: async (overrides = {}, idempotencyKey = crypto.randomUUID()) => {
      const answer = await send('/v1/orders', { idempotencyKey, body: { ...AN_ORDER, ...overrides } });
      if (answer.status !== 201) throw new Error(`the order was refused: ${answer.text}`);
      return JSON.parse(answer.text);
    },
    readOrder,
    orderIn: (id, status, timeoutMs) =>
      waitFor(
        `order ${id} to become ${status}`,
        async () => {
          const now = await statusOf(database, id);
          const order = now === status ? await readOrder(id) : null;
          if (order?.status === status) return order;
          throw new Error(`it is ${now}`);
        },
        timeoutMs,
      ),
    anotherWorker: work,
    stopWorker: async () => {
      await worker?.close();
      worker = null;
    },
    startWorker: async () => {
      worker ??= await work();
    },
    restartApi: async () => {
      await api?.close();
      api = await startApi(loadConfig({ ...settings, PORT: new URL(apiUrl).port }), logger);
    },
    stopSimulator: async () => {
      await simulator?.close();
      simulator = null;
    },
    startSimulator: async () => {
      simulator ??= await simulate(port);
    },
    close: async (finish) => {
      await worker?.close();
      await simulator?.close();
      await api?.close();
      [worker, simulator, api] = [null, null, null];
      await finish?.(database);
      await database.drop();
    },
  };
}
