import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aPayment } from '../../../test/support/a-payment.js';
import { type OperationFacts, type PaymentState, type RefundFacts } from './payment.js';
import { type Move, type NewOperation, planChange, type SettledOperation } from './payment-change.js';

const NOW = new Date('2026-11-23T12:00:00Z');
const ORDER_UUID = '01890a5d-ac96-774b-bcce-b302099a8057';
const REFUND: RefundFacts = { id: ORDER_UUID, status: 'pending', amount: 300, reason: null, failureReason: null, stripeRefundId: null };

function operation(id: string, kind: OperationFacts['kind'], status: OperationFacts['status'], sequence: number): OperationFacts {
  return { id, kind, status, sequence, orderedBy: 'create', refundId: null };
}

const BEFORE = aPayment({
  version: 7,
  status: 'requires_payment_method',
  stripePaymentIntentId: 'pi_1',
  operations: [operation('op1', 'create', 'done', 1), operation('op2', 'confirm', 'in_flight', 2)],
});
const PAID: PaymentState = {
  ...BEFORE,
  orderStatus: 'paid',
  status: 'succeeded',
  amountCaptured: 4_300,
  operations: [operation('op1', 'create', 'done', 1)],
};

const done = (id: string): SettledOperation => ({ id, fence: 3, status: 'done', error: null });

function plan(move: Move, before = BEFORE): ReturnType<typeof planChange> {
  let count = 0;
  return planChange(before, move, { cause: 'spec', now: NOW, newId: () => `new${(count += 1)}` });
}

const told = ({ change }: ReturnType<typeof planChange>): readonly string[] => change.events.map(({ type }) => type);

describe('a change of a payment', () => {
  it('is one version on from the one it was computed from, and says which that was', () => {
    const { after, change } = plan({});
    assert.deepEqual([after.version, change.version, change.orderId, change.paymentId, change.at], [8, 7, 'o1', 'p1', NOW]);
    assert.deepEqual({ ...after, version: 7 }, BEFORE);
  });

  it('moves the payment and with it the order, each with a line in the timeline that tells cause and way', () => {
    const result = plan({ facts: { status: 'succeeded', stripeChargeId: 'ch_1' }, amountCaptured: 4_300, settled: [done('op2')] });
    assert.deepEqual([result.after.status, result.after.orderStatus, result.after.operations[1]?.status], ['succeeded', 'paid', 'done']);
    assert.deepEqual(
      [result.change.orderStatus, result.change.amountCaptured, result.change.payment.stripeChargeId],
      ['paid', 4_300, 'ch_1'],
    );
    assert.deepEqual(result.change.events, [
      {
        id: 'new1',
        cause: 'spec',
        type: 'payment.succeeded',
        data: { from: 'requires_payment_method', to: 'succeeded', stripePaymentIntentId: 'pi_1' },
      },
      { id: 'new2', cause: 'spec', type: 'order.paid', data: { from: 'pending', to: 'paid', amountCaptured: 4_300, amountRefunded: 0 } },
    ]);
  });

  it('keeps what it does not name', () => {
    const { after, change } = plan(
      { settled: [done('op2')] },
      { ...BEFORE, amountCaptured: 5, lastError: { code: 'c', declineCode: null, message: 'm' } },
    );
    assert.deepEqual(
      [after.amountCaptured, change.amountCaptured, change.payment.lastError?.code, change.payment.status],
      [5, 5, 'c', 'requires_payment_method'],
    );
  });

  it('writes nothing into the timeline when nothing moved, and a refusal although it moves nothing', () => {
    assert.deepEqual(told(plan({ settled: [done('op1')] })), []);
    const error = { code: 'card_declined', declineCode: null, message: 'no' };
    const { events } = plan({ settled: [{ id: 'op2', fence: 3, status: 'parked', error }] }).change;
    assert.deepEqual(
      events.map(({ type, data }) => [type, data]),
      [['operation.parked', { operation: 'confirm', error }]],
    );
    assert.deepEqual(told(plan({ settled: [{ id: 'op2', fence: 3, status: 'declined', error }] })), [
      'operation.declined',
      'order.requires_payment',
    ]);
  });

  it('gives every operation that is ordered a job of its queue', () => {
    const capture: NewOperation = { ...operation('op3', 'capture', 'queued', 3), stripeIdempotencyKey: 'k3', params: {} };
    const refund: NewOperation = { ...operation('op4', 'refund', 'queued', 4), stripeIdempotencyKey: 'k4', params: {} };
    const { after, change } = plan({ ordered: [capture, refund] });
    assert.deepEqual(
      after.operations.map(({ id }) => id),
      ['op1', 'op2', 'op3', 'op4'],
    );
    assert.deepEqual(change.ordered, [capture, refund]);
    assert.deepEqual(change.outbox, [
      { id: 'new1', kind: 'payment-operation', payload: { operationId: 'op3' } },
      { id: 'new2', kind: 'refund-operation', payload: { operationId: 'op4' } },
    ]);
  });

  it('withdraws what waits behind a create that Stripe rejected: it could never be sent', () => {
    const before: PaymentState = {
      ...BEFORE,
      status: 'pending',
      stripePaymentIntentId: null,
      operations: [operation('op1', 'create', 'in_flight', 1), operation('op2', 'confirm', 'queued', 2)],
    };
    const result = plan({ settled: [{ id: 'op1', fence: 3, status: 'rejected', error: null }] }, before);
    assert.equal(result.after.orderStatus, 'failed');
    assert.deepEqual(
      result.after.operations.map(({ status }) => status),
      ['rejected', 'withdrawn'],
    );
    assert.deepEqual(
      result.change.settled.map(({ id, fence, status }) => [id, fence, status]),
      [
        ['op1', 3, 'rejected'],
        ['op2', 0, 'withdrawn'],
      ],
    );
    assert.deepEqual(told(result), ['operation.rejected', 'operation.withdrawn', 'order.failed']);
  });

  it('withdraws nothing when another operation is rejected, or when the create is done', () => {
    const before: PaymentState = { ...BEFORE, operations: [...BEFORE.operations, operation('op3', 'cancel', 'queued', 3)] };
    for (const settled of [done('op1'), { ...done('op2'), status: 'rejected' as const }])
      assert.equal(plan({ settled: [settled] }, before).change.settled.length, 1);
  });
});

