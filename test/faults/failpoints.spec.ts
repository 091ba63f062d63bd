import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Stripe } from 'stripe';
import { FAILPOINTS } from '#libs/primitives';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { AMOUNT, Installation, RECOVERY_MS } from '../support/installation.js';
import { type AppProcess } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';

const ORDER = { currency: 'usd', items: [{ name: 'T-shirt', unitAmount: AMOUNT, quantity: 1 }] };
const PAID = { ...ORDER, paymentMethod: 'pm_card_visa' };
const BROWSER = { ...ORDER, returnUrl: 'https://shop.example/return' };
const HOSTED = { ...BROWSER, checkout: 'hosted' };

/** What happens to one order: with everything well, up to the death, and what must be true after the restart. */
interface Scenario {
  /** Brings an order to where the failpoint can be reached, with no process armed; gives its id. */
  readonly prepare?: (here: Installation) => Promise<string>;
  /** Sends what leads to the death; what it is answered, if it is. */
  readonly provoke: (here: Installation, orderId: string, key: string) => Promise<unknown>;
  /** Repeats it as the client would, and looks at what became of it. */
  readonly settle: (here: Installation, orderId: string, key: string) => Promise<void>;
}

const paysAnOrder: Scenario = {
  provoke: (here, _, key) => here.send('/v1/orders', key, PAID),
  settle: async (here, _, key) => {
    const { text, json } = await here.command('/v1/orders', key, { ...PAID });
    const id = String(json['id']);
    await here.becomes(`/v1/orders/${id}`, 'paid');
    await here.assertChargedOnce(id);
    assert.equal((await here.command('/v1/orders', key, { ...PAID })).text, text);
    const orders = await here.database.query('SELECT 1 FROM idempotency_keys WHERE key = $1', [key]);
    assert.equal(orders.length, 1);
  },
};

async function placed(here: Installation, body: object, status: string): Promise<string> {
  const { json } = await here.command('/v1/orders', crypto.randomUUID(), body);
  await here.becomes(`/v1/orders/${String(json['id'])}`, status);
  return String(json['id']);
}

/** A payment confirmed in the browser: its events say something new that is not final, so the worker has to read. */
const readsAnIntent: Scenario = {
  prepare: (here) => placed(here, BROWSER, 'requires_payment'),
  provoke: async (here, orderId) => {
    const { id } = await here.intentOf(orderId);
    await here.stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_authenticationRequired', return_url: BROWSER.returnUrl });
  },
  settle: async (here, orderId) => {
    await here.becomes(`/v1/orders/${orderId}`, 'requires_action');
    await here.control(`/_sim/payment_intents/${(await here.intentOf(orderId)).id}/next_action`, { outcome: 'succeeded' });
    await here.becomes(`/v1/orders/${orderId}`, 'paid');
    await here.assertChargedOnce(orderId);
  },
};

/** A payment whose webhooks are lost: only Stripe's list of events tells of it. */
const hearsNothing: Scenario = {
  prepare: (here) => placed(here, BROWSER, 'requires_payment'),
  provoke: async (here, orderId) => {
    const { id } = await here.intentOf(orderId);
    await here.control('/_sim/webhooks', { action: 'drop', object: id });
    await here.stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa', return_url: BROWSER.returnUrl });
  },
  settle: async (here, orderId) => {
    await here.becomes(`/v1/orders/${orderId}`, 'paid');
    await here.assertChargedOnce(orderId);
  },
};

/** A request that only the sweeper can find: its job was lost. */
const reconciles: Scenario = {
  provoke: (here) =>
    here.database.query(
      `INSERT INTO reconciliations (id, dry_run, status, requested_by, requested_at, next_attempt_at)
       VALUES (gen_random_uuid(), false, 'queued', 'the test', now(), now() - interval '1 minute')`,
    ),
  settle: async (here) => {
    await waitFor(
      'the reconciliations to be done',
      async () => (await here.database.query(`SELECT 1 FROM reconciliations WHERE status <> 'done'`)).length === 0,
      RECOVERY_MS,
    );
  },
};

