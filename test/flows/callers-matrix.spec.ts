import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SCOPES } from '../../apps/api/src/callers/caller.js';
import { developmentAccount, storeApiKey } from '../support/api-keys.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, SECRET_KEYS } from '../support/stack.js';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly scope: string;
  readonly secretOnly: boolean;
}

/** Every operation of the committed description with what it declares to need. */
const OPERATIONS: readonly Operation[] = Object.entries<Record<string, Record<string, unknown>>>(
  JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../openapi.json'), 'utf8')).paths,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, declared]) => ({
    method: method.toUpperCase(),
    path,
    scope: String(declared['x-oncepay-scope']),
    secretOnly: declared['x-oncepay-secret-only'] === true,
  })),
);

let database: TestDatabase;
let api: ApiAlone;
/** Of the first account. */
let mine: Readonly<Record<'order' | 'key' | 'operation', string>>;
const keys = new Map<string, string>();

before(async () => {
  database = await freshDatabase();
  api = await startApiAlone(database.url);
  const order = String((await api.order(crypto.randomUUID(), AN_ORDER)).json['id']);
  const key = String((await api.call('/v1/keys', { idempotencyKey: crypto.randomUUID(), body: { kind: 'secret', name: 'x' } })).json['id']);
  mine = { order, key, operation: `op_${order.slice(4)}` };
  const revoked = await storeApiKey(database);
  await database.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [revoked.id]);
  keys.set('revoked', revoked.key);
  keys.set('expired', (await storeApiKey(database, { expiresAt: new Date(Date.now() - 1_000) })).key);
  keys.set('of the other mode', (await storeApiKey(database, { mode: 'live' })).key);
  keys.set('unknown', 'oncepay_sk_test_unknown');
  keys.set('another account', (await storeApiKey(database, { accountId: developmentAccount(2) })).key);
  keys.set('publishable', (await storeApiKey(database, { audience: 'publishable' })).key);
  for (const scope of SCOPES) {
    keys.set(`only ${scope}`, (await storeApiKey(database, { scopes: [scope] })).key);
    keys.set(`all but ${scope}`, (await storeApiKey(database, { scopes: SCOPES.filter((one) => one !== scope) })).key);
  }
});
after(async () => {
  await api.close();
  await database.drop();
});

function send({ method, path }: Operation, key: string | undefined): Promise<Answer> {
  const id = path.includes('/keys/') ? mine.key : path.includes('/orders/') ? mine.order : mine.operation;
  const options = {
    method,
    idempotencyKey: crypto.randomUUID(),
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: path.endsWith('/pay') ? { paymentMethod: 'pm_card_visa' } : {} }),
  };
  const to = path.replace(/\{\w+\}/, id);
  return key === undefined ? fetchWithout(to, method) : api.call(to, { ...options, key });
}

async function fetchWithout(path: string, method: string): Promise<Answer> {
  const response = await fetch(`${api.url}${path}`, { method });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

const keyOf = (name: string): string => keys.get(name) ?? assert.fail(name);

describe('every operation of the API', () => {
  it('declares the scope it needs', () => {
    assert.ok(OPERATIONS.length >= 15);
    for (const { method, path, scope } of OPERATIONS)
      assert.ok(
        SCOPES.some((known) => known === scope),
        `${method} ${path}: ${scope}`,
      );
  });

  for (const operation of OPERATIONS) {
    const { method, path, scope, secretOnly } = operation;
    it(`${method} ${path} is open to callers with ${scope} and to nobody else`, async () => {
      for (const caller of [undefined, 'revoked', 'expired', 'of the other mode', 'unknown'])
        assertProblem(await send(operation, caller === undefined ? undefined : keyOf(caller)), 401, 'unauthenticated');

      const lacking = await send(operation, keyOf(`all but ${scope}`));
      assertProblem(lacking, 403, 'forbidden');
      assert.ok(String(lacking.json['detail']).includes(scope));
      assert.equal(lacking.headers.get('WWW-Authenticate'), `Bearer realm="oncepay", error="insufficient_scope", scope="${scope}"`);
      const publishable = await send(operation, keyOf('publishable'));
      if (secretOnly) assertProblem(publishable, 403, 'forbidden');
      else assert.ok(![401, 403].includes(publishable.status) && publishable.status < 500, publishable.text);

      const isOne = path.includes('{');
      const theirs = await send(operation, keyOf('another account'));
      if (isOne && method !== 'PUT') assertProblem(theirs, 404, 'not_found');
      else
        assert.ok(![401, 403].includes(theirs.status) && !theirs.text.includes(mine.order) && !theirs.text.includes(mine.key), theirs.text);

      // Last, as it may end what it is sent to.
      const allowed = await send(operation, keyOf(`only ${scope}`));
      assert.ok(![401].includes(allowed.status) && allowed.status < 500, allowed.text);
      if (allowed.status === 403) assert.match(String(allowed.json['detail']), /cannot give scopes/);
      if (path.startsWith('/v1/orders/{id}') && method === 'GET') assert.equal((await send(operation, SECRET_KEYS[0])).status, 200);
    });
  }
});
