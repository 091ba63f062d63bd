import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCheckoutSession } from './stripe-objects.js';

const SESSION = {
  id: 'cs_test_1',
  object: 'checkout.session',
  status: 'open',
  amount_total: 4_300,
  currency: 'usd',
  url: 'https://checkout.stripe.example/cs_test_1',
  expires_at: 1_800_000_000,
  payment_intent: null,
  metadata: { oncepay_instance: 'shop', oncepay_operation: 'op_1' },
};

const INTENT = {
  id: 'pi_1',
  object: 'payment_intent',
  status: 'succeeded',
  amount: 4_300,
  amount_received: 4_300,
  currency: 'usd',
  metadata: {},
};

describe('a Checkout Session', () => {
  it('is read with what we need of it', () => {
    assert.deepEqual(readCheckoutSession(SESSION), {
      id: 'cs_test_1',
      status: 'open',
      amount: 4_300,
      currency: 'usd',
      url: 'https://checkout.stripe.example/cs_test_1',
      expiresAt: new Date(1_800_000_000_000),
      paymentIntentId: null,
      intent: null,
      instance: 'shop',
      operationId: 'op_1',
    });
  });

  it('names its intent, and brings it along when it was asked to', () => {
    const named = readCheckoutSession({ ...SESSION, payment_intent: 'pi_1' });
    assert.deepEqual([named?.paymentIntentId, named?.intent], ['pi_1', null]);
    const expanded = readCheckoutSession({ ...SESSION, payment_intent: INTENT });
    assert.deepEqual([expanded?.paymentIntentId, expanded?.intent?.status], ['pi_1', 'succeeded']);
  });

  it('of another mode is one too, so that neither a list nor an event is unreadable because of it', () => {
    const saved = readCheckoutSession({ ...SESSION, mode: 'setup', amount_total: null, currency: null, url: null, metadata: null });
    assert.deepEqual([saved?.amount, saved?.currency, saved?.instance, saved?.operationId], [null, null, null, null]);
  });

  it('is nothing else', () => {
    const odd = [
      null,
      'cs_test_1',
      {},
      INTENT,
      { ...SESSION, id: 7 },
      { ...SESSION, status: 'paid' },
      { ...SESSION, amount_total: 1.5 },
      { ...SESSION, currency: 1 },
      { ...SESSION, expires_at: undefined },
    ];
    for (const value of odd) assert.equal(readCheckoutSession(value), null, JSON.stringify(value));
  });
});