const refunds: Scenario = {
  prepare: (here) => placed(here, PAID, 'paid'),
  provoke: (here, orderId, key) => here.send(`/v1/orders/${orderId}/refunds`, key, { amount: 500 }),
  settle: async (here, orderId, key) => {
    const { json } = await here.command(`/v1/orders/${orderId}/refunds`, key, { amount: 500 });
    await here.becomes(`/v1/refunds/${String(json['id'])}`, 'succeeded');
    const made = await here.stripe.refunds.list({ payment_intent: (await here.intentOf(orderId)).id });
    assert.deepEqual(
      made.data.map(({ amount }) => amount),
      [500],
    );
    assert.equal((await here.read(`/v1/orders/${orderId}`))['amountRefunded'], 500);
  },
};

const captures: Scenario = {
  prepare: (here) => placed(here, { ...PAID, captureMethod: 'manual' }, 'authorized'),
  provoke: (here, orderId, key) => here.send(`/v1/orders/${orderId}/capture`, key, {}),
  settle: async (here, orderId, key) => {
    await here.command(`/v1/orders/${orderId}/capture`, key, {});
    await here.becomes(`/v1/orders/${orderId}`, 'paid');
    await here.assertChargedOnce(orderId);
  },
};

const cancels: Scenario = {
  prepare: (here) => placed(here, ORDER, 'requires_payment'),
  provoke: (here, orderId, key) => here.send(`/v1/orders/${orderId}/cancel`, key, {}),
  settle: async (here, orderId, key) => {
    await here.command(`/v1/orders/${orderId}/cancel`, key, {});
    await here.becomes(`/v1/orders/${orderId}`, 'canceled');
    assert.equal((await here.intentOf(orderId)).status, 'canceled');
  },
};

/** The sessions Stripe has for an order. */
async function sessionsOf(here: Installation, orderId: string): Promise<readonly Stripe.Checkout.Session[]> {
  const { data } = await here.stripe.checkout.sessions.list({ limit: 100 });
  return data.filter(({ metadata }) => metadata?.['oncepay_order'] === orderId);
}

/** An order whose buyer pays on the page of a Checkout Session. */
const opensASession: Scenario = {
  provoke: (here, _, key) => here.send('/v1/orders', key, HOSTED),
  settle: async (here, _, key) => {
    const { json } = await here.command('/v1/orders', key, HOSTED);
    const id = String(json['id']);
    await here.becomes(`/v1/orders/${id}`, 'requires_payment');
    const [session, ...more] = await sessionsOf(here, id);
    assert.ok(session !== undefined && more.length === 0);
    await here.control(`/_sim/checkout/sessions/${session.id}/pay`, { paymentMethod: 'pm_card_visa' });
    await here.becomes(`/v1/orders/${id}`, 'paid');
    await here.assertChargedOnce(id);
  },
};

const expiresASession: Scenario = {
  ...cancels,
  prepare: (here) => placed(here, HOSTED, 'requires_payment'),
  settle: async (here, orderId, key) => {
    await here.command(`/v1/orders/${orderId}/cancel`, key, {});
    await here.becomes(`/v1/orders/${orderId}`, 'canceled');
    assert.deepEqual(
      (await sessionsOf(here, orderId)).map(({ status }) => status),
      ['expired'],
    );
  },
};

const expires: Scenario = {
  prepare: (here) => placed(here, ORDER, 'requires_payment'),
  provoke: (here) => here.database.query(`UPDATE orders SET expires_at = now() - interval '1 second' WHERE status = 'requires_payment'`),
  settle: async (here, orderId) => {
    await here.becomes(`/v1/orders/${orderId}`, 'expired');
    assert.equal((await here.intentOf(orderId)).status, 'canceled');
  },
};

