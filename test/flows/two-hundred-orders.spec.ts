import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Stripe } from 'stripe';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { freePort } from '../../tools/free-port.js';
import { freshDatabase } from '../support/database.js';
import { call } from '../support/http-client.js';
import { startApp } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';

const ORDERS = 200;
const AT_ONCE = 20;
const SECRET_KEY = 'secret-key-of-the-crowd';
const REDIS_URL = process.env['ONCEPAY_TEST_REDIS_URL'];

const backends = [
  { name: 'PostgreSQL', env: {}, skip: false as const },
  { name: 'Redis', env: { REDIS_URL: REDIS_URL ?? '' }, skip: REDIS_URL === undefined ? 'no redis-server here' : (false as const) },
];

/** Orders differ in amount, so that a charge of the wrong order shows. */
const amountOf = (index: number): number => 1_000 + index;

describe('200 orders posted 20 at a time, each twice, to processes of their own', () => {
  for (const { name, env, skip } of backends) {
    it(`become 200 paid orders and 200 charges with the queue in ${name}`, { skip }, async () => {
      const database = await freshDatabase();
      const stripeKey = `sk_test_${crypto.randomUUID().replaceAll('-', '')}`;
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const simulator = await startSimulator({ port: 0, webhookUrl: `${url}/webhooks/stripe`, webhookSecret: 'whsec_of_the_crowd' });
      const settings = {
        DATABASE_URL: database.url,
        MIGRATE_ON_START: 'false',
        PORT: String(port),
        STRIPE_SECRET_KEY: stripeKey,
        STRIPE_API_BASE: simulator.url,
        STRIPE_WEBHOOK_SECRETS: 'whsec_of_the_crowd',
        ONCEPAY_DEV_SECRET_KEY: SECRET_KEY,
        ...env,
      };
      const apps = await Promise.all([startApp('api', settings), startApp('worker', settings)]);
      try {
        const requests = Array.from({ length: ORDERS }, (_, index) => index).flatMap((index) => [index, index]);
        const ids = new Map<number, Set<string>>();
        const post = async (): Promise<void> => {
          for (let index = requests.shift(); index !== undefined; index = requests.shift()) {
            const body = {
              currency: 'usd',
              items: [{ name: 'T-shirt', unitAmount: amountOf(index), quantity: 1 }],
              paymentMethod: 'pm_card_visa',
            };
            const answer = await call(`${url}/v1/orders`, { key: SECRET_KEY, idempotencyKey: `crowd-${index}`, body });
            assert.equal(answer.status, 201, answer.text);
            ids.set(index, (ids.get(index) ?? new Set<string>()).add(String(answer.json['id'])));
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, post));
        assert.deepEqual(
          [...ids.values()].map((same) => same.size),
          Array.from({ length: ORDERS }, () => 1),
        );
        await waitFor(
          'every order to be paid',
          async () => {
            const [row] = await database.query<{ open: number }>(`SELECT count(*)::int AS open FROM orders WHERE status <> 'paid'`);
            return row?.open === 0;
          },
          60_000,
        );

        const expected = Array.from({ length: ORDERS }, (_, index) => amountOf(index));
        const stripe = new Stripe(stripeKey, {
          host: '127.0.0.1',
          port: simulator.port,
          protocol: 'http',
          maxNetworkRetries: 0,
          telemetry: false,
        });
        const intents = await stripe.paymentIntents.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
        const charges = await stripe.charges.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
        assert.deepEqual(
          intents
            .filter(({ status }) => status === 'succeeded')
            .map((intent) => intent.amount_received)
            .toSorted((a, b) => a - b),
          expected,
        );
        assert.deepEqual(
          charges
            .filter(({ status }) => status === 'succeeded')
            .map(({ amount }) => amount)
            .toSorted((a, b) => a - b),
          expected,
        );
      } finally {
        await Promise.all(apps.map((app) => app.stop()));
        await simulator.close();
        await database.drop();
      }
    });
  }
});
