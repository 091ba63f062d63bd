import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Stripe } from 'stripe';
import { assertRulesHold, keepOutbox } from '../support/invariants.js';
import { effectsOn, payInBrowser } from '../support/payment-facts.js';
import { AN_ORDER, type OrderJson, type Stack, startStack } from '../support/stack.js';
import { anEvent, anIntent, deliverTo } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

const PAID_ONCE = ['authorized 2000 usd', 'captured 2000 usd'];
const OURS = { oncepay_instance: 'tests', oncepay_order: 'ord_of_a_lost_commit', oncepay_operation: 'op_of_a_lost_commit' };

let stack: Stack;

before(async () => {
  stack = await startStack({ virtualClock: true });
  await keepOutbox(stack.database);
});
after(() => stack.close());

/** An order for the browser to pay, which we know to wait for it. */
async function browserOrder(): Promise<OrderJson> {
  const { paymentMethod: _, ...body } = AN_ORDER;
  const { json } = await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body });
  return stack.orderIn(String(json['id']), 'requires_payment');
}

const intentOf = ({ payment }: OrderJson): string => payment.stripePaymentIntentId ?? assert.fail('there is no intent');

/** From here on the simulator tells us nothing of an object; the events stay in its list. */
async function silence(objectId: string): Promise<void> {
  assert.equal((await stack.control('/_sim/webhooks', { action: 'drop', object: objectId })).status, 200);
}

/** The events of an intent as Stripe's list holds them, oldest first. */
async function eventsOf(intentId: string): Promise<readonly Stripe.Event[]> {
  const events = await stack.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
  return events.filter(({ data }) => 'id' in data.object && data.object.id === intentId).toReversed();
}

const send = (event: object): ReturnType<typeof deliverTo> => deliverTo(stack, event);

async function sendAll(events: readonly object[]): Promise<void> {
  for (const event of events) assert.equal((await send(event)).status, 200);
}

interface InboxRow {
  readonly status: string;
  readonly note: string | null;
}

/** The end of an event, once it has one of these. */
function ended(id: string, ...statuses: readonly string[]): Promise<InboxRow> {
  return waitFor(`event ${id} to be ${statuses.join(' or ')}`, async () => {
    const [row] = await stack.database.query<InboxRow>('SELECT status, note FROM webhook_events WHERE id = $1', [id]);
    if (row !== undefined && statuses.includes(row.status)) return row;
    throw new Error(JSON.stringify(row));
  });
}

/** How an event that is not at its end stands. */
interface OpenRow extends InboxRow {
  readonly attempts: number;
  readonly isDue: boolean;
}

const openRow = async (id: string): Promise<OpenRow> => {
  const [row] = await stack.database.query<OpenRow>(
    'SELECT status, note, attempts, next_attempt_at <= now() AS "isDue" FROM webhook_events WHERE id = $1',
    [id],
  );
  return row ?? assert.fail(`event ${id} is not there`);
};

/** Lets the time of the next look at an event come, and waits until it is over. */
async function lookAgain(id: string): Promise<OpenRow> {
  await stack.database.query(
    `WITH due AS (UPDATE webhook_events SET next_attempt_at = now() WHERE id = $1 RETURNING id)
     INSERT INTO outbox (id, kind, payload) SELECT gen_random_uuid(), 'webhook-event', jsonb_build_object('eventId', id) FROM due`,
    [id],
  );
  return waitFor(`event ${id} to be looked at`, async () => {
    const row = await openRow(id);
    return (!row.isDue || row.status === 'parked') && row;
  });
}

async function timelineOf({ id }: OrderJson): Promise<readonly { readonly type: string; readonly cause: string }[]> {
  const { json } = await stack.call(`/v1/orders/${id}/events`);
  return Array.isArray(json['data']) ? json['data'] : [];
}