describe('a change that Stripe made by itself', () => {
  const AUTHORIZED = aPayment({ status: 'requires_capture', orderStatus: 'authorized', stripePaymentIntentId: 'pi_1' });
  const causesOf = (before: PaymentState, cancellationReason: string | null): readonly string[] =>
    plan({ facts: { status: 'canceled', cancellationReason } }, before).change.events.map(({ type, cause }) => `${type} by ${cause}`);

  it('is told as the lapse of an authorisation that nobody captured in time', () => {
    for (const reason of ['automatic', 'expired']) {
      assert.deepEqual(causesOf(AUTHORIZED, reason), [
        'payment.canceled by authorization_expired',
        'order.canceled by authorization_expired',
      ]);
    }
  });

  it('is told by its cause when somebody canceled, or when there was no authorisation', () => {
    for (const reason of ['requested_by_customer', 'abandoned', null]) {
      assert.deepEqual(causesOf(AUTHORIZED, reason), ['payment.canceled by spec', 'order.canceled by spec']);
    }
    assert.ok(causesOf(BEFORE, 'automatic').every((line) => line.endsWith('by spec')));
    const captured = plan({ facts: { status: 'succeeded', cancellationReason: 'automatic' } }, AUTHORIZED);
    assert.ok(captured.change.events.every(({ cause }) => cause === 'spec'));
  });
});

