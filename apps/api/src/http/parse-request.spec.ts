import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsOptional, ValidateNested } from 'class-validator';
import { DomainError } from '#libs/primitives';
import { assertEmpty, invalid, isPlainText, IsText, parseRequest } from './parse-request.js';

class Part {
  @IsInt()
  size!: number;

  @IsOptional()
  @IsText(1, 9)
  colour?: string;
}

class Thing {
  @IsText(2, 4)
  name!: string;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Part)
  parts?: Part[];
}

function refusal(value: unknown, check: (given: unknown) => unknown = (given) => parseRequest(Thing, given)): DomainError {
  try {
    check(value);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  return assert.fail('the request was taken');
}

describe('a request checked against its class', () => {
  it('is taken as it was given: nothing is converted, nothing is added', () => {
    const thing = parseRequest(Thing, { name: 'abc', parts: [{ size: 1 }] });
    assert.ok(thing instanceof Thing);
    assert.deepEqual(thing, Object.assign(new Thing(), { name: 'abc', parts: [Object.assign(new Part(), { size: 1 })] }));
    assert.deepEqual(refusal({ name: 'abc', parts: [{ size: '1' }] }).errors, [
      { field: 'parts.0.size', message: 'must be an integer number' },
    ]);
  });

  it('has no member that is null: where one may be left out, null counts as that', () => {
    assert.deepEqual(parseRequest(Thing, { name: 'abc', parts: null }), Object.assign(new Thing(), { name: 'abc' }));
    assert.deepEqual(parseRequest(Thing, { name: 'abc', parts: [{ size: 1, colour: null }] }).parts, [
      Object.assign(new Part(), { size: 1 }),
    ]);
    for (const [value, field] of [
      [{ name: null }, 'name'],
      [{ name: 'abc', id: null }, 'id'],
      [{ name: 'abc', parts: [null] }, 'parts.0'],
      [{ name: 'abc', parts: [{ size: null }] }, 'parts.0.size'],
    ] as const)
      assert.deepEqual([...new Set(refusal(value).errors.map((error) => error.field))], [field]);
  });

  it('is refused with every wrong field, each by its path', () => {
    const { code, errors } = refusal({ name: 'a', parts: [{ size: 1 }, { size: 1.5 }, {}], colour: 'red' });
    assert.equal(code, 'validation_failed');
    assert.deepEqual(errors.map(({ field }) => field).sort(), ['colour', 'name', 'parts.1.size', 'parts.2.size']); // prettier-ignore
  });

  it('is refused with fields it does not know, in its parts too', () => {
    assert.deepEqual(refusal({ name: 'abc', id: 1 }).errors, [{ field: 'id', message: 'is not a known field' }]);
    assert.deepEqual(refusal({ name: 'abc', parts: [{ size: 1, id: 1 }] }).errors, [
      { field: 'parts.0.id', message: 'is not a known field' },
    ]);
  });

  it('is refused when it is no object', () => {
    for (const value of [undefined, null, 1, 'a', true, [], [{ name: 'abc' }]])
      assert.deepEqual([refusal(value).code, refusal(value).detail], ['validation_failed', 'The body must be a JSON object.']);
  });

  it('is refused with the first wrong field in the detail', () => {
    assert.equal(refusal({}).detail, 'name must be a text of 2 to 4 characters without control characters');
    assert.equal(invalid([]).detail, 'The request is not valid.');
  });
});

describe('a request without parameters', () => {
  it('has no body, or an object without members', () => {
    for (const body of [undefined, {}]) assert.doesNotThrow(() => assertEmpty(body));
  });

  it('is refused with anything else, each member by its name', () => {
    for (const body of [null, 1, 'a', true, [], [1]]) {
      const { code, detail } = refusal(body, assertEmpty);
      assert.deepEqual([code, detail], ['validation_failed', 'The body must be a JSON object, or absent.']);
    }
    assert.deepEqual(refusal({ amount: 1, to: 'me' }, assertEmpty).errors, [
      { field: 'amount', message: 'is not a known field' },
      { field: 'to', message: 'is not a known field' },
    ]);
    assert.equal(refusal({ amount: 1 }, assertEmpty).errors.length, 1);
  });
});

describe('a text', () => {
  it('has a length between its bounds, both included, in the units JavaScript counts', () => {
    for (const name of ['ab', 'abcd', '🛒🛒']) assert.equal(parseRequest(Thing, { name }).name, name);
    for (const name of ['', 'a', 'abcde', '🛒🛒🛒']) assert.equal(refusal({ name }).errors[0]?.field, 'name');
  });

  it('is a string and nothing that could become one', () => {
    for (const name of [12, true, null, undefined, ['ab'], { length: 3 }]) assert.equal(refusal({ name }).errors[0]?.field, 'name');
  });

  it('holds what PostgreSQL stores and a log line shows: no control characters, no half surrogate pairs', () => {
    for (const plain of [
      '',
      'a b',
      'ünïcödé',
      'e\u0301',
      '\u202eabc',
      '\u200b',
      '🛒',
      "'; DROP TABLE orders; --",
      '<script>',
      '=cmd()',
      '{{x}}',
      '%00',
      '\ufeff',
    ]) {
      assert.ok(isPlainText(plain), JSON.stringify(plain));
    }
    for (const odd of ['\u0000', 'a\u0000', '\r\n', '\t', '\u001b[31m', '\u007f', '\ud800', '\udc00', '\ud83d'])
      assert.ok(!isPlainText(odd), JSON.stringify(odd));
  });
});
