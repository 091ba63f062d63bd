import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fastify from 'fastify';
import fc from 'fast-check';
import { fingerprintOf } from '#libs/idempotency';
import { DomainError } from '#libs/primitives';
import { readJsonBodies } from './json-body.js';
import { UnreadableBody } from './unreadable-body.js';

const server = fastify({ bodyLimit: 1_048_576 });
readJsonBodies(server);
server.setErrorHandler((error, _, reply) => {
  void reply
    .status(error instanceof DomainError ? 400 : 500)
    .send(JSON.stringify(error instanceof DomainError ? { code: error.code, detail: error.detail } : { code: String(error) }));
});
server.post('/echo', async ({ body }, reply) => {
  if (body instanceof UnreadableBody) throw body.problem;
  return reply.send(JSON.stringify({ taken: body ?? 'nothing', fingerprint: fingerprintOf('POST', '/echo', body) }));
});
server.post('/webhooks/stripe', async ({ body }, reply) =>
  reply.send(JSON.stringify({ raw: Buffer.isBuffer(body) ? body.toString('latin1') : typeof body })),
);
after(() => server.close());

interface Outcome {
  readonly taken?: unknown;
  readonly raw?: string;
  readonly code?: string;
  readonly detail?: string;
}

async function post(payload: string | Buffer, headers: Record<string, string> = {}, url = '/echo'): Promise<Outcome> {
  const answer = await server.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } });
  return JSON.parse(answer.body);
}

async function refused(payload: string | Buffer, detail: RegExp): Promise<void> {
  const shown = JSON.stringify(payload.toString().slice(0, 80));
  const outcome = await post(payload);
  assert.equal(outcome.code, 'validation_failed', `${shown}: ${JSON.stringify(outcome)}`);
  assert.match(outcome.detail ?? '', detail, shown);
}

/** What work takes at its quickest of three times, in milliseconds: to be held beside what other work takes on the same machine. */
async function took(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let left = 3; left > 0; left -= 1) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return Math.min(...times);
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const list = (length: number): string => JSON.stringify(Array.from({ length }, () => 1));

