import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { freePort } from '../../tools/free-port.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type DatabaseRoute, routeTo } from '../support/database-route.js';
import { type Answer, call } from '../support/http-client.js';
import { type AppProcess, startApp } from '../support/processes.js';
import { anEvent, anIntent, deliver, signatureOf } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

/** What may appear in no log line; each looks like nothing else. */
const SECRETS = {
  secretKey: 'canary-secret-key',
  publishableKey: 'canary-publishable-key',
  unknownKey: 'canary-unknown-key',
  idempotencyKey: 'canary-idempotency-key',
  pepper: 'canary-pepper-that-is-long-enough-to-be-one',
  stripeKey: 'sk_test_canaryOfTheStripeAccount',
  webhookSecret: 'whsec_canary',
  cardNumber: '4242424242424242',
  token: 'eyJhbGciOiJub25lIn0.canaryOfAToken.x',
  cookie: 'canary-cookie',
  clientSecretSent: 'canaryOfAClientSecret',
  keyInAPath: 'oncepay_sk_test_canaryInAPath',
};

/** The tables that must keep some of it: what is replayed, what buyers are answered, what merchants and Stripe said. */
const KEEPERS = ['orders', 'payments', 'payment_operations', 'idempotency_keys', 'webhook_events'];

let database: TestDatabase;
let route: DatabaseRoute;
let url: string;
let simulator: Awaited<ReturnType<typeof startSimulator>>;
let apps: readonly AppProcess[];
let keys = 0;

before(async () => {
  database = await freshDatabase();
  route = await routeTo(database.url);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  simulator = await startSimulator({ port: 0, webhookUrl: `${url}/webhooks/stripe`, webhookSecret: SECRETS.webhookSecret });
  const env = {
    DATABASE_URL: route.url,
    MIGRATE_ON_START: 'false',
    PORT: String(port),
    LOG_LEVEL: 'trace',
    STRIPE_SECRET_KEY: SECRETS.stripeKey,
    STRIPE_API_BASE: simulator.url,
    STRIPE_WEBHOOK_SECRETS: SECRETS.webhookSecret,
    ONCEPAY_KEY_PEPPER: SECRETS.pepper,
    ONCEPAY_DEV_SECRET_KEY: SECRETS.secretKey,
    ONCEPAY_DEV_PUBLISHABLE_KEY: SECRETS.publishableKey,
  };
  apps = await Promise.all([startApp('api', env), startApp('worker', env)]);
});
after(async () => {
  await Promise.all(apps.map((app) => app.kill()));
  await simulator.close();
  await route.close();
  await database.drop();
});

function order(overrides: object = {}, options: Parameters<typeof call>[1] = {}): Promise<Answer> {
  const body = {
    currency: 'usd',
    items: [{ name: 'T-shirt', unitAmount: 2_000, quantity: 1 }],
    paymentMethod: 'pm_card_visa',
    ...overrides,
  };
  return call(`${url}/v1/orders`, { key: SECRETS.secretKey, idempotencyKey: `${SECRETS.idempotencyKey}-${(keys += 1)}`, body, ...options });
}

async function orderIn(answer: Answer, status: string): Promise<Answer> {
  return waitFor(`an order to become ${status}`, async () => {
    const read = await call(`${url}${answer.headers.get('Location')}`, { key: SECRETS.secretKey });
    return read.json['status'] === status && read;
  });
}

