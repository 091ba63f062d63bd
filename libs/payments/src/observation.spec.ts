import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aPayment } from '../../../test/support/a-payment.js';
import { judge, PAYMENT_TRANSITIONS, type PaymentIntentObservation } from './observation.js';
import { PAYMENT_STATUSES, type PaymentState, type PaymentStatus } from './payment.js';

type IntentStatus = PaymentIntentObservation['status'];

const AMOUNT = 4_300;

const PENDING = aPayment({ amount: AMOUNT });

function seen(status: IntentStatus, more: Partial<PaymentIntentObservation> = {}): PaymentIntentObservation {
  return {
    id: 'pi_1',
    status,
    amount: AMOUNT,
    currency: 'usd',
    amountReceived: status === 'succeeded' ? AMOUNT : 0,
    clientSecret: 'pi_1_secret',
    chargeId: null,
    paymentMethod: null,
    nextAction: null,
    lastError: null,
    cancellationReason: null,
    instance: 'shop',
    operationId: 'op_1',
    ...more,
  };
}

/** The payment after Stripe's own word in `observation` was applied. */
function payment(observation: PaymentIntentObservation, more: Partial<PaymentState> = {}): PaymentState {
  const verdict = judge(PENDING, observation, true);
  if (verdict.verdict !== 'apply') assert.fail(verdict.verdict);
  return { ...PENDING, ...verdict.facts, amountCaptured: verdict.amountCaptured, ...more };
}

const inState = (status: PaymentStatus): PaymentState => (status === 'pending' ? PENDING : payment(seen(status)));

