import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FastifyRequest } from 'fastify';
import { createLogger } from '#libs/telemetry';
import { createApi } from '../../apps/api/src/api.js';
import { type ApiAlone, configAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, SECRET_KEYS } from '../support/stack.js';
import { ApiDocument } from '../fuzz/document.js';
import { IDS, TEXTS } from '../fuzz/hostile.js';
import { Sender } from '../fuzz/sender.js';

const sender = new Sender();
let database: TestDatabase;
let api: ApiAlone;
let orderId: string;

before(async () => {
  database = await freshDatabase();
  api = await startApiAlone(database.url);
  orderId = String((await api.order(crypto.randomUUID(), AN_ORDER)).json['id']);
});
after(async () => {
  sender.close();
  await api.close();
  await database.drop();
});

const rows = async (): Promise<unknown> =>
  (
    await database.query(
      `SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM prices) AS prices, (SELECT count(*) FROM refunds) AS refunds,
              (SELECT count(*) FROM payment_operations) AS operations, (SELECT count(*) FROM api_keys) AS keys,
              (SELECT count(*) FROM idempotency_keys) AS idempotency_keys`,
    )
  )[0];

describe('an amount', () => {
  /** Everything that takes an amount, with the place of the amount left open. */
  const places: readonly (readonly [method: string, path: () => string, body: string])[] = [
    ['POST', () => '/v1/orders', '{"currency":"usd","items":[{"name":"It","unitAmount":AMOUNT,"quantity":1}]}'],
    ['PUT', () => '/v1/prices/hostile', '{"name":"It","currency":"usd","unitAmount":AMOUNT}'],
    ['POST', () => `/v1/orders/${orderId}/capture`, '{"amount":AMOUNT}'],
    ['POST', () => `/v1/orders/${orderId}/refunds`, '{"amount":AMOUNT}'],
  ];
  const send = ([method, path, body]: (typeof places)[number], amount: string): Promise<Answer> =>
    api.call(path(), { method, idempotencyKey: crypto.randomUUID(), body: body.replace('AMOUNT', amount) });

  for (const amount of [
    '-1',
    '0.5',
    '1.005',
    '"100"',
    '1e400',
    '-1e400',
    'NaN',
    'Infinity',
    'true',
    '[]',
    '{}',
    '[100]',
    '01',
    '+1',
    '0x64',
    '1_000',
    '2147483648',
    '100000000',
    '9007199254740991',
    '9007199254740993',
    '1e21',
  ]) {
    it(`of ${amount} is refused wherever one is taken, and nothing is written`, async () => {
      const before = await rows();
      for (const place of places) {
        const answer = await send(place, amount);
        // A whole number may be too large for this order only, which is for its state to say.
        const isWhole = Number.isSafeInteger(Number(amount)) && /^\d+$/.test(amount);
        const allowed =
          isWhole && place[2] === '{"amount":AMOUNT}' ? /_in_progress|_not_refundable|_failed/ : /^(validation_failed|amount_too_large)$/;
        assert.match(String(answer.json['code']), allowed, `${place[0]} ${place[2]}: ${answer.text}`);
        assertProblem(answer, answer.status, String(answer.json['code']));
        assert.ok(answer.status === 400 || answer.status === 409, answer.text);
      }
      assert.deepEqual(await rows(), before);
    });
  }

  it('is the number it is, however it is written', async () => {
    const [place] = places;
    assert.ok(place !== undefined);
    for (const amount of ['1e2', '100.0', '1.00E+2']) assert.equal((await send(place, amount)).json['amount'], 100, amount);
  });
});

