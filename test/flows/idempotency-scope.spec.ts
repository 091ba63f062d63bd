import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { developmentAccount, storeApiKey } from '../support/api-keys.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { PUBLISHABLE_KEYS, SECRET_KEYS } from '../support/stack.js';

/** Anyone of an account may order it: it names a price of the catalogue and no amount. */
const ORDER = { currency: 'usd', items: [{ price: 'tshirt', quantity: 2 }] };

let database: TestDatabase;
let api: ApiAlone;

before(async () => {
  database = await freshDatabase();
  api = await startApiAlone(database.url);
  for (const key of SECRET_KEYS) {
    const answer = await api.call('/v1/prices/tshirt', {
      method: 'PUT',
      key,
      body: { name: 'T-shirt', currency: 'usd', unitAmount: 2_000 },
    });
    assert.equal(answer.status, 200);
  }
});
after(async () => {
  await api.close();
  await database.drop();
});

const newKey = (): string => crypto.randomUUID();
const orderBy = (key: string, idempotencyKey: string, body: object = ORDER): Promise<Answer> => api.order(idempotencyKey, body, { key });
const isReplay = ({ headers }: Answer): boolean => headers.get('Idempotency-Replayed') === 'true';

function assertSameOrder(first: Answer, again: Answer): void {
  assert.deepEqual([again.status, again.text, isReplay(again)], [201, first.text, true]);
}

function assertTwoOrders(one: Answer, two: Answer): void {
  assert.deepEqual([one.status, two.status, isReplay(one), isReplay(two)], [201, 201, false, false], `${one.text} ${two.text}`);
  assert.notEqual(one.json['id'], two.json['id']);
}

describe('one Idempotency-Key', () => {
  it('of two accounts is two orders, and each gets its own again', async () => {
    const key = newKey();
    const [one, two] = [await orderBy(SECRET_KEYS[0], key), await orderBy(SECRET_KEYS[1], key)];

    assertTwoOrders(one, two);
    assertSameOrder(one, await orderBy(SECRET_KEYS[0], key));
    assertSameOrder(two, await orderBy(SECRET_KEYS[1], key));
  });

  it('of two accounts is two orders when both come at once', async () => {
    const key = newKey();
    const [one, two] = await Promise.all([orderBy(SECRET_KEYS[0], key), orderBy(SECRET_KEYS[1], key)]);
    assertTwoOrders(one, two);
  });

  it('never tells one account that another used it for another request', async () => {
    const key = newKey();
    await orderBy(SECRET_KEYS[0], key);
    const other = await orderBy(SECRET_KEYS[1], key, { ...ORDER, reference: 'other' });
    assert.deepEqual([other.status, isReplay(other)], [201, false]);
  });

  it('of a publishable and a secret key of one account is two orders, and each gets its own again', async () => {
    const key = newKey();
    const [browser, server] = [await orderBy(PUBLISHABLE_KEYS[0], key), await orderBy(SECRET_KEYS[0], key)];

    assertTwoOrders(browser, server);
    assertSameOrder(browser, await orderBy(PUBLISHABLE_KEYS[0], key));
    assertSameOrder(server, await orderBy(SECRET_KEYS[0], key));
  });

  it('of two API keys of one account and audience is one order', async () => {
    const key = newKey();
    const [one, two] = [await storeApiKey(database), await storeApiKey(database)];
    const first = await orderBy(one.key, key);

    assertSameOrder(first, await orderBy(two.key, key));
    assertSameOrder(first, await orderBy(SECRET_KEYS[0], key));
    const other = await orderBy(two.key, key, { ...ORDER, reference: 'other' });
    assert.deepEqual([other.status, other.json['code']], [422, 'idempotency_key_reused']);
  });

  it('of two publishable keys of one account is one order', async () => {
    const key = newKey();
    const { key: another } = await storeApiKey(database, { audience: 'publishable' });
    assertSameOrder(await orderBy(PUBLISHABLE_KEYS[0], key), await orderBy(another, key));
  });
});

describe('an API key that is rotated in the middle of a retry', () => {
  it('leaves the retry a retry: the new key gets the order of the old one', async () => {
    const key = newKey();
    const [old, fresh] = [await storeApiKey(database), await storeApiKey(database)];
    const first = await orderBy(old.key, key);
    await database.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [old.id]);

    const refused = await orderBy(old.key, key);
    assert.deepEqual([refused.status, refused.json['code'], isReplay(refused)], [401, 'unauthenticated', false]);
    assertSameOrder(first, await orderBy(fresh.key, key));
  });

  it('replays nothing once it is revoked, expired, or lacks the scope', async () => {
    const key = newKey();
    const { id, key: apiKey } = await storeApiKey(database);
    const first = await orderBy(apiKey, key);
    const states: readonly (readonly [string, number])[] = [
      [`revoked_at = now()`, 401],
      [`revoked_at = NULL, expires_at = now()`, 401],
      [`expires_at = NULL, scopes = '{orders:read}'`, 403],
    ];
    for (const [state, status] of states) {
      await database.query(`UPDATE api_keys SET ${state} WHERE id = $1`, [id]);
      const refused = await orderBy(apiKey, key);
      assert.equal(refused.status, status, state);
      assert.ok(!refused.text.includes(String(first.json['id'])));
    }
    await database.query(`UPDATE api_keys SET scopes = '{orders:write}', revoked_at = now() + interval '1 hour' WHERE id = $1`, [id]);
    assertSameOrder(first, await orderBy(apiKey, key));
  });

  it('cannot be guessed from its id: another secret under the same id is not known', async () => {
    const [mine, other] = [await storeApiKey(database), await storeApiKey(database, { accountId: developmentAccount(2) })];
    await database.query('DELETE FROM api_keys WHERE id = $1', [mine.id]);
    await database.query('UPDATE api_keys SET id = $1 WHERE id = $2', [mine.id, other.id]);
    assert.equal((await orderBy(mine.key, newKey())).status, 401);
  });
});

describe('the Idempotency-Key of a publishable caller', () => {
  for (const [value, status] of [
    ['k'.repeat(21), 400],
    [`"${'k'.repeat(20)}"`, 400],
    [`"${'k'.repeat(20)}\\""`, 400],
    ['k'.repeat(22), 201],
    [`"${'q'.repeat(22)}"`, 201],
  ] as const) {
    it(`of ${value.length} characters as sent (${value.slice(0, 3)}…) is answered ${status}`, async () => {
      const answer = await orderBy(PUBLISHABLE_KEYS[0], value);
      assert.equal(answer.status, status, answer.text);
      if (status === 400) assert.equal(answer.json['code'], 'idempotency_key_invalid');
    });
  }

  it('may be as short as it likes with a secret key', async () => {
    assert.equal((await orderBy(SECRET_KEYS[0], 'short')).status, 201);
  });
});
