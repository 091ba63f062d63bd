import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatApiKey, hashApiKey, type ParsedApiKey, parseApiKey } from './api-key.js';

const characters = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet.split('')), minLength, maxLength });
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const anyKey = fc.record({
  id: characters(LETTERS, 8, 32),
  audience: fc.constantFrom('publishable' as const, 'secret' as const),
  mode: fc.constantFrom('test' as const, 'live' as const),
});
const anySecret = characters(`${LETTERS}-_`, 22, 64);

const PARSED: ParsedApiKey = { id: '01h455vb', audience: 'secret', mode: 'test' };
const SECRET = 'AAAAAAAAAAAAAAAAAAAAAA';
/** crc32 of what stands before it, 0x27f4aa95, in base 62. */
const KEY = `oncepay_sk_test_01h455vb_${SECRET}0jMhaH`;

describe('an API key', () => {
  it('names its kind, mode and id, and ends in a checksum', () => {
    assert.equal(formatApiKey(PARSED, SECRET), KEY);
    assert.deepEqual(parseApiKey(KEY), PARSED);
    assert.match(formatApiKey({ ...PARSED, audience: 'publishable', mode: 'live' }, SECRET), /^oncepay_pk_live_01h455vb_/);
  });

  it('is read back as what it was made of, for every key', () => {
    fc.assert(
      fc.property(anyKey, anySecret, (parsed, secret) => assert.deepEqual(parseApiKey(formatApiKey(parsed, secret)), { ...parsed })),
    );
  });

  it('is refused before any lookup after one wrong character', () => {
    fc.assert(
      fc.property(anyKey, anySecret, fc.nat(), fc.constantFrom(...`${LETTERS}-_ `.split('')), (parsed, secret, place, character) => {
        const key = formatApiKey(parsed, secret);
        const index = place % key.length;
        fc.pre(key[index] !== character);
        assert.equal(parseApiKey(key.slice(0, index) + character + key.slice(index + 1)), null);
      }),
    );
  });

  it('is refused when its parts have other lengths or letters', () => {
    const odd = [
      '',
      'oncepay_',
      `sk_test_${SECRET}`,
      KEY.slice(1),
      KEY.slice(0, -1),
      `${KEY}\n`,
      ` ${KEY}`,
      KEY.toUpperCase(),
      formatApiKey({ ...PARSED, id: 'short12' }, SECRET),
      formatApiKey({ ...PARSED, id: 'x'.repeat(33) }, SECRET),
      formatApiKey({ ...PARSED, id: 'with_underscore' }, SECRET),
      formatApiKey(PARSED, 'A'.repeat(21)),
      formatApiKey(PARSED, 'A'.repeat(65)),
      formatApiKey(PARSED, `${SECRET}\u00e9`),
      'x'.repeat(1_000_000),
    ];
    for (const key of odd) assert.equal(parseApiKey(key), null, key.slice(0, 80));
  });

  it('never reads a text as a key that it would not write so', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `oncepay_sk_test_${text}`),
        ),
        (text) => assert.equal(parseApiKey(text), null),
      ),
    );
  });
});

describe('what is stored of an API key', () => {
  it('is a keyed hash, the same for the same key and pepper only', () => {
    const hash = hashApiKey(KEY, 'pepper');
    assert.equal(hash.toString('hex'), 'aa1bd6e1f270313e54918e454bd82f4e046a1d00828a7080daa55033b28bb904');
    assert.deepEqual(hashApiKey(KEY, 'pepper'), hash);
    assert.notDeepEqual(hashApiKey(KEY, 'other'), hash);
    assert.notDeepEqual(hashApiKey(`${KEY}x`, 'pepper'), hash);
  });
});
