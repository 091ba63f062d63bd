import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aPayment } from '../../../test/support/a-payment.js';
import { type PaymentState, type RefundFacts, type RefundStatus } from './payment.js';
import { judgeRefund, type RefundObservation, type RefundVerdict } from './refund-observation.js';

type Refunded = Pick<PaymentState, 'currency' | 'refunds'>;

const RESERVED: RefundFacts = { id: 'r1', status: 'pending', amount: 300, reason: 'duplicate', failureReason: null, stripeRefundId: null };
const known = (more: Partial<RefundFacts>): Refunded => ({ currency: 'usd', refunds: [{ ...RESERVED, stripeRefundId: 're_1', ...more }] });
const NONE: Refunded = { currency: 'usd', refunds: [] };

function seen(status: RefundStatus, more: Partial<RefundObservation> = {}): RefundObservation {
  const failureReason = status === 'failed' ? 'lost_or_stolen_card' : null;
  return {
    id: 're_1',
    paymentIntentId: 'pi_1',
    status,
    amount: 300,
    currency: 'usd',
    reason: null,
    failureReason,
    instance: 'tests',
    operationId: 'op_1',
    ...more,
  };
}

function judge(payment: Refunded, observation: RefundObservation, ours: string | null = null): RefundVerdict {
  return judgeRefund(aPayment({ status: 'succeeded', ...payment }), observation, ours, () => 'new');
}

function applied(verdict: RefundVerdict): RefundFacts {
  return verdict.verdict === 'apply' ? verdict.refund : assert.fail(verdict.verdict);
}

describe('an observation of a refund', () => {
  const RANKS: readonly (readonly RefundStatus[])[] = [['pending'], ['succeeded'], ['failed', 'canceled']];
  const rankOf = (status: RefundStatus): number => RANKS.findIndex((rank) => rank.includes(status));

  for (const from of RANKS.flat()) {
    for (const to of RANKS.flat()) {
      const verdict = from === to ? 'same' : rankOf(to) > rankOf(from) ? 'apply' : 'stale';
      it(`of ${to} when it is ${from}: ${verdict}`, () => {
        const failureReason = from === 'failed' ? 'lost_or_stolen_card' : null;
        assert.equal(judge(known({ status: from, failureReason }), seen(to)).verdict, verdict);
      });
    }
  }

  it('belongs to the refund that our operation reserved, and tells its id at Stripe', () => {
    assert.deepEqual(applied(judge({ ...NONE, refunds: [RESERVED] }, seen('succeeded'), 'r1')), {
      ...RESERVED,
      status: 'succeeded',
      stripeRefundId: 're_1',
    });
    assert.deepEqual(applied(judge({ ...NONE, refunds: [RESERVED] }, seen('pending'), 'r1')), { ...RESERVED, stripeRefundId: 're_1' });
  });

  it('of one that nobody here ordered is a refund of its own, never refused', () => {
    const elsewhere = { id: 'new', status: 'succeeded', amount: 4_300, reason: 'fraudulent', failureReason: null, stripeRefundId: 're_2' };
    const observation = seen('succeeded', { id: 're_2', amount: 4_300, reason: 'fraudulent', operationId: null });
    assert.deepEqual(applied(judge(NONE, observation)), elsewhere);
    assert.deepEqual(applied(judge(known({ status: 'succeeded', amount: 4_300 }), observation)), elsewhere);
  });

  it('of a second one under our operation is a refund of its own: what was returned twice is counted twice', () => {
    const { id, stripeRefundId } = applied(judge(known({ status: 'succeeded' }), seen('succeeded', { id: 're_2' }), 'r1'));
    assert.deepEqual([id, stripeRefundId], ['new', 're_2']);
  });

  it('that comes after ours was given up still tells its id, and takes nothing back', () => {
    const failed: RefundFacts = { ...RESERVED, status: 'failed', failureReason: 'rejected' };
    assert.deepEqual(applied(judge({ ...NONE, refunds: [failed] }, seen('pending'), 'r1')), { ...failed, stripeRefundId: 're_1' });
  });

  it('of another amount or currency is a discrepancy, whatever its status', () => {
    for (const status of RANKS.flat()) {
      assert.deepEqual(judge(known({}), seen(status, { amount: 301 })), { verdict: 'discrepancy', kind: 'refund_amount_differs' });
      assert.deepEqual(judge(known({}), seen(status, { currency: 'eur' })), { verdict: 'discrepancy', kind: 'refund_currency_differs' });
      assert.deepEqual(judge(NONE, seen(status, { currency: 'eur' })), { verdict: 'discrepancy', kind: 'refund_currency_differs' });
    }
  });

  it('tells why a refund failed', () => {
    assert.equal(applied(judge(known({ status: 'succeeded' }), seen('failed'))).failureReason, 'lost_or_stolen_card');
    assert.equal(judge(known({ status: 'failed', failureReason: null }), seen('failed')).verdict, 'apply');
  });

  it('ends where Stripe is, however the observations of a refund are repeated and reordered', () => {
    const lives: readonly (readonly RefundStatus[])[] = [
      ['pending'],
      ['pending', 'succeeded'],
      ['succeeded'],
      ['pending', 'succeeded', 'failed'],
      ['pending', 'failed'],
      ['pending', 'canceled'],
    ];
    const deliveries = fc
      .constantFrom(...lives)
      .chain((life) =>
        fc.tuple(
          fc.constant(life),
          fc.array(fc.constantFrom(...life), { maxLength: 20 }),
          fc.shuffledSubarray([...life], { minLength: life.length }),
        ),
      );
    fc.assert(
      fc.property(deliveries, fc.boolean(), ([life, some, all], isOurs) => {
        let payment: Refunded = isOurs ? { ...NONE, refunds: [RESERVED] } : NONE;
        for (const status of [...some, ...all]) {
          const verdict = judge(payment, seen(status), 'r1');
          assert.notEqual(verdict.verdict, 'discrepancy');
          if (verdict.verdict === 'apply') payment = { ...payment, refunds: [verdict.refund] };
        }
        assert.deepEqual(
          payment.refunds.map(({ status, stripeRefundId }) => [status, stripeRefundId]),
          [[life.at(-1), 're_1']],
        );
      }),
    );
  });
});