describe('an event', () => {
  it('that comes three times has one effect, which names it as its cause', async () => {
    const order = await browserOrder();
    await silence(intentOf(order));
    await payInBrowser(stack, order, 'pm_card_visa');
    const event = (await eventsOf(intentOf(order))).find(({ type }) => type === 'payment_intent.succeeded') ?? assert.fail();
    assert.equal((await stack.readOrder(order.id)).status, 'requires_payment');

    await Promise.all([send(event), send(event), send(event)]);
    await stack.orderIn(order.id, 'paid');
    await sendAll(await eventsOf(intentOf(order)));
    await ended(event.id, 'applied');
    const caused = (await timelineOf(order)).filter(({ cause }) => cause === `webhook:${event.id}`);
    assert.deepEqual(
      caused.map(({ type }) => type),
      ['payment.succeeded', 'order.paid'],
    );
    assert.deepEqual(await stack.database.query('SELECT count(*)::int AS count FROM webhook_events WHERE id = $1', [event.id]), [
      { count: 1 },
    ]);
  });

  it('and its fellows lead to the same end in every order', async () => {
    const orders = await Promise.all(Array.from({ length: 6 }, browserOrder));
    const permutations = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const;
    await Promise.all(
      orders.map(async (order, index) => {
        const id = intentOf(order);
        await silence(id);
        await payInBrowser(stack, order, 'pm_card_chargeDeclined');
        await payInBrowser(stack, order, 'pm_card_authenticationRequired');
        await stack.control(`/_sim/payment_intents/${id}/next_action`, { outcome: 'succeeded' });
        const [created, ...events] = await eventsOf(id);
        await send(created ?? assert.fail());
        assert.deepEqual(
          events.map(({ type }) => type.slice('payment_intent.'.length)),
          ['payment_failed', 'requires_action', 'succeeded'],
        );
        await sendAll((permutations[index] ?? []).map((position) => events[position] ?? assert.fail()));
        for (const event of events) await ended(event.id, 'applied');
        const { status, payment, amountCaptured } = await stack.readOrder(order.id);
        assert.deepEqual(
          { status, error: payment.lastError, action: payment.nextAction, amountCaptured },
          { status: 'paid', error: null, action: null, amountCaptured: 2_000 },
        );
      }),
    );
  });

  it('that is older than what Stripe says now moves nothing: the intent is read', async () => {
    const order = await browserOrder();
    const stale = anEvent(
      'payment_intent.processing',
      anIntent({ id: intentOf(order), status: 'processing', amount_received: 0, client_secret: null }),
    );
    await send(stale);
    await ended(stale.id, 'applied');
    assert.deepEqual(await stack.readOrder(order.id), order);
    assert.equal(
      (await timelineOf(order)).some(({ cause }) => cause === `webhook:${stale.id}`),
      false,
    );
  });

  it('whose intent cannot be read is kept until it can', async () => {
    const order = await browserOrder();
    const id = intentOf(order);
    await silence(id);
    await payInBrowser(stack, order, 'pm_simulator_processing');
    await stack.control('/_sim/faults', { method: 'GET', path: `/v1/payment_intents/${id}`, action: 'error', status: 503, count: 2 });
    const events = await eventsOf(id);
    const event = events.find(({ type }) => type === 'payment_intent.processing') ?? assert.fail();
    await sendAll(events);
    await stack.orderIn(order.id, 'processing');
    assert.deepEqual(await ended(event.id, 'applied'), { status: 'applied', note: null });
    const { json } = await stack.control('/_sim/faults');
    assert.deepEqual(
      Object(json['data']).map(({ struck }: { struck: number }) => struck),
      [2],
    );
    await stack.control('/_sim/faults', undefined, 'DELETE');
  });

  it('that fails for a reason of its own is tried ten times, then parked', async () => {
    const order = await browserOrder();
    const id = intentOf(order);
    await stack.control('/_sim/faults', { method: 'GET', path: `/v1/payment_intents/${id}`, action: 'error', status: 404 });
    const event = anEvent('payment_intent.processing', anIntent({ id, status: 'processing', amount_received: 0 }));
    await send(event);
    await waitFor('a first attempt', async () => (await openRow(event.id)).attempts > 0);
    let row = await openRow(event.id);
    for (let looks = 0; looks < 10 && row.status !== 'parked'; looks += 1) row = await lookAgain(event.id);
    assert.equal(row.status, 'parked');
    assert.ok(row.attempts >= 10, `parked after ${row.attempts}`);
    assert.match(row.note ?? '', /404/);
    await stack.control('/_sim/faults', undefined, 'DELETE');
  });

  it('that contradicts the order in amount, currency or sum is never believed, and written down', async () => {
    const lies = [{ amount: 1, amount_received: 1 }, { currency: 'eur' }, { amount_received: 2_001 }];
    for (const lie of lies) {
      const order = await browserOrder();
      const event = anEvent('payment_intent.succeeded', anIntent({ id: intentOf(order), ...lie }));
      await send(event);
      assert.match((await ended(event.id, 'applied')).note ?? '', /discrepanc/);
      assert.equal((await stack.readOrder(order.id)).status, 'requires_payment');
      const found = await stack.database.query<object>('SELECT 1 FROM discrepancies WHERE stripe_object_id = $1', [intentOf(order)]);
      assert.equal(found.length, 1);
    }
  });

  it('that says too little of an intent we know makes us ask Stripe', async () => {
    const order = await browserOrder();
    const id = intentOf(order);
    await silence(id);
    await payInBrowser(stack, order, 'pm_card_visa');
    const event = anEvent('payment_intent.succeeded', { id, object: 'payment_intent' });
    await send(event);
    await ended(event.id, 'applied');
    await stack.orderIn(order.id, 'paid');
    assert.ok((await timelineOf(order)).some(({ cause }) => cause === `webhook:${event.id}`));
    await sendAll(await eventsOf(id));
  });

  it('of an object that is not what its type says is parked', async () => {
    const event = anEvent('payment_intent.succeeded', { id: 'ch_1', object: 'charge', payment_intent: 'pi_1' });
    await send(event);
    assert.notEqual((await ended(event.id, 'parked')).note, null);
  });

  it('of the other mode is ignored, even of an order we know', async () => {
    const order = await browserOrder();
    const event = anEvent('payment_intent.succeeded', anIntent({ id: intentOf(order) }), { livemode: true });
    await send(event);
    await ended(event.id, 'ignored');
    assert.equal((await stack.readOrder(order.id)).status, 'requires_payment');
  });
});

