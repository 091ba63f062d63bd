import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Stripe } from 'stripe';
import { FAILPOINTS } from '#libs/primitives';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../../tools/free-port.js';
import { type Answer, call } from '../support/http-client.js';
import { type AppProcess, startApp } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';

const SECRET_KEY = 'secret-key-of-the-crash-tests';
/** The contract: paid within ten seconds of the restart. */
const RECOVERY_MS = 10_000;
const AMOUNT = 2_000;
const ORDER = { currency: 'usd', items: [{ name: 'T-shirt', unitAmount: AMOUNT, quantity: 1 }] };

type Simulator = Awaited<ReturnType<typeof startSimulator>>;
let simulator: Simulator;

before(async () => {
  simulator = await startSimulator({ port: 0 });
});
after(() => simulator.close());

/** One installation: its own database, its own account at Stripe, its API always at the same address. */
class Installation {
  readonly #started: AppProcess[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly stripe: Stripe,
    readonly url: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async open(): Promise<Installation> {
    const database = await freshDatabase();
    const port = await freePort();
    const stripeKey = `sk_test_${crypto.randomUUID().replaceAll('-', '')}`;
    const stripe = new Stripe(stripeKey, { host: '127.0.0.1', port: simulator.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
    const url = `http://127.0.0.1:${port}`;
    const endpoint = await stripe.webhookEndpoints.create({ url: `${url}/webhooks/stripe`, enabled_events: ['*'] });
    return new Installation(database, stripe, url, {
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

  async start(app: 'api' | 'worker', failpoint?: string): Promise<AppProcess> {
    const running = await startApp(app, { ...this.env, ...(failpoint === undefined ? {} : { ONCEPAY_FAILPOINT: failpoint }) });
    this.#started.push(running);
    return running;
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((app) => app.kill()));
    await this.database.drop();
  }

  /** Sends the order as a client does that only knows its key: again and again until it is acknowledged. */
  order(idempotencyKey: string, body: object): Promise<Answer> {
    return waitFor(`an answer to ${idempotencyKey}`, async () => {
      const answer = await call(`${this.url}/v1/orders`, { key: SECRET_KEY, idempotencyKey, body });
      return answer.status === 201 && answer;
    }, RECOVERY_MS); // prettier-ignore
  }

  async statusOf(id: string): Promise<unknown> {
    return (await call(`${this.url}/v1/orders/${id}`, { key: SECRET_KEY })).json['status'];
  }

  orderIn(id: string, status: string): Promise<boolean> {
    return waitFor(`order ${id} to become ${status}`, async () => {
      const seen = await this.statusOf(id);
      if (seen !== status) throw new Error(`it is ${String(seen)}`);
      return true;
    }, RECOVERY_MS); // prettier-ignore
  }

  /** The truth: what Stripe says was charged for the order, and how many orders our database holds under the reference. */
  async assertChargedOnce(orderId: string, reference: string): Promise<void> {
    const intents = await this.stripe.paymentIntents.list({ limit: 100 });
    const paid = intents.data.filter((intent) => intent.status === 'succeeded' && intent.metadata['oncepay_order'] === orderId);
    assert.deepEqual(paid.map((intent) => intent.amount_received), [AMOUNT]); // prettier-ignore
    const charges = await this.stripe.charges.list({ payment_intent: paid[0]?.id ?? '', limit: 100 });
    assert.deepEqual(charges.data.filter(({ status }) => status === 'succeeded').map(({ amount }) => amount), [AMOUNT]); // prettier-ignore
    const orders = await this.database.query('SELECT id FROM orders WHERE reference = $1', [reference]);
    assert.equal(orders.length, 1);
  }
}

async function died(app: AppProcess, failpoint: string): Promise<void> {
  const exit = await Promise.race([app.ended, new Promise<null>((resolve) => setTimeout(() => resolve(null), RECOVERY_MS).unref())]);
  assert.equal(exit?.signal, 'SIGKILL', `the failpoint ${failpoint} was never reached`);
}

/** The client's retry with the same key gets the order that was acknowledged, or makes it now; and it is paid once. */
async function survives(installation: Installation, app: 'api' | 'worker', failpoint: string): Promise<void> {
  const reference = `order-of-${failpoint}`;
  const body = { ...ORDER, reference, paymentMethod: 'pm_card_visa' };
  const key = crypto.randomUUID();
  const armed = await installation.start(app, failpoint);
  const first = call(`${installation.url}/v1/orders`, { key: SECRET_KEY, idempotencyKey: key, body }).catch(() => null);
  await died(armed, failpoint);
  const acknowledged = await first;
  const restarted = await installation.start(app);
  const answer = await installation.order(key, body);
  if (acknowledged?.status === 201) assert.equal(answer.text, acknowledged.text);
  const id = String(answer.json['id']);
  await installation.orderIn(id, 'paid');
  await installation.assertChargedOnce(id, reference);
  await restarted.stop();
}

/** A payment confirmed in the browser: its events say something new that is not final, so the worker has to read. */
async function survivesReading(installation: Installation, failpoint: string): Promise<void> {
  const reference = `order-of-${failpoint}`;
  const armed = await installation.start('worker', failpoint);
  const answer = await installation.order(crypto.randomUUID(), { ...ORDER, reference, returnUrl: 'https://shop.example/return' });
  const id = String(answer.json['id']);
  await installation.orderIn(id, 'requires_payment');
  const { json } = await call(`${installation.url}/v1/orders/${id}`, { key: SECRET_KEY });
  const intent = intentOf(json);
  await installation.stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_authenticationRequired', return_url: 'https://shop.example/return' });
  await died(armed, failpoint);
  const restarted = await installation.start('worker');
  await installation.orderIn(id, 'requires_action');
  await call(`${simulator.url}/_sim/payment_intents/${intent}/next_action`, { body: { outcome: 'complete' } });
  await installation.orderIn(id, 'paid');
  await installation.assertChargedOnce(id, reference);
  await restarted.stop();
}

function intentOf(order: Record<string, unknown>): string {
  const { payment } = order;
  assert.ok(typeof payment === 'object' && payment !== null && 'stripePaymentIntentId' in payment && typeof payment.stripePaymentIntentId === 'string');
  return payment.stripePaymentIntentId;
}

const ofApi = FAILPOINTS.filter((name) => name.startsWith('api.'));
const ofWorker = FAILPOINTS.filter((name) => name.startsWith('worker.'));
// Two installations share the worker's failpoints, so that one waits for a lease while the other works.
const lanes = [
  { app: 'api' as const, failpoints: ofApi },
  { app: 'worker' as const, failpoints: ofWorker.filter((_, index) => index % 2 === 0) },
  { app: 'worker' as const, failpoints: ofWorker.filter((_, index) => index % 2 === 1) },
];

describe('a crash at every failpoint', { concurrency: lanes.length }, () => {
  for (const [lane, { app, failpoints }] of lanes.entries()) {
    describe(`of the ${app} (lane ${lane + 1})`, { concurrency: 1 }, () => {
      let installation: Installation;
      before(async () => {
        installation = await Installation.open();
        await installation.start(app === 'api' ? 'worker' : 'api');
      });
      after(() => installation.close());

      for (const failpoint of failpoints) {
        it(`loses no acknowledged order and charges once when the ${app} dies at ${failpoint}`, () =>
          failpoint.startsWith('worker.stripe.read') ? survivesReading(installation, failpoint) : survives(installation, app, failpoint));
      }
    });
  }
});
