import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type ErrorCode } from '#libs/primitives';
import { PROBLEMS } from '../../apps/api/src/http/problem-catalogue.js';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, SECRET_KEYS } from '../support/stack.js';
import { anEvent, anIntent, signatureOf } from '../support/stripe-events.js';

// Bytes that no client library would send, over connections of their own.

let database: TestDatabase;
let api: ApiAlone;

before(async () => {
  database = await freshDatabase();
  api = await startApiAlone(database.url);
});
after(async () => {
  await api.close();
  await database.drop();
});

async function exchange(bytes: string | Buffer, isOver = false): Promise<string> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  socket.write(bytes);
  if (isOver) socket.end();
  await once(socket, 'close');
  return text;
}

const BODY = JSON.stringify({ ...AN_ORDER, reference: 'hostile' });
const CALLER = `Authorization: Bearer ${SECRET_KEYS[0]}\r\n`;
const FROM = `Host: a\r\n${CALLER}`;
const CLOSE = 'Connection: close\r\n';
const key = (): string => `Idempotency-Key: ${crypto.randomUUID()}\r\n`;
const post = (headers: string, body = BODY): string =>
  `POST /v1/orders HTTP/1.1\r\n${FROM}${CLOSE}Content-Type: application/json\r\n${headers}\r\n${body}`;
const get = (headers: string, target = '/v1/orders', version = '1.1'): string => `GET ${target} HTTP/${version}\r\n${headers}${CLOSE}\r\n`;
const length = (bytes = BODY.length): string => `Content-Length: ${bytes}\r\n`;
const chunk = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;

/** The request as clients send it to a proxy. */
const inFull = (bytes: string): string => bytes.replace(' /', ' http://a/');

/** The one answer in a text. */
function answerIn(text: string): Answer {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers(lines.map((line): [string, string] => [line.split(':')[0] ?? '', line.replace(/^[^:]*: */, '')]));
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]), headers, text: body, json: body === '' ? {} : JSON.parse(body) };
}

describe('a request that two programs could read as two is refused, and nothing is written', () => {
  const cases: readonly (readonly [what: string, bytes: () => string | Buffer, code: ErrorCode, isOver?: boolean])[] = [
    ['without a host', () => get(CALLER), 'validation_failed'],
    ['with two hosts', () => get(`Host: b\r\n${FROM}`), 'validation_failed'],
    ['with two Authorization headers', () => get(`${FROM}Authorization: Bearer other\r\n`), 'validation_failed'],
    ['with two Idempotency-Key headers', () => post(key() + key() + length()), 'idempotency_key_invalid'],
    ['with two lengths', () => post(key() + length() + length(3)), 'validation_failed'],
    ['with a length and in chunks', () => post(`${key()}${length()}Transfer-Encoding: chunked\r\n`, chunk), 'validation_failed'],
    ['in chunks said to be zipped', () => post(`${key()}Transfer-Encoding: gzip, chunked\r\n`, chunk), 'validation_failed'],
    ['in a coding that is none', () => post(`${key()}Transfer-Encoding: xchunked\r\n`, chunk), 'validation_failed'],
    [
      'in a chunk without a length',
      () => post(`${key()}Transfer-Encoding: chunked\r\n`, `zz\r\n${BODY}\r\n0\r\n\r\n`),
      'validation_failed',
    ],
    ['with a negative length', () => post(key() + length(-1)), 'validation_failed'],
    ['longer than it says', () => post(key() + length(5)), 'validation_failed'],
    ['shorter than it says', () => post(key() + length(BODY.length + 5)), 'validation_failed', true],
    ['with a folded header', () => post(`Idempotency-Key: a\r\n b\r\n${length()}`), 'validation_failed'],
    ['with a NUL in a header', () => post(`Idempotency-Key: a\u0000\r\n${length()}`), 'validation_failed'],
    ['with a blank before a colon', () => get(`${FROM}X : 1\r\n`), 'validation_failed'],
    [
      'with a key that is not ASCII',
      () => Buffer.from(post(`Idempotency-Key: \u00e4\r\n${length()}`), 'latin1'),
      'idempotency_key_invalid',
    ],
    ['with bare line feeds', () => get(FROM).replaceAll('\r', ''), 'validation_failed'],
    ['for another site', () => get(FROM, 'http://evil.example/v1/orders'), 'validation_failed'],
    ['for another port of the site', () => get(FROM, 'http://a:8080/v1/orders'), 'validation_failed'],
    ['for everything', () => get(FROM, '*'), 'not_found'],
    ['for a path that begins twice', () => get(FROM, '//v1/orders'), 'not_found'],
    ['in HTTP/2 by prior knowledge', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'validation_failed'],
    ['for a tunnel', () => 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 'validation_failed'],
    ['to be sent back', () => `TRACE /v1/orders HTTP/1.1\r\n${FROM}${CLOSE}\r\n`, 'method_not_allowed'],
    ['without a type', () => `POST /v1/orders HTTP/1.1\r\n${FROM}${CLOSE}${key()}${length()}\r\n${BODY}`, 'unsupported_media_type'],
  ];
  for (const [what, bytes, code, isOver] of cases) {
    it(`one ${what}`, async () => {
      assertProblem(answerIn(await exchange(bytes(), isOver)), PROBLEMS[code].status, code);
    });
  }

  it('none of which has left an order', async () => {
    assert.deepEqual(await database.query(`SELECT 1 FROM orders WHERE reference = 'hostile'`), []);
  });
});

