import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KEY_PEPPER, storeApiKey } from '../support/api-keys.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const LIMITS = {
  RATE_LIMIT_PER_KEY: '20',
  RATE_LIMIT_PER_IP: '15',
  RATE_LIMIT_AUTH_FAILURES: '10',
  TRUSTED_PROXIES: '127.0.0.1',
  ONCEPAY_KEY_PEPPER: KEY_PEPPER,
  // One of these would let pages of every origin call.
  ONCEPAY_DEV_PUBLISHABLE_KEY: '',
};

let database: TestDatabase;
let apis: readonly [ApiAlone, ApiAlone];
let addresses = 0;

before(async () => {
  database = await freshDatabase();
  apis = await Promise.all([startApiAlone(database.url, LIMITS), startApiAlone(database.url, LIMITS)]);
});
after(async () => {
  await Promise.all(apis.map((api) => api.close()));
  await database.drop();
});

const newAddress = (): string => `203.0.113.${(addresses += 1)}`;
const from = (address: string, key: string, [api] = apis): Promise<Answer> =>
  api.call('/v1/prices', { key, headers: { 'X-Forwarded-For': address } });

const publishableKey = async (origins: readonly string[] = []): Promise<string> =>
  (await storeApiKey(database, { audience: 'publishable', origins })).key;

/** Sends until it is refused; the minute may turn in between, so that the first refusal may need twice as many. */
async function untilRefused(send: () => Promise<Answer>, limit: number): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  while (answers.at(-1)?.status !== 429) {
    answers.push(await send());
    assert.ok(answers.length <= 2 * limit + 1, 'nothing was refused');
  }
  return answers;
}

