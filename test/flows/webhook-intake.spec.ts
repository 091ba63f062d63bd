import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ApiAlone, startApiAlone } from '../support/api.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type DatabaseRoute, routeTo } from '../support/database-route.js';
import { type Answer, call } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { anEvent, anIntent, deliver, signatureOf } from '../support/stripe-events.js';

const [SECRET, NEXT_SECRET] = ['whsec_of_today', 'whsec_of_tomorrow'];

let database: TestDatabase;
let route: DatabaseRoute;
let api: ApiAlone;

before(async () => {
  database = await freshDatabase();
  route = await routeTo(database.url);
  api = await startApiAlone(route.url, { STRIPE_WEBHOOK_SECRETS: `${SECRET}, ${NEXT_SECRET}` });
});
after(async () => {
  await api.close();
  await route.close();
  await database.drop();
});

const succeeded = (overrides: object = {}): ReturnType<typeof anEvent> => anEvent('payment_intent.succeeded', anIntent(), overrides);
const send = (event: object | string, options: Partial<Parameters<typeof deliver>[1]> = {}): Promise<Answer> =>
  deliver(event, { url: api.url, secret: SECRET, ...options });
const post = (payload: string, headers: Record<string, string>): Promise<Answer> =>
  call(`${api.url}/webhooks/stripe`, { body: payload, headers });

interface Stored {
  readonly status: string;
  readonly jobs: number;
}

/** What is in the inbox under an id, and how many jobs were promised for it. */
async function stored(id: string): Promise<readonly Stored[]> {
  return database.query<Stored>(
    `SELECT status, (SELECT count(*)::int FROM outbox WHERE payload ->> 'eventId' = e.id) AS jobs FROM webhook_events e WHERE id = $1`,
    [id],
  );
}

const ONCE = [{ status: 'received', jobs: 1 }];

function assertReceived(answer: Answer): void {
  assert.deepEqual([answer.status, answer.text], [200, '{"received":true}']);
  assert.match(answer.headers.get('Content-Type') ?? '', /^application\/json\b/);
}

describe('a signed event', () => {
  it('is stored once with its job, and answered {"received":true}', async () => {
    const event = succeeded();
    assertReceived(await send(event));
    assert.deepEqual(await stored(event.id), ONCE);

    const [row] = await database.query<Record<string, unknown>>(
      'SELECT type, livemode, api_version, payload, processed_at FROM webhook_events WHERE id = $1',
      [event.id],
    );
    assert.deepEqual(
      { ...row },
      { type: 'payment_intent.succeeded', livemode: false, api_version: '2026-10-28.endive', payload: event, processed_at: null },
    );
  });

  it('is answered alike and stored no second time when it comes again', async () => {
    const event = succeeded();
    for (let time = 0; time < 3; time += 1) assertReceived(await send(event));
    assertReceived(await send({ ...event, pending_webhooks: 0 }));
    assert.deepEqual(await stored(event.id), ONCE);
  });

  it('is stored once when it comes 32 times at once', async () => {
    const event = succeeded();
    for (const answer of await Promise.all(Array.from({ length: 32 }, () => send(event)))) assertReceived(answer);
    assert.deepEqual(await stored(event.id), ONCE);
  });

  for (const type of [
    'invoice.paid',
    'customer.created',
    'payment_intent.created',
    'charge.succeeded',
    'a.type.of.tomorrow',
    'constructor',
  ]) {
    it(`of a type without effect (${type}) is stored as ignored, without a job`, async () => {
      const event = anEvent(type, anIntent());
      assertReceived(await send(event));
      assertReceived(await send(event));
      assert.deepEqual(await stored(event.id), [{ status: 'ignored', jobs: 0 }]);
      assert.deepEqual(await database.query('SELECT 1 FROM webhook_events WHERE id = $1 AND processed_at IS NULL', [event.id]), []);
    });
  }

  it('is taken by its bytes, whatever their form and whatever type they claim', async () => {
    const forms = [
      (event: object) => JSON.stringify(event, null, 2),
      (event: object) => ` ${JSON.stringify(event).replaceAll(',', ' ,\r\n')}\n`,
      (event: object) => JSON.stringify(event).replace('usd', '\\u0075sd'),
    ];
    for (const [index, type] of [
      'application/json',
      'application/json; charset=utf-8',
      'text/plain',
      'application/octet-stream',
    ].entries()) {
      const event = anEvent('payment_intent.succeeded', anIntent({ description: 'Łódź 🎁 "q" \\ / \u2028' }));
      assertReceived(await send(forms[index % forms.length]?.(event) ?? '', { headers: { 'Content-Type': type } }));
      assert.deepEqual(await stored(event.id), ONCE);
    }
  });

  it('is taken under either secret during a rotation, also when the header carries several signatures', async () => {
    for (const secret of [SECRET, NEXT_SECRET]) assertReceived(await send(succeeded(), { secret }));
    const payload = JSON.stringify(succeeded());
    const [header, foreign] = [signatureOf(payload, { secret: NEXT_SECRET }), signatureOf(payload, { secret: 'whsec_foreign' })];
    const v1 = (text: string): string => /v1=(\w+)/.exec(text)?.[0] ?? '';
    assertReceived(await post(payload, { 'Stripe-Signature': `${header.split(',')[0]},${v1(foreign)},${v1(header)},v0=abc` }));
  });

  it('may be 295 s old, or be signed by a clock that is 295 s ahead', async () => {
    for (const skewSeconds of [-295, 295]) assertReceived(await send(succeeded(), { skewSeconds }));
  });
});

