import assert from 'node:assert/strict';
import { Stripe } from 'stripe';
import { type startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { freePort } from '../../tools/free-port.js';
import { freshDatabase, type TestDatabase } from './database.js';
import { type Answer, call } from './http-client.js';
import { type AppProcess, launchApp } from './processes.js';
import { statusOf } from './status-of.js';
import { waitFor } from './wait-for.js';

/** What its merchant sends. */
export const SECRET_KEY = 'secret-key-of-the-crash-tests';
/** The contract: paid within ten seconds of the restart. */
export const RECOVERY_MS = 10_000;
/** What every order of these tests costs. */
export const AMOUNT = 2_000;

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

/** One installation: its own database, its own account at Stripe, its API always at the same address. */
export class Installation {
  readonly #running = new Map<'api' | 'worker', AppProcess>();
  readonly #all = new Set<AppProcess>();

  private constructor(
    readonly database: TestDatabase,
    readonly stripe: Stripe,
    readonly url: string,
    readonly stripeKey: string,
    readonly webhookSecret: string,
    private readonly simulatorUrl: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async open(simulator: Simulator): Promise<Installation> {
    const database = await freshDatabase();
    const port = await freePort();
    const stripeKey = `sk_test_${crypto.randomUUID().replaceAll('-', '')}`;
    const stripe = new Stripe(stripeKey, {
      host: '127.0.0.1',
      port: simulator.port,
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
    });
    const url = `http://127.0.0.1:${port}`;
    const endpoint = await stripe.webhookEndpoints.create({ url: `${url}/webhooks/stripe`, enabled_events: ['*'] });
    return new Installation(database, stripe, url, stripeKey, endpoint.secret ?? '', simulator.url, {
      DATABASE_URL: database.url,
      MIGRATE_ON_START: 'false',
      PORT: String(port),
      STRIPE_SECRET_KEY: stripeKey,
      STRIPE_API_BASE: simulator.url,
      STRIPE_WEBHOOK_SECRETS: endpoint.secret ?? '',
      ONCEPAY_DEV_SECRET_KEY: SECRET_KEY,
      LOG_LEVEL: 'info',
    });
  }

  /** Starts one more process; the last of each app is the one that `isRunning` and `arm` speak of. */
  async start(app: 'api' | 'worker', env: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    const running = await this.launch(app, env);
    await running.ready();
    return running;
  }

  /** Starts a process and does not wait until it is ready. */
  async launch(app: 'api' | 'worker', env: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    const running = await launchApp(app, { ...this.env, ...env });
    this.#running.set(app, running);
    this.#all.add(running);
    void running.ended.then(() => {
      this.#all.delete(running);
      if (this.#running.get(app) === running) this.#running.delete(app);
    });
    return running;
  }

  isRunning(app: 'api' | 'worker'): boolean {
    return this.#running.has(app);
  }

  /** Lets the running process, or one that is started for it, die at the failpoint. */
  async arm(app: 'api' | 'worker', failpoint: string): Promise<AppProcess> {
    const running = this.#running.get(app);
    if (running === undefined) return this.start(app, { ONCEPAY_FAILPOINT: failpoint });
    await running.arm(failpoint);
    return running;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((app) => app.kill()));
    await this.database.drop();
  }

  /** Sends one request as a client does that retries it unchanged until it is acknowledged. */
  command(path: string, idempotencyKey: string, body: object): Promise<Answer> {
    return waitFor(
      `an answer to ${path} under ${idempotencyKey}`,
      async () => {
        const answer = await this.send(path, idempotencyKey, body);
        return answer.status < 300 && answer;
      },
      RECOVERY_MS,
    );
  }

  /** Sends one request, once. */
  send(path: string, idempotencyKey: string, body: object): Promise<Answer> {
    return call(`${this.url}${path}`, { key: SECRET_KEY, idempotencyKey, body });
  }

  /** Writes a catalogue price, once. */
  putPrice(id: string, unitAmount: number): Promise<Answer> {
    const body = { name: 'T-shirt', currency: 'usd', unitAmount };
    return call(`${this.url}/v1/prices/${id}`, { key: SECRET_KEY, method: 'PUT', body });
  }

  async read(path: string): Promise<Record<string, unknown>> {
    return (await call(`${this.url}${path}`, { key: SECRET_KEY })).json;
  }

  /** Waits until what lies at `path` has this status. */
  becomes(path: string, status: string): Promise<true> {
    return waitFor(
      `${path} to become ${status}`,
      async () => {
        const now = await statusOf(this.database, path.slice(path.lastIndexOf('/') + 1));
        if (now !== status || (await this.read(path))['status'] !== status) throw new Error(`it is ${now}`);
        return true;
      },
      RECOVERY_MS,
    );
  }

  /** The intent behind an order. */
  async intentOf(orderId: string): Promise<Stripe.PaymentIntent> {
    const { payment } = await this.read(`/v1/orders/${orderId}`);
    assert.ok(
      typeof payment === 'object' &&
        payment !== null &&
        'stripePaymentIntentId' in payment &&
        typeof payment.stripePaymentIntentId === 'string',
    );
    return this.stripe.paymentIntents.retrieve(payment.stripePaymentIntentId);
  }

  /** Tells the simulator, on this installation's account. */
  async control(path: string, body: object): Promise<void> {
    const answer = await call(`${this.simulatorUrl}${path}`, { key: this.stripeKey, body });
    assert.ok(answer.status < 300, answer.text);
  }

  /** The truth: what Stripe says was charged for the order. */
  async assertChargedOnce(orderId: string): Promise<void> {
    const intents = await this.stripe.paymentIntents.list({ limit: 100 });
    const paid = intents.data.filter((intent) => intent.status === 'succeeded' && intent.metadata['oncepay_order'] === orderId);
    assert.deepEqual(
      paid.map((intent) => intent.amount),
      [AMOUNT],
    );
    const charges = await this.stripe.charges.list({ payment_intent: paid[0]?.id ?? '', limit: 100 });
    assert.equal(charges.data.filter(({ status }) => status === 'succeeded').length, 1);
  }
}
