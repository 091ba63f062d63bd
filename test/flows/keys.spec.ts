import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { developmentAccount, KEY_PEPPER, storeApiKey } from '../support/api-keys.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem, fieldsOf } from '../support/problem.js';
import { SECRET_KEYS } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);

let database: TestDatabase;
let api: ApiAlone;
/** Another process, as far as the database can tell. */
let other: ApiAlone;

before(async () => {
  database = await freshDatabase();
  [api, other] = await Promise.all([startApiAlone(database.url, { TRUSTED_PROXIES: '127.0.0.1' }), startApiAlone(database.url)]);
});
after(async () => {
  await Promise.all([api.close(), other.close()]);
  await database.drop();
});

const make = (traits: object, idempotencyKey = crypto.randomUUID(), key: string = SECRET_KEYS[0]): Promise<Answer> =>
  api.call('/v1/keys', { idempotencyKey, key, body: { name: 'of a test', ...traits } });
const keyIn = ({ json, text }: Answer): string => (typeof json['key'] === 'string' ? json['key'] : assert.fail(text));
const rotate = (id: unknown, body?: object, key: string = SECRET_KEYS[0]): Promise<Answer> =>
  api.call(`/v1/keys/${String(id)}/rotate`, { method: 'POST', idempotencyKey: crypto.randomUUID(), key, ...(body ? { body } : {}) });
const revoke = (id: unknown): Promise<Answer> => api.call(`/v1/keys/${String(id)}`, { method: 'DELETE' });
const statusBy = async (key: string, at = api, path = '/v1/prices'): Promise<number> => (await at.call(path, { key })).status;