/** The customer who keeps the card is made before anything else, once. */
const savesACard: Scenario = {
  provoke: (here, _, key) => here.send('/v1/orders', key, savingCard(key)),
  settle: async (here, _, key) => {
    const { json } = await here.command('/v1/orders', key, savingCard(key));
    const id = String(json['id']);
    await here.becomes(`/v1/orders/${id}`, 'paid');
    await here.assertChargedOnce(id);
    const made = await here.stripe.customers.list({ email: savingCard(key).customer.email });
    assert.deepEqual(
      made.data.map(({ metadata }) => metadata['oncepay_order']),
      [id],
    );
    assert.equal((await here.intentOf(id)).customer, made.data[0]?.id);
  },
};

function savingCard(key: string): typeof PAID & { saveCard: true; customer: { email: string } } {
  return { ...PAID, saveCard: true, customer: { email: `${key}@example.com` } };
}

/** Stripe does not look at the first confirmation, so the operation is put off. */
const isThrottled: Scenario = {
  ...paysAnOrder,
  provoke: async (here, orderId, key) => {
    await here.control('/_sim/faults', { account: here.stripeKey, route: 'POST /v1/payment_intents', action: '429', count: 1 });
    return paysAnOrder.provoke(here, orderId, key);
  },
};

/** An event of an object that is ours by its metadata and of no order: held, and given up after an hour. */
async function forgeEvent(here: Installation): Promise<string> {
  const id = `evt_forged${crypto.randomUUID().replaceAll('-', '')}`;
  const intent = await here.stripe.paymentIntents.create({
    amount: AMOUNT,
    currency: 'usd',
    metadata: { oncepay_instance: 'development' },
  });
  const payload = JSON.stringify({ id, object: 'event', type: 'payment_intent.canceled', livemode: false, data: { object: intent } });
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: here.webhookSecret });
  await fetch(`${here.url}/webhooks/stripe`, { method: 'POST', headers: { 'Stripe-Signature': signature }, body: payload });
  return id;
}

async function eventBecomes(here: Installation, id: string, status: string): Promise<void> {
  await waitFor(
    `event ${id} to be ${status}`,
    async () => {
      const [event] = await here.database.query<{ status: string }>('SELECT status FROM webhook_events WHERE id = $1', [id]);
      return event?.status === status;
    },
    RECOVERY_MS,
  );
}

const holdsAnEvent: Scenario = {
  provoke: (here) => forgeEvent(here),
  settle: async (here) => {
    const [event] = await here.database.query<{ id: string }>(
      `SELECT id FROM webhook_events WHERE id LIKE 'evt_forged%' ORDER BY received_at DESC LIMIT 1`,
    );
    assert.ok(event);
    await eventBecomes(here, event.id, 'held');
  },
};

const parksAnEvent: Scenario = {
  prepare: async (here) => {
    const id = await forgeEvent(here);
    await eventBecomes(here, id, 'held');
    return id;
  },
  provoke: (here, id) => here.database.query(`UPDATE webhook_events SET received_at = now() - interval '2 hours' WHERE id = $1`, [id]),
  settle: async (here, id) => {
    await eventBecomes(here, id, 'parked');
    const found = await here.database.query(`SELECT 1 FROM discrepancies WHERE kind = 'object_without_order'`);
    assert.ok(found.length > 0);
  },
};

/** What needs no key, as writing it again changes nothing. */
const writesAPrice: Scenario = {
  provoke: (here, _, key) => here.putPrice(key, AMOUNT),
  settle: async (here, _, key) => {
    assert.equal((await here.putPrice(key, AMOUNT)).status, 200);
    const prices = await here.database.query<{ amount: number }>('SELECT unit_amount::int AS amount FROM prices WHERE id = $1', [key]);
    assert.deepEqual(
      prices.map(({ amount }) => amount),
      [AMOUNT],
    );
  },
};

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'api.admin': writesAPrice,
  'api.command': refunds,
  'worker.stripe.read': readsAnIntent,
  'worker.stripe.list': reconciles,
  'worker.stripe.customer': savesACard,
  'worker.stripe.refund': refunds,
  'worker.stripe.capture': captures,
  'worker.stripe.cancel': cancels,
  'worker.expiry': expires,
  'worker.operation.postpone': isThrottled,
  'worker.event.postpone': holdsAnEvent,
  'worker.discrepancy': parksAnEvent,
  'worker.backfill': hearsNothing,
  'worker.reconciliation': reconciles,
};

