import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { Database } from '#libs/database';
import { JobQueues } from '#libs/jobs';
import { expireOrders } from '#libs/orders';
import { systemClock, systemEntropy, uuidOf } from '#libs/primitives';
import { createLogger } from '#libs/telemetry';
import { startRelay } from '../../apps/worker/src/relay.js';
import { command, refund } from '../support/commands.js';
import { type TestDatabase } from '../support/database.js';
import { assertRulesHold } from '../support/invariants.js';
import { effectsOn, payInBrowser } from '../support/payment-facts.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

/** A database of the tests' Redis that no other test uses. */
const REDIS_URL = process.env['ONCEPAY_TEST_REDIS_URL']?.replace(/\/\d*$/, '/7');
const INSTANCE = 'tests';
const QUEUES = ['payments', 'refunds', 'webhook-events', 'maintenance'];

/** The queue, past BullMQ. */
interface QueueStore {
  /** How many jobs wait, run or are delayed. */
  count(): Promise<number>;
  /** Loses every job, and whatever else BullMQ keeps. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}

function inPostgres({ query }: TestDatabase): QueueStore {
  return {
    count: async () => (await query<{ count: number }>('SELECT count(*)::int AS count FROM bullmq.job'))[0]?.count ?? 0,
    wipe: async () => {
      const tables = await query<{ name: string }>(
        `SELECT 'bullmq.' || quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename <> 'migration'`,
      );
      // It may deadlock with a job that is just being added, and is then the one that is refused.
      await waitFor('the queue to be wiped', () => query(`TRUNCATE ${tables.map(({ name }) => name).join(', ')}`).then(() => true));
    },
    close: () => Promise.resolve(),
  };
}

function inRedis(url: string): QueueStore {
  const redis = new Redis(url);
  const countOf = async (queue: string): Promise<number> => {
    const key = `{oncepay:${INSTANCE}:${queue}}:${queue}`;
    return (await redis.llen(`${key}:wait`)) + (await redis.llen(`${key}:active`)) + (await redis.zcard(`${key}:delayed`));
  };
  return {
    count: async () => (await Promise.all(QUEUES.map(countOf))).reduce((sum, count) => sum + count, 0),
    wipe: async () => {
      await redis.flushdb();
    },
    close: async () => {
      await redis.quit();
    },
  };
}

const BACKENDS = [
  { name: 'PostgreSQL', env: {}, skip: false as const, open: ({ database }: Stack) => inPostgres(database) },
  {
    name: 'Redis',
    env: { REDIS_URL: REDIS_URL ?? '' },
    skip: REDIS_URL === undefined ? 'no redis-server here' : (false as const),
    open: () => inRedis(REDIS_URL ?? ''),
  },
];

/** An order of each kind that has still a way to go, with where it goes. */
interface OpenOrder {
  readonly id: string;
  readonly ends: string;
  readonly effects: readonly string[];
}

const PAID_ONCE = ['authorized 2000 usd', 'captured 2000 usd'];

const RETURN_URL = 'https://shop.example/return';
const IN_BROWSER = { paymentMethod: undefined };

/** Orders that wait for something, by what they wait for, with the status in which they do. */
const FOUNDATIONS = {
  browser: [IN_BROWSER, 'requires_payment'],
  payable: [IN_BROWSER, 'requires_payment'],
  expiring: [IN_BROWSER, 'requires_payment'],
  untold: [IN_BROWSER, 'requires_payment'],
  hosted: [{ ...IN_BROWSER, checkout: 'hosted', returnUrl: RETURN_URL }, 'requires_payment'],
  holder: [{ paymentMethod: 'pm_card_authenticationRequired', returnUrl: RETURN_URL }, 'requires_action'],
  bank: [{ paymentMethod: 'pm_simulator_processing' }, 'processing'],
  manual: [{ captureMethod: 'manual' }, 'authorized'],
  voided: [{ captureMethod: 'manual' }, 'authorized'],
  paid: [{}, 'paid'],
} as const;
type Foundations = Readonly<Record<keyof typeof FOUNDATIONS, OrderJson>>;

/** Orders that have come as far as they come before `openOrders` moves them on. */
async function layFoundations(stack: Stack): Promise<Foundations> {
  const laid = await Promise.all(
    Object.entries(FOUNDATIONS).map(async ([name, [overrides, status]]) => {
      const { id } = await stack.order(overrides);
      return [name, await stack.orderIn(id, status)] as const;
    }),
  );
  const foundations = Object.fromEntries(laid) as Foundations;
  await holdEvent(stack, foundations.untold);
  return foundations;
}

/** Takes the answer of the create back, or commits it. */
async function knowsIntent({ database }: Stack, { id, payment }: OrderJson, isKnown: boolean): Promise<void> {
  await database.query('UPDATE payments SET status = $2, stripe_payment_intent_id = $3 WHERE order_id = $1::uuid', [
    uuidOf('ord', id),
    ...(isKnown ? [payment.status, payment.stripePaymentIntentId] : ['pending', null]),
  ]);
}

/** Lets the event of the order's payment come before what it speaks of is known. */
async function holdEvent(stack: Stack, order: OrderJson): Promise<void> {
  await knowsIntent(stack, order, false);
  assert.equal((await payInBrowser(stack, order, 'pm_card_visa')).status, 200);
  await waitFor('its event to be held', async () => {
    const rows = await stack.database.query(`SELECT 1 FROM webhook_events WHERE status = 'held' AND object_id = $1`, [
      order.payment.stripePaymentIntentId,
    ]);
    return rows.length === 1;
  });
}

/** Gives every order something that only a job would do; `between` follows each command. */
async function openOrders(stack: Stack, laid: Foundations, between: () => Promise<void>): Promise<readonly OpenOrder[]> {
  const { browser, payable, expiring, untold, hosted, holder, bank, manual, voided, paid } = laid;
  const accepted = async (order: OrderJson, name: string, body?: object): Promise<void> => {
    const answer = await command(stack, order.id, name, body);
    assert.equal(answer.status, 200, answer.text);
    await between();
  };
  assert.equal((await payInBrowser(stack, browser, 'pm_card_visa')).status, 200);
  await between();
  await stack.control(`/_sim/payment_intents/${bank.payment.stripePaymentIntentId}/settle`, { outcome: 'succeeded' });
  await between();
  await stack.control(`/_sim/payment_intents/${holder.payment.stripePaymentIntentId}/next_action`, { outcome: 'succeeded' });
  await between();
  const card = new URLSearchParams({ method: 'card', number: '4242 4242 4242 4242', expiry: '12/40', cvc: '123' });
  assert.equal((await fetch(hosted.payment.url ?? '', { method: 'POST', body: card, redirect: 'manual' })).status, 303);
  await between();
  await knowsIntent(stack, untold, true);
  await stack.database.query('UPDATE orders SET expires_at = now() WHERE id = $1::uuid', [uuidOf('ord', expiring.id)]);
  await accepted(payable, 'pay', { paymentMethod: 'pm_card_visa' });
  await accepted(manual, 'capture');
  await accepted(voided, 'cancel');
  await refund(stack, paid.id, { amount: 700 });
  await refund(stack, paid.id, { amount: 500 });
  await between();
  const pending = await Promise.all([stack.order(), stack.order(), stack.order()]);
  await between();
  return [
    { id: browser.id, ends: 'paid', effects: PAID_ONCE },
    { id: holder.id, ends: 'paid', effects: PAID_ONCE },
    { id: hosted.id, ends: 'paid', effects: PAID_ONCE },
    { id: untold.id, ends: 'paid', effects: PAID_ONCE },
    { id: expiring.id, ends: 'expired', effects: [] },
    { id: bank.id, ends: 'paid', effects: ['debit_pending 2000 usd', 'captured 2000 usd'] },
    { id: payable.id, ends: 'paid', effects: PAID_ONCE },
    { id: manual.id, ends: 'paid', effects: PAID_ONCE },
    { id: voided.id, ends: 'canceled', effects: ['authorized 2000 usd', 'released 2000 usd'] },
    { id: paid.id, ends: 'partially_refunded', effects: [...PAID_ONCE, 'refunded 700 usd', 'refunded 500 usd'] },
    ...pending.map(({ id }) => ({ id, ends: 'paid', effects: PAID_ONCE })),
  ];
}

async function converge(stack: Stack, orders: readonly OpenOrder[]): Promise<void> {
  for (const { id, ends, effects } of orders) {
    const { payment } = await stack.orderIn(id, ends);
    // Of two refunds the first is enough for its state.
    await waitFor(`everything to have happened to order ${id} once`, async () => {
      assert.deepEqual((await effectsOn(stack, payment.stripePaymentIntentId ?? '')).toSorted(), effects.toSorted());
      return true;
    });
  }
  await assertRulesHold(stack);
}

/** Lets orders expire and brings every outbox row into the queue, as a worker does that dies before it runs a job. */
async function relayAll({ database: { url, query } }: Stack, redisUrl: string | null): Promise<void> {
  const onError = (error: Error): never => assert.fail(error);
  const database = new Database({ url, behindPooler: false, onError });
  assert.equal(await expireOrders({ database, clock: systemClock, entropy: systemEntropy }, 10), 1);
  const queues = new JobQueues({ redisUrl, databaseUrl: url, instance: INSTANCE, onError });
  const relay = startRelay(database, queues, url, createLogger('test', 'silent'));
  await waitFor('the outbox to drain', async () => (await query('SELECT 1 FROM outbox')).length === 0);
  await relay.stop();
  await queues.close();
  await database.close();
}

for (const { name, env, skip, open } of BACKENDS) {
  describe(`orders in every open state, with the queue in ${name}`, { skip }, () => {
    let stack: Stack;
    let queue: QueueStore;
    before(async () => {
      stack = await startStack({ env });
      queue = open(stack);
      await queue.wipe();
    });
    after(async () => {
      await stack.close();
      await queue.close();
    });

    it('converge when every job is lost while no worker runs', async () => {
      const laid = await layFoundations(stack);
      await stack.stopWorker();
      const orders = await openOrders(stack, laid, () => Promise.resolve());
      await waitFor('the events of what buyers did to be received', async () => {
        const rows = await stack.database.query(
          `SELECT 1 FROM webhook_events WHERE status = 'received' AND type = 'payment_intent.succeeded'`,
        );
        return rows.length === 4;
      });
      await relayAll(stack, env.REDIS_URL ?? null);
      // Three commands, two refunds, an expiry, three orders, the four events and the one that is held.
      assert.ok((await queue.count()) >= 14, `only ${await queue.count()} jobs to lose`);
      await queue.wipe();
      assert.equal(await queue.count(), 0);

      await stack.startWorker();
      await converge(stack, orders);
    });

    it('converge when every job is lost again and again while a worker runs', async () => {
      const laid = await layFoundations(stack);
      // Put off by Stripe, what we order lies in the queue.
      await stack.control('/_sim/faults', { key: 'op_*', action: 'rate_limit', retryAfterSeconds: 2 });
      const orders = await openOrders(stack, laid, () => queue.wipe());
      await waitFor('a job to lie in the queue', async () => (await queue.count()) > 0);
      await queue.wipe();
      await stack.control('/_sim/faults', undefined, 'DELETE');
      await converge(stack, orders);
    });
  });
}
