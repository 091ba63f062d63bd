import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { SCOPES } from '../../apps/api/src/callers/caller.js';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { freePort } from '../../tools/free-port.js';
import { ApiDocument, type Schema } from '../fuzz/document.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type DatabaseRoute, routeTo } from '../support/database-route.js';
import { type Answer, call } from '../support/http-client.js';
import { type AppProcess, startApp } from '../support/processes.js';
import { queueSettings } from '../support/queue-backend.js';
import { anEvent, anIntent, deliver, signatureOf } from '../support/stripe-events.js';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.js';
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
/** What Node is made to warn of. */
const WARNING = 'canaryOfAWarning';
/** What a merchant may have written into any text of any request. */
const TEXT = 'canaryOfAText';

/** The tables that must keep some of it: what is replayed, what buyers are answered, what merchants and Stripe said. */
const KEEPERS = ['orders', 'payments', 'payment_operations', 'idempotency_keys', 'webhook_events'];
/** Those that keep a merchant's texts besides. */
const TEXT_KEEPERS = [...KEEPERS, 'order_items', 'prices', 'api_keys', 'audit_trail'];

let database: TestDatabase;
let route: DatabaseRoute;
let url: string;
let simulator: Awaited<ReturnType<typeof startSimulator>>;
let issuer: TokenIssuer;
let queue: Readonly<Record<string, string>>;
let apps: readonly AppProcess[];
let keys = 0;
/** Made in the course of it: a token of the issuer, and what is secret of a key that is shown once. */
const made: string[] = [];

before(async () => {
  database = await freshDatabase();
  route = await routeTo(database.url);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  issuer = await startTokenIssuer();
  queue = await queueSettings();
  simulator = await startSimulator({ port: 0, webhookUrl: `${url}/webhooks/stripe`, webhookSecret: SECRETS.webhookSecret });
  const env = {
    DATABASE_URL: route.url,
    MIGRATE_ON_START: 'false',
    PORT: String(port),
    LOG_LEVEL: 'trace',
    NODE_OPTIONS: `--import=data:text/javascript,process.on('SIGUSR2',()=>process.emitWarning('${WARNING}'))`,
    STRIPE_SECRET_KEY: SECRETS.stripeKey,
    STRIPE_API_BASE: simulator.url,
    STRIPE_WEBHOOK_SECRETS: SECRETS.webhookSecret,
    ONCEPAY_KEY_PEPPER: SECRETS.pepper,
    ONCEPAY_DEV_SECRET_KEY: SECRETS.secretKey,
    ONCEPAY_DEV_PUBLISHABLE_KEY: SECRETS.publishableKey,
    ...issuer.settings,
    ...queue,
  };
  apps = await Promise.all([startApp('api', env), startApp('worker', env)]);
});
after(async () => {
  await Promise.all(apps.map((app) => app.kill()));
  await simulator.close();
  issuer.close();
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
  await useWhatOpens(await keyShownOnce());
  await useWhatOpens(await issuer.token({ claims: { scope: SCOPES.join(' ') } }));
  await sendCanariesInBodies(String(paid.json['id']));
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

/** A key as POST /v1/keys answers it. */
async function keyShownOnce(): Promise<string> {
  const body = { kind: 'secret', name: TEXT };
  const { json, text } = await call(`${url}/v1/keys`, { key: SECRETS.secretKey, idempotencyKey: `${SECRETS.idempotencyKey}-key`, body });
  return typeof json['key'] === 'string' ? json['key'] : assert.fail(text);
}

/** Does with it what its owner may, and may not. */
async function useWhatOpens(key: string): Promise<void> {
  // Of a key and of a token, what stands at the end is what nobody can guess.
  made.push(key.slice(-38));
  assert.equal((await order({}, { key })).status, 201);
  await call(`${url}/v1/orders?key=${key}`, { key, headers: { 'User-Agent': key, Referer: `https://shop.example/?key=${key}` } });
  await call(`${url}/v1/orders/${key}`, { key: SECRETS.secretKey });
  await call(`${url}/v1/prices`, { key: `${key}x` });
  await order({ reference: key, paymentMethod: key }, { key });
}

/**
 * To every operation that takes a body: its example with each of its texts replaced in turn by one of a merchant's and by a card number,
 * and once all that it may have with nothing else.
 */
async function sendCanariesInBodies(orderId: string): Promise<void> {
  const document = new ApiDocument();
  const ids = new Map([
    ['/v1/orders', orderId],
    ['/v1/prices', 'mug'],
  ]);
  for (const { method, path, headers, body } of document.operations) {
    if (body === null) continue;
    const to = path.replace(/\{\w+\}/, ids.get(path.split('/{')[0] ?? '') ?? SECRETS.keyInAPath);
    const bodies = [TEXT, SECRETS.cardNumber].flatMap((text) => [
      ...body.examples.flatMap((example) => withText(example, text)),
      allTexts(document, body.schema, text),
    ]);
    for (const each of bodies) {
      const payload = JSON.stringify(each);
      await call(`${url}${to}`, {
        method,
        key: SECRETS.secretKey,
        idempotencyKey: `${SECRETS.idempotencyKey}-${(keys += 1)}`,
        body: payload,
        headers: headers.includes('Stripe-Signature')
          ? { 'Stripe-Signature': signatureOf(payload, { secret: SECRETS.webhookSecret }) }
          : {},
      });
    }
  }
}

/** A value once for each text in it, with another in the place of that one. */
function withText(value: unknown, text: string): readonly unknown[] {
  if (typeof value === 'string') return [text];
  if (Array.isArray(value)) return value.flatMap((one, index) => withText(one, text).map((other) => value.with(index, other)));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => withText(member, text).map((other) => ({ ...value, [name]: other })));
}

/** All that a schema describes, each text of it the same. */
function allTexts(document: ApiDocument, given: Schema, text: string): unknown {
  const { type, items, properties, additionalProperties, anyOf, example } = document.resolve(given);
  if (anyOf?.[0] !== undefined) return allTexts(document, anyOf[0], text);
  if (items !== undefined) return [allTexts(document, items, text)];
  if (properties !== undefined)
    return Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, allTexts(document, member, text)]));
  if (additionalProperties !== undefined) return { [text]: text };
  return [type].flat().includes('string') ? text : (example ?? 1);
}