describe('an observation of an intent', () => {
  /** Where Stripe's life cycle leads from each status, in one step or several; the same status again is no move. */
  const OPEN: readonly IntentStatus[] = ['requires_payment_method', 'requires_confirmation', 'requires_action', 'processing'];
  const reachable = (from: PaymentStatus): readonly IntentStatus[] => {
    if (from === 'succeeded' || from === 'canceled') return [];
    if (from === 'requires_capture') return ['succeeded', 'canceled'];
    return [...OPEN.filter((status) => status !== from), 'requires_capture', 'succeeded', 'canceled'];
  };
  const intentStatuses = PAYMENT_STATUSES.filter((status) => status !== 'pending');

  for (const from of PAYMENT_STATUSES) {
    for (const to of intentStatuses) {
      if (from === to) continue;
      const legal = reachable(from).includes(to);
      const expected = legal ? 'apply' : from === 'requires_capture' || to === 'succeeded' || to === 'canceled' ? 'discrepancy' : 'stale';
      it(`moves a payment from ${from} to ${to}: ${expected}, when it is fresh`, () => {
        assert.equal(judge(inState(from), seen(to), true).verdict, expected);
        assert.equal(PAYMENT_TRANSITIONS[from].includes(to), legal);
      });
    }
  }

  it('never leads back to pending, which only we say', () => {
    for (const from of PAYMENT_STATUSES) assert.ok(!PAYMENT_TRANSITIONS[from].includes('pending'));
  });

  it('that differs is read from Stripe unless it is fresh or final', () => {
    for (const from of [...OPEN, 'pending', 'requires_capture'] as const) {
      for (const to of intentStatuses) {
        if (from === to) continue;
        const expected = to === 'succeeded' || to === 'canceled' ? 'apply' : 'read';
        assert.equal(judge(inState(from), seen(to), false).verdict, expected, `${from} -> ${to}`);
      }
    }
  });

  it('that differs within one status is read as well: nothing says which is newer', () => {
    const known = payment(seen('requires_action', { nextAction: { type: 'redirect_to_url', url: 'https://bank.example/1' } }));
    const other = seen('requires_action', { nextAction: { type: 'redirect_to_url', url: 'https://bank.example/2' } });
    assert.equal(judge(known, other, false).verdict, 'read');
    assert.equal(judge(known, other, true).verdict, 'apply');
  });

  it('of what we know already changes nothing, fresh or not', () => {
    for (const status of intentStatuses) {
      for (const fresh of [true, false]) assert.deepEqual(judge(inState(status), seen(status), fresh), { verdict: 'same' });
    }
  });

  it('of any earlier state is stale once the payment succeeded or was canceled', () => {
    for (const final of ['succeeded', 'canceled'] as const) {
      for (const earlier of [...OPEN, 'requires_capture'] as const) {
        for (const fresh of [true, false]) assert.deepEqual(judge(inState(final), seen(earlier), fresh), { verdict: 'stale' });
      }
    }
  });

  it('raises what was captured and never lowers it', () => {
    const partly = payment(seen('succeeded', { amountReceived: 1_000 }));
    const more = judge(partly, seen('succeeded', { amountReceived: 1_500 }), false);
    assert.equal(more.verdict === 'apply' && more.amountCaptured, 1_500);
    assert.deepEqual(judge(partly, seen('succeeded', { amountReceived: 900 }), true), { verdict: 'same' });
    const falling = judge(payment(seen('processing'), { amountCaptured: 1_000 }), seen('requires_action', { amountReceived: 0 }), true);
    assert.equal(falling.verdict === 'apply' && falling.amountCaptured, 1_000);
  });

  it('that says less than an earlier one keeps what that one said', () => {
    const known = payment(seen('processing', { chargeId: 'ch_1', paymentMethod: 'pm_1' }));
    const verdict = judge(known, seen('succeeded', { clientSecret: null, chargeId: null, paymentMethod: null }), false);
    if (verdict.verdict !== 'apply') assert.fail(verdict.verdict);
    assert.deepEqual(
      [verdict.facts.stripeClientSecret, verdict.facts.stripeChargeId, verdict.facts.paymentMethod],
      ['pi_1_secret', 'ch_1', 'pm_1'],
    );
  });

  it('keeps our own record of a refusal while the buyer may try again, and drops it when the payment moves on', () => {
    const refused = payment(seen('requires_payment_method'), { lastError: { code: 'rejected', declineCode: null, message: 'no' } });
    const again = payment(seen('requires_confirmation'), { lastError: refused.lastError });
    const waiting = judge(refused, seen('requires_confirmation'), true);
    const back = judge(again, seen('requires_payment_method'), true);
    const moving = judge(refused, seen('processing'), true);
    for (const verdict of [waiting, back]) assert.equal(verdict.verdict === 'apply' && verdict.facts.lastError?.code, 'rejected');
    assert.equal(moving.verdict === 'apply' && moving.facts.lastError, null);
  });

  const contradictions = {
    'of another intent': [inState('processing'), seen('succeeded', { id: 'pi_2' }), 'intent_differs'],
    'of another amount': [PENDING, seen('requires_payment_method', { amount: AMOUNT + 1 }), 'amount_differs'],
    'of another currency': [PENDING, seen('requires_payment_method', { currency: 'eur' }), 'currency_differs'],
    'of more captured than was ordered': [PENDING, seen('succeeded', { amountReceived: AMOUNT + 1 }), 'captured_exceeds_amount'],
    'of a cancellation after success': [inState('succeeded'), seen('canceled'), 'final_states_differ'],
    'of success after a cancellation': [inState('canceled'), seen('succeeded'), 'final_states_differ'],
    'of a step back from an authorisation': [inState('requires_capture'), seen('requires_payment_method'), 'impossible_transition'],
  } as const;
  for (const [what, [state, observation, kind]] of Object.entries(contradictions)) {
    it(`${what} is a discrepancy and never applied`, () => {
      assert.deepEqual(judge(state, observation, true), { verdict: 'discrepancy', kind });
    });
  }

  it('that contradicts is told before it counts as old or known', () => {
    assert.equal(judge(inState('succeeded'), seen('processing', { amount: 1 }), false).verdict, 'discrepancy');
    assert.equal(judge(inState('processing'), seen('processing', { currency: 'eur' }), false).verdict, 'discrepancy');
  });
});

/** One step of Stripe's life cycle. Source: docs.stripe.com/payments/paymentintents/lifecycle. */
const STEPS: Readonly<Record<IntentStatus, readonly IntentStatus[]>> = {
  requires_payment_method: [
    'requires_confirmation',
    'requires_action',
    'processing',
    'requires_capture',
    'succeeded',
    'canceled',
    'requires_payment_method',
  ],
  requires_confirmation: ['requires_payment_method', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'canceled'],
  requires_action: ['requires_payment_method', 'requires_confirmation', 'processing', 'requires_capture', 'succeeded', 'canceled'],
  processing: ['requires_payment_method', 'requires_capture', 'succeeded', 'canceled'],
  requires_capture: ['succeeded', 'canceled'],
  succeeded: [],
  canceled: [],
};

