import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Stripe } from 'stripe';
import { command, intentOf, refund, refundIn, timelineOf } from '../support/commands.js';
import { assertRulesHold } from '../support/invariants.js';
import { payInBrowser } from '../support/payment-facts.js';
import { AN_ORDER, type OrderJson, type Stack, startStack } from '../support/stack.js';
import { anEvent, deliverTo, eventsOf, eventStatus } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

let stack: Stack;

before(async () => {
  stack = await startStack();
});
after(() => stack.close());

interface DisputeJson {
  readonly status: string;
  readonly amount: number;
  readonly reason: string;
}

async function disputeOf(id: string): Promise<DisputeJson | null> {
  const order: { dispute: DisputeJson | null } = JSON.parse((await stack.call(`/v1/orders/${id}`)).text);
  return order.dispute;
}

/** Waits until the order shows a dispute of this status. */
function disputeIn(id: string, status: string): Promise<DisputeJson> {
  return waitFor(`the dispute of ${id} to be ${status}`, async () => {
    const dispute = await disputeOf(id);
    if (dispute?.status === status) return dispute;
    throw new Error(JSON.stringify(dispute));
  });
}

/** The dispute that a test card causes, at Stripe; the simulator opens it a second after the charge. */
async function atStripe(order: OrderJson): Promise<Stripe.Dispute> {
  await stack.control('/_sim/clock', { advanceSeconds: 2 });
  return waitFor(
    'the dispute to be opened at Stripe',
    async () => (await stack.stripe.disputes.list({ payment_intent: intentOf(order) })).data[0] ?? false,
  );
}

/** A paid order and the dispute of its charge, known on both sides. */
async function disputed(paymentMethod: string, status = 'needs_response'): Promise<{ order: OrderJson; dispute: Stripe.Dispute }> {
  const order = await stack.orderIn((await stack.order({ paymentMethod })).id, 'paid');
  const dispute = await atStripe(order);
  await disputeIn(order.id, status);
  return { order, dispute };
}

/** The dispute's part of an order's timeline. */
async function disputeTimeline(id: string): Promise<readonly string[]> {
  return (await timelineOf(stack, id)).flatMap(({ type, data }) =>
    type.startsWith('dispute.') ? [`${String(data['from'])} -> ${String(data['to'])}`] : [],
  );
}

describe('a dispute', () => {
  it('shows on the order with status, amount and reason, and leaves the order paid', async () => {
    const { order } = await disputed('pm_card_createDispute');
    assert.deepEqual(await disputeOf(order.id), { status: 'needs_response', amount: 2_000, reason: 'fraudulent' });
    const { status, amountCaptured, amountRefunded } = JSON.parse((await stack.call(`/v1/orders/${order.id}`)).text);
    assert.deepEqual([status, amountCaptured, amountRefunded], ['paid', 2_000, 0]);
    assert.deepEqual(await disputeTimeline(order.id), ['null -> needs_response']);
    const told = (await timelineOf(stack, order.id)).find(({ type }) => type === 'dispute.needs_response');
    assert.match(told?.cause ?? '', /^webhook:evt_/);
    assert.deepEqual([told?.data['amount'], told?.data['reason']], [2_000, 'fraudulent']);
  });

  it('changes the ETag of the order', async () => {
    const order = await stack.orderIn((await stack.order({ paymentMethod: 'pm_card_createDispute' })).id, 'paid');
    const before = (await stack.call(`/v1/orders/${order.id}`)).headers.get('ETag');
    await atStripe(order);
    await disputeIn(order.id, 'needs_response');
    assert.notEqual((await stack.call(`/v1/orders/${order.id}`)).headers.get('ETag'), before);
  });

  it('that is won is told on the timeline, and the order stays paid', async () => {
    const { order, dispute } = await disputed('pm_card_createDispute');
    await stack.stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'winning_evidence' } });
    await disputeIn(order.id, 'won');
    assert.equal((await stack.readOrder(order.id)).status, 'paid');
    assert.match((await disputeTimeline(order.id)).join(', '), /^null -> needs_response,.* -> won$/);
  });

  it('that is lost says so, for good', async () => {
    const { order, dispute } = await disputed('pm_card_createDisputeProductNotReceived');
    await stack.stripe.disputes.close(dispute.id);
    assert.deepEqual(await disputeIn(order.id, 'lost'), { status: 'lost', amount: 2_000, reason: 'product_not_received' });
    assert.deepEqual(await disputeTimeline(order.id), ['null -> needs_response', 'needs_response -> lost']);
    assert.equal((await stack.readOrder(order.id)).status, 'paid');
  });

  it('that is an inquiry is shown as one until it is closed, and the order may be refunded', async () => {
    const { order, dispute } = await disputed('pm_card_createDisputeInquiry', 'warning_needs_response');
    await stack.control(`/_sim/disputes/${dispute.id}/close`, { outcome: 'won' });
    await disputeIn(order.id, 'warning_closed');
    await refund(stack, order.id);
    await stack.orderIn(order.id, 'refunded');
    assert.equal((await disputeOf(order.id))?.status, 'warning_closed');
  });

  it('that is an inquiry and settled by a refund at Stripe moves the order by that refund, part by part', async () => {
    const { order } = await disputed('pm_card_createDisputeInquiry', 'warning_needs_response');
    const giveBack = (amount: number): Promise<Stripe.Refund> => stack.stripe.refunds.create({ payment_intent: intentOf(order), amount });
    await giveBack(500);
    assert.equal((await stack.orderIn(order.id, 'partially_refunded')).amountRefunded, 500);
    await giveBack(1_500);
    assert.equal((await stack.orderIn(order.id, 'refunded')).amountRefunded, 2_000);
    const told = (await timelineOf(stack, order.id)).filter(({ type }) => type.startsWith('order.')).slice(-3);
    assert.deepEqual(
      told.map(({ type, data }) => [type, data['amountRefunded']]),
      [
        ['order.paid', 0],
        ['order.partially_refunded', 500],
        ['order.refunded', 2_000],
      ],
    );
  });

  it('lets a refund that is under way fail, and what it held is free again', async () => {
    const order = await stack.orderIn((await stack.order({ paymentMethod: 'pm_card_pendingRefund' })).id, 'paid');
    const pending = await refund(stack, order.id, { amount: 500 });
    await waitFor(
      'the refund to be pending at Stripe',
      async () => (await stack.stripe.refunds.list({ payment_intent: intentOf(order) })).data.length === 1,
    );
    const [charge] = (await stack.stripe.charges.list({ payment_intent: intentOf(order) })).data;
    await stack.control(`/_sim/charges/${charge?.id}/dispute`, { reason: 'fraudulent' });

    assert.equal((await refundIn(stack, pending.id, 'failed')).failureReason, 'charge_for_pending_refund_disputed');
    await disputeIn(order.id, 'needs_response');
    const { json } = await stack.call(`/v1/orders/${order.id}`);
    assert.deepEqual([json['status'], json['amountRefunded'], json['amountRefundPending']], ['paid', 0, 0]);
  });

  it('makes Stripe refuse a refund, which then has failed', async () => {
    const { order } = await disputed('pm_card_createDispute');
    const answer = await command(stack, order.id, 'refunds', {});
    assert.equal((await refundIn(stack, String(answer.json['id']), 'failed')).failureReason, 'charge_disputed');
    assert.equal((await stack.readOrder(order.id)).status, 'paid');
  });
});

