import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aPayment } from '../../../test/support/a-payment.js';
import { judge as judgeIntent, type PaymentIntentObservation } from './observation.js';
import { type PaymentState, SESSION_LAPSED } from './payment.js';
import { judgeSession, type SessionObservation, type SessionVerdict } from './session-observation.js';

const AMOUNT = 4_300;
const URL = 'https://checkout.stripe.example/cs_1';
const NOW = new Date('2026-11-23T12:00:00Z');
const LATER = new Date('2026-11-24T12:00:00Z');

const PENDING = aPayment({ amount: AMOUNT, checkout: 'hosted' });
const OPEN: PaymentState = { ...PENDING, status: 'requires_payment_method', checkoutSessionId: 'cs_1', url: URL };
const PAID: PaymentState = {
  ...OPEN,
  status: 'succeeded',
  stripePaymentIntentId: 'pi_1',
  stripeClientSecret: 'pi_1_secret',
  url: null,
  amountCaptured: AMOUNT,
};

function seen(status: SessionObservation['status'], more: Partial<SessionObservation> = {}): SessionObservation {
  const url = status === 'open' ? URL : null;
  const paymentIntentId = status === 'complete' ? 'pi_1' : null;
  return {
    id: 'cs_1',
    status,
    amount: AMOUNT,
    currency: 'usd',
    url,
    expiresAt: LATER,
    paymentIntentId,
    intent: null,
    instance: 'shop',
    operationId: 'op_1',
    ...more,
  };
}