/** Everything that goes right, goes wrong, or is refused, each with something in hand that nobody else may see. */
async function makeNoise(): Promise<void> {
  const paid = await orderIn(await order({ customer: { email: 'ada@example.com', name: 'Ada' } }), 'paid');
  await orderIn(await order({ paymentMethod: 'pm_card_chargeDeclined' }), 'requires_payment');
  await orderIn(await order({ paymentMethod: 'pm_card_authenticationRequired', returnUrl: 'https://shop.example/' }), 'requires_action');
  const again = { idempotencyKey: `${SECRETS.idempotencyKey}-1` };
  await order({ reference: SECRETS.cardNumber }, again);
  await order({ [SECRETS.secretKey]: SECRETS.cardNumber });
  await order({ paymentMethod: SECRETS.cardNumber });
  await order({}, { key: SECRETS.unknownKey });
  await order({}, { key: SECRETS.publishableKey });
  await order({}, { idempotencyKey: `${SECRETS.idempotencyKey} with blanks` });
  await call(`${url}/v1/orders/x?clientSecret=${String(paid.json['clientSecret'])}`, { key: SECRETS.secretKey });
  await call(`${url}/v1/orders?key=${SECRETS.secretKey}`);
  await sendCanariesInHeaders(String(paid.json['clientSecret']));
  await order({ metadata: { note: SECRETS.cardNumber }, reference: SECRETS.cardNumber });
  const payload = JSON.stringify(anEvent('payment_intent.succeeded', anIntent()));
  await call(`${url}/webhooks/stripe`, {
    body: payload,
    headers: { 'Stripe-Signature': `${signatureOf(payload, { secret: SECRETS.webhookSecret })}0` },
  });
  await deliver(anEvent('payment_intent.succeeded', { object: 'charge', client_secret: 'pi_1_secret_canary' }), {
    url,
    secret: SECRETS.webhookSecret,
  });
  await spoil({ method: 'POST', path: '/v1/payment_intents/:id/confirm', action: 'error', status: 503, count: 2 });
  await spoil({ method: 'POST', path: '/v1/payment_intents', action: 'reset', phase: 'after', count: 2 });
  await orderIn(await order(), 'paid');
  const refused = JSON.stringify({
    error: { type: 'invalid_request_error', message: `No such customer; a similar object exists under ${SECRETS.stripeKey}` },
  });
  await spoil({ method: 'POST', path: '/v1/payment_intents', action: 'json', status: 401, body: refused, count: 1 });
  await order();
  await waitFor('the refusal to be logged', () => apps.some((app) => app.output().includes('Stripe refuses us')));
  // The next call tries whether Stripe takes our key again.
  await database.query('UPDATE breakers SET open_until = now()');
  await route.refuse();
  await order();
  await deliver(payload, { url, secret: SECRETS.webhookSecret });
  await route.pass();
  await orderIn(
    await waitFor('the API to have its database again', async () => {
      const answer = await order();
      return answer.status === 201 && answer;
    }),
    'paid',
  );
}

/** Where no secret belongs, and where one is expected: in headers, in paths, in members nobody knows. */
async function sendCanariesInHeaders(clientSecret: string): Promise<void> {
  const headers = {
    Cookie: SECRETS.cookie,
    'Proxy-Authorization': `Bearer ${SECRETS.unknownKey}`,
    'Oncepay-Client-Secret': `ord_x_secret_${SECRETS.clientSecretSent}`,
    'Last-Event-ID': SECRETS.secretKey,
    'If-Match': SECRETS.secretKey,
    Prefer: SECRETS.secretKey,
    'User-Agent': SECRETS.secretKey,
    Referer: `https://shop.example/?key=${SECRETS.secretKey}`,
    'Stripe-Signature': `t=1,v1=${SECRETS.webhookSecret}`,
  };
  for (const path of ['/v1/orders', '/v1/orders/ord_x', `/v1/orders/${clientSecret}`, `/v1/keys/${SECRETS.keyInAPath}`, '/nothing'])
    for (const key of [SECRETS.secretKey, SECRETS.publishableKey, SECRETS.token]) await call(`${url}${path}`, { key, headers });
  await call(`${url}/webhooks/stripe`, { body: { secret: SECRETS.secretKey }, headers });
  await order({ metadata: { [SECRETS.secretKey]: 1 }, returnUrl: `https://${SECRETS.secretKey}:x@shop.example` }, { headers });
}

const spoil = (fault: object): Promise<Answer> => call(`${simulator.url}/_sim/faults`, { body: fault });

