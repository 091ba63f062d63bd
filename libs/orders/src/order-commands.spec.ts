import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type OperationFacts, ORDER_STATUSES, type OrderStatus, type PaymentState } from '#libs/payments';
import { DomainError } from '#libs/primitives';
import { aPayment } from '../../../test/support/a-payment.js';
import { assertCancelable, assertCapturable, assertPayable, hasOpenOperation, refundableAmount } from './order-commands.js';

const payment = (orderStatus: OrderStatus, more: Partial<PaymentState> = {}): PaymentState =>
  aPayment({ orderStatus, amountCaptured: 4_300, ...more });

function operation(kind: 'confirm' | 'refund', status: OperationFacts['status']): OperationFacts {
  return { id: 'op', kind, status, sequence: 1, orderedBy: kind === 'confirm' ? 'pay' : 'refund', refundId: null };
}

/** null when it is allowed; else the code, and whether nothing later can change the refusal. */
function refusal(run: () => unknown): { code: string; isFinal: boolean } | null {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return { code: error.code, isFinal: error.isFinal };
    throw error;
  }
  return null;
}

describe('a command on an order', () => {
  /** The statuses that allow it, and of the others those that it can still come back from. */
  const commands = {
    pay: {
      run: assertPayable,
      code: 'order_not_payable',
      allowed: ['requires_payment'],
      passing: ['pending', 'processing', 'requires_action', 'authorized'],
    },
    capture: {
      run: (state: PaymentState) => assertCapturable(state, null),
      code: 'order_not_capturable',
      allowed: ['authorized'],
      passing: ['pending', 'processing', 'requires_payment', 'requires_action'],
    },
    cancel: {
      run: assertCancelable,
      code: 'order_not_cancelable',
      allowed: ['requires_payment', 'requires_action', 'authorized'],
      passing: ['pending', 'processing'],
    },
  };
  for (const [name, { run, code, allowed, passing }] of Object.entries(commands)) {
    for (const status of ORDER_STATUSES) {
      const expected = allowed.includes(status) ? null : { code, isFinal: !passing.includes(status) };
      const outcome = expected === null ? 'allowed' : expected.isFinal ? 'refused for ever' : 'refused for now';
      it(`${name} is ${outcome} while it is ${status}`, () => {
        assert.deepEqual(refusal(() => run(payment(status))), expected); // prettier-ignore
      });
    }

    it(`${name} waits while an operation on the payment is open, and never stores that`, () => {
      for (const status of ORDER_STATUSES) {
        for (const open of ['queued', 'in_flight', 'unknown', 'parked'] as const) {
          for (const checkout of ['elements', 'hosted'] as const) {
            const busy = payment(status, { checkout, operations: [operation('confirm', open)] });
            assert.deepEqual(refusal(() => run(busy)), { code: 'operation_in_progress', isFinal: false }); // prettier-ignore
          }
        }
      }
    });
  }

  it('never pays an order that is paid on a page of Stripe', () => {
    for (const status of ORDER_STATUSES)
      assert.deepEqual(refusal(() => assertPayable(payment(status, { checkout: 'hosted' }))), { code: 'order_not_payable', isFinal: true }); // prettier-ignore
  });

  it('does not wait for refunds, which run beside each other', () => {
    assert.ok(!hasOpenOperation(payment('paid', { operations: [operation('refund', 'unknown'), operation('confirm', 'done')] })));
    assert.equal(refusal(() => assertPayable(payment('requires_payment', { operations: [operation('refund', 'queued')] }))), null); // prettier-ignore
  });

  it('captures up to what was authorised', () => {
    for (const amount of [1, 4_300, null]) assert.equal(refusal(() => assertCapturable(payment('authorized'), amount)), null); // prettier-ignore
    assert.equal(refusal(() => assertCapturable(payment('authorized'), 4_301))?.code, 'validation_failed');
  });
});

describe('a refund', () => {
  it('is possible of an order that was paid', () => {
    for (const status of ORDER_STATUSES) {
      const isPaid = status === 'paid' || status === 'partially_refunded' || status === 'refunded';
      const isFinal = status === 'canceled' || status === 'expired' || status === 'failed';
      assert.deepEqual(refusal(() => refundableAmount(payment(status), 1)), isPaid ? null : { code: 'order_not_refundable', isFinal }, status); // prettier-ignore
    }
  });

  it('is not yet possible while an operation may capture money, and does not wait for one when money was captured', () => {
    const busy = { operations: [operation('confirm', 'unknown')] };
    assert.deepEqual(refusal(() => refundableAmount(payment('authorized', busy), 1)), { code: 'operation_in_progress', isFinal: false }); // prettier-ignore
    assert.deepEqual(refusal(() => refundableAmount(payment('canceled', busy), 1)), { code: 'order_not_refundable', isFinal: true }); // prettier-ignore
    assert.equal(refundableAmount(payment('paid', busy), 1), 1);
  });

  it('is all that is left when no amount is named', () => {
    assert.equal(refundableAmount(payment('paid'), null), 4_300);
    assert.equal(refundableAmount(payment('partially_refunded', { amountRefunded: 4_299 }), null), 1);
    assert.equal(refundableAmount(payment('partially_refunded', { amountRefunded: 300, amountRefundPending: 1_000 }), null), 3_000);
  });

  it('never exceeds what was captured less what was returned or is on its way; one that fails makes room again', () => {
    const exceeded = { code: 'refund_exceeds_captured', isFinal: false };
    assert.deepEqual(refusal(() => refundableAmount(payment('paid'), 4_301)), exceeded); // prettier-ignore
    for (const amount of [1, null]) assert.deepEqual(refusal(() => refundableAmount(payment('paid', { amountRefundPending: 4_300 }), amount)), exceeded); // prettier-ignore
    assert.deepEqual(refusal(() => refundableAmount(payment('refunded', { amountRefunded: 4_300 }), null)), exceeded); // prettier-ignore
    assert.deepEqual(refusal(() => refundableAmount(payment('partially_refunded', { amountRefunded: 5_000 }), null)), exceeded); // prettier-ignore
  });

  it('keeps the sum within what was captured through any sequence of requests and outcomes', () => {
    const step = fc.record({
      amount: fc.option(fc.integer({ min: 1, max: 2_000 })),
      outcome: fc.constantFrom('pending', 'succeeded', 'failed'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.array(step, { maxLength: 20 }), (amountCaptured, steps) => {
        let state = payment('paid', { amountCaptured });
        for (const { amount, outcome } of steps) {
          if (refusal(() => refundableAmount(state, amount)) !== null) continue;
          const reserved = refundableAmount(state, amount);
          assert.ok(Number.isInteger(reserved) && reserved > 0);
          assert.ok(state.amountRefunded + state.amountRefundPending + reserved <= amountCaptured);
          if (outcome === 'pending') state = { ...state, amountRefundPending: state.amountRefundPending + reserved };
          if (outcome === 'succeeded') state = { ...state, amountRefunded: state.amountRefunded + reserved };
        }
      }),
    );
  });
});
