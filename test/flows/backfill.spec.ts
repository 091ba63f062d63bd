import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { intentOf, refund, refundIn } from '../support/commands.js';
import { assertRulesHold } from '../support/invariants.js';
import { journalOf } from '../support/payment-facts.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const RETURN_URL = 'https://shop.example/return';
const BROWSER = { paymentMethod: undefined, returnUrl: RETURN_URL };
const MINUTE_SECONDS = 60;

let stack: Stack;

before(async () => {
  stack = await startStack({ virtualClock: true, env: { EVENTS_BACKFILL_EVERY_SECONDS: '1' } });
});
after(() => stack.close());

/** What one look cost: the lists of events that Stripe was asked for. */
const looks = async (): Promise<number> => (await journalOf(stack, 'kind=request')).filter(({ path }) => path === '/v1/events').length;

/** More than one page of events, none of which has an effect. */
async function fillPage(): Promise<void> {
  for (let count = 0; count < 101; count += 1) await stack.stripe.customers.create({ email: `foreign-${count}@example.com` });
}

const hearsNothing = (): Promise<unknown> => stack.control('/_sim/webhooks', { action: 'drop' });

async function advance(minutes: number): Promise<void> {
  await stack.control('/_sim/clock', { advanceSeconds: minutes * MINUTE_SECONDS });
}

/** What a buyer does in the browser, past us. */
async function pay(order: OrderJson, paymentMethod: string): Promise<void> {
  await stack.stripe.paymentIntents.confirm(intentOf(order), { payment_method: paymentMethod, return_url: RETURN_URL });
}

/** Who looks by the schedule, and how far they have come. */
async function task(): Promise<Task | undefined> {
  const rows = await stack.database.query<Task>(
    `SELECT completed, cursor_at, lease_until, fence FROM scheduled_tasks WHERE name = 'backfill-events'`,
  );
  return rows[0];
}

interface Task {
  readonly completed: boolean;
  readonly cursor_at: Date | null;
  readonly lease_until: Date | null;
  readonly fence: string;
}