describe('an event is refused for its signature', () => {
  const payload = JSON.stringify(succeeded());
  const good = (): string => signatureOf(payload, { secret: SECRET });
  const cases: readonly (readonly [string, RegExp, () => Promise<Answer>])[] = [
    ['missing', /missing/, () => post(payload, {})],
    ['empty', /missing/, () => post(payload, { 'Stripe-Signature': '' })],
    ['without a timestamp', /timestamp t=/, () => post(payload, { 'Stripe-Signature': good().replace(/t=\d+,/, '') })],
    ['with a timestamp that is none', /timestamp t=/, () => post(payload, { 'Stripe-Signature': good().replace(/t=\d+/, 't=now') })],
    ['without a v1', /v1/, () => post(payload, { 'Stripe-Signature': good().replace('v1=', 'v0=') })],
    ['an API key', /timestamp t=/, () => post(payload, { 'Stripe-Signature': 'secret-key-of-account-one' })],
    ['by a foreign secret', /v1 signature.*matches/, () => send(payload, { secret: 'whsec_foreign' })],
    [
      'by another timestamp',
      /v1 signature.*matches/,
      () => post(payload, { 'Stripe-Signature': good().replace(/t=(\d+)/, (_, seconds) => `t=${Number(seconds) - 1}`) }),
    ],
    ['of other bytes', /v1 signature.*matches/, () => post(payload.replace('2000', '2001'), { 'Stripe-Signature': good() })],
    [
      'of other white space',
      /v1 signature.*matches/,
      () => post(JSON.stringify(JSON.parse(payload), null, 1), { 'Stripe-Signature': good() }),
    ],
    ['of nothing', /v1 signature.*matches/, () => post('', { 'Stripe-Signature': good() })],
    ['older than 300 s', /30[23] s in the past; 300 s/, () => send(payload, { skewSeconds: -302 })],
    ['an hour old', /360[12] s in the past; 300 s/, () => send(payload, { skewSeconds: -3_601 })],
    ['more than 300 s ahead', /30[23] s in the future; 300 s/, () => send(payload, { skewSeconds: 303 })],
  ];
  for (const [what, detail, sent] of cases) {
    it(`that is ${what}, and is told so`, async () => {
      const [before] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_events');
      const answer = await sent();
      assertProblem(answer, 400, 'webhook_signature_invalid');
      assert.match(String(answer.json['detail']), detail);
      assert.deepEqual((await database.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_events'))[0], before);
    });
  }

  it('before anything in it is read', async () => {
    for (const body of ['{"cut', '[]', 'x'.repeat(10_000)])
      assertProblem(await post(body, { 'Stripe-Signature': good() }), 400, 'webhook_signature_invalid');
  });
});

describe('a signed body is refused', () => {
  const bodies: readonly (readonly [string, string | object])[] = [
    [
      'a thin event',
      {
        id: 'evt_1',
        object: 'v2.core.event',
        type: 'v1.payment_intent.succeeded',
        related_object: { id: 'pi_1', type: 'payment_intent', url: '/v1/payment_intents/pi_1' },
      },
    ],
    ['no JSON', 'payload=1'],
    ['cut JSON', '{"id":"evt_1"'],
    ['a list', '[]'],
    ['null', 'null'],
    ['without an id', succeeded({ id: undefined })],
    ['with an id of another kind', succeeded({ id: 'pi_1' })],
    ['with an id to break out of', succeeded({ id: "evt_1'; --" })],
    ['without a type', succeeded({ type: undefined })],
    ['without an object', succeeded({ data: {} })],
    ['with an object that is none', succeeded({ data: { object: 'pi_1' } })],
    ['with a NUL', `{"id":"evt_1","object":"event","type":"x\\u0000","data":{"object":{}}}`],
  ];
  for (const [what, body] of bodies) {
    it(`when it is ${what}`, async () => {
      const [before] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_events');
      assertProblem(await send(body), 400, 'webhook_payload_invalid');
      assert.deepEqual((await database.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_events'))[0], before);
    });
  }

  it('when it is above 1 MiB', async () => {
    assertProblem(
      await send(anEvent('payment_intent.succeeded', anIntent({ description: 'd'.repeat(1_048_576) }))),
      413,
      'payload_too_large',
    );
  });
});

describe('while the database is away', () => {
  it('an event is answered 503, so that Stripe comes again, and is then stored once', async () => {
    const event = succeeded();
    await route.refuse();
    const refused = await send(event);
    await route.pass();
    assertProblem(refused, 503, 'unavailable');
    assert.match(refused.headers.get('Retry-After') ?? '', /^\d+$/);

    assertReceived(await send(event));
    assert.deepEqual(await stored(event.id), ONCE);
  });

  it('an event whose commit was not heard of is answered 503, and the repetition stores nothing more', async () => {
    const event = succeeded();
    route.loseNextAnswerTo(event.id);
    assertProblem(await send(event), 503, 'unavailable');
    assert.deepEqual(await stored(event.id), ONCE);

    assertReceived(await send(event));
    assert.deepEqual(await stored(event.id), ONCE);
  });
});
