import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { policyFor } from '../../apps/api/src/shop/shop.controller.js';
import { storeApiKey } from '../support/api-keys.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, PUBLISHABLE_KEYS, SECRET_KEYS } from '../support/stack.js';

const SHOP = 'https://shop.example';
const OTHER_SHOP = 'https://other.example';
const CART = { currency: 'usd', items: [{ price: 'tshirt', quantity: 1 }] };

let database: TestDatabase;
/** As in production: without development keys for browsers. */
let api: ApiAlone;
let development: ApiAlone;
let key: string;

before(async () => {
  database = await freshDatabase();
  [api, development] = await Promise.all([startApiAlone(database.url, { ONCEPAY_DEV_PUBLISHABLE_KEY: '' }), startApiAlone(database.url)]);
  ({ key } = await storeApiKey(database, { audience: 'publishable', origins: [SHOP] }));
  await storeApiKey(database, { audience: 'publishable', origins: [OTHER_SHOP] });
  await storeApiKey(database, { audience: 'publishable', origins: ['https://expired.example'], expiresAt: new Date(0) });
  await api.call('/v1/prices/tshirt', { method: 'PUT', body: { name: 'T-shirt', currency: 'usd', unitAmount: 2_000 } });
});
after(async () => {
  await Promise.all([api.close(), development.close()]);
  await database.drop();
});

