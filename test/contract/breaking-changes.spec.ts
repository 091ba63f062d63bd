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
const content = (schema: object): object => ({ content: { 'application/json': { schema } } });

interface Traits {
  readonly parameters?: readonly object[];
  readonly body?: object;
  readonly order?: object;
  readonly path?: string;
}

function described({ parameters = [], body = BODY, order = ORDER, path = '/v1/orders' }: Traits): Record<string, unknown> {
  const post = { parameters, requestBody: content(body), responses: { 201: content({ $ref: '#/components/schemas/Order' }) } };
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
