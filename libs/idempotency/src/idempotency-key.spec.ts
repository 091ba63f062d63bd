import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DomainError } from '#libs/primitives';
import { fingerprintOf, parseIdempotencyKey } from './idempotency-key.js';

const parse = (...values: readonly string[]): string => parseIdempotencyKey(values, 'secret');

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return assert.fail('the key was taken');
}

const quoted = (key: string): string => `"${key.replace(/[\\"]/g, '\\$&')}"`;

/** Every visible character of ASCII: U+0021 to U+007E. */
const VISIBLE = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index));

describe('an idempotency key', () => {
  it('is missing when the header was not sent', () => {
    assert.equal(
      refusalOf(() => parse()),
      'idempotency_key_missing',
    );
  });

  it('is refused when the header was sent more than once, the same value included', () => {
    assert.equal(
      refusalOf(() => parse('a', 'b')),
      'idempotency_key_invalid',
    );
    assert.equal(
      refusalOf(() => parse('a', 'a')),
      'idempotency_key_invalid',
    );
  });

  it('has 1 to 255 characters, bare or quoted; escapes count as the one character they stand for', () => {
    for (const length of [1, 255]) {
      for (const character of ['k', '\\']) {
        const key = character.repeat(length);
        assert.equal(parse(key), key);
        assert.equal(parse(quoted(key)), key);
      }
    }
    for (const length of [0, 256, 10_000]) {
      const key = 'k'.repeat(length);
      assert.equal(
        refusalOf(() => parse(key)),
        'idempotency_key_invalid',
        `bare ${length}`,
      );
      assert.equal(
        refusalOf(() => parse(quoted(key))),
        'idempotency_key_invalid',
        `quoted ${length}`,
      );
    }
  });

  it('may hold every visible character of ASCII', () => {
    for (const character of VISIBLE) assert.equal(parse(`a${character}`), `a${character}`);
  });

  it('is the same key bare and as a quoted string', () => {
    const key = fc.array(fc.constantFrom(...VISIBLE), { minLength: 1, maxLength: 255 }).map((characters) => characters.join(''));
    fc.assert(
      fc.property(key, (text) => {
        assert.equal(parse(quoted(text)), text);
        if (!text.startsWith('"')) assert.equal(parse(text), text);
      }),
    );
  });

  it('is refused with any other character, in any place: spaces, controls, Latin-1, Unicode', () => {
    const others = [' ', '\t', '\u0000', '\u001f', '\u007f', '\u0080', '\u00a0', '\u00e9', '\u00ff', '\ufeff', '\u2028', '🛒'];
    for (const other of others) {
      for (const value of [`a${other}b`, `a${other}`, `${other}a`, `"a${other}b"`, `"a"${other}`, other]) {
        assert.equal(
          refusalOf(() => parse(value)),
          'idempotency_key_invalid',
          JSON.stringify(value),
        );
      }
    }
  });

  it('is refused when it begins like a quoted string and is none', () => {
    for (const value of ['"', '"a', '"a"b', '"a"b"', '"a\\"', '"a\\b"', '"a";p=1', '"a", "b"', '""a']) {
      assert.equal(
        refusalOf(() => parse(value)),
        'idempotency_key_invalid',
        value,
      );
    }
  });

  it('has at least 22 characters with a publishable key, unquoted', () => {
    const publishable = (value: string): string => parseIdempotencyKey([value], 'publishable');
    assert.equal(publishable('k'.repeat(22)), 'k'.repeat(22));
    assert.equal(publishable(`"${'k'.repeat(22)}"`), 'k'.repeat(22));
    for (const short of ['k', 'k'.repeat(21), `"${'k'.repeat(21)}"`, quoted('\\'.repeat(21))]) {
      assert.equal(
        refusalOf(() => publishable(short)),
        'idempotency_key_invalid',
      );
    }
    assert.equal(parse('k'), 'k');
  });
});