function intent(status: PaymentIntentObservation['status'], more: Partial<PaymentIntentObservation> = {}): PaymentIntentObservation {
  const amountReceived = status === 'succeeded' ? AMOUNT : 0;
  return {
    id: 'pi_1',
    status,
    amount: AMOUNT,
    currency: 'usd',
    amountReceived,
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

const judge = (payment: PaymentState, session: SessionObservation, { isFresh = true, now = NOW } = {}): SessionVerdict =>
  judgeSession(payment, session, isFresh, now);

/** What the payment becomes. */
function applied(payment: PaymentState, session: SessionObservation, circumstances?: { isFresh?: boolean; now?: Date }): PaymentState {
  const verdict = judge(payment, session, circumstances);
  if (verdict.verdict !== 'apply') assert.fail(verdict.verdict);
  return { ...payment, ...verdict.facts, amountCaptured: verdict.amountCaptured };
}

describe('an open session', () => {
  it('shows where to pay, and needs no intent', () => {
    assert.deepEqual(applied(PENDING, seen('open')), OPEN);
  });

  it('that a repeated request is answered with may be old, so it is read', () => {
    assert.equal(judge(PENDING, seen('open'), { isFresh: false }).verdict, 'read');
  });

  it('is nothing new, and reopens nothing', () => {
    for (const payment of [OPEN, PAID, { ...OPEN, status: 'processing', url: null, stripePaymentIntentId: 'pi_1' } as const]) {
      for (const isFresh of [true, false]) assert.equal(judge(payment, seen('open'), { isFresh }).verdict, 'same');
    }
  });

  it('tells of the intent that a first try has made, and why it came to nothing', () => {
    const lastError = { code: 'card_declined', declineCode: 'lost_card', message: 'Declined.' };
    const after = applied(
      OPEN,
      seen('open', { paymentIntentId: 'pi_1', intent: intent('requires_payment_method', { lastError, chargeId: 'ch_1' }) }),
    );
    assert.deepEqual(
      [after.status, after.stripePaymentIntentId, after.url, after.lastError],
      ['requires_payment_method', 'pi_1', URL, lastError],
    );
    assert.equal(applied(OPEN, seen('open', { paymentIntentId: 'pi_1' })).stripePaymentIntentId, 'pi_1');
  });
});

describe('a complete session', () => {
  it('never decides about money: its intent is read', () => {
    for (const payment of [PENDING, OPEN, { ...OPEN, stripePaymentIntentId: 'pi_1' }]) {
      for (const isFresh of [true, false]) assert.equal(judge(payment, seen('complete'), { isFresh }).verdict, 'read');
    }
  });

  it('closes its page, and its intent says the rest', () => {
    const paid = applied(OPEN, seen('complete', { intent: intent('succeeded') }));
    assert.deepEqual([paid.status, paid.url, paid.amountCaptured, paid.stripePaymentIntentId], ['succeeded', null, AMOUNT, 'pi_1']);
    for (const status of ['processing', 'requires_capture', 'requires_action', 'requires_payment_method'] as const) {
      const unpaid = applied(OPEN, seen('complete', { intent: intent(status) }));
      assert.deepEqual([unpaid.status, unpaid.url, unpaid.amountCaptured], [status, null, 0]);
    }
  });

  it('is known once its payment is', () => {
    for (const session of [seen('complete'), seen('complete', { intent: intent('succeeded') })])
      assert.equal(judge(PAID, session).verdict, 'same');
  });

  it('is read again when the payment has moved since', () => {
    assert.equal(judge(OPEN, seen('complete', { intent: intent('processing') }), { isFresh: false }).verdict, 'read');
  });
});

describe('the intent of a session', () => {
  it('closes the page when the buyer has done their part, and leaves it open after a try that came to nothing', () => {
    const known: PaymentState = { ...OPEN, stripePaymentIntentId: 'pi_1' };
    const urlAfter = (status: PaymentIntentObservation['status']): string | null => {
      const verdict = judgeIntent(known, intent(status, { chargeId: 'ch_1' }), true);
      return verdict.verdict === 'apply' ? verdict.facts.url : verdict.verdict;
    };
    for (const status of ['requires_payment_method', 'requires_confirmation', 'requires_action'] as const)
      assert.equal(urlAfter(status), URL, status);
    for (const status of ['processing', 'requires_capture', 'succeeded', 'canceled'] as const) assert.equal(urlAfter(status), null, status);
  });
});

describe('an expired session', () => {
  it('takes no payment any more, whenever that is heard', () => {
    for (const payment of [PENDING, OPEN, { ...OPEN, stripePaymentIntentId: 'pi_1', status: 'requires_action' } as const]) {
      for (const isFresh of [true, false]) {
        const after = applied(payment, seen('expired'), { isFresh });
        assert.deepEqual([after.status, after.url, after.checkoutSessionId, after.nextAction], ['canceled', null, 'cs_1', null]);
      }
    }
  });

  it('has lapsed when its time is over, give or take a minute of the clocks, and was ended otherwise', () => {
    const reason = (seconds: number): string | null =>
      applied(OPEN, seen('expired'), { now: new Date(LATER.getTime() + seconds * 1_000) }).cancellationReason;
    assert.deepEqual([reason(1), reason(-60), reason(-61), reason(-3_600)], [SESSION_LAPSED, SESSION_LAPSED, null, null]);
  });

  it('changes no payment that has ended', () => {
    assert.equal(judge(PAID, seen('expired')).verdict, 'stale');
    assert.equal(judge({ ...OPEN, status: 'canceled', url: null }, seen('expired')).verdict, 'same');
  });
});

describe('a session that contradicts us', () => {
  const kindOf = (payment: PaymentState, session: SessionObservation): string => {
    const verdict = judge(payment, session);
    return verdict.verdict === 'discrepancy' ? verdict.kind : verdict.verdict;
  };

  it('is never accepted: another amount, another currency, another intent or none', () => {
    assert.equal(kindOf(PENDING, seen('open', { amount: AMOUNT + 1 })), 'session_amount_differs');
    assert.equal(kindOf(OPEN, seen('expired', { currency: 'eur' })), 'session_currency_differs');
    assert.equal(kindOf({ ...OPEN, stripePaymentIntentId: 'pi_2' }, seen('complete')), 'intent_differs');
    assert.equal(kindOf(OPEN, seen('complete', { paymentIntentId: null })), 'session_without_intent');
    assert.equal(
      kindOf(OPEN, seen('complete', { intent: intent('succeeded', { amountReceived: AMOUNT + 1 }) })),
      'captured_exceeds_amount',
    );
  });

  it('is a second one: harmless until somebody completes it', () => {
    assert.equal(kindOf(OPEN, seen('open', { id: 'cs_2' })), 'stale');
    assert.equal(kindOf(OPEN, seen('expired', { id: 'cs_2' })), 'stale');
    assert.equal(kindOf(OPEN, seen('complete', { id: 'cs_2' })), 'session_differs');
  });
});
