import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type IdPrefix, publicId, systemEntropy, uuidOf } from './ids.js';

const PREFIXES: readonly IdPrefix[] = ['ord', 'pay', 'ref', 'op', 'oev', 'rec', 'aud'];
/** Any UUIDv7, the only version we make. */
const anyUuid = fc.uuid({ version: 7 });
const anyPrefix = fc.constantFrom(...PREFIXES);
/** The reference pair of the TypeID specification, valid.json. */
const UUID = '01890a5d-ac96-774b-bcce-b302099a8057';
const SUFFIX = '01h455vb4pex5vsknk084sn02q';

describe('a public id', () => {
  it('is the TypeID of its database id', () => {
    assert.equal(publicId('ord', UUID), `ord_${SUFFIX}`);
    assert.equal(uuidOf('ord', `ord_${SUFFIX}`), UUID);
  });

  it('leads back to the id it was made of, for every id', () => {
    fc.assert(fc.property(anyPrefix, anyUuid, (prefix, uuid) => assert.equal(uuidOf(prefix, publicId(prefix, uuid)), uuid)));
  });

  it('sorts as its database id does', () => {
    fc.assert(fc.property(anyUuid, anyUuid, (a, b) => assert.equal(publicId('ord', a) < publicId('ord', b), a < b)));
  });

  it('is of one kind: with another prefix, or none, it names nothing', () => {
    for (const prefix of PREFIXES) {
      for (const other of PREFIXES) assert.equal(uuidOf(prefix, `${other}_${SUFFIX}`), prefix === other ? UUID : null);
      assert.equal(uuidOf(prefix, SUFFIX), null);
      assert.equal(uuidOf(prefix, `_${SUFFIX}`), null);
    }
  });

  it('has one spelling: capitals, look-alikes, other lengths and an overflow name nothing', () => {
    const wrong = [
      '',
      'ord_',
      `ORD_${SUFFIX}`,
      `ord_${SUFFIX.toUpperCase()}`,
      `ord_${SUFFIX.replace('1', 'i')}`,
      `ord_${SUFFIX.replace('0', 'o')}`,
      `ord_${SUFFIX.slice(1)}`,
      `ord_${SUFFIX}0`,
      `ord_8${SUFFIX.slice(1)}`,
      `ord_${'z'.repeat(26)}`,
      ` ord_${SUFFIX}`,
      `ord_${SUFFIX} `,
      `ord_${SUFFIX}\n`,
      `ord__${SUFFIX}`,
      `ord_ord_${SUFFIX}`,
      `ord_${UUID}`,
      UUID,
      "ord_' OR 1=1 --",
      `ord_${'0'.repeat(100_000)}`,
    ];
    for (const id of wrong) assert.equal(uuidOf('ord', id), null, JSON.stringify(id.slice(0, 60)));
  });

  it('is never read from a text that it would not be written as', () => {
    fc.assert(
      fc.property(
        anyPrefix,
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `ord_${text}`),
          fc.stringMatching(/^ord_[0-9a-z]{26}$/),
        ),
        (prefix, text) => {
          const uuid = uuidOf(prefix, text);
          if (uuid !== null) assert.equal(publicId(prefix, uuid), text);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('the source of ids and chance', () => {
  it('makes ids that grow, so that newest first is an order by id', () => {
    const ids = Array.from({ length: 1_000 }, () => systemEntropy.uuid());
    assert.deepEqual([...ids].sort(), ids);
    assert.equal(new Set(ids).size, ids.length);
    assert.match(ids[0] ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('makes secrets of as many bytes as asked for, fit for a URL, never twice the same', () => {
    const secrets = Array.from({ length: 1_000 }, () => systemEntropy.secret(16));
    assert.equal(new Set(secrets).size, secrets.length);
    for (const secret of secrets) assert.match(secret, /^[A-Za-z0-9_-]{22}$/);
    assert.equal(systemEntropy.secret(32).length, 43);
  });
});
