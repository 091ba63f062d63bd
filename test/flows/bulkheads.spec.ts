import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { intentOf, refund, refundIn } from '../support/commands.js';
import { type Stack, startStack } from '../support/stack.js';
import { anEvent, deliverTo } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

/** Many times what a worker handles at once. */
const EVENTS = 200;

let stack: Stack;

before(async () => {
  stack = await startStack();
});
after(() => stack.close());

async function waitingEvents(): Promise<number> {
  const [row] = await stack.database.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM webhook_events WHERE status IN ('received', 'held')`,
  );
  return row?.waiting ?? 0;
}

describe('a storm of events, each of which needs an answer of a slow Stripe', () => {
  it('delays neither a charge nor a refund', async () => {
    const quiet = await stack.orderIn((await stack.order({ paymentMethod: null })).id, 'requires_payment');
    const paid = await stack.orderIn((await stack.order()).id, 'paid');
    const intent = await stack.stripe.paymentIntents.retrieve(intentOf(quiet));
    await waitFor('the events of both orders to be over', async () => (await waitingEvents()) === 0);
    // They say what we do not know yet and what is not final, so the intent is read for each of them.
    await stack.control('/_sim/faults', { method: 'GET', path: `/v1/payment_intents/${intent.id}`, action: 'delay', ms: 1_000 });
    const storm = Array.from({ length: EVENTS }, () => anEvent('payment_intent.processing', { ...intent, status: 'processing' }));
    await Promise.all(storm.map((event) => deliverTo(stack, event)));

    const { id } = await stack.order();
    await stack.orderIn(id, 'paid');
    await refundIn(stack, (await refund(stack, paid.id, { amount: 500 })).id, 'succeeded');
    assert.ok((await waitingEvents()) > EVENTS / 2, 'most of the storm still waits');

    await stack.control('/_sim/faults', undefined, 'DELETE');
    await waitFor('the storm to be over', async () => (await waitingEvents()) === 0);
    assert.equal((await stack.readOrder(quiet.id)).status, 'requires_payment');
  });
});
