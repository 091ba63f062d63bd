import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DisputeObservation, judgeDispute } from './dispute-observation.js';
import { type DisputeFacts } from './payment.js';

interface Known {
  readonly dispute: DisputeFacts | null;
  readonly currency: string;
}

const NONE: Known = { dispute: null, currency: 'usd' };

function seen(status: string, more: Partial<DisputeObservation> = {}): DisputeObservation {
  return {
    id: 'du_1',
    paymentIntentId: 'pi_1',
    status,
    amount: 4_300,
    currency: 'usd',
    reason: 'fraudulent',
    openedAt: '2026-11-23T12:00:00.000Z',
    instance: null,
    ...more,
  };
}

/** What is known after each of these arrived, where Stripe says `now` when it is asked. */
function after(arrived: readonly DisputeObservation[], now: DisputeObservation): Known {
  return arrived.reduce((known, observation) => {
    const verdict = judgeDispute(known, observation, false);
    const final = verdict.verdict === 'read' ? judgeDispute(known, now, true) : verdict;
    return final.verdict === 'apply' ? { ...known, dispute: final.dispute } : known;
  }, NONE);
}

const LIVES: Readonly<Record<string, readonly DisputeObservation[]>> = {
  won: ['needs_response', 'under_review', 'won'].map((status) => seen(status)),
  lost: ['needs_response', 'lost'].map((status) => seen(status)),
  'an inquiry that is closed': ['warning_needs_response', 'warning_under_review', 'warning_closed'].map((status) => seen(status)),
  'an inquiry that becomes a chargeback': ['warning_needs_response', 'needs_response', 'under_review', 'lost'].map((status) =>
    seen(status),
  ),
  'of a smaller amount later': [seen('needs_response'), seen('needs_response', { amount: 2_000 }), seen('lost', { amount: 2_000 })],
  'won by appeal': ['needs_response', 'under_review', 'lost', 'appeal_needs_response', 'appeal_under_review', 'won'].map((status) =>
    seen(status),
  ),
};

describe('a dispute', () => {
  for (const [name, life] of Object.entries(LIVES)) {
    it(`${name} ends right in whatever order, and however often, its events arrive`, () => {
      const last = life.at(-1) ?? assert.fail();
      const { id: stripeDisputeId, status, amount, reason, openedAt } = last;
      const arrivals = fc.shuffledSubarray([...life, ...life], { minLength: life.length }).filter((order) => order.includes(last));
      fc.assert(
        fc.property(arrivals, (order) =>
          assert.deepEqual(after(order, last).dispute, { stripeDisputeId, status, amount, reason, openedAt }),
        ),
      );
    });
  }

  it('is known already when nothing of it differs', () => {
    assert.equal(judgeDispute(after([seen('won')], seen('won')), seen('won'), false).verdict, 'same');
  });

  it('is read from Stripe where two decisions differ, for nothing says which is newer', () => {
    const won = after([seen('won')], seen('won'));
    assert.equal(judgeDispute(won, seen('lost'), false).verdict, 'read');
    assert.equal(judgeDispute(won, seen('lost'), true).verdict, 'apply');
  });

  it('is not read for what an earlier phase says', () => {
    const won = after([seen('won')], seen('won'));
    for (const status of ['warning_closed', 'needs_response', 'under_review'])
      assert.equal(judgeDispute(won, seen(status), false).verdict, 'stale');
  });

  it('takes a word of a later API version', () => {
    assert.equal(after([seen('needs_response'), seen('constructor')], seen('constructor')).dispute?.status, 'constructor');
  });

  it('that was opened last is the one that shows, in either order', () => {
    const first = seen('lost');
    const second = seen('needs_response', { id: 'du_2', openedAt: '2026-11-24T12:00:00.000Z' });
    for (const order of [
      [first, second],
      [second, first],
    ])
      assert.equal(after(order, second).dispute?.stripeDisputeId, 'du_2');
    const twin = seen('needs_response', { id: 'du_2' });
    for (const order of [
      [first, twin],
      [twin, first],
    ])
      assert.equal(after(order, twin).dispute?.stripeDisputeId, 'du_2');
  });

  it('in another currency than the payment is a discrepancy, whatever else it says', () => {
    const verdict = judgeDispute(NONE, seen('needs_response', { currency: 'eur' }), true);
    assert.deepEqual(verdict, { verdict: 'discrepancy', kind: 'dispute_currency_differs' });
  });
});
