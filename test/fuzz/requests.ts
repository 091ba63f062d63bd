import fc from 'fast-check';
import { type ApiDocument, type Operation, type Schema } from './document.js';
import { HEADERS, IDEMPOTENCY_KEYS, IDS, LEXEMES, QUERIES, TEXTS, VALUES } from './hostile.js';

/** One request as it is drawn; what stands for a thing that exists is found when it is sent. */
export interface Drawn {
  readonly operation: Operation;
  readonly caller: 'secret' | 'publishable' | 'other account' | 'nobody' | 'a guess';
  /** The how-many-eth of the things that are known, or what stands in its place. */
  readonly id: number | string;
  readonly query: string;
  readonly idempotencyKey: 'fresh' | 'used' | { readonly text: string } | null;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | null;
}

/** A place in a JSON value, counted in reading order, and what becomes of it. */
interface Mutation {
  readonly place: number;
  readonly change: { readonly to: unknown } | 'gone' | 'in a list' | 'with a stranger';
}

const LENGTH_MAX = 20;
const ID_MAX = 1_000;

/** What tells of the process and the API itself: it takes nothing, and a health that is no success is none of a request's fault. */
const TAKES_NOTHING = /^\/(health|metrics|docs|openapi\.json)/;

/** The operations that take something, by which a request could do harm. */
export function takingOperations({ operations }: ApiDocument): readonly Operation[] {
  return operations.filter(({ path }) => !TAKES_NOTHING.test(path));
}

/** Requests for each of them: right ones, and every kind of wrong one. */
export function anyRequest(document: ApiDocument): fc.Arbitrary<Drawn> {
  return fc.oneof(...takingOperations(document).map((operation) => requestFor(operation, document)));
}

/** A third is right in everything, lest nothing but refusals is tested. */
function requestFor(operation: Operation, document: ApiDocument): fc.Arbitrary<Drawn> {
  return fc.oneof(rightRequest(operation, document), { weight: 2, arbitrary: hostileRequest(operation, document) });
}

function rightRequest(operation: Operation, document: ApiDocument): fc.Arbitrary<Drawn> {
  const takesKey = operation.headers.includes('Idempotency-Key');
  const bodies = rightBodies(operation, document).map((body) => body.map(bytesOf));
  return fc.record({
    operation: fc.constant(operation),
    caller: fc.constant('secret' as const),
    id: fc.nat(ID_MAX),
    query: fc.constant(''),
    idempotencyKey: fc.constant(takesKey ? ('fresh' as const) : null),
    headers: fc.constant([]),
    body: hasBody(operation) ? fc.oneof(...bodies) : fc.constant(null),
  });
}

function hostileRequest(operation: Operation, document: ApiDocument): fc.Arbitrary<Drawn> {
  const takesKey = operation.headers.includes('Idempotency-Key');
  return fc.record({
    operation: fc.constant(operation),
    caller: weighed<Drawn['caller']>([
      [30, 'secret'],
      [4, 'publishable'],
      [2, 'other account'],
      [1, 'nobody'],
      [1, 'a guess'],
    ]),
    id: operation.path.includes('{') ? fc.oneof({ weight: 3, arbitrary: fc.nat(ID_MAX) }, fc.constantFrom(...IDS)) : fc.constant(0),
    query: queryOf(operation, document),
    idempotencyKey: takesKey ? idempotencyKey : fc.constantFrom<Drawn['idempotencyKey']>(null, null, null, 'fresh'),
    headers: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, hostileHeaders),
    body: bodyOf(operation, document),
  });
}

/** Node's client sends no host twice; `hostile-wire` does. */
const hostileHeaders = fc.uniqueArray(fc.constantFrom(...HEADERS), { minLength: 1, maxLength: 2, selector: ([name]) => name });

const idempotencyKey: fc.Arbitrary<Drawn['idempotencyKey']> = fc.oneof(
  { weight: 20, arbitrary: fc.constant('fresh' as const) },
  { weight: 3, arbitrary: fc.constant('used' as const) },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.constantFrom(...IDEMPOTENCY_KEYS).map((text) => ({ text })) },
);

function queryOf({ query }: Operation, document: ApiDocument): fc.Arbitrary<string> {
  const known = query.map(({ name, schema }) =>
    fc
      .oneof(valueOf(schema, document), fc.constantFrom(...TEXTS))
      .map((value) => `${name}=${encodeURIComponent(String(value).toWellFormed())}`),
  );
  const none = { weight: query.length > 0 ? 1 : 8, arbitrary: fc.constant('') };
  const right =
    known.length === 0 ? [] : [{ weight: 3, arbitrary: fc.array(fc.oneof(...known), { maxLength: 3 }).map((all) => all.join('&')) }];
  return fc.oneof(none, ...right, { weight: 1, arbitrary: fc.constantFrom(...QUERIES) });
}

function hasBody({ method }: Operation): boolean {
  return method === 'POST' || method === 'PUT';
}

function rightBodies({ body }: Operation, document: ApiDocument): readonly fc.Arbitrary<unknown>[] {
  if (body === null) return [fc.constant({})];
  return [valueOf(body.schema, document), ...body.examples.map((example) => fc.constant(example))];
}