describe('a request body', () => {
  it('is taken as the JSON it is', async () => {
    const body = { a: [1, -0.5, 'ü🛒', null, true, { b: {} }], 'constructor ': 1 };
    assert.deepEqual((await post(JSON.stringify(body))).taken, body);
    assert.deepEqual((await post(' {"a" :\t1}\r\n', { 'content-type': 'application/json; charset=utf-8' })).taken, { a: 1 });
    assert.deepEqual((await post('\ufeff{"a":1}')).taken, { a: 1 }, 'RFC 8259, 8.1 lets a byte order mark be overlooked');
    for (const scalar of ['null', '1', '"a"', '[]']) assert.deepEqual((await post(scalar)).taken, JSON.parse(scalar) ?? 'nothing');
  });

  it('is nothing when it is empty', async () => {
    assert.equal((await post('')).taken, 'nothing');
  });

  it('is refused when it is no JSON', async () => {
    const texts = [
      '{',
      '{"a":1,}',
      "{'a':1}",
      '{"a":1}{"a":1}',
      '{"a":01}',
      '{"a":NaN}',
      '{"a":Infinity}',
      '{"a":+1}',
      '{"a":1}x',
      'a=1',
      '<a/>',
      '{"a":"\t"}',
      '// c\n{}',
      ' ',
    ];
    for (const text of texts) await refused(text, /not valid JSON in UTF-8/);
  });

  it('is refused when it is not in UTF-8', async () => {
    for (const bytes of [
      Buffer.from('{"a":"\xff"}', 'latin1'),
      Buffer.from('{"a":"é"}', 'latin1'),
      Buffer.from('{"a":1}', 'utf16le'),
      Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    ]) {
      await refused(bytes, /not valid JSON in UTF-8/);
    }
  });

  it('is refused when a member could poison prototypes, however it is spelt and wherever it stands', async () => {
    const members = ['"__proto__":{"a":1}', '"\\u005f_proto__":{"a":1}', '"constructor":{"prototype":{"a":1}}', '"__proto__":null'];
    for (const member of members) {
      for (const text of [`{${member}}`, `{"a":[{"b":{${member}}}]}`]) await refused(text, /not valid JSON|already/);
    }
    assert.equal(({} as Record<string, unknown>)['a'], undefined);
  });

  it('is refused when a member is named like one that every object has', async () => {
    for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__']) {
      await refused(JSON.stringify({ [name]: 'x' }), new RegExp(`member named ${name}`));
      await refused(JSON.stringify({ metadata: { [name]: 'x' } }), new RegExp(`member named ${name}`));
    }
  });

  it('is refused when a member is named twice in one object, however it is spelt and wherever it stands', async () => {
    const taken = '{"a:":{"a":":"},"b":[{"a":1},{"a":"\\":\\"\\\\"}],"":""}';
    assert.deepEqual((await post(taken)).taken, JSON.parse(taken));
    for (const text of ['{"a":1,"a":1}', '{"a":1,"b":2,"\\u0061":3}', '[{"b":{"a":[],"a":{"c":1}}}]', '{"a":{"b":1},"a":2}'])
      await refused(text, /names a member twice/);
  });

  it('is refused when it is nested deeper than 32 levels, even a hundred thousand', async () => {
    assert.deepEqual((await post(nested(33))).taken, JSON.parse(nested(33)));
    for (const depth of [34, 1_000, 100_000]) await refused(nested(depth), /nested deeper than 32 levels/);
    await refused('{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000), /nested deeper/);
  });

  it('is refused when it holds more than 2,000 values, quickly', async () => {
    assert.deepEqual((await post(list(1_999))).taken, JSON.parse(list(1_999)));
    await refused(list(2_000), /more than 2000 values/);
    await refused(`[${list(1_000)},${list(1_000)}]`, /more than 2000 values/);
    for (const text of [
      list(500_000),
      JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, 1]))),
    ]) {
      const parsingMs = await took(async () => JSON.parse(text));
      const refusingMs = await took(() => refused(text, /more than 2000 values/));
      assert.ok(refusingMs < 50 * parsingMs, `${refusingMs} ms to refuse what is parsed in ${parsingMs} ms`);
    }
  });

  it('is refused when it holds a number beyond any that can be written back', async () => {
    for (const number of ['1e400', '-1e400', '9'.repeat(400)]) await refused(`{"a":[${number}]}`, /number that is too large/);
    assert.deepEqual((await post('[1e308,1e-400]')).taken, [1e308, 0]);
  });

  it('is refused when a text or a name holds half a surrogate pair', async () => {
    for (const text of ['{"a":"\\ud800"}', '{"\\udc00":1}', '["\\ud83d \\uded2"]', '{"metadata":{"k":"x\\udfff"}}'])
      await refused(text, /half a surrogate pair/);
    assert.deepEqual((await post('["\\ud83d\\uded2"]')).taken, ['🛒']);
  });

  it('is refused unread when it is encoded or called something else', async () => {
    const zipped = gzipSync('{"a":1}');
    for (const encoding of ['gzip', 'br', 'GZIP', 'identity, gzip'])
      assert.equal((await post(zipped, { 'content-encoding': encoding })).code, 'unsupported_media_type', encoding);
    assert.deepEqual((await post('{"a":1}', { 'content-encoding': 'identity' })).taken, { a: 1 });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/problem+json',
    ]) {
      assert.equal((await post('{"a":1}', { 'content-type': type })).code, 'unsupported_media_type', type);
    }
  });

  it('that is taken always has a fingerprint, and no body makes the server fail', async () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(text, async (body) => {
        const outcome = await post(body);
        assert.ok(outcome.taken !== undefined || outcome.code === 'validation_failed', JSON.stringify(outcome));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a body under /webhooks/', () => {
  it('stays the bytes it was, whatever it claims to be', async () => {
    const bytes = Buffer.from('\ufeff{"__proto__" : 1,\r\n "a":"\\ud800"} \xff', 'latin1');
    for (const headers of [
      {},
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/octet-stream' },
      { 'content-encoding': 'gzip' },
    ]) {
      assert.equal((await post(bytes, headers, '/webhooks/stripe')).raw, bytes.toString('latin1'));
    }
  });
});