describe('a text', () => {
  const fields: readonly (readonly [name: string, order: (text: string) => object, read: (order: Record<string, unknown>) => unknown])[] = [
    ['reference', (reference) => ({ reference }), ({ reference }) => reference],
    ['a name', (name) => ({ items: [{ name, unitAmount: 100, quantity: 1 }] }), ({ items }) => Object(items)[0].name],
    ['metadata', (k) => ({ metadata: { k } }), ({ metadata }) => Object(metadata).k],
    ["a customer's name", (name) => ({ customer: { name } }), ({ customer }) => Object(customer).name],
  ];
  for (const text of TEXTS) {
    const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 8)}… (${text.length})` : text);
    it(`of ${shown} comes back as it was, or is refused and nothing is written`, async () => {
      for (const [name, order, read] of fields) {
        const before = await rows();
        const answer = await api.order(crypto.randomUUID(), { ...AN_ORDER, ...order(text) });
        if (answer.status === 201) assert.equal(read((await api.call(answer.headers.get('Location') ?? '')).json), text, name);
        else {
          assertProblem(answer, 400, text.startsWith('4242') ? 'card_number_refused' : 'validation_failed');
          assert.deepEqual(await rows(), before, name);
        }
      }
    });
  }

  it('is another one when its letters are composed in another way', async () => {
    const key = crypto.randomUUID();
    assert.equal((await api.order(key, { ...AN_ORDER, reference: '\u00e9' })).status, 201);
    assertProblem(await api.order(key, { ...AN_ORDER, reference: 'e\u0301' }), 422, 'idempotency_key_reused');
  });
});

describe('an id that names nothing', () => {
  const { operations } = new ApiDocument();
  for (const { id, method, path } of operations.filter((operation) => operation.path.includes('{id}'))) {
    it(`is refused by ${id}, whatever stands in its place`, async () => {
      const before = await rows();
      for (const named of IDS) {
        // A price may be called by any word.
        if (id === 'putPrice' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(named)) continue;
        const body =
          method === 'GET' || method === 'DELETE' ? null : Buffer.from(id === 'payOrder' ? '{"paymentMethod":"pm_card_visa"}' : '{}');
        const answer = await sender.send({
          method,
          url: `${api.url}${path.replace('{id}', named)}`,
          headers: [
            ['Authorization', `Bearer ${SECRET_KEYS[0]}`],
            ['Content-Type', 'application/json'],
            ['Idempotency-Key', crypto.randomUUID()],
          ],
          body,
        });
        assert.ok([400, 404, 405].includes(answer.status), `${named}: ${answer.status} ${answer.text}`);
        assertProblem(answer, answer.status, String(answer.json['code']));
      }
      assert.deepEqual(await rows(), before);
    });
  }
});

describe('a hook that throws what nobody foresaw', () => {
  /** Those that may still refuse. What is sent is decided by then. */
  const STAGES = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const;
  let broken: Awaited<ReturnType<typeof createApi>>;
  before(async () => {
    broken = await createApi(configAlone(database.url), createLogger('test', 'silent'));
    const fastify = broken.app.getHttpAdapter().getInstance();
    for (const stage of STAGES)
      fastify.addHook(stage, async ({ headers }: FastifyRequest) => {
        if (headers['x-throws'] === stage) throw new TypeError(`cannot read of postgresql://inside (${stage})`);
      });
  });
  after(() => broken.close());

  for (const stage of STAGES) {
    it(`lets nothing through, and tells nothing: ${stage}`, async () => {
      const { statusCode, headers, payload } = await broken.app.inject({
        method: 'POST',
        url: '/v1/orders',
        headers: { 'X-Throws': stage, Authorization: `Bearer ${SECRET_KEYS[0]}`, 'Idempotency-Key': `throws-${stage}` },
        payload: { ...AN_ORDER, reference: 'throws' },
      });
      assert.deepEqual([statusCode, JSON.parse(payload).code], [500, 'internal_error'], payload);
      assert.match(String(headers['content-type']), /^application\/problem\+json/);
      assert.doesNotMatch(payload, /inside|TypeError/);
      assert.deepEqual(await database.query(`SELECT 1 FROM orders WHERE reference = 'throws'`), []);
    });
  }
});

it('what goes wrong on our side is a problem that tells nothing of how we are made', async () => {
  await database.query('ALTER TABLE prices RENAME TO away');
  const answers = [
    await api.call('/v1/prices'),
    await api.call('/v1/prices/x', { method: 'PUT', body: { name: 'X', currency: 'usd', unitAmount: 100 } }),
    await api.order(crypto.randomUUID(), { currency: 'usd', items: [{ price: 'tshirt', quantity: 1 }] }),
  ];
  await database.query('ALTER TABLE away RENAME TO prices');
  for (const answer of answers) {
    assertProblem(answer, 500, 'internal_error');
    assert.doesNotMatch(answer.text, /relation|SELECT|INSERT|prisma|42P01|node_modules|\.js/i);
  }
});
