import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, PUBLISHABLE_KEYS, SECRET_KEYS } from '../support/stack.js';

let database: TestDatabase;
let api: ApiAlone;
/** Begin a request and never end it, one in its headers and one in its body; opened first, so that their time passes while the rest is tested. */
let slow: readonly { readonly socket: Socket; readonly answer: Promise<string> }[];

let trickle: NodeJS.Timeout;

before(async () => {
  database = await freshDatabase();
  api = await startApiAlone(database.url);
  slow = [
    'Content-Le',
    `Authorization: Bearer ${SECRET_KEYS[0]}\r\nIdempotency-Key: trickle\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"cur`,
  ].map((beginning) => {
    const one = open();
    one.socket.write(`POST /v1/orders HTTP/1.1\r\nHost: a\r\n${beginning}`);
    return one;
  });
  // A byte now and then is no progress.
  trickle = setInterval(() => slow[1]?.socket.write('r'), 1_000);
});
after(async () => {
  clearInterval(trickle);
  await api.close();
  await database.drop();
});

/** A connection of its own, for what no client would send. */
function open(): (typeof slow)[number] {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  return { socket, answer: once(socket, 'close').then(() => text) };
}

const UNREADABLE = ['{"cut', '{"__proto__":{}}', `${'['.repeat(40)}${']'.repeat(40)}`, '{"amount":1e999}', '\uFEFF{}{}'];

describe('a request is judged', () => {
  it('by its key first, before its body is read', async () => {
    for (const body of [...UNREADABLE, 'x'.repeat(300_000)])
      assertProblem(await api.order('k', body, { key: 'unknown' }), 401, 'unauthenticated');
    assertProblem(await api.order('k', 'a=b', { key: 'unknown', headers: { 'Content-Type': 'text/plain' } }), 401, 'unauthenticated');
    assertProblem(await api.call('/v1/orders', { key: PUBLISHABLE_KEYS[0], method: 'GET' }), 403, 'forbidden');
    assertProblem(await api.call('/v1/prices/x', { key: PUBLISHABLE_KEYS[0], method: 'PUT', body: '{"cut' }), 403, 'forbidden');
  });

  it('then by its Idempotency-Key', async () => {
    for (const body of UNREADABLE) assertProblem(await api.order('a b', body), 400, 'idempotency_key_invalid');
    assertProblem(await api.call('/v1/orders', { body: '{"cut' }), 400, 'idempotency_key_missing');
  });

  it('then by what is stored under that key, whatever its body is', async () => {
    const key = crypto.randomUUID();
    const first = await api.order(key, AN_ORDER);
    for (const body of UNREADABLE) assertProblem(await api.order(key, body), 422, 'idempotency_key_reused');
    const again = await api.order(key, AN_ORDER);
    assert.deepEqual([again.text, again.headers.get('Idempotency-Replayed')], [first.text, 'true']);
  });

  it('then by whether it is valid; what was not leaves the key free', async () => {
    const key = crypto.randomUUID();
    for (const body of UNREADABLE) assertProblem(await api.order(key, body), 400, 'validation_failed');
    assert.equal((await api.order(key, AN_ORDER)).status, 201);
  });

  it('by its path too: the same body under the same key elsewhere is another request', async () => {
    const key = crypto.randomUUID();
    const { json } = await api.order(key, AN_ORDER);
    const id = String(json['id']);
    for (const path of [`/v1/orders/${id}/pay`, `/v1/orders/${id}/capture`, `/v1/orders/${id}/cancel`, `/v1/orders/${id}/refunds`])
      assertProblem(await api.call(path, { idempotencyKey: key, body: AN_ORDER }), 422, 'idempotency_key_reused');

    const canceling = crypto.randomUUID();
    assert.equal((await api.call(`/v1/orders/${id}/cancel`, { method: 'POST', idempotencyKey: canceling })).status, 200);
    const other = String((await api.order(crypto.randomUUID(), AN_ORDER)).json['id']);
    for (const path of [`/v1/orders/${id}/capture`, `/v1/orders/${other}/cancel`])
      assertProblem(await api.call(path, { method: 'POST', idempotencyKey: canceling }), 422, 'idempotency_key_reused');
    assertProblem(await api.order(canceling, AN_ORDER), 422, 'idempotency_key_reused');
  });
});

