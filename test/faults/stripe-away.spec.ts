import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type RunningWorker } from '../../apps/worker/src/worker.js';
import { assertRulesHold } from '../support/invariants.js';
import { journalOf } from '../support/payment-facts.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';
import { anEvent, deliverTo, eventStatus } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

const FAILURES_MAX = 5;
const ORDERS = 40;

interface BreakerRow {
  readonly state: string;
  readonly cause: string | null;
  readonly trips: number;
  readonly version: number;
}

const UNTOUCHED: BreakerRow = { state: 'closed', cause: null, trips: 0, version: 0 };

let stack: Stack;
let second: RunningWorker;

before(async () => {
  stack = await startStack({ env: { STRIPE_BREAKER_FAILURES: String(FAILURES_MAX) } });
  second = await stack.anotherWorker();
});
after(async () => {
  await second.close();
  await stack.close();
});

async function breaker(): Promise<BreakerRow> {
  const [row] = await stack.database.query<BreakerRow>(`SELECT state, cause, trips, version FROM breakers WHERE name = 'stripe'`);
  return row ?? UNTOUCHED;
}

function accept(count: number, overrides: object = {}): Promise<readonly OrderJson[]> {
  return Promise.all(Array.from({ length: count }, () => stack.order(overrides)));
}

/** Brings an event for which the worker reads at Stripe: of a refund that does not say whose it is. Returns the event's id. */
async function haveRead(): Promise<string> {
  const refund = { id: `re_${crypto.randomUUID()}`, object: 'refund', status: 'succeeded', amount: 1, currency: 'usd', reason: null };
  const event = anEvent('refund.updated', { ...refund, payment_intent: 'pi_of_somebody_else', metadata: {} });
  assert.equal((await deliverTo(stack, event)).status, 200);
  return event.id;
}

/** Waits until Stripe has answered what was read for an event. */
function isRead(eventId: string): Promise<true> {
  return waitFor('the event to be found to be none of ours', async () => (await eventStatus(stack, eventId)) === 'ignored');
}

/** How often our operations were sent. */
async function sends(): Promise<number> {
  return (await journalOf(stack, 'kind=request&limit=10000')).filter(({ idempotencyKey }) => String(idempotencyKey).startsWith('op_'))
    .length;
}

describe('while Stripe answers nothing but 503 to what is written, two workers', () => {
  let orders: readonly OrderJson[];

  it('open the breaker together, and the API goes on to accept', async () => {
    await stack.control('/_sim/faults', { path: '/v1/**', key: 'op_*', action: 'error', status: 503 });
    orders = await accept(ORDERS);
    await waitFor('the breaker to open', async () => (await breaker()).state === 'open');
    assert.equal((await breaker()).cause, 'outage');
    orders = [...orders, ...(await accept(ORDERS))];
    assert.equal((await stack.call('/health/ready')).status, 200);
  });

  it('send single probes, and spend no attempt on what waits', async () => {
    await waitFor('a first probe to have failed', async () => (await breaker()).trips >= 2);
    await waitFor('every operation to wait for the breaker', async () => {
      const [row] = await stack.database.query<{ others: number }>(
        `SELECT count(*)::int AS others FROM payment_operations op WHERE finished_at IS NULL AND delayed_by IS DISTINCT FROM 'stripe' AND lease_until IS NULL AND kind = 'create'`,
      );
      return row?.others === 0;
    });
    const before = { trips: (await breaker()).trips, sends: await sends() };
    await waitFor('two further probes to have failed', async () => (await breaker()).trips >= before.trips + 2, 60_000);
    const sent = (await sends()) - before.sends;
    const probes = (await breaker()).trips - before.trips;
    // One was perhaps under way when we began to count, and one is when we end.
    assert.ok(sent >= probes - 1 && sent <= probes + 1, `${sent} requests for ${probes} probes`);
    // A busy machine may lose a lease, and its attempt with it; what is held back again and again must not. Those whose line has just
    // come to its end are in a worker's hands, which may be most of them; what was sent is in doubt at every instant.
    await waitFor('most that was not sent to be held, without a spent attempt', async () => {
      const held = await stack.database.query<{ attempts: number }>(
        `SELECT attempts FROM payment_operations WHERE delayed_by = 'stripe' AND lease_until IS NULL AND NOT in_doubt AND fence > 0`,
      );
      if (held.length > ORDERS / 2 && held.filter(({ attempts }) => attempts === 0).length > held.length / 2) return true;
      const states = await stack.database.query(
        `SELECT kind, status, delayed_by, in_doubt, lease_until < now() AS lapsed, least(fence, 3) AS fence, attempts, count(*)::int
         FROM payment_operations GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2`,
      );
      throw new Error(`${held.length} of ${2 * ORDERS} are held: ${JSON.stringify(states)}`);
    });
  });

  it('go on to read, and take no answer to that for the end of it', async () => {
    const { trips } = await breaker();
    await isRead(await haveRead());
    // Closing it would have begun the count anew.
    assert.ok((await breaker()).trips >= trips);
  });

  it('make all that waited due when a probe succeeds, wherever its time had been', async () => {
    await stack.database.query(
      `UPDATE payment_operations SET next_attempt_at = now() + interval '1 hour'
       WHERE delayed_by = 'stripe' AND lease_until IS NULL AND id <> (SELECT min(id::text)::uuid FROM payment_operations WHERE delayed_by = 'stripe' AND lease_until IS NULL)`,
    );
    await stack.control('/_sim/faults', undefined, 'DELETE');
    for (const { id } of orders) await stack.orderIn(id, 'paid', 60_000);
    assert.equal((await breaker()).state, 'closed');
    assert.deepEqual(await stack.database.query('SELECT 1 FROM payment_operations WHERE delayed_by IS NOT NULL'), []);
  });
});