describe('a change of a dispute', () => {
  const OPENED = {
    stripeDisputeId: 'du_1',
    status: 'needs_response',
    amount: 4_300,
    reason: 'fraudulent',
    openedAt: '2026-11-23T12:00:00.000Z',
  };

  it('is told with where it came from, its amount and its reason, and moves no order', () => {
    const opened = plan({ dispute: OPENED }, PAID);
    assert.deepEqual([opened.after.dispute, opened.change.dispute, opened.after.orderStatus], [OPENED, OPENED, 'paid']);
    const line = { stripeDisputeId: 'du_1', amount: 4_300, reason: 'fraudulent' };
    assert.deepEqual(
      opened.change.events.map(({ type, data }) => [type, data]),
      [['dispute.needs_response', { ...line, from: null, to: 'needs_response' }]],
    );
    const lost = plan({ dispute: { ...OPENED, status: 'lost' } }, opened.after);
    assert.deepEqual(lost.change.events[0]?.data, { ...line, from: 'needs_response', to: 'lost' });
    const second = plan({ dispute: { ...OPENED, stripeDisputeId: 'du_2' } }, opened.after);
    assert.equal(second.change.events[0]?.data['from'], null);
  });

  it('is kept by changes that are about something else, which tell nothing of it', () => {
    const disputed: PaymentState = { ...PAID, dispute: OPENED };
    const { after, change } = plan({ refunds: [REFUND] }, disputed);
    assert.deepEqual([after.dispute, change.dispute, change.events.map(({ type }) => type)], [OPENED, OPENED, ['refund.pending']]);
  });
});

describe('a change of refunds', () => {
  it('adds them up: what succeeded, and what is pending', () => {
    const refunds: RefundFacts[] = [
      { ...REFUND, id: 'r1', status: 'succeeded', amount: 1_000 },
      { ...REFUND, id: 'r2', status: 'pending', amount: 200 },
      { ...REFUND, id: 'r3', status: 'failed', amount: 30 },
      { ...REFUND, id: 'r4', status: 'canceled', amount: 4 },
    ];
    const { after, change } = plan({}, { ...PAID, refunds });
    assert.deepEqual(
      [after.amountRefunded, after.amountRefundPending, change.amountRefunded, change.amountRefundPending],
      [1_000, 200, 1_000, 200],
    );
  });

  it('moves the order by what succeeded, and back when that fails later', () => {
    const partly = plan({ refunds: [{ ...REFUND, status: 'succeeded' }] }, PAID);
    assert.deepEqual([partly.after.orderStatus, partly.after.amountRefunded], ['partially_refunded', 300]);
    assert.deepEqual(told(partly), ['refund.succeeded', 'order.partially_refunded']);
    const back = plan({ refunds: [{ ...REFUND, status: 'failed', failureReason: 'lost_or_stolen_card' }] }, partly.after);
    assert.deepEqual([back.after.orderStatus, back.after.amountRefunded, back.after.refunds.length], ['paid', 0, 1]);
    assert.deepEqual(back.change.events[0]?.data, {
      refund: 'ref_01h455vb4pex5vsknk084sn02q',
      from: 'succeeded',
      to: 'failed',
      amount: 300,
      failureReason: 'lost_or_stolen_card',
    });
    const wholly = plan({ refunds: [{ ...REFUND, status: 'succeeded', amount: 4_300 }] }, PAID);
    assert.equal(wholly.after.orderStatus, 'refunded');
  });

  it('tells that an order was paid before it was refunded, where the refund was heard of first', () => {
    const early = plan({ refunds: [{ ...REFUND, status: 'succeeded' }] });
    assert.deepEqual(told(early), ['refund.succeeded']);
    const late = plan({ facts: { status: 'succeeded' }, amountCaptured: 4_300, settled: [done('op2')] }, early.after);
    assert.deepEqual(told(late), ['payment.succeeded', 'order.paid', 'order.partially_refunded']);
    assert.deepEqual(
      late.change.events.slice(1).map(({ data }) => data),
      [
        { from: 'pending', to: 'paid', amountCaptured: 4_300, amountRefunded: 0 },
        { from: 'paid', to: 'partially_refunded', amountCaptured: 4_300, amountRefunded: 300 },
      ],
    );
  });

  it('tells of a refund when it is reserved and when its status moves, not when it merely gets its id', () => {
    const reserved = plan({ refunds: [REFUND] }, PAID);
    assert.deepEqual(told(reserved), ['refund.pending']);
    assert.equal(reserved.change.events[0]?.data['from'], null);
    const named = plan({ refunds: [{ ...REFUND, stripeRefundId: 're_1' }] }, reserved.after);
    assert.deepEqual(told(named), []);
    assert.deepEqual(named.change.refunds, [{ ...REFUND, stripeRefundId: 're_1' }]);
  });
});