describe('an event that names an account', () => {
  it('of a connected account is ignored, even of an order we know', async () => {
    const order = await browserOrder();
    const event = anEvent('payment_intent.succeeded', anIntent({ id: intentOf(order) }), { account: 'acct_connected' });
    await send(event);
    assert.equal((await ended(event.id, 'ignored', 'applied')).note, 'of a connected account');
    assert.equal((await stack.readOrder(order.id)).status, 'requires_payment');
  });

  it('is applied where the account is our own', async () => {
    const order = await browserOrder();
    const account = (await stack.stripe.accounts.retrieveCurrent()).id;
    const [created] = await waitFor('an event of its intent', async () => {
      const found = await eventsOf(intentOf(order));
      return found.length > 0 && found;
    });
    const event = anEvent('payment_intent.payment_failed', created?.data.object ?? assert.fail(), { account });
    await send(event);
    await ended(event.id, 'applied');
  });
});

describe('an event of an intent that is not ours', () => {
  for (const [what, metadata] of [
    ['without our metadata', {}],
    ['of another instance', { ...OURS, oncepay_instance: 'another' }],
  ] as const) {
    it(`${what} is ignored`, async () => {
      const intent = await stack.stripe.paymentIntents.create({
        amount: 500,
        currency: 'usd',
        metadata,
        payment_method: 'pm_card_visa',
        confirm: true,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      });
      const events = await waitFor('its events', async () => {
        const found = await eventsOf(intent.id);
        return found.length >= 2 && found;
      });
      for (const { id } of events) await ended(id, 'ignored');
      assert.deepEqual(await stack.database.query('SELECT 1 FROM discrepancies WHERE stripe_object_id = $1', [intent.id]), []);
    });
  }
});