describe('a request that is odd and clear is answered as any other', () => {
  const cases: readonly (readonly [what: string, bytes: () => string])[] = [
    ['with its whole address', () => get(FROM, 'http://a/v1/orders')],
    ['with its whole address in capitals', () => get(FROM, 'HTTP://A/v1/orders')],
    ['of HTTP/1.0', () => get(CALLER, '/v1/orders', '1.0')],
    ['that would rather speak another protocol', () => get(`${FROM}Upgrade: websocket\r\n`)],
    ['for a part of the answer', () => get(`${FROM}Range: bytes=0-1\r\n`)],
    ['that expects something', () => get(`${FROM}Expect: tea\r\n`)],
    ['that would be another method', () => get(`${FROM}X-HTTP-Method-Override: DELETE\r\n`)],
  ];
  for (const [what, bytes] of cases) {
    it(`one ${what}`, async () => {
      const { status, json } = answerIn(await exchange(bytes()));
      assert.deepEqual([status, json['object']], [200, 'list']);
    });
  }

  it('one with its whole address is the request that it is without: under its key, to a page, and with the bytes of a webhook', async () => {
    const sent = post(key() + length()).replace('hostile', 'in full');
    const [first, again] = [answerIn(await exchange(sent)), answerIn(await exchange(inFull(sent)))];
    assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [201, first.text, 'true']);

    const preflight = `OPTIONS /v1/orders HTTP/1.1\r\nHost: a\r\n${CLOSE}Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n\r\n`;
    assert.equal(answerIn(await exchange(inFull(preflight))).headers.get('Access-Control-Allow-Origin'), 'https://shop.example');

    const event = JSON.stringify(anEvent('payment_intent.succeeded', anIntent()));
    const signature = `Stripe-Signature: ${signatureOf(event, { secret: 'whsec_of_the_tests' })}\r\n`;
    const type = 'Content-Type: application/json\r\n';
    const webhook = `POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\n${CLOSE}${type}${signature}${length(event.length)}\r\n${event}`;
    assert.deepEqual(answerIn(await exchange(inFull(webhook))).json, { received: true });
  });

  it('one that waits to be told to go on, and is', async () => {
    const text = await exchange(post(`${key()}Expect: 100-continue\r\n${length()}`).replace('hostile', 'awaited'));
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 Created\r\n/);
  });

  it('one with rubbish behind it: the order is made, and it is this that is said', async () => {
    const text = await exchange(
      post(key() + length())
        .replace('hostile', 'rubbish')
        .replace(CLOSE, '') + 'rubbish\r\n\r\n',
    );
    assert.equal(answerIn(text).status, 201, text);
    assert.equal((await database.query(`SELECT 1 FROM orders WHERE reference = 'rubbish'`)).length, 1);
  });
});

it('a host that is none is not repeated in the type of a problem', async () => {
  const { status, json } = answerIn(await exchange(get(`Host: evil.example"<script>\r\n${CALLER}`, '/v1/nothing')));
  assert.deepEqual([status, json['type']], [404, '/problems/not_found']);
});

it('connections that come and go without a request, or in the middle of one, cost nobody anything', async () => {
  const { port } = new URL(api.url);
  const beginning = post(`Idempotency-Key: churn\r\nExpect: 100-continue\r\n${length()}`, '{');
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const socket = connect(Number(port), '127.0.0.1');
      await once(socket, 'connect');
      if (index % 2 === 0) {
        socket.write(beginning);
        // It is told to go on, and does not.
        await once(socket, 'data');
      }
      socket.resetAndDestroy();
    }),
  );
  assert.equal(answerIn(await exchange(get(FROM))).status, 200);
  assert.deepEqual(await database.query(`SELECT 1 FROM idempotency_keys WHERE key = 'churn'`), []);
});
