import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Answer, call } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { PUBLISHABLE_KEYS, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';
import { anEvent, anIntent, deliverTo } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

let stack: Stack;
let admin: string;

before(async () => {
  stack = await startStack({ env: { ADMIN_PORT: '0' } });
  admin = stack.adminUrl ?? assert.fail('there is no admin port');
});
after(() => stack.close());

const scrape = async (url = admin): Promise<string> => (await call(`${url}/metrics`)).text;

/** The value of one line, by its beginning; 0 where there is none. API and worker of these tests are one process and count together. */
async function valueOf(series: string): Promise<number> {
  const line = (await scrape()).split('\n').find((text) => text.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

describe('with ADMIN_PORT', () => {
  const key = SECRET_KEYS[0];

  it('metrics and ops live there and nowhere else', async () => {
    for (const path of ['/metrics', '/v1/ops/audit', '/v1/ops/operations']) {
      assertProblem(await stack.call(path), 404, 'not_found');
      assert.equal((await call(`${admin}${path}`, { key })).status, 200, path);
    }
    const refused = await call(`${admin}/v1/ops/audit`);
    assertProblem(refused, 401, 'unauthenticated');
    assert.equal((await call(String(refused.json['type']))).status, 200);
    for (const spelt of ['/%6detrics', '/v1/%6fps/audit', '/v1/ops/%61udit']) assertProblem(await stack.call(spelt), 404, 'not_found');
  });

  it('orders live elsewhere, and health everywhere', async () => {
    for (const path of ['/v1/orders', '/v1/%6frders', '/openapi.json', '/webhooks/stripe'])
      assertProblem(await call(`${admin}${path}`, { key }), 404, 'not_found');
    for (const url of [admin, stack.apiUrl, stack.workerUrl() ?? '']) assert.equal((await call(`${url}/health/live`)).status, 200);
  });
});

describe('the metrics', () => {
  it('are given by API and worker, in the form Prometheus reads', async () => {
    for (const url of [admin, stack.workerUrl() ?? '']) {
      const answer: Answer = await call(`${url}/metrics`);
      assert.match(answer.headers.get('Content-Type') ?? '', /^text\/plain; version=0\.0\.4/);
      assert.match(answer.text, /^oncepay_database_up 1$/m);
      for (const name of ['oncepay_operations_parked', 'oncepay_discrepancies_open', 'process_cpu_seconds_total'])
        assert.match(answer.text, new RegExp(`^${name} `, 'm'));
      for (const what of ['operation', 'overdue_operation', 'outbox_row', 'event', 'open_event'])
        assert.ok(answer.text.includes(`oncepay_oldest_seconds{what="${what}"} `));
      // Before anything has happened too: an alarm on what is missing says nothing.
      for (const breaker of ['stripe', 'customers', 'payment_intents', 'checkout_sessions', 'refunds', 'reads'])
        assert.ok(answer.text.includes(`oncepay_breaker_state{breaker="${breaker}"} 0`), breaker);
      for (const state of ['pending', 'processing', 'requires_payment', 'requires_action', 'authorized'])
        assert.ok(answer.text.includes(`oncepay_orders_open{state="${state}"} 0`), state);
      for (const status of ['received', 'held', 'parked'])
        assert.ok(answer.text.includes(`oncepay_webhook_events{status="${status}"} 0`), status);
    }
  });

  it('count what orders, calls and repetitions there were, by names that are known beforehand', async () => {
    const series = {
      paid: 'oncepay_order_moves_total{state="paid"}',
      replays: 'oncepay_duplicates_absorbed_total{source="idempotency_key"}',
      repeats: 'oncepay_duplicates_absorbed_total{source="webhook"}',
      creates: 'oncepay_stripe_call_duration_seconds_count{call="create_intent",outcome="success"}',
      declines: 'oncepay_stripe_call_duration_seconds_count{call="confirm_intent",outcome="declined"}',
      ignored: 'oncepay_webhook_events_settled_total{status="ignored"}',
      accepted: 'oncepay_http_request_duration_seconds_count{method="POST",route="/v1/orders",status="201"}',
      lost: 'oncepay_http_request_duration_seconds_count{method="any",route="unmatched",status="404"}',
    };
    const readAll = async (): Promise<Record<string, number>> =>
      Object.fromEntries(await Promise.all(Object.entries(series).map(async ([name, line]) => [name, await valueOf(line)])));
    const before = await readAll();
    const idempotencyKey = crypto.randomUUID();
    const { id } = await stack.order({}, idempotencyKey);
    await stack.order({}, idempotencyKey);
    await stack.orderIn(id, 'paid');
    const declined = await stack.order({ paymentMethod: 'pm_card_chargeDeclined' });
    await stack.orderIn(declined.id, 'requires_payment');
    const event = anEvent('payment_intent.succeeded', anIntent());
    for (const _ of [1, 2]) await deliverTo(stack, event);
    await stack.call(`/nobody/${id}`);

    await waitFor('everything to be counted', async () => {
      const now = await readAll();
      const more = Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)]));
      assert.deepEqual(
        { ...more, ignored: Math.min(1, more['ignored'] ?? 0) },
        { paid: 1, replays: 1, repeats: 1, creates: 2, declines: 1, ignored: 1, accepted: 3, lost: 1 },
      );
      return true;
    });
    assert.equal(await valueOf('oncepay_orders_open{state="requires_payment"}'), 1);
  });

  it('tell what waits for a person', async () => {
    await stack.database.query(
      `INSERT INTO discrepancies (id, kind, stripe_object_id, ours, stripes, found_at) VALUES (gen_random_uuid(), 'of_a_test', 'pi_1', '{}', '{}', now())`,
    );
    await stack.database.query(
      `UPDATE payment_operations SET status = 'parked', finished_at = NULL WHERE id = (SELECT min(id::text)::uuid FROM payment_operations)`,
    );
    assert.deepEqual([await valueOf('oncepay_discrepancies_open'), await valueOf('oncepay_operations_parked')], [1, 1]);
  });

  it('tell since when an event waits to be dealt with, however often it was put off', async () => {
    await stack.database.query(
      `INSERT INTO webhook_events (id, type, status, livemode, received_at, next_attempt_at)
       VALUES ('evt_of_a_test', 'refund.updated', 'held', false, now() - interval '1 hour', now() + interval '1 hour')`,
    );
    assert.ok((await valueOf('oncepay_oldest_seconds{what="open_event"}')) >= 3_600);
    assert.equal(await valueOf('oncepay_oldest_seconds{what="event"}'), 0);
  });

  it('hold no secret, no id and nothing that a caller made up', async () => {
    const text = await scrape();
    const secrets = await stack.database.query<{ secret: string }>(
      'SELECT client_secret AS secret FROM orders UNION ALL SELECT stripe_client_secret FROM payments WHERE stripe_client_secret IS NOT NULL UNION ALL SELECT key FROM idempotency_keys',
    );
    assert.ok(secrets.length >= 6);
    for (const secret of [...secrets.map((row) => row.secret), ...SECRET_KEYS, ...PUBLISHABLE_KEYS, stack.stripeKey, stack.webhookSecret])
      assert.ok(!text.includes(secret), secret);
    assert.doesNotMatch(text, /\b(ord|op|pay|pi|evt|req|cus)_[0-9A-Za-z]{10}|nobody/);
  });
});
