import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type CryptoKey, generateKeyPair, UnsecuredJWT } from 'jose';
import { developmentAccount } from '../support/api-keys.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, SECRET_KEYS } from '../support/stack.js';
import { type Deviation, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.js';

let database: TestDatabase;
let issuer: TokenIssuer;
let api: ApiAlone;
let stranger: CryptoKey;

before(async () => {
  stranger = (await generateKeyPair('ES256')).privateKey;
  issuer = await startTokenIssuer();
  database = await freshDatabase();
  api = await startApiAlone(database.url, issuer.settings);
});
after(async () => {
  issuer.close();
  await api.close();
  await database.drop();
});

const nowSeconds = (): number => Math.floor(Date.now() / 1_000);
const token = (deviation: Deviation = {}): Promise<string> => issuer.token(deviation);
const challengeIn = ({ headers }: Answer): string | null => headers.get('WWW-Authenticate');
const listBy = async (key: string, at = api): Promise<Answer> => at.call('/v1/orders', { key });

describe('an access token of the configured issuer', () => {
  it("speaks for its account with its scopes, and shares the account's idempotency keys", async () => {
    const key = crypto.randomUUID();
    const ordered = await api.order(key, AN_ORDER, { key: await token() });
    assert.equal(ordered.status, 201, ordered.text);
    assert.equal((await api.order(key, AN_ORDER)).text, ordered.text);
    const { text } = await listBy(await token());
    assert.ok(text.includes(String(ordered.json['id'])));
    const lacking = await api.call('/v1/prices', { key: await token() });
    assertProblem(lacking, 403, 'forbidden');
    assert.equal(challengeIn(lacking), 'Bearer realm="oncepay", error="insufficient_scope", scope="prices:read"');
    const elsewhere = await listBy(await token({ claims: { account: developmentAccount(2) } }));
    assert.deepEqual([elsewhere.status, elsewhere.json['data']], [200, []]);
  });

  it('may name several audiences, and come from a clock that is a little off', async () => {
    for (const claims of [{ aud: ['https://other.example', 'https://pay.example'] }, { exp: nowSeconds() - 2 }, { nbf: nowSeconds() + 2 }])
      assert.equal((await listBy(await token({ claims }))).status, 200, JSON.stringify(claims));
    assert.equal((await listBy(await token({ header: { typ: 'application/at+jwt' } }))).status, 200);
  });

  const refused: readonly (readonly [string, () => Promise<string>])[] = [
    ...['iss', 'aud', 'exp', 'sub', 'client_id', 'iat', 'jti', 'account'].map(
      (name) => [`has no ${name}`, () => token({ without: name })] as const,
    ),
    ['has expired', () => token({ claims: { exp: nowSeconds() - 60 } })],
    ['is not valid yet', () => token({ claims: { nbf: nowSeconds() + 60 } })],
    ['is of another issuer', () => token({ claims: { iss: 'https://evil.example' } })],
    ['is for another audience', () => token({ claims: { aud: 'https://other.example' } })],
    ['names an account that is none', () => token({ claims: { account: "1' OR '1'='1" } })],
    ['is an ID token', () => token({ header: { typ: 'JWT' } })],
    ['does not say what it is', () => token({ header: { typ: undefined } })],
    ['is signed by a stranger', () => token({ key: stranger })],
    [
      'brings its own key',
      async () => token({ key: stranger, header: { jwk: JSON.parse(issuer.publicKey), jku: 'https://evil.example/keys' } }),
    ],
    ['names a key that is not there', () => token({ header: { kid: '../../one' } })],
    ['must be understood in a way we do not', () => token({ header: { crit: ['odd'], odd: 1 } })],
    ['is signed with what everybody can read', () => token({ header: { alg: 'HS256' }, key: new TextEncoder().encode(issuer.publicKey) })],
    ['is not signed', async () => new UnsecuredJWT(issuer.payload()).encode()],
    [
      'was changed',
      async () =>
        (await token()).replace(
          /\.[^.]+\./,
          (claims) =>
            `.${Buffer.from(JSON.stringify(issuer.payload({ claims: { sub: 'root' } }))).toString('base64url')}${claims.slice(-1)}`,
        ),
    ],
    ['has expired longer ago than clocks differ', () => token({ claims: { exp: nowSeconds() - 8 } })],
    ['begins later than clocks differ', () => token({ claims: { nbf: nowSeconds() + 8 } })],
    ['names a key by what a database would run', () => token({ header: { kid: "' OR '1'='1" } })],
    ['is huge', () => token({ key: stranger, claims: { padding: 'x'.repeat(9_000) } })],
    ['is encrypted', async () => `${(await token()).split('.')[0]}.bm8.bm8.bm8.bm8`],
    ['is no token', async () => 'eyJhbGciOiJFUzI1NiJ9.bm8.bm8'],
  ];
  for (const [what, make] of refused) {
    it(`is refused when it ${what}`, async () => {
      const answer = await listBy(await make());
      assertProblem(answer, 401, 'unauthenticated');
      assert.equal(challengeIn(answer), 'Bearer realm="oncepay", error="invalid_token"');
    });
  }

  it('that names keys nobody knows makes us ask the issuer once, however many there are', async () => {
    await listBy(await token());
    const before = issuer.timesAsked;
    const made = await Promise.all(Array.from({ length: 30 }, () => token({ header: { kid: crypto.randomUUID() } })));
    for (const one of made) assertProblem(await listBy(one), 401, 'unauthenticated');
    assert.ok(issuer.timesAsked - before <= 1, `asked ${issuer.timesAsked - before} times`);
  });

  it('is a 503 while the issuer cannot be asked, and API keys work on', async () => {
    issuer.isUp = false;
    const fresh = await startApiAlone(database.url, issuer.settings);
    const answer = await listBy(await token(), fresh);
    const byKey = await listBy(SECRET_KEYS[0], fresh);
    issuer.isUp = true;
    const again = await listBy(await token(), fresh);
    await fresh.close();
    assertProblem(answer, 503, 'unavailable');
    assert.deepEqual([byKey.status, again.status], [200, 200]);
  });

  it('is nothing to an API without an issuer', async () => {
    const without = await startApiAlone(database.url);
    assertProblem(await listBy(await token(), without), 401, 'unauthenticated');
    await without.close();
  });
});