describe('an event that comes before our own commit', () => {
  /** The intent Stripe has made for an order of which we have not heard yet. */
  const unheardIntent = (id: string): Promise<Stripe.PaymentIntent> =>
    waitFor('Stripe to have the intent', async () =>
      (await stack.stripe.paymentIntents.list({ limit: 20 })).data.find(({ metadata }) => metadata['oncepay_order'] === id),
    );

  for (const paymentMethod of [undefined, 'pm_card_visa']) {
    it(`is held, and applied when the row is there${paymentMethod === undefined ? '' : '; our own confirm then finds its work done'}`, async () => {
      await stack.control('/_sim/faults', {
        method: 'POST',
        path: '/v1/payment_intents',
        action: 'delay',
        ms: 2_500,
        phase: 'after',
        count: 1,
      });
      const { json } = await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body: { ...AN_ORDER, paymentMethod } });
      const id = String(json['id']);
      const intent = await unheardIntent(id);
      await stack.stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' });
      const event = await waitFor('the event', async () =>
        (await eventsOf(intent.id)).find(({ type }) => type === 'payment_intent.succeeded'),
      );
      await ended(event.id, 'held');
      assert.equal((await stack.readOrder(id)).payment.stripePaymentIntentId, null);

      const paid = await stack.orderIn(id, 'paid');
      await ended(event.id, 'applied');
      assert.equal(paid.payment.stripePaymentIntentId, intent.id);
      assert.deepEqual(await effectsOn(stack, intent.id), PAID_ONCE);
      await stack.control('/_sim/faults', undefined, 'DELETE');
    });
  }
});

describe('an event that is held', () => {
  it('has as many looks as it needs, whatever connection is lost meanwhile', async () => {
    const event = anEvent('payment_intent.succeeded', anIntent({ metadata: OURS }));
    await send(event);
    await ended(event.id, 'held');
    for (let looks = 0; looks < 10; looks += 1) await lookAgain(event.id);
    await stack.database.query('CREATE SEQUENCE lost_connections');
    await stack.database.query(`CREATE FUNCTION lose_connection() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('lost_connections') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$`);
    await stack.database.query(`CREATE TRIGGER lose BEFORE UPDATE OF status ON webhook_events FOR EACH ROW
      WHEN (OLD.id = '${event.id}') EXECUTE FUNCTION lose_connection()`);
    const { status, attempts } = await lookAgain(event.id);
    const [lost] = await stack.database.query<{ count: string }>('SELECT last_value AS count FROM lost_connections');
    assert.ok(Number(lost?.count) > 1, 'no connection was lost');
    assert.deepEqual([status, attempts], ['held', 0]);
    await stack.database.query('DROP TRIGGER lose ON webhook_events');
    await stack.database.query(`UPDATE webhook_events SET status = 'ignored' WHERE id = $1`, [event.id]);
  });
});

describe('whatever happens to deliveries', () => {
  it('leaves every order paid once and the rules kept', async () => {
    for (const rule of [
      { action: 'duplicate', times: 3, nth: [1, 2, 3] },
      { action: 'reorder', window: 4, count: 8 },
      { action: 'forge', count: 5 },
      { action: 'tamper', count: 5 },
      { action: 'old_timestamp', count: 5 },
    ]) {
      assert.equal((await stack.control('/_sim/webhooks', { ...rule, type: 'payment_intent.*' })).status, 200);
    }
    const orders = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? stack.order() : browserOrder())));
    await Promise.all(
      orders.map(async (order, index) => {
        if (index % 2 === 1) await payInBrowser(stack, order, 'pm_card_visa');
        const { payment } = await stack.orderIn(order.id, 'paid');
        assert.deepEqual(await effectsOn(stack, payment.stripePaymentIntentId ?? ''), PAID_ONCE);
      }),
    );
    await assertRulesHold(stack);
  });
});

