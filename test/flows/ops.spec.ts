import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { runOps } from '../../tools/ops/run.js';
import { type Answer } from '../support/http-client.js';
import { assertRulesHold } from '../support/invariants.js';
import { type LaidOrder, layOrder, sentFor, strike, type Struck } from '../support/laid-orders.js';
import { effectsOn } from '../support/payment-facts.js';
import { assertProblem } from '../support/problem.js';
import { SECRET_KEYS, type Stack, startStack } from '../support/stack.js';
import { anEvent, deliverTo } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

const PAID_ONCE = ['authorized 2000 usd', 'captured 2000 usd'];
const DAY_SECONDS = 86_400;

let stack: Stack;

before(async () => {
  stack = await startStack({ withWorker: false, virtualClock: true, env: { ORDER_EXPIRES_AFTER_SECONDS: String(365 * DAY_SECONDS) } });
});
after(() => stack.close());

type Member = Readonly<Record<string, unknown>>;

const ops = (path: string, options: Parameters<Stack['call']>[1] = {}): Promise<Answer> => stack.call(`/v1/ops${path}`, options);
const post = (path: string, body: object = {}): Promise<Answer> => ops(path, { body });
const membersOf = ({ json }: Answer): readonly Member[] => (Array.isArray(json['data']) ? json['data'] : []);
const other = { key: SECRET_KEYS[1] };

async function audited(action: string, target: string | null): Promise<Member> {
  const line = membersOf(await ops('/audit?limit=100')).find((entry) => entry['action'] === action && entry['target'] === target);
  return line ?? assert.fail(`${action} of ${target} is not in the audit trail`);
}

async function operationOf({ operations }: LaidOrder, struck: Struck): Promise<Member> {
  const { text } = await ops('/operations?limit=100');
  const known = JSON.parse(text).data.find(({ id }: { id: string }) => id === operations[struck]);
  return known ?? assert.fail(`${operations[struck]} is not parked`);
}