const preflight = (origin: string, path = '/v1/orders', to = api): Promise<Answer> =>
  to.call(path, { method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' } });
const allowedOrigin = ({ headers }: Answer): string | null => headers.get('Access-Control-Allow-Origin');
const listed = ({ headers }: Answer, name: string): readonly string[] => (headers.get(name) ?? '').toLowerCase().split(', ');

describe('a preflight', () => {
  it('allows the origins of publishable keys everything the client sends, without a key', async () => {
    const answer = await preflight(SHOP);
    assert.deepEqual([answer.status, answer.text, allowedOrigin(answer)], [204, '', SHOP]);
    const headers = listed(answer, 'Access-Control-Allow-Headers');
    for (const name of [
      'authorization',
      'content-type',
      'idempotency-key',
      'oncepay-client-secret',
      'prefer',
      'last-event-id',
      'if-match',
      'if-none-match',
    ])
      assert.ok(headers.includes(name), name);
    assert.deepEqual(listed(answer, 'Access-Control-Allow-Methods'), ['get', 'post']);
    assert.ok(Number(answer.headers.get('Access-Control-Max-Age')) > 0);
    assert.ok(listed(answer, 'Vary').includes('origin'));
    assert.equal(answer.headers.get('Access-Control-Allow-Credentials'), null);
  });

  it('allows no origin that no key in force has, and nothing outside the API', async () => {
    for (const origin of ['https://evil.example', `${SHOP}.evil.example`, 'http://shop.example', 'null', 'https://expired.example'])
      assert.equal(allowedOrigin(await preflight(origin)), null, origin);
    for (const path of ['/health/live', '/openapi.json', '/webhooks/stripe'])
      assert.equal(allowedOrigin(await preflight(SHOP, path)), null, path);
  });

  it('allows every origin where there is a development key', async () => {
    for (const origin of ['http://localhost:5173', 'null'])
      assert.equal(allowedOrigin(await preflight(origin, '/v1/orders', development)), origin);
  });
});

describe('an answer to a page', () => {
  const from = (origin: string, options: object = {}): Promise<Answer> =>
    api.call('/v1/prices', { key, headers: { Origin: origin }, ...options });

  it("may be read on the key's origins, with the headers that matter", async () => {
    const order = await api.order(crypto.randomUUID(), CART, { key, headers: { Origin: SHOP } });
    assert.deepEqual([order.status, allowedOrigin(order)], [201, SHOP]);
    const exposed = listed(order, 'Access-Control-Expose-Headers');
    for (const name of [
      'location',
      'etag',
      'x-request-id',
      'idempotency-replayed',
      'retry-after',
      'ratelimit',
      'ratelimit-policy',
      'preference-applied',
      'link',
    ])
      assert.ok(exposed.includes(name), name);
  });

  it("is 403 and cannot be read on another key's origin, and nothing is done", async () => {
    const refused = await api.order(crypto.randomUUID(), { ...CART, reference: 'elsewhere' }, { key, headers: { Origin: OTHER_SHOP } });
    assertProblem(refused, 403, 'forbidden');
    assert.equal(allowedOrigin(refused), null);
    assert.deepEqual(await database.query(`SELECT 1 FROM orders WHERE reference = 'elsewhere'`), []);
  });

  it('is given to a program without an origin', async () => {
    const { status, headers } = await api.call('/v1/prices', { key });
    assert.deepEqual([status, headers.get('Access-Control-Allow-Origin'), headers.get('Vary')], [200, null, 'Origin']);
  });

  it('tells the page what went wrong, whatever it was', async () => {
    const [unknownKey, invalid, nowhere] = [
      await from(SHOP, { key: 'x' }),
      await api.order(crypto.randomUUID(), {}, { key, headers: { Origin: SHOP } }),
      await api.call('/v1/nothing', { key, headers: { Origin: SHOP } }),
    ];
    assert.deepEqual([unknownKey, invalid, nowhere].map(({ status }) => status), [401, 400, 404]); // prettier-ignore
    for (const answer of [unknownKey, invalid, nowhere]) assert.equal(allowedOrigin(answer), SHOP, answer.text);
  });

  it('cannot be read by a page that holds a secret key', async () => {
    const secret = await from(SHOP, { key: SECRET_KEYS[0] });
    assert.deepEqual([secret.status, allowedOrigin(secret)], [200, null]);
  });

  it('may be a stream', async () => {
    const { id, clientSecret } = (await api.order(crypto.randomUUID(), CART, { key })).json;
    const leaving = new AbortController();
    const stream = await fetch(`${api.url}/v1/orders/${String(id)}/events`, {
      signal: leaving.signal,
      headers: {
        Accept: 'text/event-stream',
        Origin: SHOP,
        Authorization: `Bearer ${key}`,
        'Oncepay-Client-Secret': String(clientSecret),
      },
    });
    assert.deepEqual([stream.status, stream.headers.get('Access-Control-Allow-Origin')], [200, SHOP]);
    assert.equal(stream.headers.get('X-Content-Type-Options'), 'nosniff');
    leaving.abort();
  });

  it('is not for every page just because a development key is', async () => {
    const one = await development.call('/v1/prices', { key, headers: { Origin: 'http://localhost:5173' } });
    assertProblem(one, 403, 'forbidden');
    assert.equal(allowedOrigin(one), null);
    const dev = await development.call('/v1/prices', { key: PUBLISHABLE_KEYS[0], headers: { Origin: 'http://localhost:5173' } });
    assert.deepEqual([dev.status, allowedOrigin(dev)], [200, 'http://localhost:5173']);
  });
});

describe('the headers of every answer', () => {
  const NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
  const routes: readonly (readonly [string, string, string, RegExp, () => Promise<Answer>])[] = [
    ['an order', NOTHING, 'private, no-store', /json/, () => api.order(crypto.randomUUID(), AN_ORDER)],
    ['a problem', NOTHING, 'no-store', /problem\+json/, () => api.call('/v1/orders', { key: 'x' })],
    ['a path that is not there', NOTHING, 'no-store', /problem\+json/, () => api.call('/nothing')],
    ['a path that cannot be read', NOTHING, 'no-store', /problem\+json/, () => api.call('/v1/orders/%zz')],
    ['a webhook', NOTHING, 'no-store', /problem\+json/, () => api.call('/webhooks/stripe', { body: {} })],
    ['health', NOTHING, 'no-store', /json/, () => api.call('/health/live')],
    ['the description', NOTHING, 'no-store', /json/, () => api.call('/openapi.json')],
  ];
  for (const [what, policy, cache, type, send] of routes) {
    it(`keep ${what} from being framed, sniffed, run or kept`, async () => {
      const { headers } = await send();
      assert.deepEqual(
        {
          policy: headers.get('Content-Security-Policy'),
          sniff: headers.get('X-Content-Type-Options'),
          frame: headers.get('X-Frame-Options'),
          referrer: headers.get('Referrer-Policy'),
          resource: headers.get('Cross-Origin-Resource-Policy'),
          cache: headers.get('Cache-Control'),
        },
        { policy, sniff: 'nosniff', frame: 'DENY', referrer: 'no-referrer', resource: 'same-origin', cache },
      );
      assert.match(headers.get('Strict-Transport-Security') ?? '', /^max-age=\d{8}/);
      assert.match(headers.get('Content-Type') ?? '', type);
    });
  }

  it('let a page have its own style and nothing else', async () => {
    const { headers, text } = await api.call('/problems/forbidden');
    assert.match(
      headers.get('Content-Security-Policy') ?? '',
      /^default-src 'none'; frame-ancestors 'none'; .*; style-src 'sha256-[\w+/=]+'$/,
    );
    assert.ok(!text.includes('<script'));
  });

  it('let the shop run its own script and call its own server, and beside them Stripe alone', async () => {
    const closed =
      "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; script-src 'self'";
    const { status, headers } = await development.call('/shop');
    assert.deepEqual(
      [status, headers.get('Content-Security-Policy')],
      [
        200,
        `${closed} https://js.stripe.com https://*.js.stripe.com; connect-src 'self' https://api.stripe.com; frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com`,
      ],
    );
    assert.equal(policyFor('http://127.0.0.1:12111/'), `${closed}; connect-src 'self' http://127.0.0.1:12111`);
  });
});