describe('the logs of API and worker, at their most talkative', () => {
  it('tell what happened and hold no secret, key or card number', async () => {
    await makeNoise();
    const logs = apps.map((app) => app.output());
    for (const log of logs) assert.ok(log.split('\n').length > 10, 'it logs something');
    assert.match(logs.join(), /a request was refused/);
    assert.match(logs.join(), /the card was declined/);

    const clientSecrets = await database.query<{ secret: string }>(
      'SELECT client_secret AS secret FROM orders UNION ALL SELECT stripe_client_secret FROM payments WHERE stripe_client_secret IS NOT NULL',
    );
    assert.ok(clientSecrets.length > 8);
    const forbidden = [
      ...Object.values(SECRETS),
      'pi_1_secret_canary',
      ...clientSecrets.map(({ secret }) => secret.slice(secret.indexOf('_secret_'))),
    ];
    for (const line of logs.join('\n').split('\n')) {
      for (const secret of forbidden) assert.ok(!line.includes(secret), `${secret} is in: ${line.slice(0, 600)}`);
      assert.doesNotMatch(line, /v1=[0-9a-f]{16}/, 'a signature is logged');
    }
  });

  it('and neither do metrics, jobs, timelines or anything else that need not', async () => {
    const metrics = (await call(`${url}/metrics`)).text;
    const tables = await database.query<{ name: string; path: string }>(
      `SELECT table_name AS name, format('%I.%I', table_schema, table_name) AS path FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    assert.ok(tables.some(({ name }) => name === 'order_events') && tables.some(({ path }) => !path.startsWith('public.')));
    const { idempotencyKey, cardNumber, ...keys } = SECRETS;
    const clientSecrets = await database.query<{ secret: string }>('SELECT client_secret AS secret FROM orders');
    const told = [idempotencyKey, cardNumber, ...clientSecrets.map(({ secret }) => secret.slice(secret.indexOf('_secret_')))];
    for (const secret of [...Object.values(keys), ...told]) assert.ok(!metrics.includes(secret), `${secret} is in the metrics`);
    for (const { name, path } of tables) {
      const text = (await database.query<{ row: string }>(`SELECT t::text AS row FROM ${path} t`)).map(({ row }) => row).join('\n');
      const forbidden = KEEPERS.includes(name) ? Object.values(keys) : [...Object.values(keys), ...told];
      for (const secret of forbidden) assert.ok(!text.includes(secret), `${secret} is in ${path}`);
    }
  });

  it('follow a request by its id through the job to the order that moves and to the events of it', async () => {
    const [first] = await database.query<{ request: string; id: string }>(
      `SELECT op.request_id AS request, split_part(o.client_secret, '_secret_', 1) AS id FROM payment_operations op JOIN orders o ON o.id = op.order_id
       WHERE o.status = 'paid' AND op.kind = 'confirm' ORDER BY op.id LIMIT 1`,
    );
    const lines = (apps[1]?.output() ?? '')
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const paid = lines.map(Object).find(({ msg, to, orderId }) => msg === 'an order moved' && to === 'paid' && orderId === first?.id);
    assert.deepEqual([paid?.requestId, String(paid?.operationId).startsWith('op_')], [first?.request, true]);
    assert.match(first?.request ?? '', /^req_/);
    const ofEvents = lines.map(Object).filter(({ eventId, orderId }) => String(eventId).startsWith('evt_') && orderId === first?.id);
    assert.ok(ofEvents.length > 0);
    for (const { requestId } of ofEvents) assert.equal(requestId, first?.request);
  });

  it('are JSON, one object a line, with a level, a time and a message', () => {
    const lines = apps.flatMap((app) => app.output().trim().split('\n'));
    for (const line of lines) {
      const { level, time, msg } = Object(JSON.parse(line));
      assert.match(level, /^(trace|debug|info|warn|error|fatal)$/);
      assert.ok(!Number.isNaN(Date.parse(time)), line);
      assert.equal(typeof msg, 'string', line);
    }
  });
});

it('API and worker end by themselves when asked to', async () => {
  await Promise.all(apps.map((app) => app.stop()));
  for (const app of apps) assert.deepEqual(await app.ended, { code: 0, signal: null });
});
