import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { breakingChanges } from '../../tools/breaking-changes.js';

const REPOSITORY = resolve(import.meta.dirname, '../../..');
/** Breaks that are meant, as the check words them; empty again once they are committed. */
const INTENDED: readonly string[] = [];

const ORDER = { type: 'object', required: ['id'], properties: { id: { type: 'string' }, note: { type: ['string', 'null'] } } };
const BODY = {
  type: 'object',
  required: ['a'],
  properties: { a: { type: 'string', enum: ['x', 'y'] }, b: { type: 'array', items: { type: 'integer' } } },
};
const needing = (scope: string, secretOnly = false): object => ({ 'x-oncepay-scope': scope, 'x-oncepay-secret-only': secretOnly });
const content = (schema: object, type = 'application/json'): object => ({ content: { [type]: { schema } } });
const bodyWith = (a: object): Traits => ({ body: { ...BODY, properties: { ...BODY.properties, a: { ...BODY.properties.a, ...a } } } });
const listed = (b: object): Traits => ({ body: { ...BODY, properties: { ...BODY.properties, b: { ...BODY.properties.b, ...b } } } });
const limited = (schema: object): Traits => ({ parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', ...schema } }] });

interface Traits {
  readonly policy?: object;
  readonly parameters?: readonly object[];
  readonly body?: object;
  readonly order?: object;
  readonly path?: string;
  /** Media type of the answer. */
  readonly type?: string;
}

function described({
  policy = needing('orders:write'),
  parameters = [],
  body = BODY,
  order = ORDER,
  path = '/v1/orders',
  type,
}: Traits): Record<string, unknown> {
  const answer = content({ $ref: '#/components/schemas/Order' }, type);
  const post = { ...policy, parameters, requestBody: content(body), responses: { 201: answer } };
  return { paths: { [path]: { post } }, components: { schemas: { Order: order } } };
}

const changesTo = (later: Traits, earlier: Traits = {}): readonly string[] => breakingChanges(described(earlier), described(later));

describe('a change of the API breaks clients', () => {
  const key = { name: 'key', in: 'header' };
  for (const [what, later, expected, earlier] of [
    ['an operation is gone', { path: '/v2/orders' }, ['POST /v1/orders is gone'], {}],
    ['a parameter is gone', {}, ['the parameter header key is gone'], { parameters: [key] }],
    [
      'a parameter becomes required',
      { parameters: [{ ...key, required: true }] },
      ['the parameter header key is required now'],
      { parameters: [key] },
    ],
    [
      'a parameter is of another type',
      { parameters: [{ name: 'limit', in: 'query', schema: { type: 'string' } }] },
      ['the parameter query limit is string and was integer'],
      limited({}),
    ],
    [
      'a value of a parameter is taken no longer',
      limited({ enum: [1, 3] }),
      ['the parameter query limit may not be 2 any more'],
      limited({ enum: [1, 2] }),
    ],
    ['a parameter takes only some values', limited({ enum: [1, 2] }), ['the parameter query limit may only be 1 or 2 now'], limited({})],
    [
      'the bounds of a parameter are tighter',
      limited({ minimum: 2, maximum: 50 }),
      ['the parameter query limit has the maximum 50 now', 'the parameter query limit has the minimum 2 now'],
      limited({ minimum: 1, maximum: 100 }),
    ],
    ['a parameter has a bound', limited({ maximum: 100 }), ['the parameter query limit has the maximum 100 now'], limited({})],
    ['a text must be shorter', bodyWith({ maxLength: 9 }), ['the body.a has the maxLength 9 now'], bodyWith({ maxLength: 10 })],
    ['a text must be longer', bodyWith({ minLength: 1 }), ['the body.a has the minLength 1 now'], {}],
    ['a text must be of another form', bodyWith({ pattern: '^x' }), ['the body.a has the pattern ^x now'], bodyWith({ pattern: '^[xy]' })],
    ['a text must be of a form', bodyWith({ format: 'date-time' }), ['the body.a has the format date-time now'], {}],
    ['a list takes fewer', listed({ maxItems: 9 }), ['the body.b has the maxItems 9 now'], listed({ maxItems: 10 })],
    ['it needs another scope', { policy: needing('ops') }, ['it needs the scope ops and was open to orders:write'], {}],
    ['it needs a scope', {}, ['it needs the scope orders:write and was open to public'], { policy: needing('public') }],
    ['it needs a secret key', { policy: needing('orders:write', true) }, ['it is closed to publishable keys now'], {}],
    ['an answer is of another media type', { type: 'text/plain' }, ['the answer 201 is never application/json now'], {}],
    ['a member of a request is gone', { body: { ...BODY, properties: { a: BODY.properties.a } } }, ['the body.b is gone'], {}],
    ['a member of a request becomes required', { body: { ...BODY, required: ['a', 'b'] } }, ['the body.b is required now'], {}],
    [
      'a value is taken no longer',
      { body: { ...BODY, properties: { ...BODY.properties, a: { type: 'string', enum: ['x'] } } } },
      ['the body.a may not be y any more'],
      {},
    ],
    [
      'a type within a list is another',
      { body: { ...BODY, properties: { ...BODY.properties, b: { type: 'array', items: { type: 'string' } } } } },
      ['the body.b[] is string and was integer'],
      {},
    ],
    [
      'a member of an answer is gone',
      { order: { ...ORDER, properties: { id: ORDER.properties.id } } },
      ['the answer 201.note is gone'],
      {},
    ],
    [
      'a whole number of an answer may be any other',
      { order: { ...ORDER, properties: { ...ORDER.properties, id: { type: 'number' } } } },
      ['the answer 201.id is number and was integer'],
      { order: { ...ORDER, properties: { ...ORDER.properties, id: { type: 'integer' } } } },
    ],
    ['a member of an answer may be absent', { order: { ...ORDER, required: [] } }, ['the answer 201.id may be absent now'], {}],
    [
      'a member of an answer may be null',
      { order: { ...ORDER, properties: { ...ORDER.properties, id: { type: ['string', 'null'] } } } },
      ['the answer 201.id is null or string and was string'],
      {},
    ],
  ] as const) {
    it(`when ${what}`, () => {
      assert.deepEqual(
        changesTo(later, earlier).map((change) => change.replace('POST /v1/orders: ', '')),
        expected,
      );
    });
  }

  it('and does not when it takes more', () => {
    for (const [later, earlier] of [
      [limited({ minimum: 0, maximum: 200 }), limited({ minimum: 1, maximum: 100 })],
      [limited({}), limited({ maximum: 100, enum: [1, 2] })],
      [bodyWith({ maxLength: 11 }), bodyWith({ maxLength: 10, minLength: 1, pattern: '^x' })],
      [{ policy: needing('public') }, { policy: needing('orders:write', true) }],
    ] as const)
      assert.deepEqual(changesTo(later, earlier), []);
  });

  it('and does not when it only adds', () => {
    const added = { c: { type: 'string' } };
    assert.deepEqual(
      changesTo({
        parameters: [{ name: 'key', in: 'header' }],
        body: { ...BODY, required: [], properties: { ...BODY.properties, ...added, a: { type: 'string', enum: ['x', 'y', 'z'] } } },
        order: { ...ORDER, required: ['id', 'c'], properties: { ...ORDER.properties, ...added } },
      }),
      [],
    );
  });
});

describe('a change of the API breaks nobody', () => {
  it('when a number it answers is a whole one from now on', () => {
    const withNumber = (type: string): Traits => ({ order: { ...ORDER, properties: { ...ORDER.properties, amount: { type } } } });
    assert.deepEqual(changesTo(withNumber('integer'), withNumber('number')), []);
  });
});

describe('openapi.json', () => {
  it('breaks no client of the last one committed', (t) => {
    const committed = lastCommitted();
    if (committed === null) return t.skip('there is no git history here');
    const present = JSON.parse(readFileSync(resolve(REPOSITORY, 'openapi.json'), 'utf8'));
    const breaks = breakingChanges(committed, present).filter((change) => !INTENDED.includes(change));
    assert.deepEqual(breaks, [], 'undo it, or name it under INTENDED and in the changelog');
  });
});

/** Of the branch we will be merged into where there is one, else of this one. */
function lastCommitted(): Record<string, unknown> | null {
  for (const commit of ['origin/main', 'HEAD']) {
    try {
      const text = execFileSync('git', ['show', `${commit}:openapi.json`], {
        cwd: REPOSITORY,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return JSON.parse(text);
    } catch {
      // Not every copy of the repository has this branch, or any.
    }
  }
  return null;
}
