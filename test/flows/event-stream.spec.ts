import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KEY_PEPPER, storeApiKey } from '../support/api-keys.js';
import { startApiAlone } from '../support/api.js';
import { command } from '../support/commands.js';
import { type EventStream, openEvents } from '../support/event-stream.js';
import { assertProblem } from '../support/problem.js';
import { PUBLISHABLE_KEYS, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

let stack: Stack;
/** Of an order to which nothing happens; opened first, so that its heartbeat comes while the others are tested. */
let quiet: EventStream;

before(async () => {
  stack = await startStack({ env: { ONCEPAY_KEY_PEPPER: KEY_PEPPER } });
  quiet = await follow((await stack.orderIn((await stack.order({ paymentMethod: undefined })).id, 'requires_payment')).id);
});
after(() => stack.close());

const follow = (id: string, headers: Record<string, string> = {}, url = stack.apiUrl): Promise<EventStream> =>
  openEvents(`${url}/v1/orders/${id}/events`, { Authorization: `Bearer ${SECRET_KEYS[0]}`, ...headers });

async function timeline(id: string): Promise<readonly Record<string, unknown>[]> {
  const { data } = JSON.parse((await stack.call(`/v1/orders/${id}/events`)).text);
  return data;
}

const received = (stream: EventStream, type: string): Promise<unknown> =>
  waitFor(`${type} to be received`, () => stream.events.some((event) => event.type === type));

describe('GET /v1/orders/{id}/events as a stream', () => {
  it('tells the timeline from its beginning and goes on as it grows, line for line', async () => {
    await stack.stopWorker();
    const { id } = await stack.order();
    const stream = await follow(id);
    assert.deepEqual([stream.response.status, stream.response.headers.get('Content-Type')], [200, 'text/event-stream; charset=utf-8']);
    assert.match(stream.response.headers.get('X-Request-Id') ?? '', /^req_/);
    await received(stream, 'order.created');

    await stack.startWorker();
    await received(stream, 'order.paid');
    await stack.call(`/v1/orders/${id}/refunds`, { idempotencyKey: crypto.randomUUID(), body: { amount: 500 } });
    await received(stream, 'order.partially_refunded');
    assert.deepEqual(stream.events.map(({ data }) => data), await timeline(id)); // prettier-ignore
    assert.deepEqual(stream.events.map(({ id: event, type }) => [event, type]), stream.events.map(({ data }) => [data['id'], data['type']])); // prettier-ignore
    stream.leave();
  });

  it('goes on after Last-Event-ID, and from the beginning after one that is not of the order', async () => {
    const { id } = await stack.orderIn((await stack.order()).id, 'paid');
    const lines = await timeline(id);
    const [, second] = lines;
    for (const [lastId, expected] of [
      [String(second?.['id']), lines.slice(2)],
      [String((await timeline((await stack.order()).id))[0]?.['id']), lines],
      ['7', lines],
    ] as const) {
      const stream = await follow(id, { 'Last-Event-ID': lastId });
      await received(stream, 'order.paid');
      assert.deepEqual(stream.events.map(({ data }) => data), expected); // prettier-ignore
      stream.leave();
    }
  });

  it('misses nothing and repeats nothing for a reader who keeps losing it', async () => {
    const order = await stack.orderIn((await stack.order({ captureMethod: 'manual' })).id, 'authorized');
    const seen: string[] = [];
    const changing = command(stack, order.id, 'capture');
    while (seen.at(-1) !== String((await timeline(order.id)).at(-1)?.['id'])) {
      const stream = await follow(order.id, seen.length === 0 ? {} : { 'Last-Event-ID': seen.at(-1) ?? '' });
      await waitFor('something to be received', () => stream.events.length > 0);
      stream.leave();
      seen.push(...stream.events.map(({ id }) => id));
    }
    await changing;
    await stack.orderIn(order.id, 'paid');
    const rest = await follow(order.id, { 'Last-Event-ID': seen.at(-1) ?? '' });
    await waitFor('the rest', async () => seen.length + rest.events.length === (await timeline(order.id)).length);
    rest.leave();
    assert.deepEqual(
      [...seen, ...rest.events.map(({ id }) => id)],
      (await timeline(order.id)).map(({ id }) => id),
    );
  });

  it("is open to a browser with the order's client secret, and to no other", async () => {
    const { id, clientSecret } = await stack.orderIn((await stack.order()).id, 'paid');
    const Authorization = `Bearer ${PUBLISHABLE_KEYS[0]}`;
    const stream = await follow(id, { Authorization, 'Oncepay-Client-Secret': clientSecret ?? '' });
    await received(stream, 'order.paid');
    stream.leave();
    const { status } = await stack.call(`/v1/orders/${id}/events`, {
      key: PUBLISHABLE_KEYS[0],
      headers: { 'Oncepay-Client-Secret': clientSecret ?? '' },
    });
    assert.equal(status, 200);
    for (const secret of [{}, { 'Oncepay-Client-Secret': `${clientSecret}x` }]) {
      const headers = { Accept: 'text/event-stream', ...secret };
      assertProblem(await stack.call(`/v1/orders/${id}/events`, { key: PUBLISHABLE_KEYS[0], headers }), 404, 'not_found');
    }
    assertProblem(
      await stack.call(`/v1/orders/${id}/events`, { key: SECRET_KEYS[1], headers: { Accept: 'text/event-stream' } }),
      404,
      'not_found',
    );
  });

  it('ends when its key is revoked', async () => {
    const { id } = await stack.orderIn((await stack.order({ captureMethod: 'manual' })).id, 'authorized');
    const { id: keyId, key } = await storeApiKey(stack.database);
    const stream = await follow(id, { Authorization: `Bearer ${key}` });
    await received(stream, 'order.authorized');
    await stack.database.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [keyId]);
    await command(stack, id, 'capture');
    await stack.orderIn(id, 'paid');
    await stream.ended;
    assert.ok(!stream.events.some(({ type }) => type === 'order.paid'));
  });

  it('ends when the process drains, and another one goes on', async () => {
    const leaving = await startApiAlone(stack.database.url);
    const { id } = await stack.orderIn((await stack.order({ paymentMethod: undefined })).id, 'requires_payment');
    const streams = await Promise.all(Array.from({ length: 20 }, () => follow(id, {}, leaving.url)));
    await Promise.all(streams.map((stream) => received(stream, 'order.requires_payment')));
    await Promise.all([leaving.close(), ...streams.map(({ ended }) => ended)]);

    const again = await follow(id, { 'Last-Event-ID': streams[0]?.events.at(-1)?.id ?? '' });
    await command(stack, id, 'pay', { paymentMethod: 'pm_card_visa' });
    await received(again, 'order.paid');
    assert.deepEqual(
      [...(streams[0]?.events ?? []), ...again.events].map(({ id: event }) => event),
      (await timeline(id)).map(({ id: event }) => event),
    );
    again.leave();
  });

  it('is the plain timeline to whoever does not ask for a stream, and ends for HEAD', async () => {
    const { id } = await stack.order();
    for (const Accept of ['*/*', 'application/json', 'text/*'])
      assert.match((await stack.call(`/v1/orders/${id}/events`, { headers: { Accept } })).headers.get('Content-Type') ?? '', /json/);
    assert.equal((await stack.call(`/v1/orders/${id}/events`, { method: 'HEAD', headers: { Accept: 'text/event-stream' } })).status, 200);
  });

  it('shows that it lives when nothing happens', async () => {
    await waitFor('a heartbeat', () => quiet.comments() > 0, 60_000);
    quiet.leave();
  });
});