describe('a new key', () => {
  it('is shown once, works in every process, and is stored as a hash alone', async () => {
    const idempotencyKey = crypto.randomUUID();
    const answer = await make({ kind: 'secret' }, idempotencyKey);
    const key = keyIn(answer);
    assert.equal(answer.status, 201);
    assert.match(key, /^oncepay_sk_test_[0-9a-f]{32}_[0-9A-Za-z]{38}$/);
    assert.deepEqual([await statusBy(key), await statusBy(key, other)], [200, 200]);

    const again = await make({ kind: 'secret' }, idempotencyKey);
    assert.deepEqual([again.status, again.json['key'], again.headers.get('Idempotency-Replayed')], [201, null, 'true']);
    assert.deepEqual({ ...again.json, key }, answer.json);
    const read = await api.call(answer.headers.get('Location') ?? '');
    assert.deepEqual({ ...read.json, key, lastUsedAt: null }, answer.json);
    const tables = await database.query<{ text: string }>(
      'SELECT k::text AS text FROM api_keys k UNION ALL SELECT i::text FROM idempotency_keys i',
    );
    assert.ok(tables.length >= 2);
    for (const { text } of tables) assert.ok(!text.includes(key.slice(-38)), text);
  });

  it('of each kind says so and can do what its kind can', async () => {
    const restricted = await make({ kind: 'restricted', scopes: ['orders:read'], ipRanges: ['127.0.0.0/8'] });
    assert.match(keyIn(restricted), /^oncepay_rk_test_/);
    assert.deepEqual(restricted.json['scopes'], ['orders:read']);
    assert.deepEqual([await statusBy(keyIn(restricted), api, '/v1/orders'), await statusBy(keyIn(restricted))], [200, 403]);

    const publishable = await make({ kind: 'publishable', origins: ['https://shop.example'] });
    assert.match(keyIn(publishable), /^oncepay_pk_test_/);
    assert.deepEqual([await statusBy(keyIn(publishable)), await statusBy(keyIn(publishable), api, '/v1/orders')], [200, 403]);
    assert.deepEqual([publishable.json['kind'], publishable.json['origins']], ['publishable', ['https://shop.example']]);
  });

  it('is made as if what is null were left out', async () => {
    const made = await make({ kind: 'secret', scopes: null, origins: null, ipRanges: null, expiresAt: null });
    const plain = await make({ kind: 'secret' });
    const own = { id: '', key: '', createdAt: '' };
    assert.deepEqual([made.status, { ...made.json, ...own }], [201, { ...plain.json, ...own }]);
    assert.equal((await rotate(made.json['id'], { overlapSeconds: null })).status, 201);
  });

  it('is found by the pattern that SECURITY.md publishes, and no key of Stripe is', async () => {
    const published = /`(\\b\(?oncepay_[^`]+)`/.exec(readFileSync(resolve(import.meta.dirname, '../../../SECURITY.md'), 'utf8'))?.[1] ?? '';
    const found = (text: string): readonly string[] => text.match(new RegExp(published, 'g')) ?? [];
    for (const traits of [
      { kind: 'secret' },
      { kind: 'restricted', scopes: ['ops'] },
      { kind: 'publishable', origins: ['https://a.example'] },
    ]) {
      const key = keyIn(await make(traits));
      assert.deepEqual(found(`{"apiKey":"${key}"}\nKEY=${key};`), [key, key]);
    }
    assert.deepEqual(found('sk_live_51abcdefghijklmnopqrstuvwxyz0123456789 oncepay_sk_test_short'), []);
  });

  const wrong: readonly (readonly [string, object])[] = [
    ['kind', { kind: 'root' }],
    ['name', { kind: 'secret', name: '' }],
    ['scopes', { kind: 'restricted' }],
    ['scopes', { kind: 'restricted', scopes: null }],
    ['scopes', { kind: 'restricted', scopes: ['orders:*'] }],
    ['scopes', { kind: 'secret', scopes: ['ops'] }],
    ['origins', { kind: 'publishable' }],
    ['origins', { kind: 'publishable', origins: null }],
    ['origins', { kind: 'publishable', origins: ['https://shop.example/'] }],
    ['origins', { kind: 'publishable', origins: ['*'] }],
    ['origins', { kind: 'secret', origins: ['https://shop.example'] }],
    ['ipRanges', { kind: 'secret', ipRanges: ['10.0.0.0/33'] }],
    ['ipRanges', { kind: 'publishable', origins: ['https://shop.example'], ipRanges: ['10.0.0.0/8'] }],
    ['expiresAt', { kind: 'secret', expiresAt: '2020-01-01T00:00:00Z' }],
    ['accountId', { kind: 'secret', accountId: developmentAccount(2) }],
  ];
  for (const [field, traits] of wrong) {
    it(`is refused for ${field} of ${JSON.stringify(traits)}`, async () => {
      const answer = await make(traits);
      assertProblem(answer, 400, 'validation_failed');
      assert.deepEqual([...new Set(fieldsOf(answer))], [field]);
    });
  }

  it('cannot have more scopes than the key that makes it, nor be had by rotating one that has', async () => {
    const { key } = await storeApiKey(database, { scopes: ['keys', 'orders:read'] });
    const strong = (await make({ kind: 'secret' })).json['id'];
    for (const refused of [
      await make({ kind: 'secret' }, crypto.randomUUID(), key),
      await make({ kind: 'restricted', scopes: ['orders:write'] }, crypto.randomUUID(), key),
      await rotate(strong, {}, key),
    ])
      assertProblem(refused, 403, 'forbidden');
    assert.equal((await make({ kind: 'restricted', scopes: ['orders:read'] }, crypto.randomUUID(), key)).status, 201);
    assert.equal((await api.call(`/v1/keys/${String(strong)}`)).json['expiresAt'], null);
  });
});

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

describe('npm run keys', () => {
  const PROGRAM = resolve(import.meta.dirname, '../../tools/keys.js');
  // To load what the program needs takes longer than all of these commands. Evaluated, it finds them without a script before them.
  const ONE_AFTER_ANOTHER = `for (const [index, words] of JSON.parse(process.argv[1]).entries()) {
    process.argv.splice(1, Infinity, ...words);
    await import(\`${PROGRAM}?\${index}\`);
  }`;

  const node = (...words: readonly string[]): Promise<Printed> => {
    const env = { ...process.env, DATABASE_URL: database.url, ONCEPAY_KEY_PEPPER: KEY_PEPPER, STRIPE_SECRET_KEY: 'sk_test_of_no_account' };
    return run(process.execPath, words, { env, encoding: 'utf8' });
  };

  it('makes the first key of an installation', async () => {
    const { stdout } = await node(PROGRAM, 'make', '--kind', 'secret', '--name', 'first');
    const [key = ''] = /oncepay_sk_test_\S+/.exec(stdout) ?? [];
    assert.equal(await statusBy(key), 200);
  });

  it('rotates, lists, revokes, and says what is wrong', async () => {
    const [old, ended] = await Promise.all([make({ kind: 'secret' }), make({ kind: 'secret' })]);
    const commands = [
      ['rotate', String(old.json['id']), '--overlap', '0'],
      ['list'],
      ['revoke', String(ended.json['id'])],
      ['make', '--kind', 'restricted', '--name', 'x'],
    ];
    const { code, stdout, stderr } = await node('--input-type=module', '--eval', ONE_AFTER_ANOTHER, JSON.stringify(commands)).then(
      (printed) => ({ ...printed, code: 0 }),
      (failed: Printed & { readonly code: number }) => failed,
    );
    assert.equal(code, 1, 'what is wrong fails the command');
    const [next = ''] = /oncepay_sk_test_\S+/.exec(stdout) ?? [];
    assert.deepEqual([await statusBy(keyIn(old)), await statusBy(next), await statusBy(keyIn(ended))], [401, 200, 401]);
    const [, list = ''] = stdout.split('the only time the key is shown.');
    assert.match(list, new RegExp(`│.*${String(old.json['id'])}`));
    assert.match(stderr, /scopes must be given of a restricted key/);
  });
});

describe('a key', () => {
  it('goes on beside its successor for as long as was said, and idempotency keys are of both', async () => {
    const old = await make({ kind: 'restricted', scopes: ['orders:write', 'orders:read'] });
    const ordered = await api.order('over-a-rotation', ORDER, { key: keyIn(old) });
    const rotated = await rotate(old.json['id'], { overlapSeconds: 3_600 });
    assert.deepEqual([rotated.status, rotated.json['replaces'], rotated.json['scopes']], [201, old.json['id'], old.json['scopes']]);
    assert.notEqual(keyIn(rotated), keyIn(old));
    for (const key of [keyIn(old), keyIn(rotated)]) assert.equal(await statusBy(key, other, '/v1/orders'), 200);
    assert.equal((await api.order('over-a-rotation', ORDER, { key: keyIn(rotated) })).text, ordered.text);

    const ending = new Date(String((await api.call(`/v1/keys/${String(old.json['id'])}`)).json['expiresAt']));
    assert.ok(Math.abs(ending.getTime() - Date.now() - 3_600_000) < 60_000);
    const third = await rotate(rotated.json['id'], { overlapSeconds: 0 });
    assert.deepEqual([await statusBy(keyIn(rotated), api, '/v1/orders'), await statusBy(keyIn(third), api, '/v1/orders')], [401, 200]);
    assertProblem(await rotate(rotated.json['id']), 404, 'not_found');
    assertProblem(await rotate(old.json['id'], { overlapSeconds: -1 }), 400, 'validation_failed');
  });

  it('opens nothing in any process once it is revoked, not even a replay', async () => {
    const made = await make({ kind: 'secret' });
    const key = keyIn(made);
    await api.order('before-the-end', ORDER, { key });
    assert.equal(await statusBy(key, other), 200);
    const ended = await revoke(made.json['id']);
    assert.equal(ended.status, 200);
    assert.deepEqual([await statusBy(key), await statusBy(key, other)], [401, 401]);
    assertProblem(await api.order('before-the-end', ORDER, { key }), 401, 'unauthenticated');
    assert.deepEqual((await revoke(made.json['id'])).json, {
      ...ended.json,
      lastUsedAt: (await revoke(made.json['id'])).json['lastUsedAt'],
    });
  });

  it('opens nothing that begins after its revocation was answered, while both processes are busy with it', async () => {
    const made = await make({ kind: 'secret' });
    const asked: { readonly begunAt: number; readonly status: number }[] = [];
    const over = new AbortController();
    const busy = [api, other, api, other].map(async (at) => {
      while (!over.signal.aborted) {
        const begunAt = performance.now();
        asked.push({ begunAt, status: await statusBy(keyIn(made), at) });
      }
    });
    await waitFor('both to be busy', () => asked.length > 8);
    assert.equal((await revoke(made.json['id'])).status, 200);
    const endedAt = performance.now();
    const later = (): typeof asked => asked.filter(({ begunAt }) => begunAt > endedAt);
    await waitFor('requests after it', () => later().length > 8);
    over.abort();
    await Promise.all(busy);
    assert.deepEqual([asked[0]?.status, ...new Set(later().map(({ status }) => status))], [200, 401]);
  });

  it('is told at which address to read of a problem by the proxy alone', async () => {
    const typeFrom = async (at: ApiAlone): Promise<string> =>
      String((await at.call('/v1/nothing', { headers: { 'X-Forwarded-Proto': 'https' } })).json['type']);
    assert.match(await typeFrom(api), /^https:/);
    assert.match(await typeFrom(other), /^http:/, 'no proxy is trusted here');
  });

  it('with addresses is refused from others, whatever a stranger claims to come from', async () => {
    const made = await make({ kind: 'restricted', scopes: ['prices:read'], ipRanges: ['203.0.113.0/24', '2001:db8::/32'] });
    const from = async (address: string, at: ApiAlone): Promise<number> =>
      (await at.call('/v1/prices', { key: keyIn(made), headers: { 'X-Forwarded-For': address } })).status;
    for (const [address, status] of [
      ['203.0.113.7', 200],
      ['2001:db8::7', 200],
      ['203.0.114.7', 403],
      // The address nearest to the proxy is the one it saw.
      ['203.0.113.7, 198.51.100.1', 403],
    ] as const)
      assert.equal(await from(address, api), status, address);
    assert.equal(await from('203.0.113.7', other), 403, 'no proxy is trusted here');
  });

  it('is listed without itself, and to its own account only', async () => {
    const made = await make({ kind: 'secret', name: 'to be listed' });
    const { text } = await api.call('/v1/keys');
    assert.ok(text.includes('to be listed') && !text.includes(keyIn(made)));
    assert.equal(JSON.parse(text).data[0].id, made.json['id']);
    assert.ok(!(await api.call('/v1/keys', { key: SECRET_KEYS[1] })).text.includes(String(made.json['id'])));
    for (const method of ['GET', 'DELETE'])
      assertProblem(await api.call(`/v1/keys/${String(made.json['id'])}`, { method, key: SECRET_KEYS[1] }), 404, 'not_found');
  });

  // The last: uses are written down some seconds late, and the other tests take as long.
  it('is known by when it was last used', async () => {
    const made = await make({ kind: 'secret' });
    await other.call('/v1/prices', { key: keyIn(made) });
    await waitFor(
      'its use to be noted',
      async () => (await api.call(`/v1/keys/${String(made.json['id'])}`)).json['lastUsedAt'] !== null,
      60_000,
    );
  });
});

const ORDER = { currency: 'usd', items: [{ name: 'T-shirt', unitAmount: 2_000, quantity: 1 }] };
