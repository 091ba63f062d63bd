import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const DAY_SECONDS = 86_400;
/** More than one batch of a thousand. */
const MANY = 2_500;

let stack: Stack;

before(async () => {
  stack = await startStack({
    virtualClock: true,
    env: { ORDER_EXPIRES_AFTER_SECONDS: String(365 * DAY_SECONDS), IDEMPOTENCY_RETENTION_DAYS: '30' },
  });
});
after(() => stack.close());

/** Lets so many days pass, and one worker take its turn to forget. */
async function laterBy(days: number): Promise<void> {
  await stack.control('/_sim/clock', { advanceSeconds: days * DAY_SECONDS });
  await stack.stopWorker();
  await stack.database.query(
    `UPDATE scheduled_tasks SET next_run_at = now(), lease_until = NULL, completed = false WHERE name = 'retention'`,
  );
  await stack.startWorker();
  await waitFor('what is old to be forgotten', async () => {
    const [task] = await stack.database.query<{ completed: boolean }>(`SELECT completed FROM scheduled_tasks WHERE name = 'retention'`);
    return task?.completed;
  });
}

const { paymentMethod: _, ...FOR_THE_BROWSER } = AN_ORDER;
const create = (idempotencyKey: string, body: object = FOR_THE_BROWSER): Promise<Answer> =>
  stack.call('/v1/orders', { idempotencyKey, body });
async function count(sql: string): Promise<number> {
  const [row] = await stack.database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`);
  return row?.n ?? Number.NaN;
}

describe('what is kept no longer', () => {
  let first: Answer;
  let refused: Answer;
  let paidId: string;
  const refuse = (): Promise<Answer> => stack.call(`/v1/orders/${paidId}/capture`, { idempotencyKey: 'refused', body: {} });

  it('is not forgotten a day early', async () => {
    first = await create('kept-for-ever');
    assert.equal(first.status, 201);
    const id = String(first.json['id']);
    await stack.orderIn(id, 'requires_payment');
    paidId = (await stack.order()).id;
    await stack.orderIn(paidId, 'paid');
    refused = await refuse();
    assertProblem(refused, 409, 'order_not_capturable');
    await stack.database.query(
      `INSERT INTO idempotency_keys (account_id, mode, audience, key, fingerprint, location, status, body, created_at)
       SELECT account_id, mode, audience, 'many-' || n, fingerprint, location, status, body, created_at FROM idempotency_keys, generate_series(1, ${MANY}) AS n WHERE key = 'kept-for-ever'`,
    );
    await waitFor('events to be applied', async () => (await count(`webhook_events WHERE status NOT IN ('applied', 'ignored')`)) === 0);
    await stack.database.query(
      `INSERT INTO webhook_events (id, type, status, livemode, payload, received_at, next_attempt_at, processed_at)
       SELECT 'evt_parked', type, 'parked', livemode, payload, received_at, next_attempt_at, processed_at FROM webhook_events LIMIT 1`,
    );
    await stack.database.query(`INSERT INTO outbox (id, kind, payload) VALUES (gen_random_uuid(), 'webhook-event', '{}')`);
    await waitFor('a job to fail', async () => Object(await stack.call('/v1/ops/jobs')).json.data.length === 1);
    const [now] = await stack.database.query<{ at: string }>('SELECT max(processed_at)::text AS at FROM webhook_events');
    await stack.database.query(
      `INSERT INTO reconciliations (id, dry_run, status, requested_by, requested_at, finished_at, next_attempt_at) VALUES (gen_random_uuid(), true, 'done', 'of a test', $1, $1, $1)`,
      [now?.at],
    );

    await laterBy(6);
    assert.equal(Object(await stack.call('/v1/ops/jobs')).json.data.length, 1);
    await laterBy(23);
    assert.equal((await create('kept-for-ever')).text, first.text);
    assert.equal((await refuse()).text, refused.text);
    assert.equal(await count('webhook_events WHERE payload IS NULL'), 0);
  });

  it('is forgotten after its time, however much it is: answers but not keys, refusals whole', async () => {
    await laterBy(2);
    assert.equal(await count('idempotency_keys WHERE body IS NOT NULL'), 0);
    assert.equal(await count(`idempotency_keys WHERE location IS NOT NULL`), MANY + 2);
    const again = await create('kept-for-ever');
    assertProblem(again, 409, 'idempotency_key_expired');
    assert.equal(again.headers.get('Location'), first.headers.get('Location'));
    assertProblem(await create('kept-for-ever', { ...FOR_THE_BROWSER, reference: 'another' }), 422, 'idempotency_key_reused');
    const anew = await refuse();
    assertProblem(anew, 409, 'order_not_capturable');
    assert.notEqual(anew.json['requestId'], refused.json['requestId'], 'it was decided anew');
  });

  it('is forgotten of events that are dealt with, not of parked ones', async () => {
    assert.equal(await count(`webhook_events WHERE payload IS NOT NULL AND status IN ('applied', 'ignored')`), 0);
    assert.equal(await count(`webhook_events WHERE id = 'evt_parked' AND payload IS NOT NULL`), 1);
  });

  it('is forgotten of the queue and of reconciliations', async () => {
    assert.deepEqual(Object(await stack.call('/v1/ops/jobs')).json.data, []);
    const old = `reconciliations WHERE requested_by = 'of a test'`;
    assert.equal(await count(old), 1);
    await laterBy(60);
    assert.equal(await count(old), 0);
  });

  it('is nothing that an open order needs: it is read and paid as ever', async () => {
    const id = String(first.json['id']);
    assert.equal((await stack.readOrder(id)).status, 'requires_payment');
    const paid = await stack.call(`/v1/orders/${id}/pay`, { idempotencyKey: 'paid-late', body: { paymentMethod: 'pm_card_visa' } });
    assert.equal(paid.status, 200, paid.text);
    await stack.orderIn(id, 'paid');
  });
});