describe('while Stripe answers nothing but 503 to what is read', () => {
  it('what is written goes on, and what has to be read waits', async () => {
    const { version } = await breaker();
    await stack.control('/_sim/faults', { route: 'GET /v1/payment_intents/:id', action: 'error', status: 503 });
    const events = await Promise.all(Array.from({ length: FAILURES_MAX }, haveRead));
    await waitFor(
      'the breaker of reads to open',
      async () => (await stack.database.query(`SELECT 1 FROM breakers WHERE name = 'reads' AND cause = 'outage'`)).length === 1,
    );
    await stack.orderIn((await stack.order()).id, 'paid', 30_000);
    assert.equal((await breaker()).version, version);
    await stack.control('/_sim/faults', undefined, 'DELETE');
    for (const event of events) await isRead(event);
  });
});

describe('the breaker', () => {
  it('holds nothing back once it is closed, whoever did not know', async () => {
    await Promise.all([second.close(), stack.stopWorker()]);
    const [{ id } = assert.fail()] = await accept(1);
    // As a worker leaves it that held it back in the moment in which another closed the breaker.
    const inLine = `UPDATE payment_operations SET delayed_by = 'stripe', next_attempt_at = now() + interval '1 hour' WHERE finished_at IS NULL AND kind = 'create' RETURNING 1`;
    assert.equal((await stack.database.query(inLine)).length, 1);
    await stack.startWorker();
    second = await stack.anotherWorker();
    await stack.orderIn(id, 'paid', 30_000);
  });

  it('is held up by a worker that died as it probed for no longer than its lease', async () => {
    await stack.database.query(
      `UPDATE breakers SET state = 'open', cause = 'outage', trips = 1, opened_at = now(), open_until = now(), probe_until = now() + interval '3 seconds', version = version + 1 WHERE name = 'stripe'`,
    );
    // A worker that has looked a moment ago does not know yet, and lets the first orders through.
    await waitFor('a probe to close it', async () => {
      const [{ id } = assert.fail()] = await accept(1);
      await stack.orderIn(id, 'paid', 30_000);
      return (await breaker()).state === 'closed';
    });
  });

  it('cares for no declined card, no refusal, no 409 and no 429, however many', async () => {
    const { version } = await breaker();
    await stack.control('/_sim/faults', [
      { route: 'POST /v1/payment_intents/:id/confirm', action: 'conflict', count: 10 },
      { route: 'POST /v1/payment_intents', action: '429', retryAfterSeconds: 0, count: 10 },
    ]);
    const declined = await accept(20, { paymentMethod: 'pm_card_chargeDeclined' });
    for (const { id } of declined) await stack.orderIn(id, 'requires_payment', 30_000);
    await stack.control('/_sim/faults', { route: 'POST /v1/payment_intents', action: 'error', status: 400, count: 20 });
    const refused = await accept(20);
    for (const { id } of refused) await stack.orderIn(id, 'failed', 30_000);
    assert.equal((await breaker()).version, version);
  });

  it('leaves the rules kept', () => assertRulesHold(stack));
});
