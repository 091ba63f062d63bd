import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { type Answer, call } from '../support/http-client.js';
import { AMOUNT, Installation, SECRET_KEY } from '../support/installation.js';
import { type AppProcess, type Exit } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';

const ORDER = { currency: 'usd', items: [{ name: 'T-shirt', unitAmount: AMOUNT, quantity: 1 }], paymentMethod: 'pm_card_visa' };
/** Longer than any test takes: what is waited for does not come by itself. */
const NEVER_SECONDS = '300';

let simulator: Awaited<ReturnType<typeof startSimulator>>;
let here: Installation;

before(async () => {
  simulator = await startSimulator({ port: 0 });
  here = await Installation.open(simulator);
  await here.database.query(
    'CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(NEW.reference::float); RETURN NEW; END $$',
  );
  await here.database.query(
    'CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.reference IS NOT NULL) EXECUTE FUNCTION slow()',
  );
});
after(async () => {
  await here.close();
  await simulator.close();
});

/** Sends an order whose statement takes this long, and returns its answer to come once the statement runs. */
async function slowOrder(seconds: number): Promise<{ readonly answer: Promise<Answer> }> {
  const answer = here.send('/v1/orders', crypto.randomUUID(), { ...ORDER, reference: String(seconds) });
  answer.catch(() => undefined);
  await waitFor(
    'the order to be under way',
    async () =>
      (await here.database.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`)).length ===
      1,
  );
  return { answer };
}

async function exitOf(app: AppProcess): Promise<Exit> {
  return waitFor(
    'the process to end',
    () => Promise.race([app.ended, new Promise<null>((resolve) => setTimeout(() => resolve(null), 50).unref())]),
    30_000,
  );
}

describe('an API that is asked to stop', () => {
  it('says that it is not ready, serves on without keeping connections, and lets nobody wait; asked again, it ends at once', async () => {
    const api = await here.start('api', { SHUTDOWN_DELAY_SECONDS: NEVER_SECONDS, SHUTDOWN_TIMEOUT_SECONDS: '600' });
    const { json } = await here.command('/v1/orders', crypto.randomUUID(), ORDER);
    const path = `${here.url}/v1/orders/${String(json['id'])}`;
    const waiting = call(path, { key: SECRET_KEY, headers: { Prefer: 'wait=30' } });
    const asked = performance.now();

    api.signal('SIGTERM');
    const waited = await waiting;
    assert.deepEqual([waited.status, waited.json['status'], waited.headers.get('Preference-Applied')], [200, 'pending', 'wait=30']);
    assert.ok(performance.now() - asked < 25_000, 'it was answered before its time');
    await waitFor('it not to be ready', async () => {
      const { status, json: health } = await call(`${here.url}/health/ready`);
      return status === 503 && Object(health['details']).accepting.status === 'down';
    });
    const late = await here.send('/v1/orders', crypto.randomUUID(), ORDER);
    assert.deepEqual([late.status, late.headers.get('Connection')], [201, 'close']);

    api.signal('SIGTERM');
    assert.deepEqual(await exitOf(api), { code: 1, signal: null });
  });

  it('finishes the request under way and exits 0', async () => {
    const api = await here.start('api');
    const { answer } = await slowOrder(0.5);
    api.signal('SIGTERM');
    assert.equal((await answer).status, 201);
    assert.deepEqual(await exitOf(api), { code: 0, signal: null });
  });

  it('exits 1 when the time is over, and what was not acknowledged can be sent again', async () => {
    const api = await here.start('api', { SHUTDOWN_TIMEOUT_SECONDS: '1', STRIPE_TIMEOUT_MS: '100' });
    const { answer } = await slowOrder(9);
    api.signal('SIGTERM');
    assert.deepEqual(await exitOf(api), { code: 1, signal: null });
    await assert.rejects(answer);
  });
});

describe('a worker', () => {
  let worker: AppProcess;
  let orderId = '';
  const operation = async (): Promise<{ status: string; attempts: number; fence: string } | undefined> => {
    const rows = await here.database.query<{ status: string; attempts: number; fence: string }>(
      `SELECT op.status, op.attempts, op.fence FROM payment_operations op JOIN orders o ON o.id = op.order_id
       WHERE op.kind = 'create' ORDER BY op.created_at DESC LIMIT 1`,
    );
    return rows[0];
  };
  /** Places an order, and waits until the worker's first call for it is at Stripe, where it takes this long. */
  const inTheMiddleOfACall = async (ms: number): Promise<void> => {
    await here.control('/_sim/faults', { route: 'POST /v1/payment_intents', action: 'delay', ms, count: 1 });
    const { json } = await here.command('/v1/orders', crypto.randomUUID(), ORDER);
    orderId = String(json['id']);
    await waitFor('the call to be under way', async () => (await operation())?.status === 'in_flight');
  };

  before(async () => {
    await here.start('api');
    await here.database.query('DELETE FROM outbox');
    await here.database.query(`UPDATE payment_operations SET status = 'withdrawn', finished_at = now()`);
  });

  it('that froze in the middle of a call and wakes past its lease writes nothing: the fence refuses it', async () => {
    worker = await here.start('worker');
    await inTheMiddleOfACall(1_000);
    worker.signal('SIGSTOP');
    const other = await here.start('worker');
    await here.becomes(`/v1/orders/${orderId}`, 'paid');
    const [order, taken] = [await here.read(`/v1/orders/${orderId}`), await operation()];
    assert.ok(Number(taken?.fence) > 1, 'the other worker has taken over');

    worker.signal('SIGCONT');
    await waitFor('the fence to refuse it', () => worker.output().includes('the fence refused a write'));
    assert.deepEqual([await here.read(`/v1/orders/${orderId}`), await operation()], [order, taken]);
    await here.assertChargedOnce(orderId);
    assert.ok(!other.output().includes('the fence refused'), other.output());
    other.signal('SIGTERM');
    assert.deepEqual(await exitOf(other), { code: 0, signal: null });
  });

  it('that is asked to stop in the middle of a call finishes it, records it, and exits 0', async () => {
    await inTheMiddleOfACall(1_500);
    worker.signal('SIGTERM');
    assert.deepEqual(await exitOf(worker), { code: 0, signal: null });
    assert.deepEqual(await operation(), { status: 'done', attempts: 1, fence: '1' });
  });
});
