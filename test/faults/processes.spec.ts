import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Database } from '#libs/database';
import { requeueOverdueOperations } from '#libs/payments';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { freePort } from '../../tools/free-port.js';
import { type Answer, call } from '../support/http-client.js';
import { AMOUNT, Installation, SECRET_KEY } from '../support/installation.js';
import { type AppProcess, type Exit } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';

const ORDER = { currency: 'usd', items: [{ name: 'T-shirt', unitAmount: AMOUNT, quantity: 1 }], paymentMethod: 'pm_card_visa' };
/** As long as a balancer takes to hear of it, and more. */
const DRAIN = { SHUTDOWN_DELAY_SECONDS: '1' };
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

it('a process that is asked to stop while it starts ends with 0 once it has let go of what it started', async () => {
  const holder = new pg.Client({ connectionString: here.database.url });
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE _prisma_migrations IN ACCESS EXCLUSIVE MODE');
  // Who migrates waits for as long as it takes.
  const env = { MIGRATE_ON_START: 'true' };
  const starting = await Promise.all([here.launch('api', env), here.launch('worker', env)]);
  await waitFor('both to look for their migrations', async () => {
    const waiting = await here.database.query(
      `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    return waiting.length === 2;
  });
  for (const app of starting) app.signal('SIGTERM');
  await holder.end();
  for (const app of starting) assert.deepEqual(await exitOf(app), { code: 0, signal: null }, app.output());
});

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

let api: AppProcess;

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
  const openOperations = async (): Promise<number> => {
    const rows = await here.database.query('SELECT 1 FROM payment_operations WHERE finished_at IS NULL');
    return rows.length;
  };
  /**
   * Places an order, and waits until the worker's first call for it is at Stripe, where it takes this long. Where that is over before
   * it was seen, as the machine does something else, the next order is tried.
   */
  const inTheMiddleOfACall = async (ms: number): Promise<void> => {
    await waitFor('a call to be seen under way', async () => {
      await here.control('/_sim/faults', { route: 'POST /v1/payment_intents', action: 'delay', ms, count: 1 });
      const { json } = await here.command('/v1/orders', crypto.randomUUID(), ORDER);
      orderId = String(json['id']);
      const status = await waitFor('the call to begin', async () => {
        const now = (await operation())?.status;
        return now !== 'queued' && now;
      });
      return status === 'in_flight';
    });
  };

  before(async () => {
    api = await here.start('api', DRAIN);
    await here.database.query('DELETE FROM outbox');
    await here.database.query(`UPDATE payment_operations SET status = 'withdrawn', finished_at = now()`);
  });

  it('that froze in the middle of a call and wakes past its lease writes nothing: the fence refuses it', async () => {
    const adminPort = String(await freePort());
    worker = await here.start('worker', { ADMIN_PORT: adminPort });
    await inTheMiddleOfACall(1_000);
    worker.signal('SIGSTOP');
    const other = await here.start('worker');
    await here.becomes(`/v1/orders/${orderId}`, 'paid');
    const [order, taken] = [await here.read(`/v1/orders/${orderId}`), await operation()];
    assert.ok(Number(taken?.fence) > 1, 'the other worker has taken over');

    worker.signal('SIGCONT');
    await waitFor('the fence to refuse it', () => worker.output().includes('the fence refused a write'));
    assert.deepEqual([await here.read(`/v1/orders/${orderId}`), await operation()], [order, taken]);
    assert.match((await call(`http://127.0.0.1:${adminPort}/metrics`)).text, /^oncepay_fences_refused_total [1-9]/m);
    await here.assertChargedOnce(orderId);
    assert.ok(!other.output().includes('the fence refused'), other.output());
    other.signal('SIGTERM');
    assert.deepEqual(await exitOf(other), { code: 0, signal: null });
  });

  it('that died leaves what it held to go ahead of what waits', async () => {
    // What the tests before have left would be found overdue as well.
    await waitFor('nothing to be left to do', async () => (await openOperations()) === 0);
    worker.signal('SIGSTOP');
    const { json } = await here.command('/v1/orders', crypto.randomUUID(), ORDER);
    await here.database.query(
      `UPDATE payment_operations SET lease_until = now() - interval '1 ms', next_attempt_at = now() - interval '1 minute' WHERE kind = 'create' AND finished_at IS NULL`,
    );
    const database = new Database({ url: here.database.url, behindPooler: false, onError: () => undefined });
    const count = await requeueOverdueOperations(database.autocommit, { hasLine: true, newId: () => crypto.randomUUID(), limit: 10 });
    await database.close();
    const rows = await here.database.query<{ ahead: boolean }>('SELECT ahead FROM outbox ORDER BY ahead');
    worker.signal('SIGCONT');
    assert.equal(count, 1);
    assert.deepEqual(
      rows.map(({ ahead }) => ahead),
      [false, true],
    );
    await here.becomes(`/v1/orders/${String(json['id'])}`, 'paid');
  });

  it('that is asked to stop in the middle of a call finishes it, records it, and exits 0', async () => {
    await inTheMiddleOfACall(1_500);
    worker.signal('SIGTERM');
    assert.deepEqual(await exitOf(worker), { code: 0, signal: null });
    assert.deepEqual(await operation(), { status: 'done', attempts: 1, fence: '1' });
  });
});

describe('processes that are replaced one after the other', () => {
  const LOOK_EVERY_MS = 50;
  /** Of each buyer: some request is under way whenever a process goes, and the processor is left to those who come. */
  const BUY_EVERY_MS = 200;

  it('lose no request of clients that come through a balancer, and leave no order unpaid', async () => {
    const ports = [Number(new URL(here.url).port), await freePort()] as const;
    const startApi = (port: number): Promise<AppProcess> => here.start('api', { ...DRAIN, PORT: String(port) });
    const [other, worker] = await Promise.all([startApi(ports[1]), here.start('worker')]);
    const over = new AbortController();

    const ready = new Set<number>(ports);
    const balance = async (port: number): Promise<void> => {
      while (!over.signal.aborted) {
        const isReady = await call(`http://127.0.0.1:${port}/health/ready`).then(
          ({ status }) => status === 200,
          () => false,
        );
        if (isReady) ready.add(port);
        else ready.delete(port);
        await sleep(LOOK_EVERY_MS);
      }
    };
    const answers: Answer[] = [];
    const buy = async (): Promise<void> => {
      for (let count = 0; !over.signal.aborted; count += 1) {
        const open = [...ready];
        const url = `http://127.0.0.1:${open[count % open.length]}/v1/orders`;
        answers.push(await call(url, { key: SECRET_KEY, idempotencyKey: crypto.randomUUID(), body: ORDER }));
        await sleep(BUY_EVERY_MS);
      }
    };
    const running = Promise.all([...ports.map(balance), buy(), buy()]);
    running.catch(() => undefined);
    const replace = async (old: AppProcess, start: () => Promise<unknown>): Promise<void> => {
      old.signal('SIGTERM');
      assert.deepEqual(await exitOf(old), { code: 0, signal: null });
      await start();
    };
    for (const [old, port] of [
      [api, ports[0]],
      [other, ports[1]],
    ] as const) {
      await replace(old, () => startApi(port));
      await waitFor('the balancer to know the new one', () => ready.has(port));
      const before = answers.length;
      await waitFor('it to be given requests', () => answers.length > before + ports.length);
    }
    await replace(worker, () => here.start('worker'));
    over.abort();
    await running;

    assert.ok(answers.length > 20, `${answers.length} requests`);
    for (const { status, text } of answers) assert.equal(status, 201, text);
    await waitFor('every order to be paid', async () => {
      const left = await here.database.query(`SELECT 1 FROM orders WHERE status <> 'paid' AND created_at >= $1`, [
        answers[0]?.json['createdAt'],
      ]);
      return left.length === 0;
    });
  });
});