/** A legal life of an intent, as the observations Stripe would give of each of its states. */
const history = fc
  .tuple(fc.array(fc.nat(), { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: AMOUNT }))
  .map(([choices, capture]) => {
    const states = [seen('requires_payment_method')];
    for (const [index, choice] of choices.entries()) {
      const last = states.at(-1) ?? assert.fail();
      const next = STEPS[last.status];
      const status = next[choice % next.length];
      if (status === undefined) break;
      const wasTried = status === 'requires_payment_method';
      states.push(
        seen(status, {
          chargeId: status === 'requires_confirmation' || status === 'requires_action' ? last.chargeId : `ch_${index}`,
          nextAction: status === 'requires_action' ? { type: 'redirect_to_url', url: `https://bank.example/${index}` } : null,
          lastError: wasTried ? { code: 'card_declined', declineCode: null, message: `attempt ${index}` } : null,
          cancellationReason: status === 'canceled' ? 'abandoned' : null,
          amountReceived: status !== 'succeeded' ? 0 : last.status === 'requires_capture' ? capture : AMOUNT,
        }),
      );
    }
    return states;
  });

/** Brings an observation to a payment as the one door does, with Stripe's present state as the answer to a read. */
function deliver(state: PaymentState, observation: PaymentIntentObservation, present: PaymentIntentObservation): PaymentState {
  let verdict = judge(state, observation, false);
  if (verdict.verdict === 'read') verdict = judge(state, present, true);
  assert.ok(
    verdict.verdict !== 'read' && verdict.verdict !== 'discrepancy',
    `${verdict.verdict}: ${state.status} -> ${observation.status}`,
  );
  if (verdict.verdict !== 'apply') return state;
  const after: PaymentState = { ...state, ...verdict.facts, amountCaptured: verdict.amountCaptured, version: state.version + 1 };
  assert.ok(after.amountCaptured >= state.amountCaptured, 'captured never falls');
  assert.ok(
    (state.status !== 'succeeded' && state.status !== 'canceled') || after.status === state.status,
    'a final state never regresses',
  );
  return after;
}

function assertEquals(state: PaymentState, last: PaymentIntentObservation): void {
  assert.deepEqual(
    {
      status: state.status,
      captured: state.amountCaptured,
      nextAction: state.nextAction,
      cancellationReason: state.cancellationReason,
      id: state.stripePaymentIntentId,
    },
    {
      status: last.status,
      captured: last.amountReceived,
      nextAction: last.nextAction,
      cancellationReason: last.cancellationReason,
      id: last.id,
    },
  );
  if (last.lastError !== null) assert.deepEqual(state.lastError, last.lastError);
  if (last.chargeId !== null) assert.equal(state.stripeChargeId, last.chargeId);
}

describe('any legal life of an intent', () => {
  it('ends in its last state, however its observations are lost, repeated and reordered, as long as one arrives', () => {
    const deliveries = history.chain((states) =>
      fc.tuple(fc.constant(states), fc.array(fc.nat({ max: states.length - 1 }), { minLength: 1, maxLength: 30 })),
    );
    fc.assert(
      fc.property(deliveries, ([states, order]) => {
        const last = states.at(-1) ?? assert.fail();
        const end = order.reduce((state, index) => deliver(state, states[index] ?? assert.fail(), last), PENDING);
        assertEquals(end, last);
      }),
      { numRuns: 2_000 },
    );
  });

  it('ends in its last state when observations arrive late while Stripe moves on, and each arrives at last', () => {
    const late = history.chain((states) =>
      fc.tuple(
        fc.constant(states),
        fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 40 }),
        fc.shuffledSubarray(
          states.map((_, index) => index),
          { minLength: states.length },
        ),
      ),
    );
    fc.assert(
      fc.property(late, ([states, schedule, remaining]) => {
        let present = 0;
        let state = PENDING;
        const at = (index: number): PaymentIntentObservation => states[index] ?? assert.fail();
        for (const [moves, choice] of schedule) {
          if (moves && present < states.length - 1) present += 1;
          else state = deliver(state, at(choice % (present + 1)), at(present));
        }
        for (const index of remaining) state = deliver(state, at(index), at(states.length - 1));
        assertEquals(state, at(states.length - 1));
      }),
      { numRuns: 2_000 },
    );
  });
});