describe('the events of a disputed payment', () => {
  it('end right in whatever order and however often they arrive, those of the payment included', async () => {
    await stack.control('/_sim/webhooks', { action: 'drop' });
    const { paymentMethod: _, ...unpaid } = AN_ORDER;
    const orders = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(() => stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body: unpaid })),
    );
    const histories = await Promise.all(
      orders.map(async ({ json }, index) => {
        const order = await stack.orderIn(String(json['id']), 'requires_payment');
        await payInBrowser(stack, order, 'pm_card_createDispute');
        const dispute = await atStripe(order);
        if (index % 2 === 0) await stack.stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'winning_evidence' } });
        else await stack.stripe.disputes.close(dispute.id);
        const events = await eventsOf(stack, intentOf(order));
        const [arrivals] = fc.sample(fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }), {
          numRuns: 1,
          seed: index,
        });
        return { order, arrivals: arrivals ?? [], end: index % 2 === 0 ? 'won' : 'lost' };
      }),
    );
    await stack.control('/_sim/webhooks', undefined, 'DELETE');
    for (const { order, arrivals, end } of histories) {
      assert.ok(arrivals.length >= 10);
      for (const event of arrivals) assert.equal((await deliverTo(stack, event)).status, 200);
      await waitFor('every event to be dealt with', async () =>
        (await Promise.all(arrivals.map(({ id }) => eventStatus(stack, id)))).every(
          (status) => status === 'applied' || status === 'ignored',
        ),
      );
      assert.equal((await disputeOf(order.id))?.status, end);
      assert.equal((await stack.readOrder(order.id)).status, 'paid');
    }
  });

  it('that contradict the currency are written down and never accepted', async () => {
    const { order, dispute } = await disputed('pm_card_createDispute');
    const event = anEvent('charge.dispute.updated', { ...dispute, currency: 'eur', status: 'lost' });
    await deliverTo(stack, event);
    const found = await waitFor('the discrepancy', async () => {
      const rows = await stack.database.query<{ kind: string }>('SELECT kind FROM discrepancies WHERE stripe_object_id = $1', [dispute.id]);
      return rows[0] ?? false;
    });
    assert.equal(found.kind, 'dispute_currency_differs');
    assert.equal((await disputeOf(order.id))?.status, 'needs_response');
  });

  it('of a charge that is not ours are ignored', async () => {
    const foreign = await stack.stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_createDispute',
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    });
    await stack.control('/_sim/clock', { advanceSeconds: 2 });
    const event = await waitFor(
      'the event of the dispute',
      async () => (await eventsOf(stack, foreign.id)).find(({ type }) => type === 'charge.dispute.created') ?? false,
    );
    await waitFor('it to be ignored', async () => (await eventStatus(stack, event.id)) === 'ignored');
  });
});

it('Everything that happened above keeps the rules', () => assertRulesHold(stack));