describe('with every webhook lost for half an hour', () => {
  it('all that happened in that time is known after one look', async () => {
    const browser = await Promise.all(Array.from({ length: 4 }, () => stack.order(BROWSER)));
    const paid = await stack.order();
    const waiting = await Promise.all(browser.map(({ id }) => stack.orderIn(id, 'requires_payment')));
    await stack.orderIn(paid.id, 'paid');
    await hearsNothing();
    await stack.stopWorker();

    const [first, second, third, fourth] = waiting;
    assert.ok(first && second && third && fourth);
    await pay(first, 'pm_card_visa');
    await advance(10);
    await pay(second, 'pm_card_authenticationRequired');
    await stack.stripe.refunds.create({ payment_intent: intentOf(await stack.readOrder(paid.id)), amount: 300 });
    await advance(10);
    await assert.rejects(pay(third, 'pm_card_chargeDeclined'));
    await stack.stripe.paymentIntents.cancel(intentOf(fourth));
    await fillPage();
    await advance(10);

    const before = await looks();
    await stack.startWorker();
    await stack.orderIn(first.id, 'paid');
    await stack.orderIn(second.id, 'requires_action');
    await stack.orderIn(fourth.id, 'canceled');
    await stack.orderIn(paid.id, 'partially_refunded');
    const declined = await waitFor('the decline to be known', async () => {
      const order = await stack.readOrder(third.id);
      return order.payment.lastError === null ? null : order;
    });
    assert.deepEqual([declined.status, declined.payment.lastError?.code], ['requires_payment', 'card_declined']);
    assert.ok((await looks()) >= before + 2, 'the list has more than one page');
    await assertRulesHold(stack);
  });

  it('costs one call a look when there is nothing new, and runs in one process at a time', async () => {
    const seen = await waitFor('a look to end', async () => {
      const now = await task();
      return now?.completed === true && now.cursor_at !== null ? now : null;
    });
    const before = await looks();
    const later = await waitFor('three further looks', async () => {
      const now = await task();
      return now !== undefined && now.completed && Number(now.fence) >= Number(seen.fence) + 3 ? now : null;
    });
    const after = await looks();
    const turns = Number(later.fence) - Number(seen.fence);
    assert.ok(after - before <= turns + 2, `${after - before} calls for ${turns} looks`);
  });

  it('moves its cursor no further than what it has stored', async () => {
    await advance(20);
    const order = await stack.orderIn((await stack.order(BROWSER)).id, 'requires_payment');
    await stack.control('/_sim/faults', { method: 'GET', path: '/v1/events', action: 'error', status: 503 });
    const failing = await waitFor('a look to fail', async () => {
      const now = await task();
      return now?.completed === false && now.lease_until === null && now;
    });
    const known = failing.cursor_at?.getTime() ?? assert.fail();
    await pay(order, 'pm_card_visa');
    await waitFor('a further look to fail', async () => Number((await task())?.fence) > Number(failing.fence) + 1);
    assert.equal((await task())?.cursor_at?.getTime(), known);
    await stack.control('/_sim/faults', undefined, 'DELETE');
    await stack.orderIn(order.id, 'paid');
    await waitFor('the cursor to move', async () => ((await task())?.cursor_at?.getTime() ?? 0) > known);
  });

  it('even one that stands behind a hundred others is known after one look', async () => {
    const order = await stack.orderIn((await stack.order(BROWSER)).id, 'requires_payment');
    await waitFor('the look under way to end', async () => (await task())?.completed);
    const nobodyLooks = `UPDATE scheduled_tasks SET lease_until = now() + interval '1 hour' WHERE name = 'backfill-events' AND completed RETURNING 1`;
    await waitFor('nobody to look', async () => (await stack.database.query(nobodyLooks)).length === 1);
    await hearsNothing();
    await pay(order, 'pm_card_visa');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    await fillPage();
    await waitFor('the later events to be known', async () => {
      const listed = await stack.stripe.events.list({ limit: 100 });
      const ids = listed.data.map(({ id }) => id);
      const known = await stack.database.query('SELECT 1 FROM webhook_events WHERE id = ANY ($1)', [ids]);
      return known.length === ids.length;
    });
    assert.equal((await stack.readOrder(order.id)).status, 'requires_payment');
    await stack.database.query(`UPDATE scheduled_tasks SET lease_until = NULL WHERE name = 'backfill-events'`);
    await stack.orderIn(order.id, 'paid');
  });

  it('one that Stripe lists a minute late is known after the next look', async () => {
    const order = await stack.orderIn((await stack.order(BROWSER)).id, 'requires_payment');
    await stack.stopWorker();
    await hearsNothing();
    await pay(order, 'pm_card_visa');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    await advance(1);
    const { json: clock } = await stack.control('/_sim/clock');
    // As if the looks of that minute had not been shown it.
    await stack.database.query(
      `UPDATE scheduled_tasks SET completed = true, lease_until = NULL, cursor_at = $1, looked_at = $1 WHERE name = 'backfill-events'`,
      [clock['now']],
    );
    const before = Number((await task())?.fence);
    await stack.startWorker();
    await stack.orderIn(order.id, 'paid');
    assert.ok(Number((await task())?.fence) <= before + 2, 'the next look, and one that may have begun since');
  });

  it('looks back less often where that takes long', async () => {
    const cursor = async (): Promise<number> => (await task())?.cursor_at?.getTime() ?? 0;
    await stack.control('/_sim/faults', { method: 'GET', path: '/v1/events', action: 'delay', ms: 600 });
    // Twice: one look may have begun before it took long.
    let slow = await cursor();
    for (const which of ['first', 'second']) {
      await advance(1);
      slow = await waitFor(`the cursor to move a ${which} time`, async () => (await cursor()) > slow && cursor());
    }
    const { fence } = (await task()) ?? assert.fail();
    await stack.control('/_sim/faults', undefined, 'DELETE');
    await waitFor('a further look', async () => Number((await task())?.fence) > Number(fence) + 1);
    assert.equal(await cursor(), slow);
  });

  it('what is lost while a long look goes on is known before that look ends', async () => {
    const order = await stack.orderIn((await stack.order(BROWSER)).id, 'requires_payment');
    await stack.stopWorker();
    await hearsNothing();
    for (const _ of ['second', 'third']) await fillPage();
    await stack.control('/_sim/faults', { method: 'GET', path: '/v1/events', action: 'delay', ms: 1_200 });
    const before = await looks();
    // A worker that starts looks through all of the overlap.
    await stack.startWorker();
    await waitFor('the first page to be asked for', async () => (await looks()) > before);
    const long = (await task()) ?? assert.fail();
    await pay(order, 'pm_card_visa');
    await stack.orderIn(order.id, 'paid');
    assert.deepEqual({ ...(await task()), lease_until: null }, { ...long, lease_until: null });
    assert.equal(long.completed, false);
    await stack.control('/_sim/faults', undefined, 'DELETE');
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
  });

  it('leaves what our own commands did as it is', async () => {
    const paid = await stack.orderIn((await stack.order()).id, 'paid');
    const { id } = await refund(stack, paid.id, { amount: 500 });
    await refundIn(stack, id, 'succeeded');
    await assertRulesHold(stack);
  });
});

describe('the schedule', () => {
  it('asks for a reconciliation when one is due', async () => {
    await waitFor('the task to be known', () =>
      stack.database
        .query(`UPDATE scheduled_tasks SET next_run_at = now() WHERE name = 'reconcile' RETURNING 1`)
        .then(({ length }) => length > 0),
    );
    // A worker that starts looks at once.
    await stack.stopWorker();
    await stack.startWorker();
    await waitFor('the reconciliation to end', async () => {
      const [row] = await stack.database.query<{ status: string }>(`SELECT status FROM reconciliations WHERE requested_by = 'schedule'`);
      return row?.status === 'done';
    });
  });
});