describe('the fingerprint of a request', () => {
  const of = (body: string | undefined, method = 'POST', path = '/v1/orders'): string =>
    fingerprintOf(method, path, body === undefined ? undefined : JSON.parse(body));
  const same = (a: string, b: string): void => assert.equal(of(a), of(b), `${a} and ${b}`);
  const differ = (a: string | undefined, b: string | undefined): void => assert.notEqual(of(a), of(b), `${a} and ${b}`);

  it('says by which rules it was made, and stays what it is from release to release', () => {
    assert.equal(of('{"b":[1,{"d":null,"c":"ü"}],"a":1.50}'), 'v1:0tw16_C5udwJ0Znif4c3yQ88vWXkmHNtBa8dwkoKSK4');
    assert.equal(of(undefined, 'POST', '/v1/orders/ord_1/cancel'), 'v1:nl7icoAi98E06Of3gHQhPEn0HaFneTU0EtutVpBSVpM');
  });

  it('does not depend on the order of members, at any depth', () => {
    same('{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}');
    same('{"é":1,"z":2,"😀":3,"Z":4}', '{"😀":3,"Z":4,"é":1,"z":2}');
  });

  it('does not depend on how the JSON was written: spaces, escapes, forms of a number', () => {
    same('{"a":1}', ' { "a" : 1 } ');
    same('{"a":"/é"}', '{"a":"\\/\\u00e9"}');
    for (const form of ['1.0', '1.000', '1e0', '10e-1', '0.1e1']) same('{"a":1}', `{"a":${form}}`);
    same('{"a":0}', '{"a":-0}');
  });

  it('tells different values apart', () => {
    const values = [
      '1',
      '2',
      '-1',
      '0',
      '0.1',
      '"1"',
      'true',
      'false',
      'null',
      '[]',
      '{}',
      '[1]',
      '[[1]]',
      '""',
      '"null"',
      '"a"',
      '"A"',
      '[1,2]',
      '[2,1]',
      '[12]',
    ];
    const prints = new Set(values.map((value) => of(`{"a":${value}}`)));
    assert.equal(prints.size, values.length);
  });

  it('tells an absent member from null, and an absent body from an empty one', () => {
    differ('{}', '{"a":null}');
    differ('{"a":{}}', '{"a":{"b":null}}');
    differ(undefined, '{}');
    differ(undefined, 'null');
    differ(undefined, '""');
  });

  it('tells where a value stands', () => {
    differ('{"a":{"b":1}}', '{"a":1,"b":1}');
    differ('{"a":1,"b":2}', '{"a":2,"b":1}');
    differ('{"a":"b\\":1,\\"c"}', '{"a":"b","c":1}');
  });

  it('takes texts as they are: composed and decomposed letters differ', () => {
    differ('{"a":"é"}', '{"a":"e\\u0301"}');
    differ('{"a":"a"}', '{"a":"a\\u200b"}');
    differ('{"a":"а"}', '{"a":"a"}');
  });

  it('tells methods and paths apart', () => {
    assert.notEqual(of('{}', 'POST'), of('{}', 'PUT'));
    assert.notEqual(of('{}', 'POST', '/v1/orders/ord_1/pay'), of('{}', 'POST', '/v1/orders/ord_2/pay'));
    assert.notEqual(of(undefined, 'POST', '/v1/orders/ord_1/cancel'), of(undefined, 'POST', '/v1/orders/ord_1/capture'));
  });

  it('is the same for every JSON value after it is shuffled and written again, and differs after one change', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, member]) => [key, shuffled(member)]),
      );
    };
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
        const text = JSON.stringify(body);
        assert.equal(of(text), fingerprintOf('POST', '/v1/orders', shuffled(JSON.parse(text))));
        assert.notEqual(of(text), fingerprintOf('POST', '/v1/orders', { ...body, 'one more': 1 }));
      }),
    );
  });
});