// Last, because the clock only runs forward and orders expire by it.
describe('an event that is ours by its metadata but of an intent that we never learn of', () => {
  it('is held for an hour, then parked and written down once', async () => {
    const intent = anIntent({ metadata: OURS });
    const [first, second] = [
      anEvent('payment_intent.processing', { ...intent, status: 'processing' }),
      anEvent('payment_intent.succeeded', intent),
    ];
    await sendAll([first, second]);
    await ended(first.id, 'held');
    await stack.control('/_sim/clock', { advanceSeconds: 3_500 });
    for (const { id } of [first, second]) assert.equal((await lookAgain(id)).status, 'held');

    await stack.control('/_sim/clock', { advanceSeconds: 200 });
    for (const { id } of [first, second]) assert.match((await ended(id, 'parked')).note ?? '', /ours/);
    const found = await stack.database.query<{ order: string | null }>(
      'SELECT order_id AS order FROM discrepancies WHERE stripe_object_id = $1',
      [intent.id],
    );
    assert.deepEqual(found, [{ order: null }]);
  });
});

describe('an event that says too little', () => {
  const bare = (metadata?: object): object => ({ ...anIntent(), status: undefined, amount_received: undefined, metadata });
  const refund = { id: 're_1', object: 'refund' };
  const refundOf = (metadata: object): object => ({ ...refund, payment_intent: 'pi_1', metadata });
  for (const [what, status, event] of [
    ['of an intent without our metadata', 'ignored', anEvent('payment_intent.succeeded', bare({}))],
    ['of an intent without any metadata, which Stripe does not know', 'ignored', anEvent('payment_intent.succeeded', bare())],
    ['of an intent of another instance', 'ignored', anEvent('payment_intent.canceled', bare({ oncepay_instance: 'another' }))],
    ['of an intent that is ours by its metadata', 'held', anEvent('payment_intent.succeeded', bare(OURS))],
    ['of a refund of an intent that Stripe does not know', 'ignored', anEvent('refund.updated', refundOf({}))],
    ['of a refund that is ours by its metadata', 'held', anEvent('refund.updated', refundOf(OURS))],
    ['of a refund of a charge without an intent', 'ignored', anEvent('refund.updated', refund)],
  ] as const) {
    it(`${what} is ${status}`, async () => {
      await send(event);
      await ended(event.id, status);
    });
  }
});

describe('an event of an intent that neither we nor Stripe know', () => {
  const ofIntent = { payment_intent: 'pi_1', amount: 500, currency: 'usd' };
  const refund = { ...ofIntent, id: 're_1', object: 'refund', status: 'succeeded', reason: null };
  const dispute = { ...ofIntent, id: 'du_1', object: 'dispute', status: 'needs_response', reason: 'fraudulent', created: 1_790_000_000 };
  for (const [what, status, event] of [
    ['whose refund is ours by its metadata', 'held', anEvent('refund.created', { ...refund, metadata: OURS })],
    ['whose refund is nobody’s', 'ignored', anEvent('refund.created', { ...refund, metadata: {} })],
    ['whose dispute is ours by its metadata', 'held', anEvent('charge.dispute.created', { ...dispute, metadata: OURS })],
    ['whose dispute is nobody’s', 'ignored', anEvent('charge.dispute.created', { ...dispute, metadata: {} })],
  ] as const) {
    it(`${what} is ${status}`, async () => {
      await send(event);
      await ended(event.id, status);
    });
  }
});

it('received = applied + ignored + held + parked', async () => {
  const [sums] = await stack.database.query<{ all: number; ended: number }>(
    `SELECT count(*)::int AS all, count(*) FILTER (WHERE status IN ('applied', 'ignored', 'held', 'parked'))::int AS ended FROM webhook_events`,
  );
  assert.ok(sums !== undefined && sums.all > 0);
  assert.equal(sums.ended, sums.all);
});