/** What the queue holds, as text; in PostgreSQL it is among the tables. */
async function jobsInRedis(): Promise<string> {
  if (queue['REDIS_URL'] === undefined) return '';
  const redis = new Redis(queue['REDIS_URL']);
  try {
    const found = await redis.keys('*');
    assert.ok(found.length > 0);
    const texts = found.map(async (key) => {
      switch (await redis.type(key)) {
        case 'hash':
          return [key, await redis.hgetall(key)];
        case 'list':
          return [key, await redis.lrange(key, 0, -1)];
        case 'zset':
          return [key, await redis.zrange(key, '0', '-1')];
        case 'stream':
          return [key, await redis.xrange(key, '-', '+')];
        case 'string':
          return [key, await redis.get(key)];
        default:
          return assert.fail(key);
      }
    });
    return JSON.stringify(await Promise.all(texts));
  } finally {
    redis.disconnect();
  }
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
      ...made,
      TEXT,
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
    const { idempotencyKey, cardNumber, ...known } = SECRETS;
    const keys = [...Object.values(known), ...made];
    const clientSecrets = await database.query<{ secret: string }>('SELECT client_secret AS secret FROM orders');
    const told = [idempotencyKey, ...clientSecrets.map(({ secret }) => secret.slice(secret.indexOf('_secret_')))];
    const jobs = await jobsInRedis();
    const texts = [TEXT, cardNumber];
    for (const secret of [...keys, ...told, ...texts]) {
      assert.ok(!metrics.includes(secret), `${secret} is in the metrics`);
      assert.ok(!jobs.includes(secret), `${secret} is in the queue`);
    }
    for (const { name, path } of tables) {
      const text = (await database.query<{ row: string }>(`SELECT t::text AS row FROM ${path} t`)).map(({ row }) => row).join('\n');
      const forbidden = [...keys, ...(KEEPERS.includes(name) ? [] : told), ...(TEXT_KEEPERS.includes(name) ? [] : texts)];
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

  it('are JSON, one object a line, with a level, a time and a message, what Node warns of too', async () => {
    for (const app of apps) {
      app.signal('SIGUSR2');
      await waitFor('the warning', () => app.output().includes(WARNING));
    }
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
