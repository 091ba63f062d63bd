import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Controller, Get, Module } from '@nestjs/common';
import { createLogger } from '#libs/telemetry';
import { createApi } from '../../apps/api/src/api.js';
import { ApiModule } from '../../apps/api/src/api.module.js';
import { SCOPES } from '../../apps/api/src/callers/caller.js';
import { developmentAccount, storeApiKey } from '../support/api-keys.js';
import { type ApiAlone, configAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer, call } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, SECRET_KEYS } from '../support/stack.js';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.js';

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

/** What anybody may have, and nothing else: a route is public only by being named here too. */
const PUBLIC = [
  'GET /',
  'GET /docs',
  'GET /health/backlog',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /openapi.json',
  'GET /problems/:code',
  // Where there are development keys.
  'GET /shop',
  'GET /shop/modules/:client/src/:file',
  'GET /shop/page.css',
  // By its signature alone.
  'POST /webhooks/stripe',
];
const isPublic = ({ scope }: Operation): boolean => scope === 'public';

let database: TestDatabase;
let issuer: TokenIssuer;
let api: ApiAlone;
/** Of the first account. */
let mine: Readonly<Record<'order' | 'key' | 'operation', string>>;
const keys = new Map<string, string>();

before(async () => {
  database = await freshDatabase();
  issuer = await startTokenIssuer();
  api = await startApiAlone(database.url, issuer.settings);
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
  const token = (claims: object): Promise<string> => issuer.token({ claims: { scope: SCOPES.join(' '), ...claims } });
  keys.set('token for another audience', await token({ aud: 'https://other.example' }));
  keys.set('expired token', await token({ exp: Math.floor(Date.now() / 1_000) - 60 }));
  keys.set('token of another account', await token({ account: developmentAccount(2) }));
  for (const scope of SCOPES) {
    keys.set(`token with only ${scope}`, await token({ scope }));
    keys.set(`token with all but ${scope}`, await token({ scope: SCOPES.filter((one) => one !== scope).join(' ') }));
    keys.set(`only ${scope}`, (await storeApiKey(database, { scopes: [scope] })).key);
    keys.set(`all but ${scope}`, (await storeApiKey(database, { scopes: SCOPES.filter((one) => one !== scope) })).key);
  }
});
after(async () => {
  issuer.close();
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
  return key === undefined ? call(`${api.url}${to}`, { method }) : api.call(to, { ...options, key });
}

const keyOf = (name: string): string => keys.get(name) ?? assert.fail(name);

/** Who is nobody, whatever they send. */
const NOBODY = ['revoked', 'expired', 'of the other mode', 'unknown', 'token for another audience', 'expired token'];

describe('every route of the API', () => {
  it('declares who may use it, and is public only if it is meant to be', () => {
    const routes = [...api.routes.all].filter(([route]) => !route.startsWith('HEAD '));
    assert.deepEqual(
      routes
        .filter(([, { scope }]) => scope === 'public')
        .map(([route]) => route)
        .toSorted(),
      PUBLIC,
    );
    const documented = new Set(OPERATIONS.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`));
    assert.deepEqual(
      routes
        .filter(([route]) => !documented.has(route))
        .map(([route]) => route)
        .toSorted(),
      PUBLIC.filter((route) => route === 'GET /' || route.startsWith('GET /shop')),
      'the OpenAPI document does not have them',
    );
  });

  it('or the API does not start', async () => {
    @Controller('v1/undeclared')
    class Undeclared {
      @Get()
      read(): string {
        return 'whoever asks';
      }
    }
    Module({ controllers: [Undeclared] })(ApiModule);
    try {
      await assert.rejects(createApi(configAlone(database.url), createLogger('test', 'silent')), /GET \/v1\/undeclared declares no policy/);
    } finally {
      Reflect.deleteMetadata('controllers', ApiModule);
    }
  });
});

describe('every operation of the API', () => {
  it('declares the scope it needs', () => {
    assert.ok(OPERATIONS.length >= 15);
    for (const { method, path, scope } of OPERATIONS)
      assert.ok(scope === 'public' || SCOPES.some((known) => known === scope), `${method} ${path}: ${scope}`);
  });

  for (const operation of OPERATIONS.filter(isPublic)) {
    it(`${operation.method} ${operation.path} is open to everybody, and looks at no key`, async () => {
      const { status } = await send(operation, undefined);
      assert.ok(![401, 403].includes(status) && status < 500, String(status));
      for (const caller of NOBODY) assert.equal((await send(operation, keyOf(caller))).status, status, caller);
    });
  }

  for (const operation of OPERATIONS.filter((each) => !isPublic(each))) {
    const { method, path, scope, secretOnly } = operation;
    it(`${method} ${path} is open to callers with ${scope} and to nobody else`, async () => {
      for (const caller of [undefined, ...NOBODY.map(keyOf)]) assertProblem(await send(operation, caller), 401, 'unauthenticated');

      for (const caller of [`all but ${scope}`, `token with all but ${scope}`]) {
        const lacking = await send(operation, keyOf(caller));
        assertProblem(lacking, 403, 'forbidden');
        assert.ok(String(lacking.json['detail']).includes(scope));
        assert.equal(lacking.headers.get('WWW-Authenticate'), `Bearer realm="oncepay", error="insufficient_scope", scope="${scope}"`);
      }
      const publishable = await send(operation, keyOf('publishable'));
      if (secretOnly) assertProblem(publishable, 403, 'forbidden');
      else assert.ok(![401, 403].includes(publishable.status) && publishable.status < 500, publishable.text);

      const isOne = path.includes('{');
      for (const caller of ['another account', 'token of another account']) {
        const theirs = await send(operation, keyOf(caller));
        if (isOne && method !== 'PUT') assertProblem(theirs, 404, 'not_found');
        else
          assert.ok(
            ![401, 403].includes(theirs.status) && !theirs.text.includes(mine.order) && !theirs.text.includes(mine.key),
            theirs.text,
          );
      }

      // Last, as it may end what it is sent to.
      for (const caller of [`only ${scope}`, `token with only ${scope}`]) {
        const allowed = await send(operation, keyOf(caller));
        assert.ok(![401].includes(allowed.status) && allowed.status < 500, allowed.text);
        if (allowed.status === 403) assert.match(String(allowed.json['detail']), /cannot give scopes/);
      }
      if (path.startsWith('/v1/orders/{id}') && method === 'GET') assert.equal((await send(operation, SECRET_KEYS[0])).status, 200);
    });
  }
});