describe('a limit', () => {
  it('tells a key where it stands, and refuses it when the minute is used up', async () => {
    const { key } = await storeApiKey(database);
    const answers = await untilRefused(() => from(newAddress(), key), 20);
    const [first] = answers;
    assert.deepEqual(
      [first?.headers.get('RateLimit-Policy'), first?.headers.get('RateLimit')?.replace(/t=\d+/, 't=')],
      ['"key";q=20;w=60', '"key";r=19;t='],
    );
    const refused = answers.at(-1) ?? assert.fail();
    assertProblem(refused, 429, 'rate_limited');
    assert.match(refused.headers.get('RateLimit') ?? '', /^"key";r=0;t=\d+$/);
    const seconds = Number(refused.headers.get('Retry-After'));
    assert.ok(seconds >= 1 && seconds <= 60);
    const { key: another } = await storeApiKey(database);
    assert.equal((await from(newAddress(), another)).status, 200);
  });

  it('counts publishable keys by address, and a spoofed address only where a proxy is trusted', async () => {
    const address = newAddress();
    const [one, another] = [await publishableKey(), await publishableKey()];
    await untilRefused(() => from(address, one), 15);
    assert.equal((await from(address, another)).status, 429);
    const elsewhere = await from(newAddress(), one);
    assert.deepEqual([elsewhere.status, elsewhere.headers.get('RateLimit-Policy')], [200, '"ip";q=15;w=60']);
  });

  it('is stricter to whoever fails to show a key, and then looks at none', async () => {
    const address = newAddress();
    const answers = await untilRefused(() => from(address, 'guess'), 10);
    assert.deepEqual([...new Set(answers.slice(0, -1).map(({ status }) => status))], [401]);
    const { key } = await storeApiKey(database);
    assert.equal((await from(address, key)).status, 429, 'even a good one, lest guessing pays');
    assert.equal((await from(newAddress(), key)).status, 200);
  });

  it('holds for pages that a key is not for', async () => {
    const address = newAddress();
    const key = await publishableKey(['https://shop.example']);
    const headers = { 'X-Forwarded-For': address, Origin: 'https://other.example' };
    const answers = await untilRefused(() => apis[0].call('/v1/prices', { key, headers }), 15);
    assert.deepEqual([...new Set(answers.slice(0, -1).map(({ status }) => status))], [403]);
  });

  it('counts a key used from where it must not be against that address, and not against the key', async () => {
    const address = newAddress();
    const { key } = await storeApiKey(database, { ipRanges: ['198.51.100.0/24'] });
    const answers = await untilRefused(() => from(address, key), 10);
    assert.deepEqual([...new Set(answers.slice(0, -1).map(({ status }) => status))], [403]);
    assert.match((await from('198.51.100.7', key)).headers.get('RateLimit') ?? '', /^"key";r=19;/);
  });

  it('lets an address name so many origins that no key has, and then looks none up for it', async () => {
    const origins = Array.from({ length: 2 * 10 + 1 }, (_, index) => `https://shop${index}.example`);
    await publishableKey(origins);
    const isAllowed = async (address: string, origin = ''): Promise<boolean> => {
      const headers = { 'X-Forwarded-For': address, Origin: origin, 'Access-Control-Request-Method': 'POST' };
      const answer = await apis[0].call('/v1/orders', { method: 'OPTIONS', headers });
      return answer.headers.has('Access-Control-Allow-Origin');
    };
    const address = newAddress();
    let named = 0;
    for (; await isAllowed(address, origins[named]); named += 1) await isAllowed(address, `https://nobody${named}.example`);
    assert.ok(named >= 10 && named < origins.length, `${named} were looked up`);
    assert.equal(await isAllowed(newAddress(), origins[named]), true);
  });

  it('is one for all processes', async () => {
    const { key } = await storeApiKey(database);
    await untilRefused(() => from(newAddress(), key, apis), 20);
    // The other process learns of it with the next request of its own.
    const [one, two] = apis;
    await waitFor('the other process to refuse it too', async () => (await from(newAddress(), key, [two, one])).status === 429);
  });

  it('leaves the Idempotency-Key of a refused order free', async () => {
    const { key } = await storeApiKey(database);
    await untilRefused(() => from(newAddress(), key), 20);
    const idempotencyKey = crypto.randomUUID();
    assertProblem(await apis[0].order(idempotencyKey, AN_ORDER, { key }), 429, 'rate_limited');
    assert.deepEqual(await database.query('SELECT 1 FROM idempotency_keys WHERE key = $1', [idempotencyKey]), []);
    const { key: another } = await storeApiKey(database);
    assert.equal((await apis[0].order(idempotencyKey, AN_ORDER, { key: another })).headers.get('Idempotency-Replayed'), null);
  });

  it('costs statements by time and not by request, and forgets', async () => {
    const { key } = await storeApiKey(database);
    const idle = await startApiAlone(database.url, { ...LIMITS, RATE_LIMIT_PER_KEY: '1000000' });
    await Promise.all(Array.from({ length: 200 }, () => from(newAddress(), key, [idle, idle])));
    await idle.close();
    const rows = await database.query<{ hits: number }>(
      `SELECT hits FROM rate_limit_counts WHERE bucket = 'key:' || split_part($1, '_', 4)`,
      [key],
    );
    const counted = rows.reduce((sum, { hits }) => sum + hits, 0);
    // Where the minute turned meanwhile, what was not told of the last one does not matter any more.
    assert.ok(counted === 200 || rows.length === 2, `${counted} in ${rows.length} rows`);
    await database.query(`INSERT INTO rate_limit_counts VALUES ('key:old', 1, 1)`);
    const last = await startApiAlone(database.url, LIMITS);
    await from(newAddress(), key, [last, last]);
    await last.close();
    assert.deepEqual(await database.query(`SELECT 1 FROM rate_limit_counts WHERE bucket = 'key:old'`), []);
  });

  it('of 0 is none', async () => {
    const free = await startApiAlone(database.url, {
      ...LIMITS,
      RATE_LIMIT_PER_KEY: '0',
      RATE_LIMIT_PER_IP: '0',
      RATE_LIMIT_AUTH_FAILURES: '0',
    });
    const { key } = await storeApiKey(database);
    for (const [one, status] of [
      [key, 200],
      [await publishableKey(), 200],
      ['guess', 401],
    ] as const) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => from('203.0.113.250', one, [free, free])));
      assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [status]);
      assert.equal(answers[0]?.headers.get('RateLimit'), null);
    }
    await free.close();
  });
});