describe('an operation that is parked', () => {
  it('because its outcome was unknown for 72 h is read about, and not sent again when it had happened', async () => {
    const order = await layOrder(stack);
    await strike(stack, order, 'confirm', { action: 'reset', phase: 'after', nth: [1] });
    await strike(stack, order, 'confirm', { action: 'rate_limit', retryAfterSeconds: 0.2 });
    // Nothing but its own answer could tell.
    await stack.control('/_sim/webhooks', { action: 'drop' });
    await stack.control('/_sim/faults', { method: 'GET', path: '/v1/**', action: 'error', status: 503 });
    await stack.startWorker();
    await waitFor('the confirm to be held up', async () => (await sentFor(stack, order, 'confirm')).length >= 2);
    await stack.control('/_sim/clock', { advanceSeconds: 3.1 * DAY_SECONDS });
    const parked = await waitFor('it to be parked', () => operationOf(order, 'confirm').catch(() => null));
    assert.deepEqual([parked['kind'], parked['status'], parked['inDoubt'], parked['order']], ['confirm', 'parked', true, order.id]);
    assert.deepEqual(membersOf(await ops('/operations', other)), [], 'another account sees nothing of it');
    assertProblem(await ops(`/operations/${order.operations.confirm}/retry`, { ...other, body: {} }), 404, 'not_found');
    await stack.control('/_sim/faults', undefined, 'DELETE');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');

    const sent = (await sentFor(stack, order, 'confirm')).length;
    const retried = await post(`/operations/${order.operations.confirm}/retry`);
    assert.deepEqual([retried.status, retried.json['status']], [200, 'unknown'], retried.text);
    const { payment } = await stack.orderIn(order.id, 'paid');
    assert.equal((await sentFor(stack, order, 'confirm')).length, sent, 'it was sent once more');
    assert.deepEqual(await effectsOn(stack, payment.stripePaymentIntentId ?? ''), PAID_ONCE);

    const line = await audited('operation.retry', order.operations.confirm);
    assert.deepEqual([line['keyId'], line['requestId']], ['dev-secret-1', retried.headers.get('X-Request-Id')]);
    assertProblem(await post(`/operations/${order.operations.confirm}/retry`), 409, 'not_retryable');
    const { text } = await stack.call(`/v1/orders/${order.id}/events`);
    assert.match(text, /"type":"operation.retried".*"cause":"command:retry"/);
  });

  it('because Stripe refused its form is sent again under a new key, once a read shows that nothing happened', async () => {
    await stack.stopWorker();
    const order = await layOrder(stack);
    const refusal = { error: { type: 'invalid_request_error', code: 'parameter_unknown', message: 'Received unknown parameter' } };
    await strike(stack, order, 'confirm', { action: 'json', status: 400, body: JSON.stringify(refusal), nth: [1] });
    await stack.startWorker();
    const parked = await waitFor('it to be parked', () => operationOf(order, 'confirm').catch(() => null));
    assert.equal(Object(parked['lastError']).code, 'parameter_unknown');

    const intent = (await stack.readOrder(order.id)).payment.stripePaymentIntentId ?? '';
    const missing = { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such payment_intent' } };
    const fault = {
      method: 'GET',
      path: `/v1/payment_intents/${intent}`,
      action: 'json',
      status: 404,
      body: JSON.stringify(missing),
      count: 1,
    };
    assert.equal((await stack.control('/_sim/faults', fault)).status, 200);
    assert.equal((await post(`/operations/${order.operations.confirm}/retry`)).status, 200);
    await waitFor('a read that finds nothing to park it again', async () => {
      const again = await operationOf(order, 'confirm').catch(() => null);
      return Object(again?.['lastError']).code === 'resource_missing';
    });
    assert.equal((await sentFor(stack, order, 'confirm')).length, 1);

    assert.equal((await post(`/operations/${order.operations.confirm}/retry`)).status, 200);
    const { payment } = await stack.orderIn(order.id, 'paid');
    assert.deepEqual(
      (await sentFor(stack, order, 'confirm')).map(({ generation }) => generation),
      [1, 2],
    );
    assert.deepEqual(await effectsOn(stack, payment.stripePaymentIntentId ?? ''), PAID_ONCE);
  });

  it('and makes a refund waits for two complete lists, ten minutes apart, before money can move again', async () => {
    const { id } = await stack.order();
    await stack.orderIn(id, 'paid');
    const refusal = { error: { type: 'invalid_request_error', code: 'parameter_unknown', message: 'Received unknown parameter' } };
    const fault = { method: 'POST', path: '/v1/refunds', action: 'json', status: 400, body: JSON.stringify(refusal), count: 1 };
    assert.equal((await stack.control('/_sim/faults', fault)).status, 200);
    const refund = await stack.call(`/v1/orders/${id}/refunds`, { idempotencyKey: crypto.randomUUID(), body: { amount: 500 } });
    const parked = await waitFor('the refund to be parked', async () =>
      membersOf(await ops('/operations')).find((operation) => operation['refund'] === refund.json['id']),
    );
    const operationId = String(parked['id']);
    const isSent = async (): Promise<number> => (await stack.stripe.refunds.list({ limit: 100 })).data.length;
    assert.equal((await post(`/operations/${operationId}/retry`)).status, 200);
    const seen = await waitFor('a first complete list', async () => {
      const [row] = await stack.database.query<{ absent: boolean }>(
        `SELECT absent_since IS NOT NULL AND status = 'unknown' AS absent FROM payment_operations WHERE refund_id IS NOT NULL AND retried_at IS NOT NULL`,
      );
      return row?.absent;
    });
    assert.ok(seen);
    assert.equal(await isSent(), 0);
    await stack.control('/_sim/clock', { advanceSeconds: 601 });
    await stack.database.query(`UPDATE payment_operations SET next_attempt_at = now() WHERE refund_id IS NOT NULL AND status = 'unknown'`);
    await stack.orderIn(id, 'partially_refunded');
    assert.equal(await isSent(), 1);
  });
});

describe('the inbox', () => {
  it('is listed newest first, page by page, by status and type', async () => {
    const all = membersOf(await ops('/webhook-events?limit=100'));
    assert.ok(all.length >= 4);
    const paged: Member[] = [];
    let path: string | null = '/webhook-events?limit=3';
    while (path !== null) {
      const page: Answer = await ops(path);
      paged.push(...membersOf(page));
      assert.equal(page.headers.get('Link') !== null, page.json['hasMore']);
      const { nextCursor } = page.json;
      path = typeof nextCursor === 'string' ? `/webhook-events?limit=3&startingAfter=${nextCursor}` : null;
    }
    assert.deepEqual(
      paged.map(({ id }) => id),
      all.map(({ id }) => id),
    );
    const succeeded = membersOf(await ops('/webhook-events?type=payment_intent.succeeded&status=applied&limit=100'));
    assert.ok(succeeded.length >= 2);
    for (const { type, status } of succeeded) assert.deepEqual([type, status], ['payment_intent.succeeded', 'applied']);
    assertProblem(await ops('/webhook-events?status=gone'), 400, 'validation_failed');
  });

  it("shows what Stripe sent without client secrets, to the order's account alone", async () => {
    const [event] = membersOf(await ops('/webhook-events?type=payment_intent.succeeded&limit=1'));
    const id = String(event?.['id']);
    const { text, json } = await ops(`/webhook-events/${id}`);
    assert.equal(Object(json['payload']).data.object.object, 'payment_intent');
    assert.doesNotMatch(text, /_secret_|client_secret/);
    const stored = await stack.database.query<{ has: boolean }>(
      `SELECT payload::text LIKE '%client_secret%' AS has FROM webhook_events WHERE id = $1`,
      [id],
    );
    assert.deepEqual(
      stored.map(({ has }) => has),
      [true],
      'the payload holds one',
    );
    assertProblem(await ops(`/webhook-events/${id}`, other), 404, 'not_found');
    assertProblem(await ops(`/webhook-events/${id}/replay`, { ...other, body: {} }), 404, 'not_found');
    for (const { order } of membersOf(await ops('/webhook-events?limit=100', other))) assert.equal(order, null);
  });

  it('applies an event once more when told to, or all of a type and time', async () => {
    const [event] = membersOf(await ops('/webhook-events?type=payment_intent.succeeded&limit=1'));
    const id = String(event?.['id']);
    await stack.database.query(`UPDATE webhook_events SET status = 'parked', note = 'on purpose' WHERE id = $1`, [id]);
    const replayed = await post(`/webhook-events/${id}/replay`);
    assert.deepEqual([replayed.status, replayed.json['note']], [200, null], replayed.text);
    await waitFor('it to be applied again', async () => (await ops(`/webhook-events/${id}`)).json['status'] === 'applied');
    await audited('webhook_event.replay', id);

    const range = { type: 'payment_intent.succeeded', from: '2020-01-01T00:00:00Z', to: '9000-01-01T00:00:00Z' };
    const count = membersOf(await ops('/webhook-events?type=payment_intent.succeeded&limit=100')).length;
    const many = await post('/webhook-events/replay', range);
    assert.deepEqual([many.status, many.json['replayed'], many.json['continueFrom']], [200, count, null]);
    assert.equal((await ops('/webhook-events/replay', { ...other, body: range })).json['replayed'], 0);
    assert.deepEqual((await audited('webhook_events.replay', null))['details'], range);
    assertProblem(await post('/webhook-events/replay', { ...range, to: range.from }), 400, 'validation_failed');
    assertProblem(await post('/webhook-events/evt_nobody/replay'), 404, 'not_found');
  });

  it('refuses to apply again what was forgotten, and leaves no line in the audit trail', async () => {
    const event = anEvent('payment_intent.succeeded', { object: 'charge' });
    await deliverTo(stack, event);
    const { id } = event;
    await waitFor('it to be parked', async () => (await ops(`/webhook-events/${id}`)).json['status'] === 'parked');
    assert.equal((await ops(`/webhook-events/${id}`)).json['payload'], null, 'its order is not known');
    await stack.database.query('UPDATE webhook_events SET payload = NULL WHERE id = $1', [id]);
    assertProblem(await post(`/webhook-events/${id}/replay`), 409, 'not_retryable');
    await assert.rejects(audited('webhook_event.replay', id));
  });
});

describe('a job that BullMQ gave up', () => {
  it('is listed, and is queued anew under a new id', async () => {
    const jobId = crypto.randomUUID();
    await stack.database.query(`INSERT INTO outbox (id, kind, payload) VALUES ($1, 'webhook-event', '{"nonsense": "sk_test_canary"}')`, [
      jobId,
    ]);
    const failed = await waitFor('it to fail', async () => membersOf(await ops('/jobs?state=failed')).find(({ id }) => id === jobId));
    assert.deepEqual([failed['queue'], failed['kind'], failed['state']], ['webhook-events', 'webhook-event', 'failed']);
    const retried = await post(`/jobs/${jobId}/retry`);
    assert.equal(retried.status, 200, retried.text);
    const { replacedBy } = retried.json;
    await waitFor('it to fail once more', async () => membersOf(await ops('/jobs')).some(({ id }) => id === replacedBy));
    assert.ok(!membersOf(await ops('/jobs')).some(({ id }) => id === jobId));
    await audited('job.retry', jobId);
    assertProblem(await post(`/jobs/${jobId}/retry`), 404, 'not_found');
  });

  it('has its place on a page, the latest first', async () => {
    const given = Array.from({ length: 3 }, () => crypto.randomUUID());
    await stack.database.query(
      `INSERT INTO outbox (id, kind, payload) SELECT id, 'webhook-event', '{"nonsense": true}' FROM unnest($1::uuid[]) AS id`,
      [given],
    );
    const all = await waitFor('all to fail', async () => {
      const jobs = membersOf(await ops('/jobs?limit=100'));
      return given.every((id) => jobs.some((job) => job['id'] === id)) && jobs;
    });
    const ids: unknown[] = [];
    for (let path = '/jobs?limit=1'; path !== '';) {
      const page = await ops(path);
      ids.push(...membersOf(page).map(({ id }) => id));
      const { hasMore, nextCursor } = page.json;
      path = hasMore === true ? `/jobs?limit=1&startingAfter=${String(nextCursor)}` : '';
    }
    assert.deepEqual(
      ids,
      all.map(({ id }) => id),
    );
    assertProblem(await ops(`/jobs?startingAfter=${crypto.randomUUID()}`), 400, 'validation_failed');
  });
});

describe('a reconciliation', () => {
  it('is asked for by a person, who shows in it and in the audit trail', async () => {
    const asked = await post('/reconciliations', { dryRun: true });
    assert.deepEqual([asked.status, asked.json['dryRun'], asked.json['requestedBy']], [201, true, 'dev-secret-1'], asked.text);
    const location = String(asked.headers.get('Location'));
    assert.equal((await stack.call(location)).json['id'], asked.json['id']);
    assert.deepEqual((await audited('reconciliation.request', null))['details'], { dryRun: true });
    assertProblem(await post('/reconciliations', {}), 400, 'validation_failed');
    assertProblem(await ops('/reconciliations/rec_x'), 404, 'not_found');
  });
});

describe('the circuit breakers', () => {
  it('are all shown, closed ones too', async () => {
    const breakers = membersOf(await ops('/breakers'));
    assert.ok(breakers.some(({ id }) => id === 'stripe'));
    for (const { state, object } of breakers) assert.deepEqual([state, object], ['closed', 'breaker']);
  });
});

describe('npm run ops', () => {
  async function run(line: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number; out: string; error: string }> {
    const said = { out: '', error: '' };
    const screen = { out: (text: string) => void (said.out += `${text}\n`), error: (text: string) => void (said.error += `${text}\n`) };
    const argv = line.split(' ').filter((word) => word !== '');
    const code = await runOps(argv, { ONCEPAY_URL: `${stack.apiUrl}/`, ONCEPAY_OPS_KEY: SECRET_KEYS[0], ...env }, screen);
    return { code, ...said };
  }

  it('shows lists as tables and as they came', async () => {
    const { code, out } = await run('events --type payment_intent.succeeded --status applied --limit 1');
    const [head = '', row = '', more = ''] = out.split('\n');
    assert.equal(code, 0);
    assert.match(head, /^id +type +status +order +attempts +receivedAt +note$/);
    assert.match(row, /^evt_\w+ +payment_intent\.succeeded +\w+ +ord_\w+ +\d+ +\d{4}-/);
    assert.match(more, /--after evt_/);
    const raw = JSON.parse((await run('events --limit 1 --json')).out);
    assert.equal(raw.object, 'list');
    for (const command of ['operations', 'jobs', 'breakers', 'audit --limit 100']) assert.equal((await run(command)).code, 0, command);
    assert.match((await run('audit --limit 100')).out, /operation\.retry/);
  });

  it('does what its words say', async () => {
    const [event] = membersOf(await ops('/webhook-events?type=payment_intent.succeeded&status=applied&limit=1'));
    const replayed = await run(`replay ${String(event?.['id'])}`);
    assert.deepEqual([replayed.code, replayed.error], [0, '']);
    assert.match(replayed.out, /^status +received$/m);
    const asked = JSON.parse((await run('reconcile --dry-run --json')).out);
    assert.equal(asked.dryRun, true);
    assert.match((await run(`reconciliation ${asked.id}`)).out, /^requestedBy +dev-secret-1$/m);
  });

  it('says what is wrong, and ends with a code that scripts can read', async () => {
    const codes: readonly [string, NodeJS.ProcessEnv, number, RegExp][] = [
      ['retry op_x', {}, 1, /404 not_found.*\nrequest id: req_/s],
      ['operations --status done', {}, 1, /validation_failed/],
      ['events', { ONCEPAY_OPS_KEY: 'nobody' }, 1, /401 unauthenticated/],
      ['', {}, 2, /^$/],
      ['evnts', {}, 2, /there is no command "evnts"/],
      ['retry', {}, 2, /name the id/],
      ['replay --type x', {}, 2, /--from and --to/],
      ['events --state parked', {}, 2, /--state/],
      ['events', { ONCEPAY_URL: 'http://127.0.0.1:1' }, 3, /does not answer/],
    ];
    for (const [line, env, code, words] of codes) {
      const said = await run(line, env);
      assert.deepEqual([line, said.code], [line, code], said.error);
      assert.match(said.error, words);
      assert.ok(!said.error.includes(SECRET_KEYS[0]));
    }
    assert.match((await run('--help')).out, /Exit codes: 0 done/);
  });
});

describe('after all of it', () => {
  it('the rules hold', async () => {
    // What Stripe was kept from telling, it tells late.
    for (const event of await stack.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 })) await deliverTo(stack, event);
    await assertRulesHold(stack);
  });
});