function bodyOf(operation: Operation, document: ApiDocument): fc.Arbitrary<Buffer | null> {
  const nothing = fc.constant(null);
  if (!hasBody(operation)) return fc.oneof({ weight: 9, arbitrary: nothing }, fc.constant(Buffer.from('{"a":1}')));
  const right = rightBodies(operation, document);
  const mutated = fc
    .tuple(fc.oneof(...right), fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([value, mutations]) => mutations.reduce(mutate, value));
  return fc.oneof(
    { weight: operation.body === null ? 4 : 1, arbitrary: nothing },
    { weight: 3, arbitrary: fc.oneof(...right).map(bytesOf) },
    { weight: 8, arbitrary: mutated.map(bytesOf) },
    { weight: 3, arbitrary: fc.tuple(fc.oneof(...right), spoiling).map(([value, spoil]) => spoil(JSON.stringify(value))) },
    { weight: 1, arbitrary: fc.json().map((json) => Buffer.from(json)) },
  );
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  place: fc.nat(60),
  change: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...VALUES).map((to) => ({ to })) },
    fc.constantFrom('gone' as const, 'in a list' as const, 'with a stranger' as const),
  ),
});

/** What can be wrong with a body before it is JSON, or although it is. */
const spoiling: fc.Arbitrary<(json: string) => Buffer> = fc.oneof(
  fc.constantFrom<(json: string) => Buffer>(
    (json) => Buffer.from(`\ufeff${json}`),
    (json) => Buffer.from(json + json),
    (json) => Buffer.from(json.replace('}', ',}')),
    (json) => Buffer.from(json.replace('{', '{"__proto__":{"a":1},')),
    (json) => Buffer.from(json.replace('{', '{"constructor":{"prototype":{}},')),
    (json) => Buffer.from(json.replace('{', '{"currency":"eur","amount":1,')),
    (json) => Buffer.from(json, 'utf16le'),
    (json) => Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from([0xff, 0xfe]), Buffer.from('}')]),
    (json) => Buffer.from(`${'['.repeat(2_000)}${json}${']'.repeat(2_000)}`),
    (json) => Buffer.from(json.replace('{', `{${Array.from({ length: 3_000 }, (_, index) => `"k${index}":1`).join()},`)),
    (json) => Buffer.from(json + ' '.repeat(262_145)),
    () => Buffer.from(''),
    () => Buffer.from('null'),
    () => Buffer.from('[]'),
    () => Buffer.from('"text"'),
    (json) => Buffer.from(json.slice(0, Math.floor(json.length / 2))),
  ),
  fc.constantFrom(...LEXEMES).map((lexeme) => (json: string) => Buffer.from(json.replace(/(?<=:)-?\d+(\.\d+)?/, lexeme))),
);

/** A value that a schema allows, its example more often than others. */
function valueOf(given: Schema, document: ApiDocument): fc.Arbitrary<unknown> {
  const schema = document.resolve(given);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valueOf(one, document)));
  if (schema.enum !== undefined) return fc.constantFrom(schema.example ?? schema.enum[0], ...schema.enum);
  const example = schema.example === undefined ? [] : [{ weight: 4, arbitrary: fc.constant(schema.example) }];
  return fc.oneof(...example, byType(schema, document));
}

function byType(schema: Schema, document: ApiDocument): fc.Arbitrary<unknown> {
  const { type, items, properties = {}, required = [], additionalProperties, minItems = 0 } = schema;
  const { minimum = 0, maximum = 99_999_999 } = schema;
  switch ([type].flat()[0] ?? 'string') {
    case 'boolean':
      return fc.boolean();
    case 'number':
    case 'integer':
      return fc.integer({ min: minimum, max: maximum });
    case 'array':
      return fc.array(items === undefined ? fc.constant(null) : valueOf(items, document), { minLength: minItems, maxLength: minItems + 2 });
    case 'object': {
      if (Object.keys(properties).length === 0)
        return fc.dictionary(word, typeof additionalProperties === 'object' ? valueOf(additionalProperties, document) : word, {
          maxKeys: 3,
        });
      const members = Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, valueOf(member, document)]));
      return fc.record(members, { requiredKeys: [...required] });
    }
    default:
      return fc.oneof(word, fc.string({ unit: 'grapheme', maxLength: LENGTH_MAX }));
  }
}

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,19}$/);

function mutate(value: unknown, { place, change }: Mutation): unknown {
  const places = placesIn(value);
  const path = places[place % places.length] ?? [];
  return changed(value, path, change);
}

function placesIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesIn(member, [...path, name]))];
}

function changed(value: unknown, [name, ...rest]: readonly string[], change: Mutation['change']): unknown {
  if (name === undefined) {
    if (change === 'in a list') return [value];
    if (change === 'with a stranger')
      return typeof value === 'object' && value !== null ? { ...value, livemode: true, accountId: '1' } : { value };
    return change === 'gone' ? undefined : change.to;
  }
  const member = changed(Object(value)[name], rest, change);
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === name ? member : item));
  return { ...Object(value), [name]: member };
}

function bytesOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value) ?? '');
}

function weighed<T>(choices: readonly (readonly [weight: number, value: T])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
}