describe('what is too much or in another form', () => {
  it('is 413 above 256 KiB, whether its length is told or not', async () => {
    assertProblem(await api.order(crypto.randomUUID(), `{"reference":"${'r'.repeat(262_144)}"}`), 413, 'payload_too_large');
    assert.equal((await api.order(crypto.randomUUID(), `${JSON.stringify(AN_ORDER)}${' '.repeat(261_000)}`)).status, 201);
    const chunked = open();
    const headers = `Host: a\r\nAuthorization: Bearer ${PUBLISHABLE_KEYS[0]}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked`;
    chunked.socket.write(`POST /v1/orders HTTP/1.1\r\n${headers}\r\n\r\n50000\r\n${'x'.repeat(0x50000)}\r\n0\r\n\r\n`);
    chunked.socket.end();
    assert.match(await chunked.answer, /^HTTP\/1\.1 413 [\s\S]*"code":"payload_too_large"/);
  });

  it('is 415 in any content encoding or type but plain JSON', async () => {
    const zipped = gzipSync(JSON.stringify(AN_ORDER)).toString('latin1');
    for (const headers of [
      ...['gzip', 'br', 'deflate', 'zstd', 'gzip, identity', 'x'].map((encoding) => ({ 'Content-Encoding': encoding })),
      ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', 'json'].map(
        (type) => ({
          'Content-Type': type,
        }),
      ),
    ])
      assertProblem(await api.order(crypto.randomUUID(), zipped, { headers }), 415, 'unsupported_media_type');
  });

  it('is 405 with what is allowed for a method the path does not take, and 404 for no path', async () => {
    for (const [method, path, allowed] of [
      ['DELETE', '/v1/orders', 'GET, HEAD, POST'],
      ['PATCH', '/v1/orders/ord_x', 'GET, HEAD'],
      ['GET', '/v1/orders/ord_x/pay', 'POST'],
      ['PUT', '/health/live', 'GET, HEAD'],
    ] as const) {
      const answer = await api.call(path, { method, ...(method === 'GET' ? {} : { body: {} }) });
      assertProblem(answer, 405, 'method_not_allowed');
      assert.deepEqual((answer.headers.get('Allow') ?? '').split(', ').toSorted().join(', '), allowed);
    }
    const asked = await api.call('/v1/orders', { method: 'OPTIONS' });
    assert.deepEqual([asked.status, asked.headers.get('Allow')?.includes('POST')], [204, true]);
    assertProblem(await api.call('/v1/nothing', { method: 'DELETE' }), 404, 'not_found');
  });

  it('is answered with a request id also where more is expected than we know of, and without a host', async () => {
    const [expecting, hostless] = [open(), open()];
    expecting.socket.write('GET /v1/nothing HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\nConnection: close\r\n\r\n');
    hostless.socket.write('GET /v1/nothing HTTP/1.0\r\n\r\n');
    for (const raw of [expecting, hostless]) assert.match(await raw.answer, /^HTTP\/1\.1 404 [\s\S]*x-request-id: req_/i);
    assert.match(await hostless.answer, /"type":"\/problems\/not_found"/);
  });

  for (const method of ['TRACE', 'PURGE', 'PROPFIND', 'CONNECT', 'BREW']) {
    it(`is refused when the method is ${method}`, async () => {
      const raw = open();
      raw.socket.write(`${method} /v1/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      assert.match(await raw.answer, /^HTTP\/1\.1 4\d\d [\s\S]*application\/problem\+json/);
    });
  }

  it('is 431 for headers without end and 400 for what is no HTTP, as problems', async () => {
    for (const [sent, status, code] of [
      [`GET /v1/orders HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
      ['not http at all\r\n\r\n', 400, 'validation_failed'],
      ['POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'validation_failed'],
    ] as const) {
      const raw = open();
      raw.socket.write(sent);
      const text = await raw.answer;
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*nosniff[\\s\\S]*"code":"${code}"`));
    }
  });

  it('is 408 for a request that does not arrive, or whose body trickles', async () => {
    for (const { answer } of slow) assert.match(await answer, /^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/);
    assert.deepEqual(await database.query(`SELECT 1 FROM idempotency_keys WHERE key = 'trickle'`), []);
  });
});