/** What the same effect does to an order that is paid on Stripe's page. */
const HOSTED_SCENARIOS: Readonly<Record<string, Scenario>> = {
  'worker.stripe.create': opensASession,
  'worker.stripe.cancel': expiresASession,
};

function scenarioOf(failpoint: string, scenarios: Readonly<Record<string, Scenario>>): Scenario | undefined {
  return Object.entries(scenarios).find(([prefix]) => failpoint.startsWith(`${prefix}.`))?.[1];
}

interface Crash {
  readonly failpoint: string;
  /** Added to its title. */
  readonly of: string;
  readonly scenario: Scenario;
}

const CRASHES: readonly Crash[] = FAILPOINTS.flatMap((failpoint) => {
  const hosted = scenarioOf(failpoint, HOSTED_SCENARIOS);
  return [
    { failpoint, of: '', scenario: scenarioOf(failpoint, SCENARIOS) ?? paysAnOrder },
    ...(hosted === undefined ? [] : [{ failpoint, of: ' of a hosted order', scenario: hosted }]),
  ];
});

async function died(app: AppProcess, failpoint: string): Promise<void> {
  const exit = await Promise.race([app.ended, new Promise<null>((resolve) => setTimeout(() => resolve(null), RECOVERY_MS).unref())]);
  assert.equal(exit?.signal, 'SIGKILL', `the failpoint ${failpoint} was never reached`);
}

async function survives(here: Installation, app: 'api' | 'worker', { failpoint, scenario }: Crash): Promise<void> {
  const { prepare, provoke, settle } = scenario;
  const key = crypto.randomUUID();
  let orderId = '';
  if (prepare !== undefined) {
    if (!here.isRunning(app)) await here.start(app);
    orderId = await prepare(here);
  }
  const armed = await here.arm(app, failpoint);
  // Whoever asks a process that dies gets no answer; that is what the retry is for.
  const unanswered = provoke(here, orderId, key).catch(() => null);
  await died(armed, failpoint);
  await unanswered;
  // It stays: the next test prepares with it.
  await here.start(app);
  await settle(here, orderId, key);
}

/** Two installations a process, so that one waits for a lease while the other works. */
const LANES_PER_APP = 2;
const lanes = (['api', 'worker'] as const).flatMap((app) =>
  Array.from({ length: LANES_PER_APP }, (_, lane) => ({
    app,
    crashes: CRASHES.filter(({ failpoint }) => failpoint.startsWith(`${app}.`)).filter((__, index) => index % LANES_PER_APP === lane),
  })),
);

describe('a crash at every failpoint', { concurrency: lanes.length }, () => {
  let simulator: Awaited<ReturnType<typeof startSimulator>>;
  before(async () => {
    simulator = await startSimulator({ port: 0 });
  });
  after(() => simulator.close());

  for (const [lane, { app, crashes }] of lanes.entries()) {
    describe(`of the ${app} (lane ${lane + 1})`, { concurrency: 1 }, () => {
      let here: Installation;
      before(async () => {
        here = await Installation.open(simulator);
        await here.start(app === 'api' ? 'worker' : 'api');
      });
      after(() => here.close());

      for (const crash of crashes) {
        it(`loses nothing and moves money once when the ${app} dies at ${crash.failpoint}${crash.of}`, () => survives(here, app, crash));
      }
    });
  }
});
